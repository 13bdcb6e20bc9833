// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace gerbang::serial {

// Whether a device has been switched on so lately that its values are not to be trusted. Nobody
// tells when: it is seen from what it does. Pure: time is an argument, in nanoseconds of
// CLOCK_BOOTTIME.
class WarmUp {
 public:
  using Time = std::chrono::nanoseconds;

  // A device that said nothing for so long and speaks again was asleep or without power.
  static constexpr Time kAsleep = std::chrono::seconds(10);

  // A length of 0: the device needs none.
  explicit WarmUp(Time length) : length_(length) {}

  // It was asked to measure.
  void asked(Time now) {
    if (!unheard_since_) unheard_since_ = now;
  }
  // It was told to begin.
  void started(Time now) { until_ = std::max(until_, now + length_); }

  // It measured; `streams`: without being asked. How long it was silent, if that is a sign of
  // having been off; 0 s: it was switched on with the board.
  std::optional<Time> measured(Time now, bool streams) {
    const bool first = !std::exchange(heard_, true);
    const auto since = std::exchange(unheard_since_, std::nullopt);
    if (streams) unheard_since_ = now;  // from now on it is expected to go on
    if (length_ <= Time(0)) return std::nullopt;
    // A device that the board feeds was switched on with it.
    if (first && now < length_) {
      until_ = std::max(until_, length_);
      return Time(0);
    }
    if (!since || now - *since < kAsleep) return std::nullopt;
    started(now);
    return now - *since;
  }

  // Of a measurement of this time.
  bool warming(Time at) const { return at < until_; }

 private:
  Time length_;
  bool heard_ = false;
  std::optional<Time> unheard_since_;  // it would say something, but does not
  Time until_{};
};

}  // namespace gerbang::serial
