// SPDX-License-Identifier: Apache-2.0
#include "serial/turns.hpp"

#include <gtest/gtest.h>

#include "serial/warm_up.hpp"

namespace gerbang::serial {
namespace {

using namespace std::chrono_literals;
using Time = Turns::Time;

constexpr Time kStart = 1000s;

struct Tally {
  int fresh = 0, missing = 0;
};
// A device that measures every `period`, read every `interval`, looked after every 10 ms.
Tally run(Time period, Time interval, Time timeout, Time length, Time falls_silent = Time::max()) {
  Turns turns(timeout);
  turns.add(interval, kStart);
  Tally tally;
  Time measures = kStart + 3ms;
  for (Time now = kStart; now < kStart + length; now += 10ms) {
    for (; measures <= now && measures - kStart < falls_silent; measures += period)
      turns.measured(now);
    for (const auto& answer : turns.take(now, true)) ++(answer.fresh ? tally.fresh : tally.missing);
  }
  return tally;
}

TEST(Turns, ADeviceOfTheSamePeriodLosesNone) {
  const Tally tally = run(1s, 1s, 3s, 100s);
  EXPECT_EQ(tally.fresh, 100);
  EXPECT_EQ(tally.missing, 0);
}

TEST(Turns, ADeviceThatIsOnePercentSlowerLosesOnePercent) {
  const Tally tally = run(1010ms, 1s, 3s, 200s);
  EXPECT_GE(tally.fresh, 197);
  EXPECT_LE(tally.missing, 2);
}

TEST(Turns, EachMeasurementIsUsedOnce) {
  const Tally tally = run(2300ms, 1s, 3s, 230s);
  EXPECT_LE(tally.fresh, 101);
  EXPECT_GE(tally.fresh, 99);
  EXPECT_GE(tally.missing, 128);
}

TEST(Turns, AFastDeviceAnswersOncePerTurn) {
  EXPECT_EQ(run(100ms, 1s, 3s, 50s).fresh, 50);
}

TEST(Turns, ADeviceThatFellSilentIsMissingFromTheNextTurnOn) {
  const Tally tally = run(1s, 1s, 3s, 100s, 50s);
  EXPECT_EQ(tally.fresh, 50);
  EXPECT_GE(tally.missing, 48);
}

TEST(Turns, WithALongIntervalTheTimeOutDecidesHowOldAMeasurementMayBe) {
  Turns turns(3s);
  turns.add(1min, kStart);
  turns.measured(kStart - 4s);
  EXPECT_TRUE(turns.take(kStart, true).empty());
  EXPECT_TRUE(turns.waiting());
  EXPECT_EQ(turns.next(), kStart + 3s);
  turns.measured(kStart + 1s);
  const auto answers = turns.take(kStart + 1s, true);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_TRUE(answers[0].fresh);
  EXPECT_FALSE(turns.waiting());
}

TEST(Turns, WithoutAConnectionNothingIsWaitedFor) {
  Turns turns(3s);
  turns.add(1min, kStart);
  const auto answers = turns.take(kStart, false);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_FALSE(answers[0].fresh);
}

// ---- warm-up of half a minute
TEST(WarmUp, FollowsASilenceOfAStream) {
  WarmUp warm_up(30s);
  for (Time now = kStart; now < kStart + 60s; now += 2s)
    EXPECT_EQ(warm_up.measured(now, true), std::nullopt);
  EXPECT_FALSE(warm_up.warming(kStart + 60s));
  EXPECT_EQ(warm_up.measured(kStart + 78s, true), 20s);
  EXPECT_TRUE(warm_up.warming(kStart + 107s));
  EXPECT_FALSE(warm_up.warming(kStart + 108s));
}

TEST(WarmUp, IsNotCausedByQuestionsThatAreFarApart) {
  WarmUp warm_up(30s);
  for (Time now = kStart; now < kStart + 10min; now += 1min) {
    warm_up.asked(now);
    EXPECT_EQ(warm_up.measured(now + 20ms, false), std::nullopt);
  }
  warm_up.asked(kStart + 10min);  // and no answer
  warm_up.asked(kStart + 11min);
  EXPECT_EQ(warm_up.measured(kStart + 11min, false), 60s);
}

TEST(WarmUp, FollowsAStartAndTheStartOfTheBoard) {
  WarmUp warm_up(30s);
  warm_up.started(kStart);
  EXPECT_TRUE(warm_up.warming(kStart + 29s));
  WarmUp with_board(30s);
  EXPECT_EQ(with_board.measured(20s, true), 0s);
  EXPECT_TRUE(with_board.warming(29s));
  EXPECT_FALSE(with_board.warming(30s));
}

TEST(WarmUp, OfNoLengthIsNone) {
  WarmUp warm_up(0s);
  warm_up.started(kStart);
  warm_up.measured(kStart, true);
  EXPECT_EQ(warm_up.measured(kStart + 1min, true), std::nullopt);
  EXPECT_FALSE(warm_up.warming(kStart + 1min));
}

}  // namespace
}  // namespace gerbang::serial
