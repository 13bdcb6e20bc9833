// SPDX-License-Identifier: Apache-2.0
#include "indicator/window.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

namespace gerbang::indicator {
namespace {

constexpr std::int64_t kStart = 1'767'225'600'000;  // 2026-01-01T00:00Z

Aggregate hour(int index, double mean, std::uint32_t good = 60, std::uint32_t expected = 60) {
  Aggregate row;
  row.series = 1;
  row.window_ms = kHourMs;
  row.start_ms = kStart + index * kHourMs;
  row.end_ms = row.start_ms + kHourMs;
  row.expected = expected;
  row.received = row.good = good;
  for (std::uint32_t i = 0; i < good; ++i) row.statistics.add(mean);
  row.last = mean;
  return row;
}

WindowValue over(const std::vector<Aggregate>& rows, const Averaging& averaging, int end,
                 Statistic statistic = Statistic::mean, QuantityKind kind = QuantityKind::gauge,
                 const Threshold& threshold = {}) {
  std::vector<const Aggregate*> given;
  for (const Aggregate& row : rows) given.push_back(&row);
  const TimeSpan window = window_ending(averaging, Calendar(), kStart + end * kHourMs);
  return summarise(given, kind, statistic, window, blocks_in(averaging, window), threshold);
}

const Averaging kDayLong{Averaging::Unit::hour, 24}, kEight{Averaging::Unit::hour, 8};

TEST(Rolling, IsTheMeanOfTheHoursMeans) {
  std::vector<Aggregate> rows;
  double sum = 0;
  for (int i = 0; i < 48; ++i) rows.push_back(hour(i, i * i, i % 3 == 0 ? 60 : 50));
  for (int i = 10; i < 34; ++i) sum += i * i;
  const WindowValue out = over(rows, kDayLong, 34);
  EXPECT_DOUBLE_EQ(*out.value, sum / 24) << "hours count the same, however many readings they had";
  EXPECT_EQ(out.verdict, Verdict::valid);
  EXPECT_EQ(out.capture, 1.0);
}

TEST(Rolling, IsValidFromThreeQuartersOfTheHours) {
  std::vector<Aggregate> rows;
  for (int i = 0; i < 18; ++i) rows.push_back(hour(i, 10));
  EXPECT_EQ(over(rows, kDayLong, 24).verdict, Verdict::valid) << "18 of 24";
  EXPECT_EQ(over(rows, kDayLong, 24).capture, 0.75);
  rows.pop_back();
  EXPECT_EQ(over(rows, kDayLong, 24).verdict, Verdict::provisional) << "17 of 24";
  EXPECT_EQ(over(rows, kDayLong, 24).value, 10);
  EXPECT_EQ(
      over({hour(0, 1), hour(1, 1), hour(2, 1), hour(3, 1), hour(4, 1), hour(5, 1)}, kEight, 8)
          .verdict,
      Verdict::valid)
      << "6 of 8";
  EXPECT_EQ(over(rows, kDayLong, 24, Statistic::mean, QuantityKind::gauge, {0.5, 0.75}).verdict,
            Verdict::valid);
  EXPECT_EQ(over({}, kDayLong, 24).verdict, Verdict::none);
  EXPECT_EQ(over({}, kDayLong, 24).value, std::nullopt);
}

TEST(Rolling, LeavesOutHoursThatAreNotValid) {
  std::vector<Aggregate> rows;
  for (int i = 0; i < 20; ++i) rows.push_back(hour(i, 10));
  rows.push_back(hour(20, 1000, 44));  // 44 of 60
  rows.push_back(hour(21, 16, 45));    // 45 of 60 will do
  const WindowValue out = over(rows, kDayLong, 24);
  EXPECT_EQ(out.valid, 21u);
  EXPECT_DOUBLE_EQ(*out.value, 216.0 / 21);
  EXPECT_EQ(over({hour(20, 1000, 44)}, kDayLong, 24).value, 1000) << "while there is no other";
  EXPECT_EQ(over({hour(20, 1000, 44)}, kDayLong, 24).verdict, Verdict::provisional);
}

TEST(Rolling, PeaksAndAmountsTakeEveryHour) {
  std::vector<Aggregate> rows = {hour(0, 5), hour(1, 90, 3), hour(2, 7)};
  EXPECT_EQ(over(rows, kEight, 8, Statistic::maximum).value, 90);
  EXPECT_EQ(over(rows, kEight, 8, Statistic::minimum).value, 5);
  EXPECT_EQ(over(rows, kEight, 8, Statistic::last).value, 7);
  for (Aggregate& row : rows) row.delta = 2.5;
  EXPECT_EQ(over(rows, kEight, 8, Statistic::delta).value, 7.5);
}

TEST(Rolling, WhatIsNotExpectedIsValidIfAnythingCame) {
  Aggregate pushed = hour(2, 81, 1);
  pushed.expected.reset();
  const WindowValue out = over({pushed}, kDayLong, 24, Statistic::last);
  EXPECT_EQ(out.verdict, Verdict::valid);
  EXPECT_EQ(out.capture, std::nullopt);
  EXPECT_EQ(out.value, 81);
}

TEST(Rolling, TakesTheWorstClockOfItsReadings) {
  Aggregate late = hour(1, 1);
  late.clock = ClockTrust::estimated;
  Aggregate silent = hour(2, 1, 0);
  silent.clock = ClockTrust::untrusted;
  EXPECT_EQ(over({hour(0, 1), late, silent}, kEight, 8).clock, ClockTrust::estimated);
}

TEST(Rolling, DirectionsAreVectors) {
  Aggregate a = hour(0, 0), b = hour(1, 0);
  a.x = b.x = 60 * std::cos(10 * 3.14159265358979323846 / 180);
  a.y = 60 * std::sin(10 * 3.14159265358979323846 / 180);
  b.y = -a.y;  // 350°
  const auto north = over({a, b}, kEight, 8, Statistic::mean, QuantityKind::direction).value;
  ASSERT_TRUE(north);
  EXPECT_NEAR(std::min(*north, 360 - *north), 0, 1e-9) << "350 and 10 is 0, not 180";
}

TEST(LocalDay, HasTheHoursOfItsZone) {
  const Averaging day{Averaging::Unit::day, 1};
  const Calendar makassar({ZoneOffset{0, 8 * 3600}});
  const std::int64_t midnight = kStart + 16 * kHourMs;  // of 2 January in Makassar
  EXPECT_EQ(window_ending(day, makassar, midnight), (TimeSpan{kStart - 8 * kHourMs, midnight}));
  EXPECT_EQ(blocks_in(day, window_ending(day, makassar, midnight)), 24u);
  // A zone that leaves out an hour.
  const Calendar jump({ZoneOffset{0, 0}, ZoneOffset{kStart + 2 * kHourMs, 3600}});
  const TimeSpan shorter = window_ending(day, jump, kStart + 23 * kHourMs);
  EXPECT_EQ(blocks_in(day, shorter), 23u);
}

TEST(Year, IsMadeOfValidDays) {
  const Averaging year = *averaging_of("365d");
  std::vector<Aggregate> rows;
  for (int i = 0; i < 365; ++i) {
    Aggregate row = hour(i * 24, i < 300 ? 20 : 50);
    row.window_ms = kDayMs;
    row.end_ms = row.start_ms + kDayMs;
    row.valid_hours = i % 2 == 0 ? 24 : 17;
    rows.push_back(row);
  }
  const WindowValue half = over(rows, year, 365 * 24);
  EXPECT_EQ(half.valid, 183u);
  EXPECT_EQ(half.verdict, Verdict::provisional);
  for (Aggregate& row : rows) row.valid_hours = 18;
  EXPECT_EQ(over(rows, year, 365 * 24).verdict, Verdict::valid);
  EXPECT_DOUBLE_EQ(*over(rows, year, 365 * 24).value, (300 * 20 + 65 * 50) / 365.0);
  EXPECT_EQ(block_ms(year), kDayMs);
}

TEST(EndsTouched, AreThoseOfEveryWindowThatHoldsTheBlock) {
  const TimeSpan block{kStart, kStart + kHourMs};
  for (const Averaging& averaging : {kEight, kDayLong, *averaging_of("1d"), *averaging_of("3d")}) {
    const Calendar calendar({ZoneOffset{0, 9 * 3600}});
    const auto ends = ends_touched(averaging, calendar, block);
    EXPECT_EQ(ends.size(), averaging.count);
    for (std::int64_t end : ends) {
      const TimeSpan window = window_ending(averaging, calendar, end);
      EXPECT_TRUE(window.contains(block.start_ms)) << text(averaging);
      EXPECT_LE(block.end_ms, window.end_ms);
    }
  }
}

// Whatever the order in which rows and their revisions came, the end is what came on time.
TEST(Rolling, ConvergesToWhatOnTimeDataSays) {
  std::mt19937 random(20261122);
  for (int round = 0; round < 200; ++round) {
    std::vector<Aggregate> truth;
    for (int i = 0; i < 24; ++i)
      if (random() % 5 != 0)
        truth.push_back(hour(i, static_cast<double>(random() % 10'000) / 7,
                             30 + static_cast<std::uint32_t>(random() % 31)));
    const WindowValue expected = over(truth, kDayLong, 24);
    std::vector<Aggregate> arrivals = truth;
    for (const Aggregate& row : truth)
      if (random() % 2 == 0) {
        Aggregate early = hour(0, 999, 5);
        early.start_ms = row.start_ms;
        early.end_ms = row.end_ms;
        arrivals.push_back(early);  // replaced later by the truth
      }
    std::shuffle(arrivals.begin(), arrivals.end(), random);
    std::map<std::int64_t, Aggregate> known;
    for (const Aggregate& row : arrivals) known.try_emplace(row.start_ms, row);
    for (const Aggregate& row : truth) known.insert_or_assign(row.start_ms, row);
    std::vector<Aggregate> rows;
    for (const auto& [start, row] : known) rows.push_back(row);
    std::shuffle(rows.begin(), rows.end(), random);
    const WindowValue out = over(rows, kDayLong, 24);
    EXPECT_EQ(out.value, expected.value) << "to the last bit";
    EXPECT_EQ(out.verdict, expected.verdict);
    EXPECT_EQ(out.valid, expected.valid);
  }
}

TEST(Averaging, IsWrittenInHoursOrDays) {
  EXPECT_EQ(text(*averaging_of("24h")), "24h");
  EXPECT_NE(*averaging_of("24h"), *averaging_of("1d"));
  for (const char* wrong : {"", "h", "0h", "24", "24m", "1000h", "-1h", "24hh", "367d"})
    EXPECT_FALSE(averaging_of(wrong)) << wrong;
}

}  // namespace
}  // namespace gerbang::indicator
