// SPDX-License-Identifier: Apache-2.0
#include "quality/mark.hpp"

#include <cmath>

namespace gerbang::quality {
namespace {

int rank(Flag flag) {
  switch (flag) {
    case Flag::not_evaluated:
      return 0;
    case Flag::good:
      return 1;
    case Flag::suspect:
      return 2;
    case Flag::bad:
      return 3;
    case Flag::missing:
      return 4;
  }
  return 4;
}

}  // namespace

Mark mark_of(Flag flag, Reason reason) {
  Mark out;
  out.flag = flag;
  out.reason = reason;
  return out;
}

bool is_worse(Flag flag, Flag than) {
  return rank(flag) > rank(than);
}

Mark worse(const Mark& first, const Mark& second) {
  return is_worse(second.flag, first.flag) ? second : first;
}

Mark check(const Mark& driver, double value, const std::optional<Range>& sensor,
           const std::optional<Range>& site) {
  if (driver.flag == Flag::missing || driver.flag == Flag::bad) return driver;
  if (!std::isfinite(value)) return mark_of(Flag::bad, Reason::not_a_number);
  if (sensor && !sensor->holds(value)) return mark_of(Flag::bad, Reason::range);
  if (site && !site->holds(value)) return worse(driver, mark_of(Flag::suspect, Reason::range));
  if (sensor || site) return worse(driver, mark_of(Flag::good, Reason::none));
  return driver;
}

}  // namespace gerbang::quality
