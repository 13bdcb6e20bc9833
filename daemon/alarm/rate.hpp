// SPDX-License-Identifier: Apache-2.0
//
// How fast a value changes. Pure and copyable.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace gerbang::alarm {

// The change of one sensor's value within a span, of readings in their order. Times and spans are
// milliseconds, on an axis of the caller's.
class Rate {
 public:
  // Of a span, evenly: of readings that are nearer to each other the first one is kept, so that a
  // rate is over a span to the 512th part of it, or to the nearest reading.
  static constexpr std::int64_t kMostWithin = 512;

  struct Change {
    double value = 0;       // for a span, from the time that has passed
    bool over_gap = false;  // nobody has looked in between: it clears, and raises nothing
  };
  // Against the reading that is nearest to a span before this one, so that the noise of two
  // readings in a row is no rate. nullopt: readings do not go back a span, or there was a gap that
  // is longer than one.
  std::optional<Change> take(std::int64_t at, double value, std::int64_t span_ms);

  // Readings that are nearer to each other than this are one for it.
  static std::int64_t apart_ms(std::int64_t span_ms) {
    return (std::max<std::int64_t>(span_ms, 1) + kMostWithin - 1) / kMostWithin;
  }

  // Readings in memory: at most kMostWithin, and one that is older than the span.
  std::size_t kept() const { return earlier_.size(); }

 private:
  struct Earlier {
    std::int64_t at;
    double value;
  };
  std::vector<Earlier> earlier_;  // oldest first
};

}  // namespace gerbang::alarm
