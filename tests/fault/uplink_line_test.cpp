// SPDX-License-Identifier: Apache-2.0
//
// Lines that go bad without saying so.
#include <gtest/gtest.h>

#include "integration/uplink/received.hpp"
#include "integration/uplink/rig.hpp"
#include "support/proxy.hpp"

namespace gerbang::test {
namespace {

using namespace std::chrono_literals;

class UplinkLine : public ::testing::Test {
 protected:
  UplinkLine() : subscriber(broker, "gerbang/v1/#"), line(broker.port()) {
    rig.options.connection.port = static_cast<std::uint16_t>(line.port());
    rig.start();
  }
  ~UplinkLine() override { rig.stop(); }

  void expect_all_arrived() {
    auto count = rig.outbox.messages.size();
    ASSERT_TRUE(rig.until_all_ended(60s));
    EXPECT_TRUE(rig.until([&] { return Received(subscriber.arrived()).all(count); }));
    EXPECT_EQ(Received(subscriber.arrived()).contradictions, 0u);
    EXPECT_EQ(rig.outbox.count(store::Outcome::acknowledged), count);
    EXPECT_EQ(rig.outbox.twice, 0u);
  }

  UplinkRig rig;
  Broker broker;
  Subscriber subscriber;
  Proxy line;
};

TEST_F(UplinkLine, OnlyAnAcknowledgementMovesProgressOnAHalfOpenLink) {
  for (int round = 0; round < 5; ++round) {
    ASSERT_TRUE(rig.until_connected());
    rig.add_many(300);
    auto before = rig.outbox.ended.size();
    ASSERT_TRUE(rig.until([&] { return rig.outbox.ended.size() > before + 20; }));
    line.swallow(true);
    auto swallowed = line.swallowed();
    rig.add_many(100);
    ASSERT_TRUE(rig.until([&] { return line.swallowed() > swallowed; }));
    rig.turn(500ms);
    line.cut();
    ASSERT_TRUE(rig.until([&] { return !rig.link->status().connected; }));
    line.swallow(false);
  }
  expect_all_arrived();
}

TEST_F(UplinkLine, ABlackHoleIsNoticedAndEverythingArrivesAfterIt) {
  ASSERT_TRUE(rig.until_connected());
  rig.add_many(10);
  ASSERT_TRUE(rig.until_all_ended());
  line.swallow(true);
  rig.add_many(3000, 1000);
  // Fifteen seconds, and those that what is in flight would need on a very slow line.
  ASSERT_TRUE(rig.until([&] { return !rig.link->status().connected; }, 45s));
  EXPECT_EQ(rig.link->status().reason, "the broker acknowledges nothing any more");
  // It connects to the line, and nothing answers.
  ASSERT_TRUE(
      rig.until([&] { return rig.link->status().reason == "no answer from the broker"; }, 40s));
  auto pulls = rig.outbox.pulls;
  rig.turn(2s);
  EXPECT_LE(rig.outbox.pulls, pulls + 1) << "it reads on without a connection";
  line.swallow(false);
  expect_all_arrived();
}

}  // namespace
}  // namespace gerbang::test
