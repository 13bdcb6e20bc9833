// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "core/reading.hpp"

namespace gerbang::quality {

// What a sensor can plausibly say, in the quantity's unit; both ends belong to it.
struct Range {
  std::optional<double> low, high;
  friend bool operator==(const Range&, const Range&) = default;
};

// A flag and why.
struct Mark {
  Flag flag = Flag::not_evaluated;
  Reason reason = Reason::none;
  friend bool operator==(const Mark&, const Mark&) = default;
};

// The gross range test of one value. What the driver said of it stays where it is worse. A value
// that passed is good; one that nothing was asked of stays not evaluated.
Mark check(const Mark& driver, double value, const std::optional<Range>& range);

}  // namespace gerbang::quality
