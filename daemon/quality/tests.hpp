// SPDX-License-Identifier: Apache-2.0
//
// The tests of one sensor's stream of readings, in the manner of QARTOD. Pure; a value is never
// changed. Only what was seen since the start is used: after a restart the first readings are
// judged by themselves, and nothing is held against them.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "quality/rules.hpp"

namespace gerbang::quality {

// A reading as the tests see it.
struct Point {
  std::int64_t time_ns = 0;  // the device's own clock if it has one, else boot time
  bool device_time = false;
  bool ahead = false;        // stamped so far in the future that no window takes it
  std::int64_t boot_ns = 0;  // when it came
  double value = 0;          // in the quantity's unit; meaningless when the mark says missing
  Mark mark;                 // the driver's word of it
};

// What a test says of the reading before, which is taken already.
struct Verdict {
  Point reading;  // as it was taken
  Mark mark;      // worse than the one that it was given
};

class Tests {
 public:
  struct Outcome {
    Mark mark;  // of this reading
    std::optional<Verdict> before;
  };
  // Readings in the order in which they came. One that is older than the one before, or ahead of
  // the clock, is judged by itself only.
  Outcome take(const Point& point, const Rules& rules);

  // A reading that nobody judges, since people work on the sensor: it was heard, and the readings
  // before are of no use any more.
  void hear(const Point& point, const Rules& rules);

  // The readings before are of no use any more: the clock was set.
  void forget();

  // True if nothing was heard for too long at `boot_ns`; asks again after as long a time. Counts
  // from the first call where nothing was ever heard.
  bool stale(std::int64_t boot_ns, const Rules& rules);

 private:
  // The longest row of newest values within the tolerance, up to a number of them.
  class Row {
   public:
    std::uint32_t add(double value, const FlatRule& rule);

   private:
    struct Entry {
      std::uint64_t number;
      double value;
    };
    std::uint64_t next_ = 0, first_ = 0;
    std::deque<Entry> lowest_, highest_;  // candidates, the best first
  };

  void note(const Point& point);
  bool follows(const Point& point, const Rules& rules);
  Mark sequence(const Point& point, const Rules& rules);
  Mark spike(const Point& point, const Rules& rules) const;
  bool warming(const Point& point, const Rules& rules);

  std::optional<Point> last_, before_last_;  // not out of range; as they were marked
  std::unique_ptr<Row> row_;                 // if there is a rule for it
  std::optional<std::int64_t> heard_ns_;     // boot time of the last word, or of the last complaint
  std::optional<std::int64_t> value_ns_;     // boot time of the last value
  std::optional<std::int64_t> warm_from_ns_;
  bool fault_ = false;
};

}  // namespace gerbang::quality
