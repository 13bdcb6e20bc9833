// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "unit/alarm/bench.hpp"

namespace gerbang::alarm {
namespace {

TEST(Threshold, IsNotCrossedByAValueThatEqualsIt) {
  Bench bench({above(1.0)});
  bench.read(0, 1.0);
  EXPECT_EQ(bench.told(), Told{});
  bench.read(1000, std::nextafter(1.0, 2.0));
  EXPECT_EQ(bench.told(), Told{"high RAISED 1"});
  bench.read(2000, 1.0);
  EXPECT_EQ(bench.told(), Told{"high CLEARED 1"});
}

TEST(Threshold, ThatIsInclusiveIsReachedByAValueThatEqualsIt) {
  Rule limit = above(3.0);
  limit.inclusive = true;
  Bench bench({limit});
  bench.read(0, std::nextafter(3.0, 0.0));
  EXPECT_EQ(bench.told(), Told{});
  bench.read(1000, 3.0);
  EXPECT_EQ(bench.told(), Told{"high RAISED 1"});
  bench.read(2000, std::nextafter(3.0, 0.0));
  EXPECT_EQ(bench.told(), Told{"high CLEARED 1"});
}

TEST(Threshold, IsLeftByItsHysteresis) {
  Bench bench({above(1.0, 0.25)});
  bench.read(0, 1.1);
  EXPECT_EQ(bench.told(), Told{"high RAISED 1"});
  bench.read(1000, 0.9);
  bench.read(2000, std::nextafter(0.75, 1.0));
  EXPECT_EQ(bench.told(), Told{});
  bench.read(3000, 0.75);
  EXPECT_EQ(bench.told(), Told{"high CLEARED 1"});
  bench.read(4000, 1.0);
  EXPECT_EQ(bench.told(), Told{}) << "raising knows no hysteresis";
}

TEST(Threshold, OnBothSidesNamesTheOneThatWasCrossed) {
  Rule band = above(1.0);
  band.below = 0.2;
  Bench bench({band});
  bench.read(0, 0.1);
  auto said = bench.engine.take_said();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].threshold, 0.2);
  EXPECT_EQ(said[0].value, 0.1);
  bench.read(1000, 0.2);
  EXPECT_EQ(bench.told(), Told{"high CLEARED 1"});
  bench.read(2000, 1.5);
  EXPECT_EQ(bench.engine.take_said().at(0).threshold, 1.0);
}

TEST(Threshold, IsNeitherCrossedNorLeftByWhatSaysNothing) {
  Bench bench({above(1.0)});
  bench.read(0, 99, Flag::bad, Reason::range);
  bench.read(1000, 99, Flag::missing, Reason::timeout);
  bench.read(2000, 99, Flag::suspect, Reason::maintenance);
  bench.read(3000, std::nan(""), Flag::good);
  EXPECT_EQ(bench.told(), Told{});
  bench.read(4000, 2, Flag::suspect, Reason::spike);
  EXPECT_EQ(bench.told(), Told{"high RAISED 1"}) << "a suspect value may be true";
  bench.read(5000, 0, Flag::bad);
  bench.read(6000, 0, Flag::missing, Reason::timeout);
  bench.read(7000, 0, Flag::good, Reason::maintenance);
  EXPECT_EQ(bench.told(), Told{});
}

TEST(Threshold, OlderReadingsComeTooLate) {
  Bench bench({above(1.0)});
  bench.read(5000, 0.5);
  bench.read(4000, 9);
  EXPECT_EQ(bench.told(), Told{});
  bench.read(5000, 9);
  EXPECT_EQ(bench.told(), Told{"high RAISED 1"}) << "of the same time is not older";
}

TEST(Hold, CountsInTheTimeOfReadingsAndOverMissingOnes) {
  Rule slow = above(1.0);
  slow.hold_ms = 60'000;
  Bench bench({slow});
  bench.read(0, 2);
  bench.read(30'000, 0, Flag::missing, Reason::timeout);
  bench.engine.pass(at(600'000));
  EXPECT_EQ(bench.told(), Told{}) << "no time but that of readings";
  bench.read(59'999, 2);
  EXPECT_EQ(bench.told(), Told{});
  bench.read(60'000, 2);
  auto said = bench.engine.take_said();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].since_ms, kUtc);
}

TEST(Stale, IsWhatNothingComesFrom) {
  Rule stale = rule("silent", Watch::stale);
  stale.span_ms = 10'000;
  Bench bench({stale});
  bench.engine.pass(at(10'000));
  EXPECT_EQ(bench.told(), Told{});
  bench.engine.pass(at(10'001));
  EXPECT_EQ(bench.told(), Told{"silent RAISED 1"});
  bench.read(11'000, 0, Flag::missing, Reason::timeout);
  EXPECT_EQ(bench.told(), Told{}) << "a missing reading is none";
  bench.read(12'000, 7, Flag::bad);
  EXPECT_EQ(bench.told(), Told{"silent CLEARED 1"});
  bench.engine.pass(at(22'000));
  EXPECT_EQ(bench.told(), Told{});
  bench.engine.pass(at(22'001));
  EXPECT_EQ(bench.told(), Told{"silent RAISED 2"});
  bench.restart({stale}, 90'000);
  bench.engine.pass(at(90'500));
  EXPECT_EQ(bench.told(), Told{}) << "it is raised, and stays so";
}

TEST(Stale, DoesNotCountTheTimeThatTheGatewayWasOff) {
  Rule stale = rule("silent", Watch::stale);
  stale.span_ms = 10'000;
  Bench bench({stale});
  bench.read(1'000, 7);
  bench.restart({stale}, 500'000);
  bench.engine.pass(at(505'000));
  EXPECT_EQ(bench.told(), Told{});
}

TEST(Quality, IsWatchedForATime) {
  Rule bad = rule("bad", Watch::quality);
  bad.flag = Flag::bad;
  bad.hold_ms = 5'000;
  Rule suspect = bad;
  suspect.id = "suspect";
  suspect.flag = Flag::suspect;
  Bench bench({bad, suspect});
  for (int s = 0; s <= 5; ++s) bench.read(s * 1000, 1, Flag::suspect, Reason::flat);
  EXPECT_EQ(bench.told(), Told{"suspect RAISED 1"});
  for (int s = 6; s <= 11; ++s) bench.read(s * 1000, 1, Flag::bad, Reason::range);
  EXPECT_EQ(bench.told(), Told{"bad RAISED 1"});
  bench.read(12'000, 1, Flag::missing, Reason::timeout);
  bench.read(13'000, 1, Flag::good, Reason::maintenance);
  EXPECT_EQ(bench.told(), Told{});
  bench.read(14'000, 1, Flag::not_evaluated);
  EXPECT_EQ(bench.told(), (Told{"bad CLEARED 1", "suspect CLEARED 1"}));
}

TEST(Window, IsJudgedByTheNumberThatIsAskedFor) {
  Rule mean = rule("mean", Watch::window);
  mean.window_ms = 900'000;
  mean.above = 1;
  Rule maximum = mean;
  maximum.id = "maximum";
  maximum.statistic = Statistic::maximum;
  maximum.above = 5;
  Bench bench({mean, maximum});
  auto close = [&](int n, std::vector<double> values, std::uint32_t expected) {
    Aggregate a;
    a.series = 3;
    a.window_ms = 900'000;
    a.start_ms = kUtc + n * 900'000;
    a.end_ms = a.start_ms + 900'000;
    a.expected = expected;
    for (double v : values) a.statistics.add(v);
    a.received = a.good = static_cast<std::uint32_t>(values.size());
    bench.engine.on_window(a, QuantityKind::gauge);
  };
  close(0, {0, 0, 0, 6}, 4);
  EXPECT_EQ(bench.told(), (Told{"mean RAISED 1", "maximum RAISED 1"}));
  close(1, {}, 4);
  EXPECT_EQ(bench.told(), Told{}) << "nothing came: nothing is known";
  close(2, {0, 0}, 4);
  EXPECT_EQ(bench.told(), (Told{"mean CLEARED 1", "maximum CLEARED 1"}));
  Aggregate other;
  other.series = 3;
  other.window_ms = 60'000;
  other.end_ms = kUtc + 4'000'000;
  other.received = other.good = 1;
  other.statistics.add(99);
  bench.engine.on_window(other, QuantityKind::gauge);
  EXPECT_EQ(bench.told(), Told{}) << "of another length";
}

TEST(Window, HoldsCountInWindows) {
  Rule hold = rule("hour", Watch::window);
  hold.window_ms = 60'000;
  hold.above = 1;
  hold.hold_ms = 120'000;
  Bench bench({hold});
  for (int n = 0; n < 3; ++n) {
    EXPECT_EQ(bench.told(), Told{});
    Aggregate a;
    a.series = 3;
    a.window_ms = 60'000;
    a.end_ms = kUtc + (n + 1) * 60'000;
    a.received = a.good = 1;
    a.statistics.add(2);
    bench.engine.on_window(a, QuantityKind::gauge);
    if (n < 2) bench.restart({hold}, 1'000);
  }
  EXPECT_EQ(bench.told(), Told{"hour RAISED 1"});
}

TEST(Indicator, IsWatchedByCategoryOrValue) {
  Rule category = rule("unhealthy", Watch::indicator);
  category.source = "ispu";
  category.categories = {"tidak-sehat", "berbahaya"};
  Rule value = rule("over-100", Watch::indicator);
  value.source = "ispu";
  value.above = 100;
  Bench bench({category, value});
  bench.engine.on_indicator("ispu", 100, "sedang", at(0));
  bench.engine.on_indicator("other", 300, "berbahaya", at(0));
  EXPECT_EQ(bench.told(), Told{});
  bench.engine.on_indicator("ispu", 101, "tidak-sehat", at(1));
  EXPECT_EQ(bench.told(), (Told{"unhealthy RAISED 1", "over-100 RAISED 1"}));
  bench.engine.on_indicator("ispu", std::nullopt, "", at(2));
  EXPECT_EQ(bench.told(), Told{}) << "it could not be computed";
  bench.engine.on_indicator("ispu", 80, "sedang", at(3));
  EXPECT_EQ(bench.told(), (Told{"unhealthy CLEARED 1", "over-100 CLEARED 1"}));
}

TEST(Condition, IsWatchedByName) {
  Rule down = rule("driver-wtp-down", Watch::condition);
  down.source = "driver-wtp-down";
  down.hold_ms = 10'000;
  Bench bench({down});
  bench.engine.on_condition("driver-wtp-down", true, at(0));
  bench.engine.on_condition("driver-wtp-down", true, at(10'000));
  EXPECT_EQ(bench.told(), Told{"driver-wtp-down RAISED 1"});
  bench.engine.on_condition("uplink-regional-down", false, at(11'000));
  EXPECT_EQ(bench.told(), Told{});
  bench.engine.on_condition("driver-wtp-down", false, at(11'000));
  EXPECT_EQ(bench.told(), Told{"driver-wtp-down CLEARED 1"});
}

TEST(Engine, AReloadKeepsWhatWatchesTheSameAndClearsWhatDoesNot) {
  Rule one = above(1.0), two = above(1.0);
  two.id = "other";
  Bench bench({one, two});
  bench.read(0, 2);
  EXPECT_EQ(bench.told(), (Told{"high RAISED 1", "other RAISED 1"}));
  Rule changed = above(5.0);  // the same sensor: it is cleared by the next reading
  Rule elsewhere = two;
  elsewhere.series = 4;
  bench.engine.configure({elsewhere, changed}, {}, at(1000));
  EXPECT_EQ(bench.told(), Told{"other CLEARED 1"});
  bench.read(2000, 2);
  EXPECT_EQ(bench.told(), Told{"high CLEARED 1"});
  bench.engine.configure({}, {}, at(3000));
  bench.restart({above(1.0)}, 4000);
  bench.read(5000, 2);
  EXPECT_EQ(bench.told(), Told{"high RAISED 2"}) << "its count goes on when it comes back";
}

TEST(Engine, WhatIsSavedChangesOnlyWhenSomethingHappens) {
  Bench bench({above(1.0)});
  const std::string empty = bench.engine.save();
  for (int s = 0; s < 100; ++s) bench.read(s * 1000, 0.5);
  EXPECT_EQ(bench.engine.save(), empty);
  bench.read(100'000, 2);
  const std::string raised = bench.engine.save();
  EXPECT_NE(raised, empty);
  for (int s = 101; s < 200; ++s) bench.read(s * 1000, 2.0 + s);
  EXPECT_EQ(bench.engine.save(), raised);
  EXPECT_FALSE(bench.engine.load("something else", at(0)));
  EXPECT_FALSE(bench.engine.load("alarms 1\nhigh 0/3 0 0 nonsense\n", at(0)));
}

TEST(Restart, AnAlarmMayBeCalledAsALineOfTheStateWas) {
  Rule rule = above(1.0);
  rule.id = "gone";
  Bench bench({rule});
  bench.read(0, 2);
  EXPECT_EQ(bench.told(), Told{"gone RAISED 1"});
  bench.restart({rule}, 1000);
  bench.read(2000, 2);
  EXPECT_EQ(bench.told(), Told{});
  bench.read(3000, 0.5);
  EXPECT_EQ(bench.told(), Told{"gone CLEARED 1"});
}

// A restart in any place, with the readings since the state was stored replayed, says the same.
TEST(EngineProperty, ARestartAnywhereGivesTheSameSequence) {
  for (unsigned seed = 1; seed <= 100; ++seed) {
    std::mt19937 random(seed);
    Rule first = above(1.0, 0.2), second = above(1.5);
    first.hold_ms = 3'000;
    second.id = "second";
    second.release_ms = 2'000;
    struct One {
      std::int64_t ms;
      double value;
      Flag flag;
    };
    std::vector<One> input;
    for (int s = 0; s < 300; ++s)
      input.push_back({s * 1000, static_cast<double>(random() % 25) / 10,
                       random() % 10 == 0 ? Flag::missing : Flag::good});
    Bench whole({first, second});
    Told expected;
    for (const One& one : input) {
      whole.read(one.ms, one.value, one.flag);
      for (auto& text : whole.told()) expected.push_back(text);
    }
    Bench parts({first, second});
    Told got;
    std::string saved = parts.engine.save();
    std::size_t saved_at = 0;
    for (std::size_t i = 0; i < input.size(); ++i) {
      parts.read(input[i].ms, input[i].value, input[i].flag);
      auto told = parts.told();
      // Said and stored together.
      if (!told.empty() || random() % 20 == 0) {
        got.insert(got.end(), told.begin(), told.end());
        saved = parts.engine.save();
        saved_at = i + 1;
      }
      if (random() % 15 != 0) continue;
      parts.engine = Engine();
      parts.engine.configure({first, second}, {}, at(0));
      ASSERT_TRUE(parts.engine.load(saved, at(0)));
      for (std::size_t j = saved_at; j <= i; ++j)
        parts.read(input[j].ms, input[j].value, input[j].flag);
      ASSERT_EQ(parts.told(), Told{}) << "what was said is not said again";
    }
    ASSERT_EQ(got, expected) << "seed " << seed;
  }
}

}  // namespace
}  // namespace gerbang::alarm
