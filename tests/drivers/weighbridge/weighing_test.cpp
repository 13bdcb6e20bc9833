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
  // ST,GS,… ST,NT,… ST,TR,… one after the other; a12e has no lines of the tare.
  void turns(double gross, double tare, int times = 10, Motion motion = Motion::at_rest) {
    for (int i = 0; i < times; ++i) {
      feed(shown(gross, motion));
      feed(shown(gross - tare, motion, Basis::net));
      if (motion != Motion::unknown) feed(shown(tare, motion, Basis::tare));
    }
  }
  void net(double kg, int times = 10) { feed(shown(kg, Motion::at_rest, Basis::net), times); }
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

void expect(const Weighing& found, std::optional<double> gross, std::optional<double> net,
            std::optional<double> tare) {
  EXPECT_EQ(found.gross, gross);
  EXPECT_EQ(found.net, net);
  EXPECT_EQ(found.tare, tare);
}

TEST_F(Weighings, LinesOfGrossNetAndTareInTurnsMakeOneOfAllThree) {
  turns(0, 7'980);
  turns(9'000, 7'980, 2, Motion::moving);
  turns(20'320, 7'980);
  EXPECT_TRUE(weighings.empty());
  turns(9'000, 7'980, 2, Motion::moving);
  turns(0, 7'980);
  ASSERT_EQ(weighings.size(), 1u);
  expect(weighings[0], 20'320, 12'340, 7'980);
  EXPECT_EQ(weighings[0].at, 100s + (30 + 6 + 3) * 100ms);  // its second gross line at rest
  EXPECT_EQ(finder.unweighed(), 0u);
  EXPECT_FALSE(finder.occupied());
}

TEST_F(Weighings, LinesInTurnsAreAtRestWhereThoseOfOneKindAreEqual) {
  turns(20'320, 7'980, 4, Motion::unknown);
  turns(20'340, 7'980, 4, Motion::unknown);
  turns(0, 7'980, 5, Motion::unknown);
  EXPECT_TRUE(weighings.empty());
  EXPECT_EQ(finder.unweighed(), 1u);
  turns(20'320, 7'980, 6, Motion::unknown);
  turns(0, 7'980, 5, Motion::unknown);
  ASSERT_EQ(weighings.size(), 1u);
  expect(weighings[0], 20'320, 12'340, std::nullopt);
}

TEST_F(Weighings, ALorryThatWasTaredStandsThereAsLongAsItsGrossWeightDoes) {
  turns(8'040, 0);
  turns(8'040, 8'040, 50);  // net 0
  EXPECT_TRUE(weighings.empty());
  EXPECT_TRUE(finder.occupied());
  turns(8'040, 9'000, 50);  // net below 0
  EXPECT_TRUE(weighings.empty());
  turns(20'320, 8'040);  // loaded there
  turns(0, 8'040);
  ASSERT_EQ(weighings.size(), 1u);
  expect(weighings[0], 20'320, 12'280, 8'040);

  turns(8'040, 8'040);
  turns(0, 8'040);
  ASSERT_EQ(weighings.size(), 2u);
  expect(weighings[1], 8'040, 0, 8'040);
}

TEST_F(Weighings, WhereNobodyTaredTheNetLineIsNoNetWeight) {
  turns(20'320, 0);
  net(20'340, 6);  // gross lines were lost
  turns(0, 0);
  ASSERT_EQ(weighings.size(), 1u);
  expect(weighings[0], 20'320, std::nullopt, std::nullopt);
}

TEST_F(Weighings, ATareThatIsEnteredAndTakenOffAgainWhileTheVehicleStandsCounts) {
  turns(20'320, 0);
  turns(20'260, 7'980);  // the driver got out
  turns(20'340, 7'980, 1);
  turns(20'320, 7'980);
  turns(20'320, 0);
  turns(20'320, 20'320);
  turns(0, 0);
  ASSERT_EQ(weighings.size(), 1u);
  expect(weighings[0], 20'320, 12'340, 7'980);
}

TEST_F(Weighings, AHaltWithOneAxleBesideATareIsNotTheWeight) {
  turns(10'000, 7'980);
  turns(15'000, 7'980, 2, Motion::moving);
  at_rest(20'320, 2);  // so briefly that no net weight is sure
  turns(0, 7'980);
  ASSERT_EQ(weighings.size(), 1u);
  expect(weighings[0], 20'320, std::nullopt, std::nullopt);
}

TEST_F(Weighings, ATareThatDoesNotAgreeIsNotTold) {
  auto told = [&](double tare) {
    for (int i = 0; i < 10; ++i) {
      at_rest(20'320, 1);
      net(12'340, 1);
      feed(shown(tare, Motion::at_rest, Basis::tare));
    }
    turns(0, 0);
    return weighings.back();
  };
  expect(told(7'980), 20'320, 12'340, 7'980);
  expect(told(8'000), 20'320, 12'340, 8'000);  // one division of 20 kg
  expect(told(8'020), 20'320, 12'340, std::nullopt);
  expect(told(7'985), 20'320, 12'340, 7'985);
  expect(told(7'986), 20'320, 12'340, std::nullopt);
  EXPECT_EQ(weighings.size(), 5u);
}

TEST_F(Weighings, OneDamagedLineInTurnsIsNoWeightAndNoDeparture) {
  turns(20'320, 7'980);
  for (const double gross : {90'320.0, 0.0}) {
    at_rest(gross, 1);
    net(12'340, 1);
    turns(20'320, 7'980, 2);
  }
  at_rest(20'320, 1);
  net(92'340, 1);
  turns(20'320, 7'980, 2);
  at_rest(20'320, 1);
  net(12'340, 1);
  feed(shown(17'980, Motion::at_rest, Basis::tare));
  for (int i = 0; i < 3; ++i) net(-7'980, 1);  // gross lines were lost
  turns(20'320, 7'980, 2);
  EXPECT_TRUE(weighings.empty());
  turns(0, 7'980);
  at_rest(90'320, 1);
  turns(0, 7'980);
  ASSERT_EQ(weighings.size(), 1u);
  expect(weighings[0], 20'320, 12'340, 7'980);
}

TEST_F(Weighings, AVehicleThatStandsThroughASilenceInTurnsIsOne) {
  turns(20'320, 7'980);
  now += 5min;
  net(12'340, 1);
  turns(20'320, 7'980);
  now += 5min;
  net(60, 1);
  turns(8'040, 7'980);
  ASSERT_EQ(weighings.size(), 1u);
  EXPECT_TRUE(weighings[0].interrupted);
  expect(weighings[0], 20'320, 12'340, 7'980);
}

TEST_F(Weighings, AStreamOfNetOnlyTellsByItselfWhatStandsThere) {
  net(0);
  net(12'340);
  net(0, 1);
  EXPECT_TRUE(weighings.empty());
  net(0, 1);
  ASSERT_EQ(weighings.size(), 1u);
  expect(weighings[0], std::nullopt, 12'340, std::nullopt);
}

TEST_F(Weighings, AfterTheTareKeyTheNetLinesTellAlone) {
  at_rest(8'040);
  net(0, 4);  // GS became NT: not to be told from a platform that is empty
  EXPECT_TRUE(weighings.empty());
  net(0, 1);
  ASSERT_EQ(weighings.size(), 1u);
  expect(weighings[0], 8'040, std::nullopt, std::nullopt);
  net(12'280);
  net(-8'040);
  ASSERT_EQ(weighings.size(), 2u);
  expect(weighings[1], std::nullopt, 12'280, std::nullopt);
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
