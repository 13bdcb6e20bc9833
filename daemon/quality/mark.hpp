// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "core/reading.hpp"

namespace gerbang::quality {

// An interval in the quantity's unit; both ends belong to it.
struct Range {
  std::optional<double> low, high;

  bool holds(double value) const { return !(low && value < *low) && !(high && value > *high); }
  friend bool operator==(const Range&, const Range&) = default;
};

// A flag and why.
struct Mark {
  Flag flag = Flag::not_evaluated;
  Reason reason = Reason::none;
  friend bool operator==(const Mark&, const Mark&) = default;
};

Mark mark_of(Flag flag, Reason reason = Reason::none);

// What several tests make of one value: missing, else bad, else suspect, else good, else not
// evaluated. Of two equally bad the first one's reason stays.
Mark worse(const Mark& first, const Mark& second);
bool is_worse(Flag flag, Flag than);

// The gross range test of one value: outside of what the sensor can say it is bad, outside of what
// the site can bring suspect. What the driver said of it stays where it is worse. A value that
// passed is good; one that nothing was asked of stays not evaluated.
Mark check(const Mark& driver, double value, const std::optional<Range>& sensor,
           const std::optional<Range>& site = std::nullopt);

}  // namespace gerbang::quality
