// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/quantity.hpp"
#include "core/reading.hpp"

namespace gerbang {

// Count, mean and M2 (Welford; merged by Chan et al. 1979), with extremes. Merging in any order
// gives the same numbers to rounding.
struct Statistics {
  std::uint32_t count = 0;
  double mean = 0, m2 = 0;
  double minimum = 0, maximum = 0;  // meaningless while count is 0

  void add(double value);
  void merge(const Statistics& other);
  double stddev() const;  // of the population; 0 while count < 2
};

// What one sensor said in one window. Times are UTC milliseconds. The same struct at every window
// length: coarse windows are merged from finer ones.
struct Aggregate {
  std::int32_t series = 0;
  std::int64_t window_ms = 0;             // nominal length: 60000 is 1m; 86400000 is the local day
  std::int64_t start_ms = 0, end_ms = 0;  // end is exclusive
  std::optional<std::uint32_t> expected;  // polled sensors only
  std::uint32_t received = 0;             // good + suspect + bad + maintenance
  std::uint32_t good = 0, suspect = 0, bad = 0, maintenance = 0;
  std::uint32_t below_limit = 0;  // a subset of the others
  Statistics statistics;
  double first = 0, last = 0;  // valid while statistics.count > 0
  std::int64_t first_ms = 0, last_ms = 0;
  double x = 0, y = 0;           // direction: sums of cos and sin
  std::optional<double> delta;   // totaliser: amount; event: sum
  Reason reason = Reason::none;  // commonest cause of bad or missing
  ClockTrust clock = ClockTrust::trusted;
  std::uint32_t valid_hours = 0;  // 1d only: hours with verdict VALID
  std::uint32_t revision = 0;
  std::int64_t upto = 0;  // newest reading batch that is included

  // Readings whose numbers are in here: the good ones, and suspect ones where the sensor says so.
  std::uint32_t counted() const { return statistics.count; }
  std::optional<std::uint32_t> missing() const {
    if (!expected) return std::nullopt;
    return *expected > received ? *expected - received : 0;
  }
};

// How far the numbers of a window can be used. Numbers as in gerbang.v1.Verdict.
enum class Verdict : std::uint8_t { valid = 1, provisional = 2, none = 3 };
std::string_view name(Verdict verdict);  // "VALID"

inline constexpr std::int64_t kHourMs = 3'600'000, kDayMs = 86'400'000;

// Share of the expected readings that counted, at most 1; nullopt where nothing is expected.
std::optional<double> capture(const Aggregate& aggregate);

// VALID from three quarters of the expected readings; a day from 18 valid hours; without an
// expectation from one reading. Else PROVISIONAL if any reading counted.
Verdict verdict(const Aggregate& aggregate);

// In the quantity's unit; degrees in [0, 360) for directions. nullopt: no reading counted, or
// directions that cancel each other out.
std::optional<double> mean(const Aggregate& aggregate, QuantityKind kind);

// The values that are shown of an aggregate: those that its kind has, if any reading counted.
struct ShownValues {
  std::optional<double> mean, minimum, maximum, stddev, first, last;
};
ShownValues shown_values(const Aggregate& aggregate, QuantityKind kind);

}  // namespace gerbang
