// SPDX-License-Identifier: Apache-2.0
#include "alarm/life.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "unit/alarm/moments.hpp"

namespace gerbang::alarm {
namespace {

Life::Timing timing(std::int64_t hold = 0, std::int64_t release = 0) {
  Life::Timing out;
  out.hold_ms = hold;
  out.release_ms = release;
  return out;
}

Life::Seen seen(bool active) {
  Life::Seen out;
  out.active = active;
  out.value = active ? 2.0 : 0.5;
  if (active) out.threshold = 1.0;
  return out;
}

TEST(Life, IsRaisedOnceAndClearedOnce) {
  Life life;
  EXPECT_FALSE(life.see(seen(false), at(0), timing()));
  EXPECT_TRUE(life.see(seen(true), at(1000), timing()));
  EXPECT_EQ(life.said(), Said::raised);
  EXPECT_EQ(life.occurrence(), 1u);
  EXPECT_EQ(life.since_ms(), kUtc + 1000);
  EXPECT_EQ(life.cleared_ms(), 0);
  EXPECT_EQ(life.value(), 2.0);
  EXPECT_FALSE(life.see(seen(true), at(2000), timing())) << "it is raised already";
  EXPECT_TRUE(life.see(seen(false), at(3000), timing()));
  EXPECT_EQ(life.said(), Said::cleared);
  EXPECT_EQ(life.cleared_ms(), kUtc + 3000);
  EXPECT_EQ(life.threshold(), 1.0) << "the one that was crossed";
  EXPECT_EQ(life.value(), 0.5);
  EXPECT_FALSE(life.see(seen(false), at(4000), timing()));
  EXPECT_TRUE(life.see(seen(true), at(5000), timing()));
  EXPECT_EQ(life.occurrence(), 2u);
}

TEST(Life, IsRaisedWhenItsCauseLastedTheHoldTimeAndNotSooner) {
  Life life;
  EXPECT_FALSE(life.see(seen(true), at(0), timing(10'000)));
  EXPECT_FALSE(life.see(seen(true), at(9'999), timing(10'000)));
  EXPECT_FALSE(life.see(seen(false), at(9'999), timing(10'000))) << "it begins again";
  EXPECT_FALSE(life.see(seen(true), at(12'000), timing(10'000)));
  EXPECT_FALSE(life.see(seen(true), at(21'999), timing(10'000)));
  EXPECT_TRUE(life.see(seen(true), at(22'000), timing(10'000)));
  EXPECT_EQ(life.since_ms(), kUtc + 12'000) << "since its cause is there";
}

TEST(Life, IsClearedWhenItsCauseIsGoneForTheReleaseTime) {
  Life life;
  ASSERT_TRUE(life.see(seen(true), at(0), timing(0, 5'000)));
  EXPECT_FALSE(life.see(seen(false), at(1'000), timing(0, 5'000)));
  EXPECT_FALSE(life.see(seen(true), at(4'000), timing(0, 5'000)));
  EXPECT_FALSE(life.see(seen(false), at(5'000), timing(0, 5'000)));
  EXPECT_FALSE(life.see(seen(false), at(9'999), timing(0, 5'000)));
  EXPECT_TRUE(life.see(seen(false), at(10'000), timing(0, 5'000)));
  EXPECT_EQ(life.occurrence(), 1u);
}

TEST(Life, OfAFlappingCauseIsSuppressedAndToldWhenItRests) {
  Life life;
  Life::Timing t = timing();
  t.flapping.most = 3;
  t.flapping.period_ms = 60'000;
  std::vector<Said> told;
  for (int i = 0; i < 20; ++i)
    if (life.see(seen(i % 2 == 0), at(i * 1000), t)) told.push_back(life.said());
  EXPECT_EQ(told, (std::vector<Said>{Said::raised, Said::cleared, Said::raised, Said::cleared,
                                     Said::raised, Said::cleared, Said::suppressed}));
  EXPECT_EQ(life.occurrence(), 4u);
  EXPECT_FALSE(life.pass(at(19'000 + 59'999), t));
  EXPECT_TRUE(life.pass(at(19'000 + 60'000), t));
  EXPECT_EQ(life.said(), Said::cleared);
  EXPECT_EQ(life.cleared_ms(), kUtc + 19'000);
  EXPECT_FALSE(life.pass(at(200'000), t));
  EXPECT_TRUE(life.see(seen(true), at(200'000), t));
  EXPECT_EQ(life.said(), Said::raised) << "the period is over";
}

TEST(Life, ThatRestsRaisedWhileSuppressedIsRaisedOfTheSameOccurrence) {
  Life life;
  Life::Timing t = timing();
  t.flapping.most = 1;
  for (int i = 0; i < 3; ++i) life.see(seen(i % 2 == 0), at(i * 1000), t);
  ASSERT_EQ(life.said(), Said::suppressed);
  EXPECT_TRUE(life.pass(at(2'000 + t.flapping.period_ms), t));
  EXPECT_EQ(life.said(), Said::raised);
  EXPECT_EQ(life.occurrence(), 2u);
  EXPECT_TRUE(life.see(seen(false), at(900'000), t));
  EXPECT_EQ(life.said(), Said::cleared);
}

TEST(Life, RefusesTextThatItDidNotWrite) {
  Life life;
  ASSERT_TRUE(life.see(seen(true), at(0), timing()));
  const std::string good = life.save();
  for (std::string bad : {std::string(), std::string("1 1"), good.substr(0, good.size() - 2),
                          "x" + good, std::string("1 1 0 0 7 1 0 0 - - 1 0 0"),
                          std::string("1 1 0 0 1 1 0 0 - - 1 0 99999999")}) {
    Life other;
    EXPECT_FALSE(other.load(bad)) << bad;
    EXPECT_EQ(other.save(), Life().save());
  }
}

// Whatever comes: never raised twice without a word between; and a restart at any place changes
// nothing of what is said.
TEST(LifeProperty, AnySequenceAlternatesAndARestartAnywhereGivesTheSame) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    auto upto = [&](int n) {
      return static_cast<std::int64_t>(random() % static_cast<unsigned>(n));
    };
    Life::Timing t = timing(upto(3) * 2'000, upto(3) * 1'500);
    t.flapping.most = 1 + static_cast<unsigned>(upto(4));
    t.flapping.period_ms = 5'000 + upto(30'000);
    Life whole, restarted;
    Said before = Said::nothing;
    std::int64_t now = 0;
    bool active = false;
    for (int step = 0; step < 200; ++step) {
      now += upto(3'000);
      if (upto(3) == 0) active = !active;
      const bool passing = upto(4) == 0;
      const bool a = passing ? whole.pass(at(now), t) : whole.see(seen(active), at(now), t);
      const bool b = passing ? restarted.pass(at(now), t) : restarted.see(seen(active), at(now), t);
      ASSERT_EQ(a, b) << "seed " << seed << " step " << step;
      ASSERT_EQ(whole.said(), restarted.said()) << "seed " << seed << " step " << step;
      ASSERT_EQ(whole.occurrence(), restarted.occurrence());
      ASSERT_EQ(whole.since_ms(), restarted.since_ms());
      if (a) {
        ASSERT_NE(whole.said(), before) << "seed " << seed << " step " << step;
        const bool was = before == Said::raised || before == Said::suppressed;
        ASSERT_TRUE(whole.said() != Said::cleared || was);
        before = whole.said();
      }
      if (upto(5) == 0) {
        Life again;
        ASSERT_TRUE(again.load(restarted.save()));
        EXPECT_EQ(again.save(), restarted.save());
        restarted = again;
      }
    }
  }
}

}  // namespace
}  // namespace gerbang::alarm
