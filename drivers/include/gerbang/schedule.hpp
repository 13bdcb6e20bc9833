// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gerbang::driver {

// Which of several things with an interval each are due. Turns stand at whole multiples of the
// interval since boot, so that equal intervals are due together; the first turn is at once. Turns
// that were missed are skipped and counted, never caught up. Pure: time is an argument, in
// nanoseconds of CLOCK_BOOTTIME.
class Schedule {
 public:
  using Time = std::chrono::nanoseconds;

  // Position in the order of calls. An interval of 0 or less counts as a millisecond.
  std::size_t add(Time interval, Time now) {
    items_.push_back({std::max(interval, Time(std::chrono::milliseconds(1))), now});
    return items_.size() - 1;
  }

  // When the next one is due; Time::max() when there is none.
  Time next() const {
    Time earliest = Time::max();
    for (const Item& item : items_) earliest = std::min(earliest, item.due);
    return earliest;
  }

  // When the one at this position is due.
  Time due(std::size_t position) const { return items_[position].due; }

  // How long a poll may wait for the next turn, at most its budget.
  std::chrono::milliseconds wait(Time now, std::chrono::milliseconds budget) const {
    Time due = next();
    if (due <= now) return std::chrono::milliseconds(0);
    if (due - now >= budget) return budget;
    return std::chrono::ceil<std::chrono::milliseconds>(due - now);
  }

  // The positions that are due now; each moves on to its next turn. Valid until the next call.
  std::span<const std::size_t> take(Time now) {
    due_.clear();
    for (std::size_t i = 0; i < items_.size(); ++i) {
      Item& item = items_[i];
      if (item.due > now) continue;
      due_.push_back(i);
      // A turn that is late by less than an interval is not a missed one.
      skipped_ += static_cast<std::uint64_t>((now - item.due) / item.interval);
      item.due = (now / item.interval + 1) * item.interval;
    }
    return due_;
  }

  std::uint64_t skipped() const { return skipped_; }

 private:
  struct Item {
    Time interval, due;
  };
  std::vector<Item> items_;
  std::vector<std::size_t> due_;
  std::uint64_t skipped_ = 0;
};

}  // namespace gerbang::driver
