// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.hpp"

namespace gerbang::test {

// Time that moves only when the test moves it. step() moves the wall clock alone, as an operator or
// NTP would.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t wall_ms = 1'767'225'600'000)  // 2026-01-01T00:00:00Z
      : wall_(std::chrono::milliseconds(wall_ms)), boot_(std::chrono::seconds(100)) {}

  WallTime wall() const override { return wall_; }
  BootTime boot() const override { return boot_; }
  ClockSync sync() const override { return sync_; }

  void advance(std::chrono::nanoseconds d) {
    wall_ += d;
    boot_ += d;
  }
  void step(std::chrono::nanoseconds d) { wall_ += d; }
  void set_sync(ClockSync sync) { sync_ = sync; }

 private:
  WallTime wall_;
  BootTime boot_;
  ClockSync sync_ = ClockSync::synchronised;
};

}  // namespace gerbang::test
