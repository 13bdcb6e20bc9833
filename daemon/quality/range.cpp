// SPDX-License-Identifier: Apache-2.0
#include "quality/range.hpp"

#include <cmath>

namespace gerbang::quality {

Mark check(const Mark& driver, double value, const std::optional<Range>& range) {
  if (driver.flag == Flag::missing || driver.flag == Flag::bad) return driver;
  Mark out = driver;
  if (!std::isfinite(value)) {
    out.flag = Flag::bad;
    out.reason = Reason::not_a_number;
    return out;
  }
  if (!range) return out;
  if ((range->low && value < *range->low) || (range->high && value > *range->high)) {
    out.flag = Flag::bad;
    out.reason = Reason::range;
  } else if (out.flag == Flag::not_evaluated) {
    out.flag = Flag::good;
  }
  return out;
}

}  // namespace gerbang::quality
