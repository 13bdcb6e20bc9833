// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "core/calendar.hpp"
#include "core/clock.hpp"
#include "store/types.hpp"

namespace gerbang::pipeline {

// Follows the wall clock against boot time, from samples about a second apart. Pure.
//
// A clock is trusted once it was synchronised in this boot; the kernel calls it unsynchronised
// again some hours after the last update, which is hold-over, not doubt. With a battery-backed
// clock the operator may vouch for it from the start.
class ClockTracker {
 public:
  ClockTracker(std::string boot_id, bool trust_rtc);

  struct Change {
    bool epoch = false;  // epoch() is another one
    // Wall time that passed or was jumped over without a sample: nobody was looking.
    std::optional<TimeSpan> absence;
    // The wall clock was set since the sample before: by how much. 0: it was not. Slewing is none.
    std::chrono::nanoseconds step{0};
  };
  Change sample(BootTime boot, WallTime wall, ClockSync sync);

  // The clock was believed before in this boot: what follows is hold-over.
  void vouch() { synchronised_ = true; }

  // True if a sample would begin a new epoch for the offset alone. Cheap: for each reading.
  bool moved(BootTime boot, WallTime wall) const;

  // What holds for readings taken now. Untrusted, with offset 0, before the first sample.
  const store::Epoch& epoch() const { return epoch_; }

 private:
  static constexpr std::chrono::milliseconds kStep{100};  // slewing further makes an epoch too
  static constexpr std::chrono::seconds kAbsent{10};

  bool trust_rtc_, sampled_ = false;
  bool synchronised_ = false;  // once in this boot
  store::Epoch epoch_;
  WallTime last_wall_{};
  std::int64_t last_offset_ns_ = 0;
};

}  // namespace gerbang::pipeline
