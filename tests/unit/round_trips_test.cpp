// SPDX-License-Identifier: Apache-2.0
#include "core/round_trips.hpp"

#include <gtest/gtest.h>

namespace gerbang {
namespace {

TEST(RoundTrips, NoAnswerHasNoPercentile) {
  EXPECT_EQ(RoundTrips().percentile(0.5), 0u);
}

TEST(RoundTrips, BucketsAscendAndTheirMiddlesAreAtMostAnEighthAway) {
  std::size_t before = 0;
  for (std::uint64_t us = 64; us < 134'000'000; us += us / 50 + 1) {
    const auto value = static_cast<std::uint32_t>(us);
    const std::size_t bucket = RoundTrips::bucket_of(value);
    EXPECT_GE(bucket, before);
    before = bucket;
    EXPECT_NEAR(RoundTrips::middle_of(bucket), value, value / 8.0 + 1) << us;
  }
  EXPECT_EQ(before, RoundTrips::kBuckets - 1);
  EXPECT_EQ(RoundTrips::bucket_of(UINT32_MAX), RoundTrips::kBuckets - 1);
}

TEST(RoundTrips, TellsTheUsualAnswerFromTheSlowOnes) {
  RoundTrips trips;
  for (int i = 0; i < 90; ++i) trips.add(RoundTrips::bucket_of(10'000));
  for (int i = 0; i < 10; ++i) trips.add(RoundTrips::bucket_of(400'000));
  EXPECT_NEAR(trips.percentile(0.5), 10'000, 1'250);
  EXPECT_NEAR(trips.percentile(0.9), 10'000, 1'250);
  EXPECT_NEAR(trips.percentile(0.95), 400'000, 50'000);
}

TEST(RoundTrips, OldAnswersFade) {
  RoundTrips trips;
  trips.add(RoundTrips::bucket_of(400'000), 1'000'000);  // more than a bound lets in at once
  for (int i = 0; i < 20'000; ++i) trips.add(RoundTrips::bucket_of(10'000));
  EXPECT_NEAR(trips.percentile(0.95), 10'000, 1'250);
}

TEST(RoundTrips, ABucketThatIsNoneCountsNothing) {
  RoundTrips trips;
  trips.add(RoundTrips::kBuckets, 5);
  EXPECT_EQ(trips.percentile(1.0), 0u);
}

}  // namespace
}  // namespace gerbang
