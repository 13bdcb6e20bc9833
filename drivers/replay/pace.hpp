// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>

namespace gerbang::replay {

// When a row of the recording is due. Pure: times are arguments, in nanoseconds of CLOCK_BOOTTIME
// and of the recording's own clock.
class Pace {
 public:
  using Time = std::chrono::nanoseconds;

  // speed: seconds of the recording in one of ours; 0: everything at once.
  explicit Pace(double speed) : speed_(speed) {}

  // The first row that is asked about is due now; the others keep their distances. A row before the
  // one in front of it is due with that.
  Time due(std::int64_t unix_ns, Time now) {
    if (!begun_) {
      begun_ = true;
      begin_ = now;
      first_ = last_ = unix_ns;
    }
    if (unix_ns > last_) step_ = unix_ns - last_;
    last_ = std::max(last_, unix_ns);
    if (speed_ <= 0) return now;
    const double distance = static_cast<double>(last_ - first_) / speed_;
    if (distance > kFar) return Time::max();
    return begin_ + Time(static_cast<std::int64_t>(distance));
  }

  // Another round: its first row comes one step after the last row of this one.
  void again(std::int64_t first_unix_ns) {
    if (!begun_) return;
    first_ += first_unix_ns - last_ - step_;
    last_ = first_unix_ns;
  }

 private:
  static constexpr double kFar = 3e18;  // 95 years
  double speed_;
  bool begun_ = false;
  Time begin_{};
  std::int64_t first_ = 0, last_ = 0;
  std::int64_t step_ = 1'000'000'000;
};

}  // namespace gerbang::replay
