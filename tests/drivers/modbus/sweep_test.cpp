// SPDX-License-Identifier: Apache-2.0
#include "modbus/sweep.hpp"

#include <gtest/gtest.h>

namespace gerbang::modbus {
namespace {

using namespace std::chrono_literals;

std::vector<std::uint8_t> units_to(unsigned last) {
  std::vector<std::uint8_t> out;
  for (unsigned unit = 1; unit <= last; ++unit) out.push_back(static_cast<std::uint8_t>(unit));
  return out;
}

TEST(Sweep, AllUnitsOfALineCostHalfAMinuteWhereNobodyAnswers) {
  Sweep sweep(units_to(247), 300ms, true);
  const auto planned = sweep.left();
  std::chrono::milliseconds spent{};
  int asked = 0;
  while (const auto turn = sweep.next()) {
    EXPECT_EQ(turn->unit, ++asked);
    spent += turn->wait;
  }
  EXPECT_EQ(asked, 247);
  EXPECT_EQ(spent, planned);
  EXPECT_LT(spent, 30s);
  EXPECT_EQ(sweep.left(), 0ms);
}

TEST(Sweep, TheLastUnitIsWaitedForSoThatALateAnswerIsHeard) {
  Sweep sweep(units_to(2), 300ms, true);
  EXPECT_EQ(sweep.next()->wait, kQuick);
  EXPECT_EQ(sweep.next()->wait, 300ms);
}

TEST(Sweep, IfTheLastUnitAnswersASilentOneIsWaitedForInItsPlace) {
  Sweep sweep(units_to(3), 300ms, true);
  sweep.next();
  sweep.found(1);
  EXPECT_EQ(sweep.next()->wait, kQuick);
  EXPECT_EQ(sweep.next()->unit, 3);
  sweep.found(3);
  EXPECT_EQ(sweep.left(), 300ms);
  const auto again = sweep.next();
  EXPECT_EQ(again->unit, 2);
  EXPECT_EQ(again->wait, 300ms);
  EXPECT_FALSE(sweep.next());
  Sweep all(units_to(1), 300ms, true);
  all.next();
  all.found(1);
  EXPECT_FALSE(all.next()) << "nobody is silent";
}

TEST(Sweep, AfterALateAnswerAllAreAskedAgainWithTheTimeOut) {
  Sweep sweep(units_to(3), 300ms, true);
  EXPECT_EQ(sweep.next()->unit, 1);
  sweep.found(1);
  EXPECT_EQ(sweep.next()->unit, 2);
  EXPECT_TRUE(sweep.late());
  EXPECT_EQ(sweep.left(), 600ms) << "unit 1 is known";
  const auto again = sweep.next();
  EXPECT_EQ(again->unit, 2);
  EXPECT_EQ(again->wait, 300ms);
  EXPECT_FALSE(sweep.late()) << "slower it does not get";
  EXPECT_EQ(sweep.next()->unit, 3);
  EXPECT_FALSE(sweep.next());
}

TEST(Sweep, WhoGivesALongTimeOutIsNotKeptWaitingTwice) {
  EXPECT_TRUE(worth_quick(300ms));
  EXPECT_FALSE(worth_quick(50ms));
  EXPECT_FALSE(worth_quick(1s));
  Sweep sweep(units_to(2), 1s, false);
  EXPECT_EQ(sweep.next()->wait, 1s);
}

TEST(Sweep, NobodyIsAskedOfAnEmptyList) {
  Sweep sweep({}, 300ms, true);
  EXPECT_EQ(sweep.left(), 0ms);
  EXPECT_FALSE(sweep.next());
}

}  // namespace
}  // namespace gerbang::modbus
