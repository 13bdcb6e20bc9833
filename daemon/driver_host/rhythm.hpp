// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/backoff.hpp"

// When the host does what. Pure: time is an argument, nanoseconds of CLOCK_BOOTTIME.
namespace gerbang::driver_host {

using Nanoseconds = std::chrono::nanoseconds;
inline constexpr Nanoseconds kMillisecond = std::chrono::milliseconds(1);
inline constexpr Nanoseconds kSecond = std::chrono::seconds(1);

// Heartbeats: after each poll, but no more than five a second.
class Beat {
 public:
  static constexpr Nanoseconds kShortest = 200 * kMillisecond;
  static constexpr Nanoseconds kLongest = kSecond;  // while the driver is closed

  bool may(Nanoseconds now) const { return now - last_ >= kShortest; }
  Nanoseconds due() const { return last_ + kLongest; }
  void sent(Nanoseconds now) { last_ = now; }

 private:
  Nanoseconds last_ = -kLongest;
};

// While the driver is closed each sensor is missing: at once, then once per interval, but not more
// than every five seconds.
class Absence {
 public:
  static constexpr Nanoseconds kShortest = 5 * kSecond;

  void add(std::uint32_t sensor, Nanoseconds interval) {
    sensors_.push_back({sensor, std::max(interval, kShortest), Nanoseconds(0)});
  }
  void begin(Nanoseconds now) {
    for (Entry& entry : sensors_) entry.due = now;
  }
  Nanoseconds next() const {
    Nanoseconds earliest = Nanoseconds::max();
    for (const Entry& entry : sensors_) earliest = std::min(earliest, entry.due);
    return earliest;
  }
  // The sensors that are due; each moves on.
  std::vector<std::uint32_t> take(Nanoseconds now) {
    std::vector<std::uint32_t> due;
    for (Entry& entry : sensors_) {
      if (entry.due > now) continue;
      due.push_back(entry.sensor);
      entry.due = now + entry.period;
    }
    return due;
  }

 private:
  struct Entry {
    std::uint32_t sensor;
    Nanoseconds period, due;
  };
  std::vector<Entry> sensors_;
};

// Lines of a driver: a burst of 100, then 10 a second. What is above is counted.
class LogLimit {
 public:
  static constexpr std::int64_t kBurst = 100;
  static constexpr Nanoseconds kEach = 100 * kMillisecond;

  bool admit(Nanoseconds now) {
    empty_at_ = std::max(empty_at_, now - kEach * kBurst);
    if (empty_at_ + kEach > now) {
      ++suppressed_;
      return false;
    }
    empty_at_ += kEach;
    return true;
  }
  // Lines lost since the last call.
  std::uint64_t take_suppressed() { return std::exchange(suppressed_, 0); }

 private:
  Nanoseconds empty_at_{Nanoseconds::min() / 2};
  std::uint64_t suppressed_ = 0;
};

// A driver may bring ten seconds' worth at once. One that brings more than kPerSecond over time is
// called less often: else it would fill the store, and what others read would have to go.
class Flow {
 public:
  static constexpr std::int64_t kPerSecond = 20'000;  // readings and events
  static constexpr Nanoseconds kAhead = 10 * kSecond;

  // How long to wait before the next call; the last one ended now and brought so many.
  Nanoseconds after(std::size_t brought, Nanoseconds now) {
    paid_upto_ = std::max(paid_upto_, now - kAhead) +
                 kSecond / kPerSecond * static_cast<std::int64_t>(brought);
    return std::max(paid_upto_ - now, Nanoseconds(0));
  }

 private:
  Nanoseconds paid_upto_{Nanoseconds::min() / 2};
};

// A driver that returns at once although nothing was due would take the whole processor: the host
// waits between such polls, ever longer, up to a quarter of the shortest interval and 50 ms.
class IdlePause {
 public:
  explicit IdlePause(Nanoseconds shortest_interval)
      : pause_(kMillisecond,
               std::clamp<Nanoseconds>(shortest_interval / 4, kMillisecond, 50 * kMillisecond)) {}

  // Zero when the poll did something or took its time.
  Nanoseconds after(Nanoseconds took, bool emitted) {
    if (!emitted && took < kMillisecond) return pause_.next(1);
    pause_.reset();
    return Nanoseconds(0);
  }

 private:
  Backoff pause_;
};

}  // namespace gerbang::driver_host
