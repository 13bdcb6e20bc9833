// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <gerbang/schedule.hpp>
#include <span>
#include <vector>

namespace gerbang::serial {

// Which sensors are to be answered, where a device measures when it likes and each turn of a sensor
// needs a measurement of its own. Pure: time is an argument, in nanoseconds of CLOCK_BOOTTIME.
//
// A turn takes the newest measurement, if it is not older than the patience and the sensor has not
// had it already. Otherwise the turn stays open and takes the next one. When the patience is over
// it is missing. So two clocks that drift apart cost a turn only when a measurement really lacks,
// and the last word of a device that fell silent is not repeated. The patience is the time-out, but
// never more than the sensor's interval.
class Turns {
 public:
  using Time = std::chrono::nanoseconds;

  struct Answer {
    std::size_t position;  // in the order of calls of add
    bool fresh;            // with the newest measurement; else missing
    Time since;            // when the turn began
  };

  explicit Turns(Time timeout) : timeout_(timeout) {}

  void add(Time interval, Time now) {
    schedule_.add(interval, now);
    items_.push_back({std::min(interval, timeout_)});
  }

  void measured(Time at) { newest_ = at; }

  // What is to be said now. Without a connection nothing is waited for. Valid until the next call.
  std::span<const Answer> take(Time now, bool connected) {
    answers_.clear();
    for (std::size_t i : schedule_.take(now)) {
      Item& item = items_[i];
      if (item.open) answers_.push_back({i, false, item.since});
      item.open = true;
      item.since = now;
    }
    for (std::size_t i = 0; i < items_.size(); ++i) {
      Item& item = items_[i];
      if (!item.open) continue;
      const bool fresh = newest_ > item.used && now - newest_ <= item.patience;
      if (!fresh && connected && now - item.since < item.patience) continue;
      answers_.push_back({i, fresh, item.since});
      if (fresh) item.used = newest_;
      item.open = false;
    }
    return answers_;
  }

  // Whether a turn waits for a measurement.
  bool waiting() const {
    return std::any_of(items_.begin(), items_.end(), [](const Item& item) { return item.open; });
  }

  // When take() will have something to say even if nothing is measured.
  Time next() const {
    Time earliest = schedule_.next();
    for (const Item& item : items_)
      if (item.open) earliest = std::min(earliest, item.since + item.patience);
    return earliest;
  }

  std::uint64_t skipped() const { return schedule_.skipped(); }

 private:
  struct Item {
    Time patience;
    bool open = false;
    Time since{};
    Time used = Time::min();  // the measurement that it had last
  };
  Time timeout_;
  driver::Schedule schedule_;
  std::vector<Item> items_;
  Time newest_ = Time::min();
  std::vector<Answer> answers_;
};

}  // namespace gerbang::serial
