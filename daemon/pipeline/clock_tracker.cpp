// SPDX-License-Identifier: Apache-2.0
#include "pipeline/clock_tracker.hpp"

#include <utility>

namespace gerbang::pipeline {
namespace {

std::int64_t offset_ns(BootTime boot, WallTime wall) {
  return wall.time_since_epoch().count() - boot.time_since_epoch().count();
}

}  // namespace

ClockTracker::ClockTracker(std::string boot_id, bool trust_rtc) : trust_rtc_(trust_rtc) {
  epoch_.boot_id = std::move(boot_id);
}

bool ClockTracker::moved(BootTime boot, WallTime wall) const {
  std::chrono::nanoseconds change(offset_ns(boot, wall) - epoch_.offset_ns);
  return change > kStep || change < -kStep;
}

ClockTracker::Change ClockTracker::sample(BootTime boot, WallTime wall, ClockSync sync) {
  Change out;
  synchronised_ = synchronised_ || sync == ClockSync::synchronised;
  ClockTrust trust = synchronised_ || trust_rtc_ ? ClockTrust::trusted : ClockTrust::untrusted;
  if (!sampled_ || moved(boot, wall) || trust != epoch_.trust) {
    epoch_.offset_ns = offset_ns(boot, wall);
    epoch_.trust = trust;
    out.epoch = true;
  }
  if (sampled_ && wall - last_wall_ > kAbsent) {
    TimeSpan absence;
    absence.start_ms = unix_ms(last_wall_);
    absence.end_ms = unix_ms(wall);
    out.absence = absence;
  }
  const std::int64_t offset = offset_ns(boot, wall);
  const std::chrono::nanoseconds step(offset - last_offset_ns_);
  if (sampled_ && (step > kStep || step < -kStep)) out.step = step;
  last_offset_ns_ = offset;
  sampled_ = true;
  last_wall_ = wall;
  return out;
}

}  // namespace gerbang::pipeline
