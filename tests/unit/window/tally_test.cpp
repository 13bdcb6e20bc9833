// SPDX-License-Identifier: Apache-2.0
#include "core/tally.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace gerbang {
namespace {

constexpr TimeSpan kMinute{0, 60'000};

SeriesPlan plan(QuantityKind kind, std::int64_t interval_ms = 1000) {
  SeriesPlan p;
  p.series = 7;
  p.kind = kind;
  p.interval_ms = interval_ms;
  return p;
}

Sample at(std::int64_t time_ms, double value, Flag flag = Flag::good,
          Reason reason = Reason::none) {
  Sample s;
  s.time_ms = time_ms;
  s.value = value;
  s.raw = Raw::of(value);
  s.flag = flag;
  s.reason = reason;
  return s;
}

Sample count(std::int64_t time_ms, std::int64_t raw) {
  Sample s = at(time_ms, static_cast<double>(raw));
  s.raw = Raw::of(raw);
  return s;
}

Aggregate row(const SeriesPlan& p, const std::vector<Sample>& samples, Anchor before = {}) {
  Tally tally;
  for (const Sample& s : samples) tally.add(s, p);
  return tally.row(p, kMinute, before, ClockTrust::trusted);
}

TEST(Tally, CountsEveryFlagAndUsesTheGoodOnes) {
  auto p = plan(QuantityKind::gauge);
  auto r = row(p, {at(1, 2), at(2, 4, Flag::not_evaluated), at(3, 100, Flag::suspect),
                   at(4, 1e9, Flag::bad, Reason::range), at(5, 50, Flag::good, Reason::maintenance),
                   at(6, 0, Flag::missing, Reason::timeout)});
  EXPECT_EQ(r.received, 5u);
  EXPECT_EQ(r.good, 2u);
  EXPECT_EQ(r.suspect, 1u);
  EXPECT_EQ(r.bad, 1u);
  EXPECT_EQ(r.maintenance, 1u);
  EXPECT_EQ(r.expected, 60u);
  EXPECT_EQ(r.missing(), 55u);
  EXPECT_EQ(r.statistics.count, 2u);
  EXPECT_EQ(mean(r, QuantityKind::gauge), 3);
  EXPECT_EQ(r.first, 2);
  EXPECT_EQ(r.last, 4);
  EXPECT_FALSE(r.delta);
}

TEST(Tally, UsesSuspectReadingsWhereTheSensorSaysSoAndCountsThemAsWhatTheyAre) {
  auto p = plan(QuantityKind::gauge, 15'000);  // 4 a minute
  p.count_suspect = true;
  const std::vector<Sample> readings = {
      at(1, 9, Flag::suspect, Reason::range), at(2, 2), at(3, 1e9, Flag::bad, Reason::range),
      at(4, std::numeric_limits<double>::quiet_NaN(), Flag::suspect, Reason::range)};
  auto r = row(p, readings);
  EXPECT_EQ(r.good, 1u);
  EXPECT_EQ(r.suspect, 2u);
  EXPECT_EQ(r.bad, 1u);
  EXPECT_EQ(r.received, 4u);
  EXPECT_EQ(mean(r, QuantityKind::gauge), 5.5);
  EXPECT_EQ(r.statistics.minimum, 2);
  EXPECT_EQ(r.statistics.maximum, 9);
  EXPECT_EQ(r.statistics.stddev(), 3.5);
  EXPECT_EQ(r.first, 9);
  EXPECT_EQ(r.last, 2);
  EXPECT_EQ(capture(r), 0.5) << "one of them is not a number";

  p.count_suspect = false;
  r = row(p, readings);
  EXPECT_EQ(mean(r, QuantityKind::gauge), 2);
  EXPECT_EQ(r.first, 2);
  EXPECT_EQ(capture(r), 0.25);
}

TEST(Tally, OfSuspectReadingsOnlyIsWorthWhatTheSensorSays) {
  auto p = plan(QuantityKind::direction, 20'000);
  const std::vector<Sample> readings = {at(1, 350, Flag::suspect), at(2, 10, Flag::suspect),
                                        at(3, 0, Flag::suspect)};
  auto r = row(p, readings);
  EXPECT_EQ(verdict(r), Verdict::none);
  EXPECT_FALSE(mean(r, QuantityKind::direction));
  p.count_suspect = true;
  r = row(p, readings);
  EXPECT_EQ(verdict(r), Verdict::valid);
  EXPECT_NEAR(std::remainder(*mean(r, QuantityKind::direction), 360), 0, 1e-9);
}

TEST(Tally, NeverUsesWhatIsNotANumber) {
  auto p = plan(QuantityKind::gauge);
  auto r = row(p, {at(1, std::numeric_limits<double>::quiet_NaN()),
                   at(2, std::numeric_limits<double>::infinity()), at(3, 5)});
  EXPECT_EQ(r.bad, 2u);
  EXPECT_EQ(r.good, 1u);
  EXPECT_EQ(r.reason, Reason::not_a_number);
  EXPECT_EQ(r.statistics.mean, 5);
}

TEST(Tally, FindsFirstAndLastByTimeNotByArrival) {
  auto r = row(plan(QuantityKind::gauge), {at(30, 3), at(10, 1), at(20, 2)});
  EXPECT_EQ(r.first, 1);
  EXPECT_EQ(r.last, 3);
}

TEST(Tally, TakesTheWorstClock) {
  auto p = plan(QuantityKind::gauge);
  Sample estimated = at(2, 1);
  estimated.clock = ClockTrust::estimated;
  EXPECT_EQ(row(p, {at(1, 1)}).clock, ClockTrust::trusted);
  EXPECT_EQ(row(p, {at(1, 1), estimated, at(3, 1)}).clock, ClockTrust::estimated);
  Tally silent;
  EXPECT_EQ(silent.row(p, kMinute, {}, ClockTrust::untrusted).clock, ClockTrust::untrusted);
}

TEST(Tally, NamesTheCommonestCause) {
  auto p = plan(QuantityKind::gauge, 10'000);  // 6 expected
  EXPECT_EQ(row(p, {at(1, 1)}).reason, Reason::none);
  EXPECT_EQ(row(p, {at(1, 1, Flag::bad, Reason::range), at(2, 1, Flag::bad, Reason::flat),
                    at(3, 1, Flag::bad, Reason::flat)})
                .reason,
            Reason::flat);
  // One record of a missing reading stands for the five that are missing.
  EXPECT_EQ(
      row(p, {at(1, 1, Flag::bad, Reason::range), at(2, 0, Flag::missing, Reason::timeout)}).reason,
      Reason::timeout);
  EXPECT_EQ(row(p, {at(1, 1, Flag::bad, Reason::flat), at(2, 1, Flag::bad, Reason::range)}).reason,
            Reason::range)
      << "a tie goes to the lower number";
}

TEST(Tally, MeansDirectionsAsVectors) {
  auto p = plan(QuantityKind::direction);
  auto r = row(p, {at(1, 350), at(2, 10)});
  EXPECT_NEAR(*mean(r, p.kind), 0, 1e-9);
  EXPECT_NEAR(*mean(row(p, {at(1, 350), at(2, 0), at(3, 340)}), p.kind), 350, 1e-9);
  EXPECT_FALSE(mean(row(p, {at(1, 90), at(2, 270)}), p.kind)) << "they cancel each other out";
}

TEST(Tally, GivesAStateItsShareOfTimeOn) {
  auto p = plan(QuantityKind::state);
  auto r = row(p, {at(1, 0), at(2, 1), at(3, 1), at(4, 1)});
  EXPECT_EQ(mean(r, p.kind), 0.75);
}

TEST(Tally, SumsEvents) {
  auto p = plan(QuantityKind::event, 0);
  auto r = row(p, {at(1, 4200), at(2, 1800)});
  EXPECT_EQ(r.received, 2u);
  EXPECT_EQ(r.delta, 6000);
  EXPECT_FALSE(r.expected);
  EXPECT_FALSE(row(p, {}).delta);
}

TEST(Tally, AddsTheIncrementsOfATotaliser) {
  auto p = plan(QuantityKind::totaliser);
  p.factor = 0.1;
  Anchor before;
  before.time_ms = -5;
  before.raw = Raw::of(std::int64_t{100});
  EXPECT_DOUBLE_EQ(*row(p, {count(1, 110), count(2, 130)}, before).delta, 3.0);
  EXPECT_DOUBLE_EQ(*row(p, {count(1, 110), count(2, 130)}).delta, 2.0);
  EXPECT_FALSE(row(p, {count(1, 110)}).delta) << "one reading has no increment";
  EXPECT_DOUBLE_EQ(*row(p, {count(1, 110)}, before).delta, 1.0);
  EXPECT_FALSE(row(p, {}, before).delta);
}

TEST(Tally, LeavesBadReadingsOutOfATotalisersIncrements) {
  auto p = plan(QuantityKind::totaliser);
  Sample bad = count(2, 999'999);
  bad.flag = Flag::bad;
  EXPECT_EQ(row(p, {count(1, 10), bad, count(3, 12)}).delta, 2);
}

TEST(Increment, FollowsTheWrapOfTheRegister) {
  auto raw = [](std::int64_t v) { return Raw::of(v); };
  constexpr std::uint64_t k32 = 1ull << 32;
  EXPECT_EQ(increment(raw(4294967196), raw(50), k32), 150);
  EXPECT_EQ(increment(raw(999'990), raw(5), 1'000'000), 15);
  EXPECT_EQ(increment(raw(100), raw(50), std::nullopt), 0) << "without a wrap it was reset";
  EXPECT_EQ(increment(raw(3'000'000), raw(5), k32), 0) << "more than half a turn is a reset";
  EXPECT_EQ(increment(raw(k32 * 4), raw(0), k32), 0) << "outside of the register";
  EXPECT_EQ(increment(raw(INT64_MIN), raw(INT64_MAX), std::nullopt), 18446744073709551615.0);
  EXPECT_EQ(increment(raw(INT64_MAX), raw(INT64_MIN), k32), 0);
  EXPECT_EQ(increment(Raw::of(990.5), Raw::of(4.5), 1000), 14);
  EXPECT_EQ(increment(Raw::of(990.5), Raw::of(4.5), std::nullopt), 0);
}

TEST(Tally, CountsIncrementsInAnyOrderOfArrival) {
  auto p = plan(QuantityKind::totaliser);
  EXPECT_EQ(row(p, {count(30, 30), count(10, 10), count(40, 45)}).delta, 35);
  Tally tally;
  for (const Sample& s : {count(10, 10), count(30, 30)}) tally.add(s, p);
  EXPECT_FALSE(tally.disordered());
  tally.add(count(20, 20), p);
  EXPECT_TRUE(tally.disordered());
  EXPECT_EQ(tally.row(p, kMinute, {}, ClockTrust::trusted).delta, 20);
}

TEST(Tally, AppendedIsTheSameAsCountedAtOnce) {
  for (QuantityKind kind : {QuantityKind::gauge, QuantityKind::totaliser, QuantityKind::direction,
                            QuantityKind::event}) {
    auto p = plan(kind);
    std::vector<Sample> all = {count(1, 5),
                               count(2, 9),
                               at(3, 0, Flag::missing, Reason::crc),
                               count(4, 20),
                               at(5, 1, Flag::bad, Reason::range),
                               count(6, 21)};
    for (std::size_t cut = 0; cut <= all.size(); ++cut) {
      Tally left, right;
      for (std::size_t i = 0; i < all.size(); ++i) (i < cut ? left : right).add(all[i], p);
      left.append(right, p);
      EXPECT_FALSE(differ(left.row(p, kMinute, {}, ClockTrust::trusted), row(p, all))) << cut;
      EXPECT_EQ(left.readings(), 6u);
    }
  }
}

TEST(Merge, OfAnyStagesIsTheSameAsOfAllReadings) {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> value(-1e6, 1e6);
  for (QuantityKind kind : {QuantityKind::gauge, QuantityKind::state, QuantityKind::direction,
                            QuantityKind::totaliser, QuantityKind::event}) {
    auto p = plan(kind, kind == QuantityKind::event ? 0 : 1000);
    p.wrap = 65536;
    p.count_suspect = kind == QuantityKind::gauge || kind == QuantityKind::direction;
    TimeSpan hour{0, kHourMs};
    Tally whole;
    Merge by_minute, by_quarter;
    Anchor anchor;
    std::int64_t register_count = 60'000;
    for (int quarter = 0; quarter < 4; ++quarter) {
      Merge minutes;
      TimeSpan quarter_span{quarter * 900'000, (quarter + 1) * 900'000};
      for (int minute = 0; minute < 15; ++minute) {
        std::int64_t start = quarter_span.start_ms + minute * 60'000;
        TimeSpan span{start, start + 60'000};
        Tally tally;
        for (int s = 0; s < 60; ++s) {
          if (random() % 50 == 0) continue;
          register_count = (register_count + static_cast<std::int64_t>(random() % 40)) % 65536;
          Sample sample = kind == QuantityKind::totaliser ? count(start + s * 1000, register_count)
                                                          : at(start + s * 1000, value(random));
          if (random() % 30 == 0) sample.flag = Flag::bad;
          if (random() % 30 == 0) sample.flag = Flag::suspect;
          tally.add(sample, p);
          whole.add(sample, p);
        }
        Aggregate r = tally.row(p, span, anchor, ClockTrust::trusted);
        r.window_ms = 60'000;
        if (tally.newest_good().known()) anchor = tally.newest_good();
        by_minute.add(r);
        minutes.add(r);
      }
      Aggregate r = minutes.row(p, quarter_span, ClockTrust::trusted);
      r.window_ms = 900'000;
      by_quarter.add(r);
    }
    Aggregate raw = whole.row(p, hour, {}, ClockTrust::trusted);
    Aggregate one = by_minute.row(p, hour, ClockTrust::trusted);
    Aggregate two = by_quarter.row(p, hour, ClockTrust::trusted);
    EXPECT_FALSE(differ(raw, one)) << static_cast<int>(kind);
    EXPECT_FALSE(differ(raw, two)) << static_cast<int>(kind);
    EXPECT_FALSE(differ(one, two)) << static_cast<int>(kind);
    EXPECT_EQ(raw.statistics.count, raw.good + (p.count_suspect ? raw.suspect : 0));
    EXPECT_EQ(capture(two), capture(raw));
    EXPECT_GT(raw.statistics.count, 3000u);
  }
}

// Any cut of the readings into windows, merged in any order and by any stages.
TEST(Merge, InAnyOrderAndSplitGivesTheSameStatistics) {
  constexpr int kReadings = 500;
  const TimeSpan day{0, kReadings * 1000};
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> value(seed % 2 == 0 ? -1e6 : 999'999, 1e6);
    auto p = plan(seed % 3 == 0 ? QuantityKind::direction : QuantityKind::gauge, 1000);
    p.count_suspect = seed % 5 == 0;
    Tally whole, part;
    std::vector<Aggregate> rows;
    std::int64_t start = 0;
    for (int i = 0; i < kReadings; ++i) {
      Sample sample = at(i * 1000, value(random));
      if (random() % 7 == 0) sample.flag = Flag::suspect;
      if (random() % 11 == 0) sample.flag = Flag::bad;
      whole.add(sample, p);
      part.add(sample, p);
      if (random() % 40 != 0 && i + 1 < kReadings) continue;
      const TimeSpan span{start, (i + 1) * 1000};
      rows.push_back(part.row(p, span, {}, ClockTrust::trusted));
      part = Tally();
      start = span.end_ms;
    }
    while (rows.size() > 1) {  // some of them become one, until one is left
      std::shuffle(rows.begin(), rows.end(), random);
      const std::size_t take = 2 + random() % (rows.size() - 1);
      Merge merge;
      for (std::size_t i = 0; i < take; ++i) merge.add(rows[i]);
      rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(take));
      rows.push_back(merge.row(p, day, ClockTrust::trusted));
    }
    const Aggregate want = whole.row(p, day, {}, ClockTrust::trusted), &got = rows.front();
    EXPECT_EQ(got.good, want.good) << seed;
    EXPECT_EQ(got.suspect, want.suspect);
    EXPECT_EQ(got.statistics.count, want.statistics.count);
    EXPECT_NEAR(got.statistics.mean, want.statistics.mean, 1e-9 * 1e6);
    EXPECT_NEAR(got.statistics.stddev(), want.statistics.stddev(), 1e-9 * 1e6) << seed;
    EXPECT_EQ(got.statistics.minimum, want.statistics.minimum);
    EXPECT_EQ(got.statistics.maximum, want.statistics.maximum);
    EXPECT_EQ(got.first, want.first);
    EXPECT_EQ(got.last, want.last);
    EXPECT_EQ(capture(got), capture(want));
    EXPECT_FALSE(differ(got, want)) << seed;
  }
}

TEST(Merge, CountsValidHoursOfADay) {
  auto p = plan(QuantityKind::gauge, 60'000);
  Merge day;
  for (int hour = 0; hour < 24; ++hour) {
    Aggregate r;
    r.window_ms = kHourMs;
    r.expected = 60;
    r.good = r.received = r.statistics.count = hour < 18 ? 45 : 44;
    r.start_ms = hour * kHourMs;
    day.add(r);
  }
  Aggregate r = day.row(p, TimeSpan{0, kDayMs}, ClockTrust::trusted);
  r.window_ms = kDayMs;
  EXPECT_EQ(r.valid_hours, 18u);
  EXPECT_EQ(verdict(r), Verdict::valid);
  EXPECT_EQ(r.expected, 1440u);
}

TEST(Verdict, FollowsTheShareOfReadingsThatCount) {
  Aggregate a;
  a.window_ms = kHourMs;
  a.expected = 4;
  EXPECT_EQ(verdict(a), Verdict::none);
  a.received = 4;
  EXPECT_EQ(verdict(a), Verdict::none) << "all bad";
  a.good = a.statistics.count = 2;
  EXPECT_EQ(verdict(a), Verdict::provisional);
  a.good = a.statistics.count = 3;
  EXPECT_EQ(verdict(a), Verdict::valid);
  a.good = a.statistics.count = 9;
  EXPECT_EQ(capture(a), 1);
  a.window_ms = kDayMs;
  EXPECT_EQ(verdict(a), Verdict::provisional) << "a day counts its valid hours";
  a.valid_hours = 18;
  EXPECT_EQ(verdict(a), Verdict::valid);
  a.expected.reset();
  EXPECT_FALSE(capture(a));
  EXPECT_EQ(verdict(a), Verdict::valid) << "nothing expected, something received";
}

TEST(Expected, IsWhatTheIntervalBringsInThatWindow) {
  EXPECT_EQ(expected(plan(QuantityKind::gauge, 1000), kMinute), 60u);
  EXPECT_EQ(expected(plan(QuantityKind::gauge, 7000), kMinute), 8u);
  EXPECT_EQ(expected(plan(QuantityKind::gauge, 0), kMinute), std::nullopt);
  EXPECT_EQ(expected(plan(QuantityKind::gauge, 1000), TimeSpan{0, 25 * kHourMs}), 90'000u);
}

}  // namespace
}  // namespace gerbang
