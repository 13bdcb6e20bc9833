// SPDX-License-Identifier: Apache-2.0
#include "alarm/rate.hpp"

#include "unit/alarm/bench.hpp"

namespace gerbang::alarm {
namespace {

TEST(Rate, IsThatOverItsSpanAndHasASign) {
  Rule rise = rule("rise", Watch::rate);
  rise.span_ms = 60'000;
  rise.above = 5;
  Rule fall = rise;
  fall.id = "fall";
  fall.above.reset();
  fall.below = -5;
  Bench bench({rise, fall});
  for (int s = 0; s <= 60; ++s) bench.read(s * 1000, s % 2 * 3.0);  // noise
  EXPECT_EQ(bench.told(), Told{});
  for (int s = 61; s <= 119; ++s) bench.read(s * 1000, 2);
  bench.read(120'000, 5.5);
  EXPECT_EQ(bench.told(), Told{"rise RAISED 1"}) << "60 s before it was 0";
  bench.read(121'000, 5.5);
  EXPECT_EQ(bench.told(), Told{"rise CLEARED 1"}) << "61 s before it was 2";
  for (int s = 122; s <= 150; ++s) bench.read(s * 1000, 2);
  EXPECT_EQ(bench.told(), Told{});
  bench.read(151'000, -3.5);
  EXPECT_EQ(bench.told(), Told{"fall RAISED 1"});
}

// Whatever has been read since: the reading that crosses raises it, and what was long before is not
// held against it.
TEST(Rate, IsSaidOnTheReadingThatCrosses) {
  Rule rise = rule("rise", Watch::rate);
  rise.span_ms = 600'000;
  rise.above = 10;
  Bench bench({rise});
  for (int m = 0; m <= 10; ++m) bench.read(m * 60'000, m);
  EXPECT_EQ(bench.told(), Told{}) << "exactly 10 is not above";
  bench.read(11 * 60'000, 11.5);
  EXPECT_EQ(bench.told(), Told{"rise RAISED 1"});
  bench.read(12 * 60'000, 12);
  EXPECT_EQ(bench.told(), Told{"rise CLEARED 1"});
  for (int m = 13; m <= 30; ++m) bench.read(m * 60'000, m);
  EXPECT_EQ(bench.told(), Told{}) << "never more than 10 in ten minutes";
}

// Nothing is put between readings: the nearest one counts, and the time that has really passed.
TEST(Rate, TakesTheNearestReadingAndItsTime) {
  Rule rise = rule("rise", Watch::rate);
  rise.span_ms = 60'000;
  rise.above = 5;
  Bench bench({rise});
  bench.read(0, 0);
  bench.read(40'000, 4);
  EXPECT_EQ(bench.told(), Told{}) << "it does not go back a span";
  bench.read(80'000, 6.7);
  auto said = bench.engine.take_said();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].value, 6.7 * (60'000.0 / 80'000)) << "of two that are as near the older one";
  bench.read(101'000, 8.6);
  EXPECT_EQ(bench.told(), Told{"rise CLEARED 1"}) << "4.6 in 61 s";
}

TEST(Rate, IsNotKnownOverAGap) {
  Rule rise = rule("rise", Watch::rate);
  rise.span_ms = 60'000;
  rise.above = 5;
  Bench bench({rise});
  bench.read(0, 0);
  bench.read(60'050, 6);
  EXPECT_EQ(bench.told(), Told{"rise RAISED 1"}) << "once in a span is enough";
  bench.read(130'000, 6);
  EXPECT_EQ(bench.told(), Told{}) << "who was away for longer has not seen it stand still";
  bench.read(160'000, 30);
  EXPECT_EQ(bench.told(), Told{}) << "nobody knows of how long a time that is";
  bench.read(190'000, 6);
  EXPECT_EQ(bench.told(), Told{"rise CLEARED 1"});
}

// A sensor that has become slower than the span, or that fails most of the time.
TEST(Rate, DoesNotStandForEverWhereReadingsBecomeRare) {
  Rule rise = rule("rise", Watch::rate);
  rise.span_ms = 60'000;
  rise.above = 5;
  Bench bench({rise});
  for (int s = 0; s <= 60; ++s) bench.read(s * 1000, 0);
  bench.read(61'000, 30);
  EXPECT_EQ(bench.told(), Told{"rise RAISED 1"});
  bench.read(181'000, 30);
  EXPECT_EQ(bench.told(), Told{}) << "one gap says nothing";
  bench.read(301'000, 41);
  EXPECT_EQ(bench.told(), Told{}) << "5.5 a minute";
  bench.read(421'000, 41);
  EXPECT_EQ(bench.told(), Told{"rise CLEARED 1"});
  bench.read(541'000, 100);
  EXPECT_EQ(bench.told(), Told{}) << "nothing is raised over a gap";
}

// Many readings in a long span: what is kept of them has a bound, and is near enough.
TEST(Rate, OverADayIsThatOfADay) {
  Rule rise = rule("rise", Watch::rate);
  rise.span_ms = 86'400'000;
  rise.above = 100;
  Bench bench({rise});
  const auto level = [](int s) { return s * 99.0 / 86'400; };
  int s = 0;
  for (; s < 2 * 86'400; s += 10) bench.read(s * std::int64_t{1000}, level(s));
  EXPECT_EQ(bench.told(), Told{});
  bench.read(s * std::int64_t{1000}, level(s) + 1.5);
  EXPECT_EQ(bench.told(), Told{"rise RAISED 1"});
}

TEST(Rate, GoesOnWithWhatIsRememberedAndSaysNothingOfThat) {
  Rule rise = rule("rise", Watch::rate);
  rise.span_ms = 60'000;
  rise.above = 5;
  Bench bench({rise});
  Sample sample;
  sample.flag = Flag::good;
  for (const auto& [at_ms, value] : {std::pair(0, 0.0), {30'000, 9.0}, {60'000, 20.0}}) {
    sample.value = value;
    bench.engine.remember(0, sample, at_ms);
  }
  EXPECT_EQ(bench.told(), Told{});
  bench.read(90'000, 14);
  EXPECT_EQ(bench.told(), Told{}) << "5 in a minute are not above";
  bench.read(91'000, 15);
  EXPECT_EQ(bench.told(), Told{"rise RAISED 1"});
}

// The smallest step between readings that are kept must not be rounded down.
TEST(Rate, KeepsNoMoreThanItSaysWhateverItsSpan) {
  for (const std::int64_t span : {100, 511, 512, 513, 1023, 1024, 1535, 60'000}) {
    Rate rate;
    std::size_t most = 0;
    for (std::int64_t at = 0; at < 4 * span; ++at)
      for (int twice = 0; twice < 2; ++twice) {
        (void)rate.take(at, static_cast<double>(at), span);
        most = std::max(most, rate.kept());
      }
    EXPECT_LE(most, static_cast<std::size_t>(Rate::kMostWithin) + 1) << span;
    EXPECT_NEAR(rate.take(4 * span, static_cast<double>(4 * span), span)->value,
                static_cast<double>(span), 1e-6);
  }
}

}  // namespace
}  // namespace gerbang::alarm
