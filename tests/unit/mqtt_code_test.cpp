// SPDX-License-Identifier: Apache-2.0
#include "core/mqtt_code.hpp"

#include <gtest/gtest.h>

#include "core/token_bucket.hpp"

namespace gerbang {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(PublishOutcome, TellsARefusalForEverFromATroubleThatPasses) {
  for (unsigned code : {0x00u, 0x10u, 0x7Fu})
    EXPECT_EQ(publish_outcome(code), PublishOutcome::accepted);
  for (unsigned code : {0x87u, 0x90u, 0x95u, 0x99u})
    EXPECT_EQ(publish_outcome(code), PublishOutcome::never);
  for (unsigned code : {0x80u, 0x83u, 0x91u, 0xEEu})
    EXPECT_EQ(publish_outcome(code), PublishOutcome::later);
  EXPECT_EQ(publish_outcome(0x97), PublishOutcome::slower);
}

TEST(MqttCodeText, IsASentenceWithTheNumber) {
  EXPECT_EQ(mqtt_code_text(0x87), "not authorised (MQTT code 0x87)");
  EXPECT_EQ(mqtt_code_text(0x86), "bad user name or password (MQTT code 0x86)");
  EXPECT_EQ(mqtt_code_text(0xF3), "refused (MQTT code 0xF3)");
}

TEST(MqttCodeText, KnowsTheCodesOfTheOlderProtocol) {
  EXPECT_EQ(mqtt5_code_of_connack3(5), 0x87u);
  EXPECT_EQ(mqtt5_code_of_connack3(4), 0x86u);
  EXPECT_EQ(mqtt5_code_of_connack3(1), 0x84u);
  EXPECT_EQ(mqtt5_code_of_connack3(99), 0x80u);
}

TEST(TokenBucket, GivesItsRateOverASecondWhateverTheSteps) {
  for (auto step : {milliseconds(1), milliseconds(7), milliseconds(100), milliseconds(1000)}) {
    TokenBucket bucket(200);
    BootTime now{seconds(5)};
    bucket.reset(now);
    while (bucket.take(now)) {
    }
    int taken = 0;
    for (auto t = step; t <= seconds(10); t += step)
      while (bucket.take(now + t)) ++taken;
    int most = step > milliseconds(100) ? 200 : 2000;  // at most a tenth of a second is saved up
    EXPECT_NEAR(taken, most, most / 50) << step.count() << " ms";
  }
}

TEST(TokenBucket, NamesTheTimeAtWhichATokenIsThere) {
  TokenBucket bucket(10);
  BootTime now{seconds(1)};
  bucket.reset(now);
  ASSERT_TRUE(bucket.take(now));
  ASSERT_FALSE(bucket.take(now));
  auto ready = bucket.ready(now);
  EXPECT_GT(ready, now);
  EXPECT_LE(ready, now + milliseconds(101));
  EXPECT_TRUE(bucket.take(ready));
}

TEST(TokenBucket, RateZeroIsNoLimit) {
  TokenBucket bucket(0);
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(bucket.take(BootTime{}));
}

}  // namespace
}  // namespace gerbang
