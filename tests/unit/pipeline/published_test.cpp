// SPDX-License-Identifier: Apache-2.0
#include "pipeline/published.hpp"

#include <gtest/gtest.h>

namespace gerbang::pipeline {
namespace {

constexpr std::int64_t kHour = 3'600'000, kDay = 24 * kHour;

TEST(Published, MakesARevisionOnlyOfAnotherContent) {
  Published said;
  EXPECT_EQ(said.next(kDay, "a"), 0u);
  EXPECT_EQ(said.next(kDay, "a"), std::nullopt);
  EXPECT_EQ(said.next(kDay, "b"), 1u);
  EXPECT_EQ(said.next(kDay, "a"), 2u) << "back is a change too";
  EXPECT_EQ(said.next(kDay + kHour, "a"), 0u) << "another window";
}

TEST(Published, KnowsTheNewestWindow) {
  Published said;
  EXPECT_TRUE(said.newest(kDay));
  (void)said.next(kDay, "a");
  EXPECT_TRUE(said.newest(kDay));
  EXPECT_FALSE(said.newest(kDay - kHour));
}

TEST(Published, GoesOnAfterARestart) {
  Published said(4);
  for (std::int64_t end = 10 * kDay; end < 12 * kDay; end += kHour) (void)said.next(end, "a");
  (void)said.next(10 * kDay + kHour, "b");
  Published again(4);
  for (std::int64_t day : {10, 11}) EXPECT_TRUE(again.load(said.text(day * kDay)));
  EXPECT_EQ(again.next(10 * kDay + kHour, "b"), std::nullopt);
  EXPECT_EQ(again.next(10 * kDay + kHour, "c"), 2u);
  EXPECT_EQ(again.next(11 * kDay + 23 * kHour, "a"), std::nullopt);
  EXPECT_FALSE(again.load("12 nonsense"));
}

TEST(Published, ForgetsWhatIsOlderThanItsRing) {
  Published said(4);
  (void)said.next(10 * kDay, "a");
  (void)said.next(14 * kDay, "a");
  EXPECT_EQ(said.slot(10 * kDay), said.slot(14 * kDay));
  EXPECT_EQ(said.text(10 * kDay), "");
  EXPECT_NE(said.text(14 * kDay), "");
}

}  // namespace
}  // namespace gerbang::pipeline
