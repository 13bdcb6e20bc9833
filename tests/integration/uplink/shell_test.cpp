// SPDX-License-Identifier: Apache-2.0
//
// The shell between outbox and MQTT, with a broker that the test plays itself.
#include <gtest/gtest.h>

#include "integration/uplink/rig.hpp"
#include "support/fake_mqtt.hpp"
#include "uplink/packet.hpp"

namespace gerbang::test {
namespace {

using namespace std::chrono_literals;
using store::Outcome;

class UplinkShell : public ::testing::Test {
 protected:
  void start() {
    auto port = std::make_unique<FakeMqtt>(rig.io.get_executor());
    mqtt = port.get();
    if (prepare) prepare(*mqtt);
    rig.start(std::move(port));
  }
  std::vector<std::string> topics() const {
    std::vector<std::string> out;
    for (const auto& each : mqtt->published)
      out.push_back(each.topic.substr(std::string("gerbang/v1/maros/ipa/gw1/").size()));
    return out;
  }

  UplinkRig rig;
  FakeMqtt* mqtt = nullptr;
  std::function<void(FakeMqtt&)> prepare;
};

TEST_F(UplinkShell, PublishesTheStateFirstAndThenWhatWaits) {
  rig.add("aggregate/water/1m");
  rig.add("alarm/high", 0, Lane::urgent);
  start();
  ASSERT_TRUE(rig.until_all_ended());
  EXPECT_EQ(topics(), (std::vector<std::string>{"state", "alarm/high", "aggregate/water/1m"}));
  EXPECT_EQ(rig.outbox.count(Outcome::acknowledged), 2u);
  EXPECT_EQ(rig.outbox.twice, 0u);
}

TEST_F(UplinkShell, SaysInEachMessageWhereItStandsInTheProof) {
  rig.add("a");
  start();
  ASSERT_TRUE(rig.until_all_ended());
  rig.add("b");
  ASSERT_TRUE(rig.until_all_ended());
  ASSERT_EQ(mqtt->published.size(), 3u);
  auto old =
      wire::read_source(MessageKind::gap, mqtt->published[1].payload, wire::Format::protobuf);
  auto live =
      wire::read_source(MessageKind::gap, mqtt->published[2].payload, wire::Format::protobuf);
  ASSERT_TRUE(old && live);
  EXPECT_EQ(old->sequence, 1);
  EXPECT_TRUE(old->historical);
  EXPECT_TRUE(mqtt->published[1].historical);
  EXPECT_EQ(live->sequence, 2);
  EXPECT_FALSE(live->historical);
  EXPECT_EQ(live->stream, "0123456789abcdef");
  EXPECT_EQ(live->gateway, "gw1");
  EXPECT_GT(live->published_at_ms, 1'700'000'000'000);
  EXPECT_EQ(mqtt->published[2].content_type,
            "application/x-protobuf; messageType=\"gerbang.v1.Gap\"");
}

TEST_F(UplinkShell, OnlyLiveMessagesAreRetained) {
  rig.add("old", 0, Lane::live, /*retain=*/true);
  start();
  ASSERT_TRUE(rig.until_all_ended());
  rig.add("new", 0, Lane::live, /*retain=*/true);
  rig.add("event", 0, Lane::live, /*retain=*/false);
  ASSERT_TRUE(rig.until_all_ended());
  std::map<std::string, bool> retained;
  for (std::size_t i = 0; i < topics().size(); ++i)
    retained[topics()[i]] = mqtt->published[i].retain;
  EXPECT_EQ(retained, (std::map<std::string, bool>{
                          {"state", true}, {"old", false}, {"new", true}, {"event", false}}));
}

// Else a subscriber who comes later reads of an alarm that was cleared in the outage, until it is
// raised again.
TEST_F(UplinkShell, AnAlarmThatChangedInAnOutageIsRetained) {
  rig.add("alarm/chlorine", 0, Lane::urgent, /*retain=*/false);
  rig.add("alarm/chlorine", 0, Lane::urgent, /*retain=*/true);
  start();
  ASSERT_TRUE(rig.until_all_ended());
  std::vector<bool> retained;
  for (const auto& each : mqtt->published)
    if (each.topic.ends_with("alarm/chlorine")) retained.push_back(each.retain);
  EXPECT_EQ(retained, (std::vector<bool>{false, true}));
}

TEST_F(UplinkShell, NeverHasMoreInFlightThanTheBrokerTakes) {
  prepare = [](FakeMqtt& m) {
    m.receive_max = 7;
    m.shuffle = true;
  };
  start();
  ASSERT_TRUE(rig.until_connected());
  rig.add_many(500);
  ASSERT_TRUE(rig.until_all_ended());
  EXPECT_EQ(mqtt->most_in_flight, 7u);
}

TEST_F(UplinkShell, SendsAgainWhatALostLinkLeftOpen) {
  rig.add_many(100);
  prepare = [](FakeMqtt& m) { m.drop_after = 40; };
  start();
  ASSERT_TRUE(rig.until_all_ended(60s));
  EXPECT_EQ(rig.outbox.count(Outcome::acknowledged), 100u);
  EXPECT_EQ(rig.outbox.twice, 0u);
  EXPECT_GE(mqtt->connections.size(), 3u);
}

TEST_F(UplinkShell, ComesBackAtOnceWhenOnlyTheHostDied) {
  start();
  ASSERT_TRUE(rig.until_connected());
  rig.add_many(3);
  ASSERT_TRUE(rig.until_all_ended());
  auto begin = std::chrono::steady_clock::now();
  mqtt->die();
  ASSERT_TRUE(rig.until([&] { return rig.link->status().connections == 2; }));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 900ms);
  EXPECT_EQ(rig.link->status().host_restarts, 1u);
}

TEST_F(UplinkShell, SetsARefusedMessageAsideAndShowsIt) {
  prepare = [](FakeMqtt& m) {
    m.judge = [](const uplink::Publication& p) {
      return p.topic.find("secret") != std::string::npos ? 0x87u : 0u;
    };
  };
  start();
  rig.add("secret");
  rig.add("open");
  ASSERT_TRUE(rig.until_all_ended());
  EXPECT_EQ(rig.outbox.ended.at(1).outcome, Outcome::refused);
  EXPECT_EQ(rig.outbox.ended.at(1).reason, "not authorised (MQTT code 0x87)");
  EXPECT_EQ(rig.outbox.ended.at(2).outcome, Outcome::acknowledged);
  auto status = rig.link->status();
  ASSERT_EQ(status.refused_last.size(), 1u);
  EXPECT_EQ(status.refused_last[0].topic, "secret");
  EXPECT_EQ(status.connections, 1u);
}

TEST_F(UplinkShell, DoesNotSendWhatIsLargerThanTheBrokerTakes) {
  prepare = [](FakeMqtt& m) { m.max_packet = 1000; };
  start();
  rig.add("large", 2000);
  rig.add("small", 10);
  ASSERT_TRUE(rig.until_all_ended());
  EXPECT_EQ(topics(), (std::vector<std::string>{"state", "small"}));
  EXPECT_NE(rig.outbox.ended.at(1).reason.find("the broker takes 1000"), std::string::npos);
}

TEST_F(UplinkShell, AMessageThatCannotBeReadIsSetAside) {
  rig.options.format = wire::Format::json;
  start();
  Message broken;
  broken.kind = MessageKind::gap;
  broken.topic = "gap";
  broken.body = "\xff\xff\xff";
  rig.outbox.add(broken);
  rig.add("good");
  ASSERT_TRUE(rig.until_all_ended());
  EXPECT_EQ(rig.outbox.ended.at(1).outcome, Outcome::refused);
}

TEST_F(UplinkShell, RepublishesDocumentsOnChangeButNotMoreOftenThanEachSecond) {
  start();
  ASSERT_TRUE(rig.until_connected());
  rig.turn(100ms);
  for (int i = 0; i < 20; ++i) {
    rig.link->republish();
    rig.turn(100ms);
  }
  auto count = topics().size();
  EXPECT_GE(count, 2u);
  EXPECT_LE(count, 4u);
}

TEST_F(UplinkShell, RepublishesDocumentsFromTimeToTime) {
  rig.options.republish = 100ms;
  start();
  ASSERT_TRUE(rig.until([&] { return mqtt && mqtt->published.size() >= 4; }));
  EXPECT_EQ(topics().back(), "state");
}

TEST_F(UplinkShell, SaysWhichDocumentsTheBrokerHas) {
  std::vector<std::string> told, cleared;
  rig.callbacks.told = [&](const std::string& topic) { told.push_back(topic); };
  rig.callbacks.cleared = [&](const std::string& topic) { cleared.push_back(topic); };
  prepare = [](FakeMqtt& m) { m.refuse = true; };
  start();
  rig.turn(50ms);
  EXPECT_TRUE(told.empty());
  mqtt->refuse = false;
  ASSERT_TRUE(rig.until([&] { return !told.empty(); }));
  EXPECT_EQ(told.front(), "state");
  EXPECT_TRUE(cleared.empty());
}

TEST_F(UplinkShell, EmptiesARetainedTopicOnceItIsConnected) {
  std::vector<std::string> cleared;
  rig.callbacks.cleared = [&](const std::string& topic) { cleared.push_back(topic); };
  prepare = [](FakeMqtt& m) { m.refuse = true; };
  start();
  rig.link->clear("aggregate/water/5m");
  rig.turn(50ms);
  EXPECT_TRUE(cleared.empty());
  mqtt->refuse = false;
  ASSERT_TRUE(rig.until([&] { return !cleared.empty(); }));
  EXPECT_EQ(cleared, std::vector<std::string>{"aggregate/water/5m"});
  const auto& last = mqtt->published.back();
  EXPECT_EQ(last.payload, "");
  EXPECT_TRUE(last.retain);
}

TEST_F(UplinkShell, ACleanStopSaysSoAndDisconnects) {
  start();
  ASSERT_TRUE(rig.until_connected());
  rig.turn(50ms);
  rig.stop();
  EXPECT_TRUE(mqtt->disconnected_cleanly);
  ASSERT_EQ(topics().back(), "state");
  auto text = wire::to_json(MessageKind::gateway_state, mqtt->published.back().payload);
  ASSERT_TRUE(text);
  EXPECT_NE(text->find("STOPPED"), std::string::npos);
}

TEST_F(UplinkShell, AStopWaitsForWhatIsInFlightButNotForEver) {
  prepare = [](FakeMqtt& m) { m.silent = true; };
  rig.add_many(3);
  start();
  ASSERT_TRUE(rig.until([&] { return mqtt->published.size() >= 4; }));
  auto begin = std::chrono::steady_clock::now();
  rig.stop();
  auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(took, 4500ms);
  EXPECT_LT(took, 8s);
  // The broker did not take the farewell: the will has to tell.
  EXPECT_EQ(mqtt->drops, 1u);
  EXPECT_FALSE(mqtt->disconnected_cleanly);
}

TEST_F(UplinkShell, AStopWithoutAConnectionIsShort) {
  prepare = [](FakeMqtt& m) { m.refuse = true; };
  start();
  rig.turn(50ms);
  auto begin = std::chrono::steady_clock::now();
  rig.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 500ms);
}

TEST_F(UplinkShell, ReadsTheOutboxInBatches) {
  rig.add_many(5000);
  start();
  ASSERT_TRUE(rig.until_all_ended());
  EXPECT_LT(rig.outbox.pulls, 100u);
}

TEST(Carries, StateAndGapAlwaysGo) {
  std::vector<std::string> filters{"alarm/#", "aggregate/+/15m"};
  EXPECT_TRUE(uplink::carries(filters, "state"));
  EXPECT_TRUE(uplink::carries(filters, "gap"));
  EXPECT_TRUE(uplink::carries(filters, "alarm/x"));
  EXPECT_FALSE(uplink::carries(filters, "aggregate/water/1m"));
  EXPECT_TRUE(uplink::carries({}, "aggregate/water/1m"));
}

TEST(PacketBytes, IsWhatThePacketHasOnTheLine) {
  uplink::Publication publication;
  publication.topic = "a/b";
  publication.payload = "hello";
  EXPECT_EQ(uplink::packet_bytes(publication), 2u + 2 + 3 + 2 + 1 + 5);
  publication.content_type = "text";
  publication.historical = true;
  EXPECT_EQ(uplink::packet_bytes(publication), 2u + 2 + 3 + 2 + 1 + 7 + 16 + 5);
  publication.payload.assign(200, 'x');
  EXPECT_EQ(uplink::packet_bytes(publication), 3u + 2 + 3 + 2 + 1 + 7 + 16 + 200);
}

}  // namespace
}  // namespace gerbang::test
