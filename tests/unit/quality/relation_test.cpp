// SPDX-License-Identifier: Apache-2.0
#include "quality/relation.hpp"

#include <gtest/gtest.h>

#include "unit/quality/seconds.hpp"

namespace gerbang::quality {
namespace {

Point point(std::int64_t second, double value, Flag flag = Flag::good) {
  Point p;
  p.time_ns = p.boot_ns = second * kSecond;
  p.value = value;
  p.mark.flag = flag;
  return p;
}

Relation dust() {
  Relation r;
  r.kind = Relation::Kind::at_most;
  r.one = 0;
  r.other = 1;
  r.tolerance = 2;
  return r;
}

TEST(Relation, SaturationOfOxygen) {
  const std::pair<double, double> known[] = {{20, 9.092}, {25, 8.263}, {27, 7.968},
                                             {28, 7.828}, {30, 7.559}, {32, 7.305}};
  for (auto [celsius, mg] : known) EXPECT_NEAR(oxygen_saturation(celsius), mg, 0.0005) << celsius;
}

TEST(Relation, WhatIsAheadOfTheClockEndsNone) {
  Relations relations({dust()}, {1000, 1000});
  Point wrong = point(1'000'000, 10);
  wrong.ahead = true;
  (void)relations.take(1, wrong);
  (void)relations.take(1, point(10, 10));
  EXPECT_TRUE(relations.take(0, point(10, 11)).held);
}

TEST(Relation, SaysWhatCannotBothBeRight) {
  EXPECT_EQ(agree(dust(), 12, 10), true) << "within the tolerance";
  EXPECT_EQ(agree(dust(), 268, 7), false) << "seen in official data";
  Relation ratio;
  ratio.kind = Relation::Kind::ratio;
  ratio.low = 0.5;
  ratio.high = 0.7;
  EXPECT_EQ(agree(ratio, 50, 100), true);
  EXPECT_EQ(agree(ratio, 70, 100), true);
  EXPECT_EQ(agree(ratio, 49, 100), false);
  EXPECT_EQ(agree(ratio, 1, 0), std::nullopt) << "nothing is said of a cell in air";
  Relation oxygen;
  oxygen.kind = Relation::Kind::saturation;
  oxygen.high = 200;
  EXPECT_EQ(agree(oxygen, 15.6, 28), true);
  EXPECT_EQ(agree(oxygen, 15.7, 28), false);
}

TEST(Relation, PairsReadingsOfOnePollAndFlagsBothOnce) {
  Relations relations({dust()}, {1000, 1000});
  EXPECT_TRUE(relations.take(0, point(10, 300)).findings.empty())
      << "the other has said nothing yet";
  auto found = relations.take(1, point(10, 7)).findings;
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].sensor, 1u);
  EXPECT_EQ(found[1].sensor, 0u);
  EXPECT_EQ(found[1].reading.time_ns, 10 * kSecond);
  EXPECT_TRUE(relations.take(0, point(11, 300)).findings.empty())
      << "not with that of a second ago";
  EXPECT_EQ(relations.take(1, point(11, 7)).findings.size(), 2u);
  EXPECT_TRUE(relations.take(0, point(12, 7)).findings.empty());
  EXPECT_TRUE(relations.take(1, point(12, 7)).findings.empty());
}

TEST(Relation, SlowAndFastSensorsMeetWithinHalfTheLongerInterval) {
  Relations relations({dust()}, {1000, 10'000});
  EXPECT_TRUE(relations.take(1, point(100, 7)).findings.empty());
  EXPECT_EQ(relations.take(0, point(101, 50)).findings.size(), 2u);
  auto second = relations.take(0, point(102, 50)).findings;
  ASSERT_EQ(second.size(), 1u) << "of the slow one it was said";
  EXPECT_EQ(second[0].sensor, 0u);
  EXPECT_TRUE(relations.take(0, point(105, 50)).findings.empty());
}

TEST(Relation, TellsWhetherItWasJudgedAndHeld) {
  Relations relations({dust()}, {1000, 1000});
  EXPECT_FALSE(relations.take(0, point(10, 5)).held) << "the other has said nothing yet";
  EXPECT_TRUE(relations.take(1, point(10, 7)).held);
  EXPECT_FALSE(relations.take(0, point(11, 300)).held) << "that is of a second ago";
  EXPECT_FALSE(relations.take(1, point(11, 7)).held);
  (void)relations.take(0, point(12, 5, Flag::bad));
  EXPECT_FALSE(relations.take(1, point(12, 7)).held) << "nothing to judge it by";
  Relation ratio;
  ratio.kind = Relation::Kind::ratio;
  ratio.other = 1;
  ratio.low = 0.5;
  ratio.high = 0.7;
  Relations cell({ratio}, {1000, 1000});
  (void)cell.take(1, point(10, 0));
  EXPECT_FALSE(cell.take(0, point(10, 3)).held) << "of a cell in air nothing is said";
  (void)cell.take(1, point(11, 100));
  EXPECT_TRUE(cell.take(0, point(11, 60)).held);
}

TEST(Relation, BadAndMissingReadingsSayNothing) {
  Relations relations({dust()}, {1000, 1000});
  (void)relations.take(0, point(10, 300, Flag::bad));
  EXPECT_TRUE(relations.take(1, point(10, 7)).findings.empty());
  (void)relations.take(0, point(11, 300));
  EXPECT_TRUE(relations.take(1, point(11, 7, Flag::missing)).findings.empty());
}

}  // namespace
}  // namespace gerbang::quality
