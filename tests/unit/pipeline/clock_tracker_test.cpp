// SPDX-License-Identifier: Apache-2.0
#include "pipeline/clock_tracker.hpp"

#include <gtest/gtest.h>

#include "support/manual_clock.hpp"

namespace gerbang::pipeline {
namespace {

using namespace std::chrono_literals;
using test::ManualClock;

ClockTracker::Change sample(ClockTracker& tracker, const ManualClock& clock) {
  return tracker.sample(clock.boot(), clock.wall(), clock.sync());
}

TEST(ClockTracker, BeginsAnEpochWithTheFirstSample) {
  ManualClock clock;
  ClockTracker tracker("boot-1", false);
  EXPECT_EQ(tracker.epoch().trust, ClockTrust::untrusted);
  auto change = sample(tracker, clock);
  EXPECT_TRUE(change.epoch);
  EXPECT_FALSE(change.absence);
  EXPECT_EQ(tracker.epoch().boot_id, "boot-1");
  EXPECT_EQ(tracker.epoch().trust, ClockTrust::trusted);
  EXPECT_EQ(nanoseconds(clock.boot()) + tracker.epoch().offset_ns,
            clock.wall().time_since_epoch().count());
}

TEST(ClockTracker, KeepsTheEpochWhileTheClockOnlyRuns) {
  ManualClock clock;
  ClockTracker tracker("b", false);
  sample(tracker, clock);
  for (int i = 0; i < 1000; ++i) {
    clock.advance(1s);
    clock.step(90us);  // slewed by 90 ms in all
    EXPECT_FALSE(sample(tracker, clock).epoch);
  }
}

TEST(ClockTracker, BeginsAnEpochWhenTheClockStepsOrWasSlewedFar) {
  ManualClock clock;
  ClockTracker tracker("b", false);
  sample(tracker, clock);
  for (auto step : {101ms, -101ms, -3600'000ms}) {
    clock.advance(1s);
    clock.step(step);
    EXPECT_TRUE(tracker.moved(clock.boot(), clock.wall()));
    auto change = sample(tracker, clock);
    EXPECT_TRUE(change.epoch);
    EXPECT_FALSE(change.absence) << "nothing was jumped over";
    EXPECT_FALSE(tracker.moved(clock.boot(), clock.wall()));
  }
  clock.step(100ms);
  EXPECT_FALSE(sample(tracker, clock).epoch);
}

TEST(ClockTracker, TrustsAClockThatWasSynchronisedOnceInThisBoot) {
  ManualClock clock;
  clock.set_sync(ClockSync::unsynchronised);
  ClockTracker tracker("b", false);
  sample(tracker, clock);
  EXPECT_EQ(tracker.epoch().trust, ClockTrust::untrusted);
  clock.set_sync(ClockSync::synchronised);
  EXPECT_TRUE(sample(tracker, clock).epoch);
  EXPECT_EQ(tracker.epoch().trust, ClockTrust::trusted);
  clock.set_sync(ClockSync::unsynchronised);
  EXPECT_FALSE(sample(tracker, clock).epoch) << "hold-over";
  EXPECT_EQ(tracker.epoch().trust, ClockTrust::trusted);
}

TEST(ClockTracker, DoesNotTrustAClockThatItMayNotAskAbout) {
  ManualClock clock;
  clock.set_sync(ClockSync::unknown);
  ClockTracker tracker("b", false);
  sample(tracker, clock);
  EXPECT_EQ(tracker.epoch().trust, ClockTrust::untrusted);
}

TEST(ClockTracker, TrustsABatteryBackedClockWhenTold) {
  ManualClock clock;
  clock.set_sync(ClockSync::unsynchronised);
  ClockTracker tracker("b", true);
  sample(tracker, clock);
  EXPECT_EQ(tracker.epoch().trust, ClockTrust::trusted);
}

TEST(ClockTracker, NamesTheTimeThatNobodySaw) {
  ManualClock clock;
  ClockTracker tracker("b", false);
  sample(tracker, clock);
  std::int64_t before = unix_ms(clock.wall());
  clock.advance(1s);
  clock.step(24h * 400);
  auto jumped = sample(tracker, clock);
  ASSERT_TRUE(jumped.absence);
  EXPECT_EQ(jumped.absence->start_ms, before);
  EXPECT_EQ(jumped.absence->end_ms, unix_ms(clock.wall()));
  clock.advance(3h);  // the process stood still
  auto slept = sample(tracker, clock);
  ASSERT_TRUE(slept.absence);
  EXPECT_FALSE(slept.epoch);
}

}  // namespace
}  // namespace gerbang::pipeline
