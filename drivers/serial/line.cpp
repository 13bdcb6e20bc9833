// SPDX-License-Identifier: Apache-2.0
#include "line.hpp"

#include <sys/ioctl.h>
#include <termios.h>

#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "port.hpp"

namespace gerbang::serial {

using namespace std::chrono_literals;

Line::Line(driver::Host host, Settings settings, std::string name)
    : host_(host), settings_(std::move(settings)), name_(std::move(name)), buffer_(4096) {}

bool Line::failed(const std::string& why) {
  back_off_.failed(Clock::now());
  why_ = settings_.device + ": " + why;
  if (std::exchange(told_, why_) != why_)
    host_.warning("no connection: " + why_ + "; trying again for ever");
  return false;
}

// One that worked is opened again at once; one that never said anything understandable waits.
void Line::lost(const std::string& why) {
  close();
  if (!std::exchange(understood_, false)) {
    failed(why);
    return;
  }
  back_off_.worked();
  why_ = settings_.device + ": " + why;
}

void Line::close() {
  close_port(port_);
}

bool Line::open() {
  if (is_open()) return true;
  if (Clock::now() < back_off_.until()) return false;
  std::string why;
  port_ = open_port(settings_, why);
  if (!port_) return failed(why);
  ++openings_;
  if (!std::exchange(told_, {}).empty()) host_.info("connected again: " + settings_.device);
  return true;
}

Bytes Line::read_some(Clock::time_point deadline) {
  if (!open()) {
    std::this_thread::sleep_until(std::min(deadline, back_off_.until()));
    return {};
  }
  const short events = wait_for(port_.get(), POLLIN, deadline);
  if (events == 0) return {};
  if ((events & POLLIN) != 0 && settings_.gather > 0ms)
    std::this_thread::sleep_for(settings_.gather);
  const ssize_t n = ::read(port_.get(), buffer_.data(), buffer_.size());
  if (n > 0) {
    const Bytes bytes(buffer_.data(), static_cast<std::size_t>(n));
    host_.trace(name_.c_str(), false, std::as_bytes(bytes));
    return bytes;
  }
  if (n == 0)
    lost("the port is gone");
  else if (errno != EAGAIN && errno != EINTR)
    lost(std::strerror(errno));
  else if ((events & (POLLHUP | POLLERR | POLLNVAL)) != 0)
    lost("the port is gone");
  return {};
}

bool Line::write(Bytes bytes, Clock::time_point deadline) {
  if (!open()) return false;
  const Bytes all = bytes;
  while (!bytes.empty()) {
    const ssize_t n = ::write(port_.get(), bytes.data(), bytes.size());
    if (n > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      continue;
    }
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
      lost(std::strerror(errno));
      return false;
    }
    const short events = wait_for(port_.get(), POLLOUT, deadline);
    if (events == 0) return false;
    if ((events & POLLOUT) == 0) {
      lost("the port is gone");
      return false;
    }
  }
  host_.trace(name_.c_str(), true, std::as_bytes(all));
  return true;
}

bool Line::wait_sent(Clock::time_point deadline) {
  for (;;) {
    int waiting = 0;
    if (!is_open() || ::ioctl(port_.get(), TIOCOUTQ, &waiting) != 0) return false;
    if (waiting == 0) return true;
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(1ms);
  }
}

void Line::flush_input() {
  if (is_open()) ::tcflush(port_.get(), TCIFLUSH);
}

bool Line::set_break(bool on) {
  return is_open() && ::ioctl(port_.get(), on ? TIOCSBRK : TIOCCBRK) == 0;
}

void Line::change(const Settings& settings) {
  settings_ = settings;
  if (!is_open()) return;
  const std::string why = configure(port_.get(), settings_);
  ++openings_;
  if (!why.empty()) lost(why);
}

}  // namespace gerbang::serial
