// SPDX-License-Identifier: Apache-2.0
#include "quality/formula.hpp"

#include <gtest/gtest.h>

#include "unit/quality/seconds.hpp"

namespace gerbang::quality {
namespace {

Corrector::Input input(std::int64_t second, double value, Flag flag = Flag::good,
                       Reason reason = Reason::none) {
  Corrector::Input in;
  in.point.time_ns = in.point.boot_ns = (86'400 + second) * kSecond;
  in.point.value = value;
  in.point.mark.flag = flag;
  in.point.mark.reason = reason;
  in.raw = Raw::of(value);
  return in;
}
Corrector::Input counter(std::int64_t second, std::int64_t raw) {
  Corrector::Input in = input(second, static_cast<double>(raw));
  in.raw = Raw::of(raw);
  return in;
}
Formula formula(Formula::Kind kind) {
  Formula f;
  f.kind = kind;
  return f;
}
double of(const Formula& f, std::vector<Corrector::Input> inputs) {
  return Corrector(f).take(inputs).value;
}

TEST(Formula, ConductivityAt25Degrees) {
  Formula f = formula(Formula::Kind::conductivity_25);
  f.coefficient = 0.02;
  EXPECT_NEAR(of(f, {input(1, 1060), input(1, 28)}), 1000, 1e-9);
  EXPECT_NEAR(of(f, {input(1, 900), input(1, 20)}), 1000, 1e-9);
  EXPECT_EQ(of(f, {input(1, 500), input(1, 25)}), 500);
}

TEST(Formula, GasesByMolarMass) {
  const std::pair<double, double> known[] = {{64.066, 2.620}, {46.006, 1.882}, {47.998, 1.963},
                                             {28.010, 1.146}, {34.08, 1.394},  {16.043, 0.656}};
  for (auto [mass, factor] : known) {
    Formula f = formula(Formula::Kind::ppb_to_ug_m3);
    f.molar_mass = mass;
    EXPECT_NEAR(of(f, {input(1, 1)}), factor, 0.0005) << mass;
  }
}

TEST(Formula, SaturationOfOxygen) {
  Formula f = formula(Formula::Kind::do_saturation);
  EXPECT_NEAR(of(f, {input(1, 7.828), input(1, 28)}), 100, 0.01);
  EXPECT_NEAR(of(f, {input(1, 3.914), input(1, 28)}), 50, 0.01);
}

TEST(Formula, ACounterThatWraps) {
  Formula f = formula(Formula::Kind::totaliser_volume);
  f.wrap = std::uint64_t{1} << 32;
  Corrector volume(f);
  std::vector<Corrector::Input> in{counter(0, 4294967196)};
  EXPECT_EQ(volume.take(in).value, 0) << "what it counted before is not ours";
  in = {counter(1, 50)};
  EXPECT_EQ(volume.take(in).value, 150);
  in = {counter(2, 60)};
  EXPECT_EQ(volume.take(in).value, 160);
}

TEST(Formula, ACounterThatWasReplacedIsSaidAndNotCounted) {
  Formula f = formula(Formula::Kind::totaliser_volume);
  f.wrap = 65536;
  f.factor = 0.1;
  f.fastest = 36;  // m³/h: 0.1 a second … one count in ten seconds
  Corrector volume(f);
  std::vector<Corrector::Input> in{counter(0, 60'000)};
  (void)volume.take(in);
  in = {counter(100, 60'010)};
  EXPECT_NEAR(volume.take(in).value, 1.0, 1e-9);
  in = {counter(200, 3)};
  auto replaced = volume.take(in);
  EXPECT_NEAR(replaced.value, 1.0, 1e-9);
  EXPECT_EQ(replaced.mark.flag, Flag::suspect);
  in = {counter(300, 8)};
  auto on = volume.take(in);
  EXPECT_NEAR(on.value, 1.5, 1e-9);
  EXPECT_EQ(on.mark.flag, Flag::not_evaluated);
  in = {counter(400, 9000)};
  EXPECT_EQ(volume.take(in).mark.flag, Flag::suspect) << "forward, and too fast to be water";
}

TEST(Formula, ACounterGoesOnAfterARestart) {
  Formula f = formula(Formula::Kind::totaliser_volume);
  f.wrap = 1000;
  Corrector before(f), after(f);
  std::vector<Corrector::Input> in{counter(0, 900)};
  (void)before.take(in);
  in = {counter(1, 950)};
  (void)before.take(in);
  Corrector::Axis same;
  same.shift_ns = 0;
  same.now_ns = 90'000 * kSecond;
  ASSERT_TRUE(after.load(before.save(), same));
  in = {counter(1, 10)};
  EXPECT_EQ(after.take(in).value, 110);
  EXPECT_FALSE(after.load("no numbers", same));
}

TEST(Formula, AFlowIsIntegratedOverShortGapsOnly) {
  Formula f = formula(Formula::Kind::flow_integral);
  f.max_gap_ms = 3'600'000;
  Corrector volume(f);
  std::vector<Corrector::Input> in{input(0, 10)};
  EXPECT_EQ(volume.take(in).value, 0);
  in = {input(1800, 20)};
  EXPECT_NEAR(volume.take(in).value, 7.5, 1e-12) << "15 m³/h for half an hour";
  in = {input(1800 + 3601, 20)};
  EXPECT_NEAR(volume.take(in).value, 7.5, 1e-12) << "nobody knows what flowed";
  in = {input(5402 + 1799, 0, Flag::bad, Reason::range)};
  auto bad = volume.take(in);
  EXPECT_EQ(bad.mark.flag, Flag::bad);
  in = {input(5401 + 3600, 20)};
  EXPECT_NEAR(volume.take(in).value, 27.5, 1e-12) << "over the one that was bad";
}

// All that comes until that time would be late.
TEST(Formula, AReadingAheadOfTheClockTakesNoPartInASumOrAMeanOfTime) {
  const auto ahead = [](Corrector::Input in) {
    in.point.time_ns += 365 * 86'400 * kSecond;
    in.point.ahead = true;
    return in;
  };
  const Mark none{Flag::missing, Reason::conversion};
  Formula f = formula(Formula::Kind::flow_integral);
  f.max_gap_ms = 3'600'000;
  Corrector volume(f);
  (void)volume.take(std::vector{input(0, 10)});
  EXPECT_EQ(volume.take(std::vector{ahead(input(900, 10))}).mark, none);
  const auto on = volume.take(std::vector{input(1800, 10)});
  EXPECT_NEAR(on.value, 5, 1e-12);
  EXPECT_EQ(on.mark.flag, Flag::not_evaluated);

  Corrector counted(formula(Formula::Kind::totaliser_volume));
  (void)counted.take(std::vector{counter(0, 100)});
  EXPECT_EQ(counted.take(std::vector{ahead(counter(1, 110))}).mark, none);
  EXPECT_EQ(counted.take(std::vector{counter(2, 120)}).value, 20);

  f = formula(Formula::Kind::wind_vector);
  f.period_ms = 60'000;
  f.wind = Formula::Wind::speed;
  Corrector wind(f);
  EXPECT_EQ(wind.take(std::vector{ahead(input(0, 90)), ahead(input(0, 0))}).mark, none);
  EXPECT_NEAR(wind.take(std::vector{input(1, 2), input(1, 0)}).value, 2, 1e-12);
}

// The time of the last reading is on the clock of its boot.
TEST(Formula, AFlowGoesOnAfterARestartWhereTheTimeIsKnown) {
  Formula f = formula(Formula::Kind::flow_integral);
  f.max_gap_ms = 3'600'000;
  Corrector before(f);
  std::vector<Corrector::Input> in{input(0, 10)};
  (void)before.take(in);
  in = {input(1800, 10)};
  (void)before.take(in);
  const auto goes_on = [&](std::optional<std::int64_t> shift_s, std::int64_t now_s) {
    Corrector after(f);
    Corrector::Axis axis;
    if (shift_s) axis.shift_ns = *shift_s * kSecond;
    axis.now_ns = (86'400 + now_s) * kSecond;
    EXPECT_TRUE(after.load(before.save(), axis));
    std::vector<Corrector::Input> next{input(now_s, 30)};
    return after.take(next).value;
  };
  EXPECT_NEAR(goes_on(0, 3600), 15, 1e-12) << "20 m³/h for half an hour";
  EXPECT_NEAR(goes_on(-1800, 1800), 15, 1e-12) << "another boot, half an hour ago by its clock";
  EXPECT_NEAR(goes_on(std::nullopt, 3600), 5, 1e-12) << "nobody knows when that was";
  EXPECT_NEAR(goes_on(0, 5401), 5, 1e-12) << "longer than it may be";
  EXPECT_NEAR(goes_on(3600, 3600), 5, 1e-12) << "what is in the future has not been";
}

// Whose clock was ahead once would be late until then, over every restart.
TEST(Formula, ADeviceTimeThatIsYetToComeIsNotKept) {
  Formula f = formula(Formula::Kind::flow_integral);
  f.max_gap_ms = 3'600'000;
  Corrector before(f), after(f);
  auto stamped = [](int s, double value) {
    auto out = input(s, value);
    out.point.device_time = true;
    return std::vector<Corrector::Input>{out};
  };
  (void)before.take(stamped(365 * 86'400, 10));
  EXPECT_EQ(before.take(stamped(0, 10)).mark.flag, Flag::missing);
  Corrector::Axis axis;
  axis.wall_ns = 90'000 * kSecond;
  ASSERT_TRUE(after.load(before.save(), axis));
  EXPECT_EQ(after.take(stamped(10, 10)).mark.flag, Flag::not_evaluated);
  EXPECT_NEAR(after.take(stamped(1810, 10)).value, 5, 1e-12);
  for (const char* text :
       {"1 1 0 0 0 5 0 9223372036854775807", "1 1 0 0 0 5 0 -9223372036854775807",
        "1 1 0 0 0 5 1 -9223372036854775807"}) {
    axis.shift_ns = INT64_MAX - 1;
    EXPECT_TRUE(after.load(text, axis));
    EXPECT_EQ(after.take(stamped(10, 10)).value, 1) << "nothing is added from there: " << text;
  }
}

// As it was stored: the sum and the reading that it reaches to.
TEST(Formula, WhatWasStoredIsAddedOnce) {
  Formula f = formula(Formula::Kind::flow_integral);
  f.max_gap_ms = 3'600'000;
  Corrector live(f), after(f);
  const auto stored = [&](const Corrector::Input& one) {
    std::vector<Corrector::Input> in{one};
    Point computed = one.point;
    computed.value = live.take(in).value;
    after.replay_input(one);
    return computed;
  };
  for (int s : {0, 600, 1200}) after.replay_computed(stored(input(s, 10 + s)), true);
  // A reading from which nothing came that is stored is in no sum.
  Corrector::Input lost = input(1500, 5000);
  after.replay_input(lost);
  const Corrector::Input bad = input(1800, 99, Flag::bad, Reason::range);
  after.replay_computed(stored(bad), true);
  std::vector<Corrector::Input> next{input(2400, 20)};
  EXPECT_EQ(after.take(next).value, live.take(next).value);
}

// What it was at that time is in no sum any more; what comes is added as if it had not come.
TEST(Formula, ALateReadingIsInNoSum) {
  Formula f = formula(Formula::Kind::flow_integral);
  f.max_gap_ms = 3'600'000;
  Corrector flow(f);
  Formula g = formula(Formula::Kind::totaliser_volume);
  g.wrap = 3000;
  Corrector counter(g);
  for (Corrector* sum : {&flow, &counter}) {
    for (const auto& [at, value] : {std::pair(0, 60), {1800, 60}, {3600, 60}}) {
      std::vector<Corrector::Input> in{input(at, value + at / 60)};
      in[0].raw = Raw::of(std::int64_t{value + at / 60});
      (void)sum->take(in);
    }
    std::vector<Corrector::Input> late{input(2700, 105)};
    late[0].raw = Raw::of(std::int64_t{105});
    const auto out = sum->take(late);
    EXPECT_EQ(out.mark.flag, Flag::missing);
    EXPECT_EQ(out.mark.reason, Reason::conversion);
  }
  std::vector<Corrector::Input> next{input(5400, 150)};
  next[0].raw = Raw::of(std::int64_t{150});
  EXPECT_NEAR(counter.take(next).value, 90, 1e-12) << "60 to 150";
  EXPECT_NEAR(flow.take(next).value, 157.5, 1e-12) << "1.5 h of 60 to 150 m³/h";
}

TEST(Formula, WindFrom350And10DegreesIsFromNorth) {
  Formula f = formula(Formula::Kind::wind_vector);
  f.period_ms = 60'000;
  Corrector direction(f);
  f.wind = Formula::Wind::speed;
  Corrector speed(f);
  std::vector<Corrector::Input> in{input(1, 2), input(1, 350)};
  EXPECT_NEAR(direction.take(in).value, 350, 1e-9);
  (void)speed.take(in);
  in = {input(2, 2), input(2, 10)};
  const double degrees = direction.take(in).value;
  EXPECT_LT(std::min(degrees, 360 - degrees), 1e-9);
  EXPECT_LT(degrees, 360);
  EXPECT_NEAR(speed.take(in).value, 1.970, 0.0005);
  in = {input(100, 4), input(100, 90)};
  EXPECT_NEAR(direction.take(in).value, 90, 1e-9) << "what is older than the period is gone";
}

TEST(Formula, WindThatCancelsOutHasNoDirection) {
  Formula f = formula(Formula::Kind::wind_vector);
  f.period_ms = 60'000;
  Corrector direction(f);
  std::vector<Corrector::Input> in{input(1, 2), input(1, 0)};
  (void)direction.take(in);
  in = {input(2, 2), input(2, 180)};
  EXPECT_EQ(direction.take(in).mark.flag, Flag::missing);
}

TEST(Formula, ATableGoesThroughItsPoints) {
  Formula f = formula(Formula::Kind::table);
  f.points = {{0, 0}, {10, 1}, {20, 4}};
  EXPECT_EQ(of(f, {input(1, 10)}), 1);
  EXPECT_NEAR(of(f, {input(1, 5)}), 0.5, 1e-12);
  EXPECT_NEAR(of(f, {input(1, 15)}), 2.5, 1e-12);
  EXPECT_EQ(of(f, {input(1, 20)}), 4);
  EXPECT_NEAR(of(f, {input(1, 30)}), 7, 1e-12);
  EXPECT_NEAR(of(f, {input(1, -10)}), -1, 1e-12);
}

TEST(Formula, BeyondItsPointsATableIsSuspectAndTheValueIsKept) {
  Formula f = formula(Formula::Kind::table);
  f.points = {{0, 0}, {10, 1}, {20, 4}};
  Corrector c(f);
  const auto take = [&](double x, Flag flag = Flag::good, Reason reason = Reason::none) {
    std::vector<Corrector::Input> in{input(1, x, flag, reason)};
    return c.take(in);
  };
  for (double x : {0.0, 7.0, 20.0}) EXPECT_EQ(take(x).mark.flag, Flag::not_evaluated) << x;
  const Mark beyond{Flag::suspect, Reason::calibration};
  EXPECT_EQ(take(-0.5).mark, beyond);
  EXPECT_EQ(take(20.5).mark, beyond);
  EXPECT_NEAR(take(30).value, 7, 1e-12);
  EXPECT_EQ(take(30, Flag::bad, Reason::range).mark, (Mark{Flag::bad, Reason::range}));
  f.points = {{0, 0}, {10, 1}};
  EXPECT_EQ(Corrector(f).take(std::vector{input(1, 30)}).mark.flag, Flag::not_evaluated)
      << "two points are a straight line";
}

TEST(Formula, TheFlagIsTheWorstOfTheInputs) {
  Corrector c(formula(Formula::Kind::conductivity_25));
  std::vector<Corrector::Input> in{input(1, 1000), input(1, 28, Flag::suspect, Reason::rate)};
  EXPECT_EQ(c.take(in).mark, (Mark{Flag::suspect, Reason::rate}));
  in[0] = input(2, 1000, Flag::bad, Reason::range);
  EXPECT_EQ(c.take(in).mark, (Mark{Flag::bad, Reason::range}));
  in[1] = input(2, 0, Flag::missing, Reason::timeout);
  EXPECT_EQ(c.take(in).mark, (Mark{Flag::missing, Reason::timeout}));
  in = {input(3, 1000), input(3, 28)};
  EXPECT_EQ(c.take(in).mark.flag, Flag::not_evaluated) << "its own tests speak for it";
}

}  // namespace
}  // namespace gerbang::quality
