// SPDX-License-Identifier: Apache-2.0
//
// What is asked of one sensor's readings. Numbers are in the quantity's unit.
#pragma once

#include <cstdint>
#include <optional>

#include "quality/mark.hpp"

namespace gerbang::quality {

// A peak or a trough with |v1 - (v0 + v2) / 2| above one of these. At least one is given.
struct SpikeRule {
  std::optional<double> suspect, bad;
  friend bool operator==(const SpikeRule&, const SpikeRule&) = default;
};

// So many readings in a row that differ by no more than the tolerance.
struct FlatRule {
  double tolerance = 0;
  std::uint32_t suspect = 4, bad = 6;
  friend bool operator==(const FlatRule&, const FlatRule&) = default;
};

struct Rules {
  std::optional<Range> range;     // what the sensor can say; outside: bad
  std::optional<Range> expected;  // what the site can bring; outside: suspect
  std::optional<double> rate;     // most change per second; above: suspect
  std::optional<SpikeRule> spike;
  std::optional<FlatRule> flat;
  std::int64_t warm_up_ms = 0;   // after the board's start, a fault of the device, or an outage
  std::int64_t stale_ms = 0;     // after so long without a word it is missing; 0: never
  std::int64_t interval_ms = 0;  // the sensor's; 0: not polled
  std::optional<double> detection_limit;  // below it a value is kept and counted as such

  friend bool operator==(const Rules&, const Rules&) = default;
};

}  // namespace gerbang::quality
