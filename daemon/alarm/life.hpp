// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "core/reading.hpp"

namespace gerbang::alarm {

// Times of durations are milliseconds on an axis that neither jumps nor goes back, whatever is done
// to the clock (`at`); times for people are UTC milliseconds (`utc`).
struct Moment {
  std::int64_t at = 0, utc_ms = 0;
  ClockTrust clock = ClockTrust::trusted;
};

// What was said last of an alarm. Numbers from 1 on as in gerbang.v1.AlarmState.
enum class Said : std::uint8_t { nothing = 0, raised = 1, cleared = 2, suppressed = 3 };
std::string_view name(Said said);  // "RAISED"; empty for nothing

// An alarm may be raised so often within a time. Once more, and it is suppressed until nothing
// changed for that long.
struct Flapping {
  unsigned most = 5;
  std::int64_t period_ms = 600'000;
};

// The life of one alarm: from what is seen to what is said. Without latch and acknowledgement: it
// is cleared when its cause is gone. Pure.
class Life {
 public:
  // What is known of the watched thing now.
  struct Seen {
    bool active = false;
    std::optional<double> value, threshold;
  };
  struct Timing {
    std::int64_t hold_ms = 0, release_ms = 0;
    Flapping flapping;
  };

  // True: there is something to say.
  bool see(const Seen& seen, const Moment& now, const Timing& timing);
  // Time passed: a suppressed alarm that came to rest is told.
  bool pass(const Moment& now, const Timing& timing);
  // An alarm of that name was raised so often before it was forgotten.
  void count_from(std::uint64_t occurrence) { occurrence_ = std::max(occurrence_, occurrence); }
  // The watched thing is another from now on, or nothing. True: it was raised and is cleared.
  bool forget(const Moment& now);

  bool active() const { return active_; }
  bool raised() const { return raised_; }  // also while it is suppressed
  Said said() const { return said_; }
  std::uint64_t occurrence() const { return occurrence_; }  // 1, 2, 3 … for ever
  std::int64_t since_ms() const { return since_ms_; }       // when its cause began, UTC
  std::int64_t cleared_ms() const { return cleared_ms_; }   // 0: it is not
  std::optional<double> value() const { return value_; }    // when it was said last
  std::optional<double> threshold() const { return threshold_; }
  ClockTrust clock() const { return clock_; }
  std::size_t raises() const { return raises_.size(); }  // lately
  // Nothing is under way: what save() writes changes no more until something is seen.
  bool idle() const { return !active_ && !raised_ && said_ != Said::suppressed; }

  // One line. load: false for what save() did not write, and nothing is changed.
  std::string save() const;
  bool load(std::string_view text);
  // The newest time that is remembered.
  std::int64_t newest_at() const;

 private:
  bool raise(const Moment& now, const Timing& timing);
  bool clear(const Moment& now);

  bool active_ = false, raised_ = false;
  std::int64_t changed_at_ = 0, changed_utc_ = 0;  // when active_ changed
  Said said_ = Said::nothing;
  std::uint64_t occurrence_ = 0;
  std::int64_t since_ms_ = 0, cleared_ms_ = 0;
  std::optional<double> value_, threshold_;
  ClockTrust clock_ = ClockTrust::trusted;
  std::int64_t quiet_at_ = 0;        // since when raised_ is as it is
  std::deque<std::int64_t> raises_;  // within the period, oldest first
};

}  // namespace gerbang::alarm
