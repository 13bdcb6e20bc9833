// SPDX-License-Identifier: Apache-2.0
//
// The methods that look at each row of a day. For compute.cpp.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "indicator/compute.hpp"

namespace gerbang::indicator {

// The given rows by series. Refers to them.
class Rows {
 public:
  explicit Rows(const std::vector<Aggregate>& all) {
    for (const Aggregate& row : all) by_series_[row.series].push_back(&row);
  }
  std::span<const Aggregate* const> of(std::int32_t series) const {
    const auto found = by_series_.find(series);
    return found == by_series_.end() ? std::span<const Aggregate* const>() : found->second;
  }

 private:
  std::map<std::int32_t, std::vector<const Aggregate*>> by_series_;
};

// Hours of the window in which any input was outside of its limit. Time in which no input said
// anything counts as neither, and makes it provisional when it is too much.
void hours_outside(const Plan& plan, const TimeSpan& window, const Rows& rows, Outcome& out);
// Of the hours in which anything can be judged, those in which all of it complies, in %.
void share_complying(const Plan& plan, const TimeSpan& window, const Rows& rows, Outcome& out);
// Good, or any, of the expected readings of all inputs, in %.
void share_of_readings(const Plan& plan, const TimeSpan& window, const Rows& rows, Outcome& out);
// What a counter counted (the first quantity) and what the flow in the same pipe makes (the
// second), over the hours in which both are valid: their difference in % of the counter, and its
// category.
void difference(const Plan& plan, const TimeSpan& window, const Rows& rows, Outcome& out);
// How many inputs had a reading that counts.
void inventory(const Plan& plan, const TimeSpan& window, const Rows& rows, Outcome& out);
// How many inputs are due at the end of this local date; those without a due date are not counted.
void calibration_due(const Plan& plan, const std::string& local_date, Outcome& out);

}  // namespace gerbang::indicator
