// SPDX-License-Identifier: Apache-2.0
#include "driver_host/link.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <string_view>

namespace gerbang::driver_host {
namespace {

constexpr std::size_t kMaxInbox = 64;  // frames; the rest stays in the socket

// Written by the signal handler, so that a wait that is about to begin ends too.
volatile std::sig_atomic_t terminated = 0;
int terminated_event = -1;

void on_terminate(int) {
  int saved = errno;
  terminated = 1;
  std::uint64_t one = 1;
  (void)!write(terminated_event, &one, sizeof one);  // full means that it has been said
  errno = saved;
}

void handle_signals() {
  terminated_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct sigaction action {};
  action.sa_handler = on_terminate;  // without SA_RESTART: a driver's read ends too
  sigaction(SIGTERM, &action, nullptr);
  // Ctrl-C and a closed terminal reach the whole group: the daemon decides what they mean.
  action.sa_handler = SIG_IGN;
  for (int ignored : {SIGINT, SIGHUP, SIGPIPE}) sigaction(ignored, &action, nullptr);
}

}  // namespace

Link::Link(int descriptor) : socket_(descriptor) {
  handle_signals();
}

Link::~Link() {
  close(socket_);
}

bool Link::wait(bool writing, Nanoseconds timeout) {
  bool reading = inbox_.size() < kMaxInbox;
  std::array<pollfd, 2> wanted = {
      {{socket_, static_cast<short>((writing ? POLLOUT : 0) | (reading ? POLLIN : 0)), 0},
       {terminated_event, POLLIN, 0}}};
  timespec limit{};
  timeout = std::clamp(timeout, Nanoseconds(0), 3600 * kSecond);
  limit.tv_sec = static_cast<time_t>(timeout / kSecond);
  limit.tv_nsec = static_cast<long>((timeout % kSecond).count());
  int ready = ppoll(wanted.data(), wanted.size(), &limit, nullptr);
  if (terminated != 0) stop();
  if (ready > 0 && reading && (wanted[0].revents & (POLLIN | POLLHUP | POLLERR | POLLNVAL)) != 0)
    pump();
  return ready != 0;
}

void Link::pump() {
  std::array<char, 4096> bytes;
  while (!ended_ && inbox_.size() < kMaxInbox) {
    ssize_t n = recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      ended_ = true;
      broken_ = n < 0 && (errno == EBADF || errno == ENOTSOCK);  // the driver closed it
      stop();
      return;
    }
    reader_.feed(std::string_view(bytes.data(), static_cast<std::size_t>(n)));
    for (;;) {
      auto payload = reader_.next();
      host::v1::ToDriverHost frame;
      if (payload && !*payload) break;
      if (!payload ||
          !frame.ParseFromArray((*payload)->data(), static_cast<int>((*payload)->size()))) {
        ended_ = broken_ = true;
        stop();
        return;
      }
      if (frame.has_stop())
        stop();
      else
        inbox_.push_back(std::move(frame));
    }
  }
}

bool Link::send(const host::v1::FromDriverHost& frame) {
  payload_.clear();
  out_.clear();
  frame.AppendToString(&payload_);
  ipc::append_frame(out_, payload_);
  std::string_view left = out_;
  while (!left.empty() && !ended_) {
    ssize_t n = ::send(socket_, left.data(), left.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) {
      left.remove_prefix(static_cast<std::size_t>(n));
    } else if (n < 0 && errno == EAGAIN) {
      // A half-written frame ends the stream: nothing may follow it.
      if (terminated != 0) ended_ = true;
      if (!ended_) wait(true, 3600 * kSecond);
    } else if (n == 0 || errno != EINTR) {
      ended_ = true;
      broken_ = n < 0 && (errno == EBADF || errno == ENOTSOCK);
    }
  }
  if (ended_) stop();
  return !ended_;
}

std::optional<host::v1::ToDriverHost> Link::receive(Nanoseconds timeout) {
  if (inbox_.empty() && !stop_seen()) wait(false, timeout);
  if (inbox_.empty()) return std::nullopt;
  host::v1::ToDriverHost frame = std::move(inbox_.front());
  inbox_.pop_front();
  return frame;
}

bool Link::stopping() {
  if (terminated != 0) stop();
  if (!stop_seen()) pump();
  return stop_seen();
}

}  // namespace gerbang::driver_host
