// SPDX-License-Identifier: Apache-2.0
#include "uplink_host/session.hpp"

#include <host/v1/uplink.pb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <exception>
#include <utility>

#include "ipc/memory.hpp"
#include "uplink_host/reason.hpp"

namespace gerbang::uplink_host {
namespace {

constexpr int kBrokenFrames = 70, kUnavailable = 69;  // sysexits
constexpr std::chrono::milliseconds kStart{15'000};   // then work is steady
// After a loss, for what the library says of its messages: 2 ms were measured.
constexpr std::chrono::milliseconds kCallbacks{100};

}  // namespace

Session::Session(int socket) : socket_(socket) {}
Session::~Session() = default;

int Session::run() {
  host::v1::FromUplinkHost hello;
  hello.mutable_hello()->set_library(PahoClient::library());
  send(hello);
  const auto steady_at = std::chrono::steady_clock::now() + kStart;
  bool starting = true;
  for (;;) {
    std::array<pollfd, 2> ready{{{socket_, POLLIN, 0}, {-1, POLLIN, 0}}};
    if (client_) ready[1].fd = client_->ready_fd();
    int patience = starting ? static_cast<int>(kStart.count()) : -1;
    if (lost_) patience = static_cast<int>(kCallbacks.count());
    int events = poll(ready.data(), ready.size(), patience);
    if (events < 0) {
      if (errno == EINTR) continue;
      return kUnavailable;
    }
    // A message that the library keeps would be sent again by nobody's order, and one that the
    // broker dislikes would end the next connection too. A new process keeps nothing.
    if (events == 0 && std::exchange(lost_, false) && client_->keeps_messages()) return 0;
    if (starting && std::chrono::steady_clock::now() >= steady_at) {
      starting = false;
      ipc::forget_startup();
    }
    if (ready[1].revents != 0) report();
    if (ready[0].revents != 0 && !read_frames()) return exit_code_;
  }
}

bool Session::read_frames() {
  std::array<char, 64 << 10> buffer;
  ssize_t got = read(socket_, buffer.data(), buffer.size());  // poll() said that it can be read
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  // The daemon is gone without a word. So are we, without a DISCONNECT: the broker shall publish
  // the will.
  if (got <= 0) return false;
  reader_.feed({buffer.data(), static_cast<std::size_t>(got)});
  for (;;) {
    auto payload = reader_.next();
    host::v1::ToUplinkHost frame;
    if (!payload || (*payload && !frame.ParseFromArray((*payload)->data(),
                                                       static_cast<int>((*payload)->size())))) {
      std::fprintf(stderr, "gerbang-uplink-host: what came from gerbangd is no frame\n");
      exit_code_ = kBrokenFrames;
      return false;
    }
    if (!*payload) return true;
    if (!serve(frame)) return false;
  }
}

bool Session::serve(const host::v1::ToUplinkHost& frame) {
  if (frame.has_configure()) {
    configured_ = std::make_unique<host::v1::ToUplinkHost>(frame);
    if (!client_) try {
        client_ = std::make_unique<PahoClient>(configured_->configure().connect());
      } catch (const std::exception& e) {
        std::fprintf(stderr, "gerbang-uplink-host: %s\n", e.what());
        exit_code_ = kUnavailable;
        return false;
      }
  }
  if (frame.has_connect() && client_) {
    lost_ = false;
    client_->connect(configured_->configure().connect());
  }
  if (client_)
    for (const auto& publish : frame.publish()) client_->publish(publish);
  if (frame.has_disconnect()) {
    if (client_) client_->disconnect();
    return false;
  }
  return true;
}

void Session::report() {
  Happened happened = client_->take();
  // Up has a frame of its own, before all else of its connection; Down comes after all else.
  if (happened.up) {
    host::v1::FromUplinkHost frame;
    frame.mutable_up()->set_receive_max(happened.up->receive_max);
    frame.mutable_up()->set_max_packet(happened.up->max_packet);
    send(frame);
  }
  if (!happened.acked.empty()) {
    host::v1::FromUplinkHost frame;
    for (const auto& each : happened.acked) {
      auto* acked = frame.add_acked();
      acked->set_id(each.id);
      acked->set_code(each.code);
    }
    send(frame);
  }
  for (auto& each : happened.received) {
    host::v1::FromUplinkHost frame;
    frame.mutable_received()->set_topic(std::move(each.topic));
    frame.mutable_received()->set_payload(std::move(each.payload));
    frame.mutable_received()->set_retained(each.retained);
    send(frame);
  }
  if (happened.down) {
    host::v1::FromUplinkHost frame;
    const auto& broker = configured_->configure().connect();
    // What worked before is configured right: no second knock at a broker that has trouble.
    if (!happened.down->certain && (broker.never_connected() || happened.down->reason.empty()))
      happened.down->reason = probe(broker.host(), static_cast<std::uint16_t>(broker.port()),
                                    broker.tls(), happened.down->reason);
    frame.mutable_down()->set_reason(std::move(happened.down->reason));
    frame.mutable_down()->set_code(happened.down->code);
    send(frame);
    lost_ = true;
  }
}

void Session::send(const host::v1::FromUplinkHost& frame) {
  out_.clear();
  ipc::append_frame(out_, frame.SerializeAsString());
  std::string_view rest = out_;
  while (!rest.empty()) {
    // Blocks while the daemon does not read; what may pile up meanwhile is bounded by its window.
    ssize_t done = ::send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (done > 0) {
      rest.remove_prefix(static_cast<std::size_t>(done));
    } else if (errno == EAGAIN) {
      pollfd writable{socket_, POLLOUT, 0};
      (void)poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      return;  // the daemon is gone; reading will tell
    }
  }
}

}  // namespace gerbang::uplink_host
