// SPDX-License-Identifier: Apache-2.0
#include "core/restart_policy.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace gerbang {
namespace {

using namespace std::chrono_literals;
using Next = RestartPolicy::Next;

BootTime at(std::chrono::nanoseconds t) {
  return BootTime(1000s + t);
}

TEST(Backoff, DoublesUpToTheLongestWait) {
  Backoff backoff(1s, 60s);
  std::vector<std::chrono::nanoseconds> waits;
  for (int i = 0; i < 8; ++i) waits.push_back(backoff.next(1));
  EXPECT_EQ(waits, (std::vector<std::chrono::nanoseconds>{1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}));
}

TEST(Backoff, JitterStaysBetweenHalfAndWhole) {
  EXPECT_EQ(Backoff(10s, 60s).next(0), 5s);
  EXPECT_EQ(Backoff(10s, 60s).next(0.5), 7500ms);
  EXPECT_EQ(Backoff(10s, 60s).next(1), 10s);
  EXPECT_EQ(Backoff(10s, 60s).next(-3), 5s);
  EXPECT_EQ(Backoff(10s, 60s).next(7), 10s);
}

TEST(Backoff, IsNoLongerThanAQuarterOfTheTroubleButForTheFirstStep) {
  Backoff backoff(2s, 300s);
  for (int i = 0; i < 9; ++i) (void)backoff.next(1);
  EXPECT_EQ(backoff.next(1, 0s), 2s);
  EXPECT_EQ(backoff.next(1, 120s), 30s);
  EXPECT_EQ(backoff.next(0, 120s), 15s);
  EXPECT_EQ(backoff.next(1, 24h), 300s);
}

TEST(Backoff, BeginsAgainAfterReset) {
  Backoff backoff(1s, 60s);
  backoff.next(1);
  backoff.next(1);
  backoff.reset();
  EXPECT_EQ(backoff.next(1), 1s);
}

TEST(RestartPolicy, WaitsLongerAfterEachEndThatIsNotInAHurry) {
  RestartPolicy policy;
  std::vector<std::chrono::nanoseconds> waits;
  for (int i = 0; i < 8; ++i) {
    auto decision = policy.ended(at(i * 20s), false, 1);
    EXPECT_EQ(decision.next, Next::restart);
    waits.push_back(decision.wait);
  }
  EXPECT_EQ(waits, (std::vector<std::chrono::nanoseconds>{1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}));
}

TEST(RestartPolicy, TheFifthCrashWithinAMinuteIsQuarantine) {
  RestartPolicy policy;
  for (int i = 0; i < 4; ++i)
    ASSERT_EQ(policy.ended(at(i * 15s), false, 1).next, Next::restart) << i;
  auto fifth = policy.ended(at(60s), false, 1);
  EXPECT_EQ(fifth.next, Next::quarantine);
  EXPECT_EQ(fifth.wait, 10min);
}

TEST(RestartPolicy, FiveCrashesInMoreThanAMinuteAreNot) {
  RestartPolicy policy;
  for (int i = 0; i < 4; ++i) policy.ended(at(i * 15s), false, 1);
  EXPECT_EQ(policy.ended(at(60s + 1ms), false, 1).next, Next::restart);
}

TEST(RestartPolicy, OneCrashAfterQuarantineIsQuarantineAgain) {
  RestartPolicy policy;
  for (int i = 0; i < 5; ++i) policy.ended(at(i * 1s), false, 1);
  policy.ready(at(605s));
  policy.alive(at(660s));  // 55 s: not yet forgiven
  EXPECT_EQ(policy.ended(at(661s), false, 1).next, Next::quarantine);
}

TEST(RestartPolicy, AHealthyMinuteForgivesEverything) {
  RestartPolicy policy;
  for (int i = 0; i < 5; ++i) policy.ended(at(i * 1s), false, 1);
  policy.ready(at(605s));
  policy.alive(at(665s));
  auto decision = policy.ended(at(666s), false, 1);
  EXPECT_EQ(decision.next, Next::restart);
  EXPECT_EQ(decision.wait, 1s);
}

TEST(RestartPolicy, AMinuteWithoutBeingReadyIsNotHealthy) {
  RestartPolicy policy;
  policy.ended(at(0s), false, 1);
  policy.alive(at(100s));
  EXPECT_EQ(policy.ended(at(101s), false, 1).wait, 2s);
}

TEST(RestartPolicy, HangingAfterReadyForMoreThanAMinuteIsNotHealthy) {
  RestartPolicy policy;
  policy.ended(at(0s), false, 1);
  policy.ready(at(1s));
  policy.alive(at(2s));  // the last sign of life
  EXPECT_EQ(policy.ended(at(300s), false, 1).wait, 2s);
}

TEST(RestartPolicy, TroubleOfTheConfigurationIsForGood) {
  RestartPolicy policy;
  EXPECT_EQ(policy.ended(at(0s), true, 1).next, Next::never);
}

}  // namespace
}  // namespace gerbang
