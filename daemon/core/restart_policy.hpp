// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "core/backoff.hpp"
#include "core/clock.hpp"

namespace gerbang {

// All numbers of restarting a driver host.
struct RestartLimits {
  using Duration = std::chrono::nanoseconds;
  Duration first_wait = std::chrono::seconds(1);
  Duration longest_wait = std::chrono::seconds(60);
  Duration healthy = std::chrono::seconds(60);  // this long in order, and what was is forgiven
  std::size_t crashes = 5;                      // so many …
  Duration within = std::chrono::seconds(60);   // … in this time: quarantine
  Duration quarantine = std::chrono::minutes(10);
};

// When a host process that ended is started again. Pure.
class RestartPolicy {
 public:
  enum class Next { restart, quarantine, never };
  struct Decision {
    Next next = Next::restart;
    std::chrono::nanoseconds wait{};  // not for never
  };

  explicit RestartPolicy(RestartLimits limits = {});

  void ready(BootTime now);  // the driver is open and polls
  void alive(BootTime now);  // and goes on doing so

  // The process ended without being asked to. config: the operator has to change something first.
  // unit: a random number in [0, 1]. Out of quarantine leads only a healthy run.
  Decision ended(BootTime now, bool config, double unit);

 private:
  RestartLimits limits_;
  Backoff backoff_;
  std::deque<BootTime> crashes_;
  std::optional<BootTime> ready_since_;
  bool quarantined_ = false;
};

}  // namespace gerbang
