// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

namespace gerbang {

inline constexpr std::int64_t kNsPerMs = 1'000'000;

// Wall time: stamps data; may jump. Boot time: CLOCK_BOOTTIME, never goes back and counts suspend;
// for every timeout, interval and stored stamp. The two types cannot be mixed up.
using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;

struct BootClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = std::chrono::nanoseconds;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
};
using BootTime = BootClock::time_point;

// What the kernel says of the wall clock.
enum class ClockSync {
  unknown,         // the question was not permitted
  unsynchronised,  // never set since boot
  synchronised,
};

// Where time comes from. Pure code takes times as arguments; only shells own a Clock.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall() const = 0;
  virtual BootTime boot() const = 0;
  virtual ClockSync sync() const = 0;
};

// The machine's clocks. Callable from any thread.
class SystemClock final : public Clock {
 public:
  WallTime wall() const override;
  BootTime boot() const override;
  ClockSync sync() const override;
};

inline std::int64_t unix_ms(WallTime t) {
  return std::chrono::floor<std::chrono::milliseconds>(t.time_since_epoch()).count();
}
inline std::int64_t nanoseconds(BootTime t) {
  return t.time_since_epoch().count();
}

}  // namespace gerbang
