// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "core/clock.hpp"
#include "core/restart_policy.hpp"

namespace gerbang::source {

// All numbers of supervising a driver host; tests shorten them.
struct Limits {
  using Duration = std::chrono::nanoseconds;
  Duration hello = std::chrono::seconds(5);       // from the start of the process
  Duration heartbeat = std::chrono::seconds(10);  // and the driver's max_block_ms
  Duration tick = std::chrono::seconds(1);        // how often deadlines are looked at, at least
  Duration stop = std::chrono::seconds(2);      // from the Stop frame to SIGTERM, and on to SIGKILL
  Duration missing = std::chrono::seconds(60);  // how often a dead driver's sensors say so again
  std::uint32_t log_burst = 20;                 // lines of a driver at once …
  Duration log_line = std::chrono::seconds(1);  // … and one more after each of these
  RestartLimits restart;
};

// A bucket of log lines: a flooding driver must not fill the journal. Pure.
class LogLimit {
 public:
  LogLimit(std::uint32_t burst, std::chrono::nanoseconds refill)
      : burst_(burst), left_(burst), refill_(refill) {}

  // False: drop the line; it is counted.
  bool admit(BootTime now) {
    if (left_ < burst_) {
      auto earned = (now - since_) / refill_;
      left_ = static_cast<std::uint32_t>(std::min<std::int64_t>(burst_, left_ + earned));
      since_ += earned * refill_;
    } else {
      since_ = now;
    }
    if (left_ == 0) {
      ++dropped_;
      ++unreported_;
      return false;
    }
    --left_;
    return true;
  }
  std::uint64_t dropped() const { return dropped_; }
  // How many were dropped since the last time that this was asked.
  std::uint64_t take_unreported() { return std::exchange(unreported_, 0); }

 private:
  std::uint32_t burst_, left_;
  std::chrono::nanoseconds refill_;
  BootTime since_{};
  std::uint64_t dropped_ = 0, unreported_ = 0;
};

}  // namespace gerbang::source
