// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <host/v1/driver.pb.h>

#include <atomic>
#include <deque>
#include <optional>
#include <string>

#include "driver_host/rhythm.hpp"
#include "ipc/frame.hpp"

namespace gerbang::driver_host {

// The socket to the daemon, blocking. One thread; only stopping() may be read from others.
// SIGTERM is noticed here too and means the same as a Stop frame. One Link a process.
class Link {
 public:
  explicit Link(int descriptor);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Blocks while the daemon does not read: that is how it slows a driver down. False, also for
  // every later call: the daemon is gone, or SIGTERM came while it did not read.
  bool send(const host::v1::FromDriverHost& frame);

  // The next frame, waiting for at most `timeout`; Stop is kept here and not handed out. Returns
  // at once when stopping() turns true.
  std::optional<host::v1::ToDriverHost> receive(Nanoseconds timeout);

  // Looks at the socket without waiting. True after Stop, SIGTERM, or the end of the stream.
  bool stopping();
  bool stop_seen() const { return stop_.load(std::memory_order_relaxed); }
  // Not an ordinary end: what came is no frame, or the driver closed the descriptor.
  bool broken() const { return broken_; }

 private:
  // Waits until the socket can be read (or written, too) or SIGTERM comes. False: time-out.
  bool wait(bool writing, Nanoseconds timeout);
  void pump();  // reads what is there
  void stop() { stop_.store(true, std::memory_order_relaxed); }

  int socket_;
  ipc::FrameReader reader_;
  std::deque<host::v1::ToDriverHost> inbox_;
  std::string payload_, out_;  // kept for their capacity
  std::atomic<bool> stop_ = false;
  bool ended_ = false;  // nothing can be read or written any more
  bool broken_ = false;
};

}  // namespace gerbang::driver_host
