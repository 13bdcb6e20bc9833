// SPDX-License-Identifier: Apache-2.0
//
// Windows as regulations use them, from stored rows: rolling means of hourly means, local days,
// years of days. Pure, and the same whatever the order in which rows came to be.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/aggregate.hpp"
#include "core/calendar.hpp"
#include "indicator/standard.hpp"

namespace gerbang::indicator {

// How much has to be there.
struct Threshold {
  double window = 0.75;  // of the blocks (hours of a day, days of a year)
  double block = 0.75;   // of the readings of an hour
  friend bool operator==(const Threshold&, const Threshold&) = default;
};

// The rows that a window is made of: hours; days for more than one.
std::int64_t block_ms(const Averaging& averaging);

// The window that ends at this instant, itself the end of an hour or of a local day.
TimeSpan window_ending(const Averaging& averaging, const Calendar& calendar, std::int64_t end_ms);
// The ends of all windows that hold this block, ascending.
std::vector<std::int64_t> ends_touched(const Averaging& averaging, const Calendar& calendar,
                                       const TimeSpan& block);
// How many blocks the window has: 23, 24 or 25 hours for a local day.
unsigned blocks_in(const Averaging& averaging, const TimeSpan& window);

// Whether an hour, or a day, can be used: by the share of its readings or hours; where nothing is
// expected, if anything came.
bool valid_block(const Aggregate& row, const Threshold& threshold);

// What one series says in the window.
struct WindowValue {
  std::optional<double> value;
  Verdict verdict = Verdict::none;
  unsigned valid = 0;             // blocks
  std::optional<double> capture;  // valid of all blocks; nullopt where nothing is expected
  ClockTrust clock = ClockTrust::trusted;
};

// A mean is that of the valid blocks' means, each counting the same; while there is none, that of
// the blocks that have any reading, and provisional. The other statistics take every block that has
// a reading: no amount is lost and no peak overlooked for want of others. Rows of other times are
// left out.
WindowValue summarise(std::span<const Aggregate* const> rows, QuantityKind kind,
                      Statistic statistic, const TimeSpan& window, unsigned blocks,
                      const Threshold& threshold);

}  // namespace gerbang::indicator
