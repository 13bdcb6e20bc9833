// SPDX-License-Identifier: Apache-2.0
//
// The uplink and its host process against mosquitto, seen by mosquitto_sub.
#include <gtest/gtest.h>

#include <csignal>

#include "integration/uplink/received.hpp"
#include "integration/uplink/rig.hpp"

namespace gerbang::test {
namespace {

using namespace std::chrono_literals;
using store::Outcome;

const char kEverything[] = "gerbang/v1/#";

class UplinkBroker : public ::testing::TestWithParam<unsigned> {
 protected:
  UplinkBroker() { rig.options.connection.mqtt_version = GetParam(); }
  bool v5() const { return GetParam() == 5; }

  UplinkRig rig;
};

TEST_P(UplinkBroker, EveryMessageArrivesOnceWithItsProperties) {
  Broker broker;
  Subscriber subscriber(broker, kEverything);
  rig.use(broker);
  rig.add_many(200);
  rig.start();
  ASSERT_TRUE(rig.until_connected());
  rig.add_many(200);
  ASSERT_TRUE(rig.until_all_ended());
  ASSERT_TRUE(rig.until([&] { return subscriber.arrived().size() >= 401; }));
  Received received(subscriber.arrived());
  EXPECT_EQ(received.contents.size(), 400u);
  EXPECT_EQ(received.duplicates, 0u);
  EXPECT_EQ(received.unreadable, 0u);
  EXPECT_EQ(received.historical.size(), 200u);
  EXPECT_EQ(rig.outbox.count(Outcome::acknowledged), 400u);
  for (const Arrived& each : subscriber.arrived()) {
    bool state = each.topic == "gerbang/v1/maros/ipa/gw1/state";
    EXPECT_TRUE(state || each.topic == "gerbang/v1/maros/ipa/gw1/aggregate/water/1m");
    if (!v5()) continue;
    EXPECT_EQ(each.content_type, std::string("application/x-protobuf; messageType=\"gerbang.v1.") +
                                     (state ? "GatewayState\"" : "Gap\""));
  }
  EXPECT_EQ(std::count_if(subscriber.arrived().begin(), subscriber.arrived().end(),
                          [](const Arrived& a) { return a.historical; }),
            v5() ? 200 : 0);
}

TEST_P(UplinkBroker, JsonIsTheSameMessagesAsText) {
  Broker broker;
  Subscriber subscriber(broker, kEverything);
  rig.use(broker);
  rig.options.format = wire::Format::json;
  rig.start();
  rig.add();
  ASSERT_TRUE(rig.until([&] { return subscriber.arrived().size() >= 2; }));
  const Arrived& last = subscriber.arrived().back();
  EXPECT_NE(last.payload.find("\"sequence\":1"), std::string::npos) << last.payload;
  EXPECT_EQ(last.content_type, v5() ? "application/json" : "");
}

TEST_P(UplinkBroker, ABrokerThatIsStoppedAndStartedMissesNothing) {
  Broker broker;
  Subscriber subscriber(broker, kEverything);
  rig.use(broker);
  rig.start();
  ASSERT_TRUE(rig.until_connected());
  rig.add_many(500);
  ASSERT_TRUE(rig.until([&] { return rig.outbox.ended.size() > 50; }));
  broker.stop();
  rig.add_many(500);
  ASSERT_TRUE(rig.until([&] { return !rig.link->status().connected; }));
  EXPECT_FALSE(rig.link->status().reason.empty());
  rig.turn(300ms);
  broker.start();
  ASSERT_TRUE(rig.until_all_ended(30s));
  ASSERT_TRUE(rig.until([&] { return Received(subscriber.arrived()).all(1000); }));
  Received received(subscriber.arrived());
  EXPECT_EQ(received.contradictions, 0u);
  // Twenty were in flight to the broker, and twenty from it to the subscriber.
  EXPECT_LE(received.duplicates, 40u);
  EXPECT_EQ(rig.outbox.twice, 0u);
}

TEST_P(UplinkBroker, LiveMessagesDoNotWaitForTheBacklogAfterAnOutage) {
  Broker broker;
  Subscriber subscriber(broker, kEverything);
  rig.use(broker);
  rig.options.backlog_rate = 100;
  rig.start();
  ASSERT_TRUE(rig.until_connected());
  broker.stop();
  ASSERT_TRUE(rig.until([&] { return !rig.link->status().connected; }));
  rig.add_many(400);
  broker.start();
  ASSERT_TRUE(rig.until_connected());
  auto alarm = rig.add("alarm/high", 0, Lane::urgent);
  auto live = rig.add();
  ASSERT_TRUE(rig.until(
      [&] { return rig.outbox.ended.count(alarm) > 0 && rig.outbox.ended.count(live) > 0; }, 1s));
  EXPECT_LT(rig.outbox.ended.size(), 200u);
  ASSERT_TRUE(rig.until_all_ended());
  Received received(subscriber.arrived());
  EXPECT_EQ(received.historical.count(live), 0u);
}

TEST_P(UplinkBroker, AWrongPasswordIsSaidInWords) {
  Broker::Setup setup;
  setup.anonymous = false;
  TempDir folder;
  run_program({"mosquitto_passwd", "-b", "-c", (folder / "passwords").string(), "gw1", "right"},
              folder.path());
  setup.extra = "password_file " + (folder / "passwords").string() + "\n";
  Broker broker(setup);
  rig.use(broker);
  rig.options.connection.has_password = true;
  rig.options.connection.password = "wrong";
  rig.start();
  ASSERT_TRUE(rig.until([&] { return rig.link->status().reason.find("0x") != std::string::npos; }));
  EXPECT_EQ(rig.link->status().reason, "not authorised (MQTT code 0x87)");
}

TEST_P(UplinkBroker, ARefusedConnectionIsSaidInWords) {
  rig.options.connection.port = static_cast<std::uint16_t>(free_port());
  rig.start();
  ASSERT_TRUE(rig.until([&] { return rig.link->status().reason != "not connected yet"; }));
  EXPECT_EQ(rig.link->status().reason, "connection refused");
}

TEST_P(UplinkBroker, AServerThatIsNoBrokerIsSaidInWords) {
  Certificates made;
  Broker::Setup setup;
  setup.certificate = made.certificate("good");
  setup.key = made.key("good");
  Broker broker(setup);  // wants TLS and gets none
  rig.use(broker);
  rig.start();
  ASSERT_TRUE(rig.until([&] { return rig.link->status().reason != "not connected yet"; }));
  EXPECT_EQ(rig.link->status().reason, "the broker wants TLS on this port; write mqtts://");
}

TEST_P(UplinkBroker, AnUnknownHostNameIsSaidInWords) {
  rig.options.connection.host = "broker.invalid";
  rig.start();
  ASSERT_TRUE(rig.until([&] { return rig.link->status().reason != "not connected yet"; }, 40s));
  EXPECT_NE(rig.link->status().reason.find("host name broker.invalid: "), std::string::npos)
      << rig.link->status().reason;
}

TEST_P(UplinkBroker, TheWillIsPublishedWhenTheHostIsKilledAndNotAfterACleanStop) {
  Broker broker;
  Subscriber subscriber(broker, kEverything);
  rig.use(broker);
  rig.options.connection.will_delay_s = 0;
  rig.start();
  ASSERT_TRUE(rig.until([&] { return subscriber.arrived().size() == 1; }));
  ASSERT_EQ(rig.kill_host(), 1);
  auto states = [&](const std::string& reason) {
    return std::count_if(subscriber.arrived().begin(), subscriber.arrived().end(),
                         [&](const Arrived& each) {
                           gerbang::v1::GatewayState state;
                           return state.ParseFromString(each.payload) && state.reason() == reason;
                         });
  };
  ASSERT_TRUE(rig.until([&] { return states("LOST") == 1; }));
  ASSERT_TRUE(rig.until([&] { return rig.link->status().connections == 2; }, 2s));
  rig.turn(200ms);
  rig.stop();
  ASSERT_TRUE(rig.until([&] { return states("STOPPED") == 1; }));
  rig.turn(500ms);
  EXPECT_EQ(states("LOST"), 1);
}

TEST_P(UplinkBroker, ABrokerThatHangsIsLeftAndEverythingArrivesLater) {
  Broker broker;
  Subscriber subscriber(broker, kEverything);
  rig.use(broker);
  rig.start();
  ASSERT_TRUE(rig.until_connected());
  rig.turn(100ms);
  broker.signal(SIGSTOP);
  rig.add_many(50);
  ASSERT_TRUE(rig.until([&] { return !rig.link->status().connected; }, 20s));
  EXPECT_EQ(rig.link->status().reason, "the broker acknowledges nothing any more");
  broker.signal(SIGCONT);
  ASSERT_TRUE(rig.until_all_ended(40s));
  ASSERT_TRUE(rig.until([&] { return Received(subscriber.arrived()).all(50); }));
}

TEST_P(UplinkBroker, AMessageThatEndsTheConnectionEachTimeIsSetAside) {
  Broker::Setup setup;
  setup.extra = "max_packet_size 2000\n";
  Broker broker(setup);
  rig.use(broker);
  rig.start();
  ASSERT_TRUE(rig.until_connected());
  rig.add_many(5);
  auto large = rig.add("aggregate/water/1m", 5000);
  rig.add_many(5);
  // Others show that it is the message and not the line, as windows do while time goes on.
  std::size_t others = 10;
  for (int i = 0; i < 30 && !rig.until([&] { return rig.outbox.ended.contains(large); }, 2s); ++i) {
    rig.add_many(5);
    others += 5;
  }
  ASSERT_TRUE(rig.until_all_ended(60s));
  EXPECT_EQ(rig.outbox.ended.at(large).outcome, Outcome::refused);
  EXPECT_EQ(rig.outbox.count(Outcome::acknowledged), others);
  ASSERT_TRUE(rig.until_connected());  // it may have been the last that ended
  auto connections = rig.link->status().connections;
  if (v5())  // the broker said what it takes, so it was not tried
    EXPECT_EQ(connections, 1u);
  else
    EXPECT_LE(connections, 12u);
  rig.add_many(5);
  ASSERT_TRUE(rig.until_all_ended());
  EXPECT_EQ(rig.link->status().connections, connections) << "a reconnect loop";
}

INSTANTIATE_TEST_SUITE_P(Mqtt, UplinkBroker, ::testing::Values(5u, 4u),
                         [](const auto& instance) { return "v" + std::to_string(instance.param); });

class UplinkBrokerAcl : public ::testing::Test {
 protected:
  void serve(bool ends_connections) {
    setup.queues_everything = ends_connections;
    auto acl = folder.write("acl",
                            "topic read #\npattern write gerbang/v1/+/+/%u/state\n"
                            "pattern write gerbang/v1/+/+/%u/aggregate/#\n");
    setup.extra = "acl_file " + acl.string() + "\n";
    broker = std::make_unique<Broker>(setup);
    rig.use(*broker);
    rig.start();
    ASSERT_TRUE(rig.until_connected());
    for (int i = 0; i < 20; ++i) {
      rig.add("aggregate/water/1m");
      rig.add("alarm/high", 0, Lane::urgent);
    }
  }

  TempDir folder;
  Broker::Setup setup;
  std::unique_ptr<Broker> broker;
  UplinkRig rig;
};

TEST_F(UplinkBrokerAcl, ADeniedTopicIsSetAsideAndTheOthersFlow) {
  serve(false);
  EXPECT_TRUE(rig.until([&] { return rig.outbox.count(Outcome::acknowledged) == 20; }, 2s));
  ASSERT_TRUE(rig.until_all_ended());
  EXPECT_EQ(rig.outbox.count(Outcome::refused), 20u);
  auto status = rig.link->status();
  EXPECT_EQ(status.refused, 20u);
  EXPECT_EQ(status.connections, 1u);
  EXPECT_EQ(status.refused_last.back().reason, "not authorised (MQTT code 0x87)");
}

TEST_F(UplinkBrokerAcl, AlsoByABrokerThatEndsTheConnectionOverIt) {
  serve(true);
  // Its answer is often lost with the connection; then only what others did on theirs tells.
  std::size_t others = 20;
  for (int i = 0; i < 30 && !rig.until_all_ended(2s); ++i, others += 5)
    for (int n = 0; n < 5; ++n) rig.add("aggregate/water/1m");
  ASSERT_TRUE(rig.until_all_ended(10s)) << broker->log();
  EXPECT_EQ(rig.outbox.count(Outcome::refused), 20u);
  EXPECT_EQ(rig.outbox.count(Outcome::acknowledged), others);
  auto connections = rig.link->status().connections;
  EXPECT_LE(connections, 8u);
  for (int i = 0; i < 5; ++i) {
    rig.add("alarm/high", 0, Lane::urgent);
    rig.add("aggregate/water/1m");
  }
  ASSERT_TRUE(rig.until_all_ended());
  EXPECT_EQ(rig.link->status().connections, connections) << "a reconnect loop";
}

TEST(UplinkBrokerMqtt5, NobodyListensIsCounted) {
  Broker broker;
  UplinkRig rig;
  rig.use(broker);
  rig.start();
  ASSERT_TRUE(rig.until_connected());
  rig.add_many(5);
  ASSERT_TRUE(rig.until_all_ended());
  EXPECT_EQ(rig.link->status().unheard, 5u);
  EXPECT_EQ(rig.outbox.count(Outcome::acknowledged), 5u);
}

TEST(UplinkBrokerMqtt5, ARetainedTopicIsEmptied) {
  Broker broker;
  UplinkRig rig;
  rig.use(broker);
  std::vector<std::string> cleared;
  rig.callbacks.cleared = [&](const std::string& topic) { cleared.push_back(topic); };
  rig.start();
  ASSERT_TRUE(rig.until_connected());
  rig.add("aggregate/water/5m", 0, Lane::live, /*retain=*/true);
  ASSERT_TRUE(rig.until_all_ended());
  rig.link->clear("aggregate/water/5m");
  ASSERT_TRUE(rig.until([&] { return !cleared.empty(); }));
  Subscriber late(broker, kEverything);
  rig.turn(200ms);
  ASSERT_EQ(late.arrived().size(), 1u);
  EXPECT_EQ(late.arrived()[0].topic, "gerbang/v1/maros/ipa/gw1/state");
}

}  // namespace
}  // namespace gerbang::test
