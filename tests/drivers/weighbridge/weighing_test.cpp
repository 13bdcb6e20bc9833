// SPDX-License-Identifier: Apache-2.0
//
// From weights to weighings.
#include "weighbridge/weighing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace gerbang::weighbridge {
namespace {

using namespace std::chrono_literals;

Weight shown(double kg, Motion motion = Motion::at_rest, Basis basis = Basis::gross) {
  Weight w;
  w.shown = {static_cast<std::int64_t>(kg), 0};
  w.basis = basis;
  w.motion = motion;
  return w;
}

// Ten weights a second.
class Weighings : public testing::Test {
 protected:
  void feed(const Weight& weight, int times = 1) {
    for (int i = 0; i < times; ++i) {
      const bool at_rest = steadiness.take(weight);
      if (auto found = finder.take(weight, at_rest, now)) weighings.push_back(*found);
      now += 100ms;
    }
  }
  void at_rest(double kg, int times = 10) { feed(shown(kg), times); }
  void moving(std::vector<double> kgs) {
    for (double kg : kgs) feed(shown(kg, Motion::moving));
  }
  void passes(double kg) {
    moving({150, kg / 3, kg / 2, kg * 0.9});
    at_rest(kg);
    moving({kg * 0.8, kg / 3, 120});
    at_rest(0);
  }

  Steadiness steadiness{5};
  WeighingFinder finder{{}};
  std::vector<Weighing> weighings;
  Time now = 100s;
};

TEST_F(Weighings, AVehicleThatComesToRestAndLeavesIsOne) {
  at_rest(0);
  passes(20'320);
  ASSERT_EQ(weighings.size(), 1u);
  EXPECT_EQ(weighings[0].gross, 20'320);
  EXPECT_EQ(weighings[0].net, std::nullopt);
  EXPECT_EQ(weighings[0].tare, std::nullopt);
  EXPECT_EQ(weighings[0].number, 1u);
  EXPECT_EQ(weighings[0].at, 100s + 10 * 100ms + 4 * 100ms + 100ms);  // its second weight at rest
  passes(8'040);
  passes(20'320);  // the same weight again is another one
  ASSERT_EQ(weighings.size(), 3u);
  EXPECT_EQ(weighings[2].number, 3u);
}

TEST_F(Weighings, NothingIsCountedBeforeTheVehicleHasLeft) {
  at_rest(20'320, 100);
  EXPECT_TRUE(weighings.empty());
  EXPECT_TRUE(finder.occupied());
  at_rest(0, 1);
  EXPECT_TRUE(weighings.empty());  // one damaged frame is no proof
  at_rest(20'320, 10);
  EXPECT_TRUE(weighings.empty());
  at_rest(0);
  EXPECT_EQ(weighings.size(), 1u);
}

TEST_F(Weighings, OneThatNeverComesToRestIsNone) {
  moving({150, 9'000, 20'000, 20'300, 9'000, 100});
  at_rest(0);
  EXPECT_TRUE(weighings.empty());
  EXPECT_EQ(finder.unweighed(), 1u);
}

TEST_F(Weighings, PeopleOnThePlatformAreNone) {
  at_rest(80);
  at_rest(0);
  at_rest(200);  // not more than the minimum
  at_rest(0);
  EXPECT_TRUE(weighings.empty());
  EXPECT_EQ(finder.unweighed(), 0u);
}

TEST_F(Weighings, AHaltWithOneAxleIsNotTheWeight) {
  moving({3'000});
  at_rest(7'100);
  moving({12'000});
  at_rest(20'320);
  at_rest(20'300);
  moving({15'000});
  at_rest(9'000);
  at_rest(0);
  ASSERT_EQ(weighings.size(), 1u);
  EXPECT_EQ(weighings[0].gross, 20'320);
}

TEST_F(Weighings, ASingleWrongDigitAtRestIsNotTheWeight) {
  at_rest(20'320);
  at_rest(90'320, 1);
  at_rest(20'320);
  at_rest(0);
  ASSERT_EQ(weighings.size(), 1u);
  EXPECT_EQ(weighings[0].gross, 20'320);
}

TEST_F(Weighings, TwoVehiclesWithoutAnEmptyPlatformBetweenAreOne) {
  at_rest(20'320);
  at_rest(8'000);
  at_rest(0);
  EXPECT_EQ(weighings.size(), 1u);
}

TEST_F(Weighings, TheNetWeightOfTheDeviceCounts) {
  Weight net = shown(12'340, Motion::at_rest, Basis::net);
  net.tare = Decimal{7'980, 0};
  at_rest(20'320);
  feed(net, 10);
  at_rest(0);
  ASSERT_EQ(weighings.size(), 1u);
  EXPECT_EQ(weighings[0].gross, 20'320);
  EXPECT_EQ(weighings[0].tare, 7'980);
  EXPECT_EQ(weighings[0].net, 12'340);
}

TEST_F(Weighings, ANetWeightWithoutTareLeavesTareUnknownAndTheEmptyPlatformMayShowMinusTheTare) {
  at_rest(20'320);
  feed(shown(12'340, Motion::at_rest, Basis::net), 10);
  feed(shown(-7'980, Motion::at_rest, Basis::net), 10);
  ASSERT_EQ(weighings.size(), 1u);
  EXPECT_EQ(weighings[0].gross, 20'320);
  EXPECT_EQ(weighings[0].tare, std::nullopt);
  EXPECT_EQ(weighings[0].net, 12'340);
}

TEST_F(Weighings, ADisplayOfTheTareIsNoLoad) {
  feed(shown(7'980, Motion::at_rest, Basis::tare), 10);
  at_rest(0);
  EXPECT_TRUE(weighings.empty());
  EXPECT_FALSE(finder.occupied());
}

TEST_F(Weighings, WithoutAFlagEqualWeightsAreAtRest) {
  auto unknown = [](double kg) { return shown(kg, Motion::unknown, Basis::display); };
  feed(unknown(20'320), 4);
  feed(unknown(20'340), 4);
  feed(unknown(0), 5);
  EXPECT_TRUE(weighings.empty());
  feed(unknown(20'320), 5);
  feed(unknown(0), 5);
  ASSERT_EQ(weighings.size(), 1u);
  EXPECT_EQ(weighings[0].gross, 20'320);
}

TEST_F(Weighings, AboveTheRangeNothingButTheWholeVehicleCounts) {
  at_rest(7'000);
  finder.above_range(now);
  at_rest(20'320);  // it was only the impact
  at_rest(0);
  ASSERT_EQ(weighings.size(), 1u);
  EXPECT_EQ(weighings[0].gross, 20'320);

  moving({9'000});
  for (int i = 0; i < 40; ++i, now += 100ms) finder.above_range(now);
  at_rest(12'000);  // its rear axles
  at_rest(0);
  EXPECT_EQ(weighings.size(), 1u);
  EXPECT_EQ(finder.unweighed(), 1u);
}

TEST_F(Weighings, BelowTheRangeThePlatformIsEmpty) {
  at_rest(20'320);
  EXPECT_FALSE(finder.below_range(now));
  const auto left = finder.below_range(now + 100ms);
  ASSERT_TRUE(left.has_value());
  EXPECT_EQ(left->gross, 20'320);
}

TEST_F(Weighings, AVehicleThatStandsThroughASilenceIsOne) {
  at_rest(20'320);
  now += 5min;
  at_rest(20'300);
  at_rest(0);
  ASSERT_EQ(weighings.size(), 1u);
  EXPECT_FALSE(weighings[0].interrupted);
}

TEST_F(Weighings, AnotherWeightAfterASilenceIsAnotherVehicle) {
  at_rest(20'320);
  now += 5min;
  at_rest(8'040);
  ASSERT_EQ(weighings.size(), 1u);
  EXPECT_TRUE(weighings[0].interrupted);
  at_rest(0);
  ASSERT_EQ(weighings.size(), 2u);
  EXPECT_EQ(weighings[1].gross, 8'040);
}

TEST_F(Weighings, OneThatLeftDuringASilenceCounts) {
  at_rest(20'320);
  now += 5min;
  at_rest(0);
  ASSERT_EQ(weighings.size(), 1u);
  EXPECT_EQ(weighings[0].gross, 20'320);
}

TEST(StoredTare, MakesANetWeightOfAGrossOneOnlyForLoadedVehicles) {
  Weighing gross;
  gross.gross = 20'320;
  EXPECT_EQ(with_stored_tare(gross, 7'980.5, 200).net, 12'339.5);
  EXPECT_EQ(with_stored_tare(gross, 7'980.5, 200).tare, 7'980.5);
  gross.gross = 8'100;
  EXPECT_EQ(with_stored_tare(gross, 7'980.5, 200).net, std::nullopt);
  Weighing net;
  net.net = 5;
  EXPECT_EQ(with_stored_tare(net, 7'980, 200).net, 5);  // the device knows better
  EXPECT_EQ(with_stored_tare(net, 7'980, 200).tare, std::nullopt);
}

}  // namespace
}  // namespace gerbang::weighbridge
