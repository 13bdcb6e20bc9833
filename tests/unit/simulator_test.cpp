// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <gerbang/schedule.hpp>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "signals.hpp"

namespace gerbang::simulator {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kStart = 1'735'689'600'000;  // 2025-01-01T00:00:00Z
constexpr std::int64_t kHourMs = 3'600'000;

double at(const char* name, std::int64_t time_ms, std::uint64_t seed = 1, std::int64_t local = 0) {
  const Signal& signal = *find_signal(name);
  Value value = value_at(signal, signal.parameters, key_of(seed, signal, 1), time_ms, local);
  return value.is_integer ? static_cast<double>(value.integer) : value.number;
}

TEST(Signals, SameSeedAndTimeGiveTheSameValueAndAnotherSeedAnotherOne) {
  for (const Signal& signal : kSignals) {
    std::string name(signal.name);
    EXPECT_EQ(at(name.c_str(), kStart + 12'345), at(name.c_str(), kStart + 12'345)) << name;
  }
  EXPECT_NE(at("raw_turbidity", kStart, 1), at("raw_turbidity", kStart, 2));
}

TEST(Signals, ChannelsOfOneSignalDiffer) {
  const Signal& ph = *find_signal("ph");
  EXPECT_NE(key_of(1, ph, 1), key_of(1, ph, 2));
}

TEST(Signals, EveryValueOfAWeekIsFiniteAndWithinWhatTheInstrumentShows) {
  for (const Signal& signal : kSignals)
    for (std::int64_t t = kStart; t < kStart + 7 * 24 * kHourMs; t += 97'000) {
      double value = at(std::string(signal.name).c_str(), t);
      ASSERT_TRUE(std::isfinite(value)) << signal.name;
      ASSERT_GE(value, signal.low) << signal.name;
      ASSERT_LE(value, signal.high) << signal.name;
    }
}

TEST(Signals, FineDustIsNeverMoreThanAllDust) {
  for (std::int64_t t = kStart; t < kStart + 14 * 24 * kHourMs; t += 61'000)
    ASSERT_LE(at("pm2_5", t), at("pm10", t)) << t;
}

TEST(Signals, TheTotalNeverRunsBackAndGrowsByWhatFlows) {
  double before = at("total", kStart), flowed = 0;
  const double first = before;
  for (std::int64_t t = kStart; t < kStart + 24 * kHourMs; t += 10'000) {
    double now = at("total", t);
    ASSERT_GE(now, before);
    before = now;
    flowed += at("flow", t) / 360;  // m³ in ten seconds
  }
  EXPECT_NEAR((before - first) / 1000, flowed, flowed * 0.001);
}

TEST(Signals, WaterUsePeaksInTheMorningAndIsLowAtNight) {
  const std::int64_t utc_plus_8 = 8 * kHourMs;
  double morning = at("flow", kStart + 7 * kHourMs - utc_plus_8, 1, utc_plus_8);
  double night = at("flow", kStart + 26 * kHourMs - utc_plus_8, 1, utc_plus_8);
  EXPECT_GT(morning, 130);
  EXPECT_LT(night, 90);
}

TEST(Signals, ThereIsNoOzoneFromSunlightAtMidnight) {
  EXPECT_NEAR(at("o3", kStart), 18, 6);
  EXPECT_GT(at("o3", kStart + 12 * kHourMs), 100);
}

TEST(Signals, TheTankRisesWhileThePumpRuns) {
  for (std::int64_t t = kStart; t < kStart + kHourMs; t += 30'000) {
    bool crosses = at("pump", t) != at("pump", t + 20'000);
    if (crosses) continue;
    bool rises = at("level", t + 20'000) > at("level", t);
    EXPECT_EQ(rises, at("pump", t) == 1) << t;
  }
}

TEST(Signals, TheCounterCountsPeriods) {
  const Signal& counter = *find_signal("counter");
  Parameters two_seconds = counter.parameters;
  two_seconds.period = 2;
  Value value = value_at(counter, two_seconds, 0, 20'999, 0);
  EXPECT_TRUE(value.is_integer);
  EXPECT_EQ(value.integer, 10);
}

TEST(Signals, TheListOfChoicesNamesEachSignalOnce) {
  std::string names(kSignalNames.data());
  std::set<std::string> seen;
  std::size_t begin = 0;
  for (std::size_t end; begin <= names.size(); begin = end + 1) {
    end = std::min(names.find('|', begin), names.size());
    EXPECT_TRUE(seen.insert(names.substr(begin, end - begin)).second);
  }
  EXPECT_EQ(seen.size(), kSignals.size());
  for (const Signal& signal : kSignals) EXPECT_EQ(seen.count(std::string(signal.name)), 1u);
}

TEST(Schedule, FirstTurnIsAtOnceAndLaterOnesStandOnMultiplesOfTheInterval) {
  driver::Schedule schedule;
  schedule.add(1s, 10'300ms);
  EXPECT_THAT(schedule.take(10'300ms), testing::ElementsAre(0u));
  EXPECT_EQ(schedule.next(), 11s);
  EXPECT_TRUE(schedule.take(10'999ms).empty());
  EXPECT_THAT(schedule.take(11'000ms), testing::ElementsAre(0u));
  EXPECT_EQ(schedule.next(), 12s);
}

TEST(Schedule, MissedTurnsAreSkippedAndCounted) {
  driver::Schedule schedule;
  schedule.add(1s, 10s);
  schedule.take(10s);
  EXPECT_EQ(schedule.take(14'500ms).size(), 1u);
  EXPECT_EQ(schedule.skipped(), 3u);  // those of 12, 13 and 14 s
  EXPECT_EQ(schedule.next(), 15s);
}

TEST(Schedule, ALateTurnIsNotAMissedOne) {
  driver::Schedule schedule;
  schedule.add(1s, 10s);
  schedule.take(10s);
  schedule.take(11'900ms);
  EXPECT_EQ(schedule.skipped(), 0u);
}

TEST(Schedule, WaitsForTheNextTurnButNoLongerThanTheBudget) {
  driver::Schedule schedule;
  EXPECT_EQ(schedule.wait(0s, 1000ms), 1000ms);  // nothing to serve
  schedule.add(5s, 10s);
  EXPECT_EQ(schedule.wait(10s, 1000ms), 0ms);
  schedule.take(10s);
  EXPECT_EQ(schedule.wait(10s, 1000ms), 1000ms);
  EXPECT_EQ(schedule.wait(14'600'500us, 1000ms), 400ms);  // never wakes early
}

TEST(Schedule, EqualIntervalsAreDueTogether) {
  driver::Schedule schedule;
  schedule.add(1s, 10'100ms);
  schedule.add(1s, 10'700ms);
  schedule.take(10'800ms);
  EXPECT_THAT(schedule.take(11s), testing::ElementsAre(0u, 1u));
}

}  // namespace
}  // namespace gerbang::simulator
