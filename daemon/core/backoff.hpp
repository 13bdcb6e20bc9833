// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>

namespace gerbang {

// Waits between attempts that double from `first` to `longest`. Jitter keeps a hundred gateways
// from coming back in the same second: each wait is between half and the whole of its step.
class Backoff {
 public:
  using Duration = std::chrono::nanoseconds;

  Backoff(Duration first, Duration longest) : first_(first), longest_(longest), step_(first) {}

  // The wait before the next attempt. unit: a random number in [0, 1].
  Duration next(double unit) { return next(unit, Duration::max()); }

  // Also no longer than a quarter of the trouble so far, but for the first step: what was away for
  // two minutes is used again within half a minute.
  Duration next(double unit, Duration trouble) {
    const Duration step = std::min(step_, std::max(first_, trouble / 4));
    auto half = static_cast<double>(step.count()) / 2;
    Duration wait(static_cast<Duration::rep>(half + half * std::clamp(unit, 0.0, 1.0)));
    step_ = std::min(step_ * 2, longest_);
    return wait;
  }
  void reset() { step_ = first_; }

 private:
  Duration first_, longest_, step_;
};

}  // namespace gerbang
