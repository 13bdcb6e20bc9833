// SPDX-License-Identifier: Apache-2.0
//
// The broker and the host process are killed again and again at full publish rate.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "integration/uplink/received.hpp"
#include "integration/uplink/rig.hpp"

namespace gerbang::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

#ifdef GERBANG_SANITIZED
constexpr int kKills = 10;
#else
constexpr int kKills = 50;
#endif

class UplinkKill : public ::testing::TestWithParam<unsigned> {
 protected:
  static Broker::Setup careful() {
    Broker::Setup setup;
    setup.saves_each_change = true;
    return setup;
  }

  // At QoS 0 the broker hands a message over before it acknowledges it, and the subscriber never
  // writes: so a kill takes nothing that was acknowledged, and what is missing is ours.
  UplinkKill() : broker(careful()), subscriber(broker, "gerbang/v1/#", {"-q", "0"}) {
    rig.options.connection.mqtt_version = GetParam();
    rig.use(broker);
  }

  // So much waits at any time that the uplink is never idle.
  void feed() {
    auto waiting = rig.outbox.messages.size() - rig.outbox.ended.size();
    if (waiting < 500) rig.add_many(500, 100);
  }
  bool arrive(std::size_t more) {
    auto before = subscriber.arrived().size();
    return rig.until(
        [&] {
          feed();
          return subscriber.arrived().size() >= before + more;
        },
        30s);
  }
  // A message that was acknowledged while the subscriber was away is in the broker's memory, and a
  // kill would take it.
  bool subscriber_connected(int times) {
    return rig.until(
        [&] {
          feed();
          std::string log = broker.log();
          int seen = 0;
          for (auto at = log.find(" as subscriber "); at != log.npos;
               at = log.find(" as subscriber ", at + 1))
            ++seen;
          return seen >= times;
        },
        30s);
  }
  void expect_all_arrived() {
    auto count = rig.outbox.messages.size();
    ASSERT_TRUE(rig.until_all_ended(60s));
    EXPECT_TRUE(rig.until([&] { return Received(subscriber.arrived()).all(count); }, 30s));
    Received received(subscriber.arrived());
    EXPECT_EQ(received.contents.size(), count);
    EXPECT_EQ(received.contradictions, 0u);
    EXPECT_EQ(received.unreadable, 0u);
    EXPECT_EQ(rig.outbox.twice, 0u);
    EXPECT_EQ(rig.outbox.count(store::Outcome::acknowledged), count);
    std::printf("%zu messages, %zu of them twice\n", count, received.duplicates);
  }

  UplinkRig rig;
  Broker broker;
  Subscriber subscriber;
};

TEST_P(UplinkKill, KillsOfTheBrokerLoseNothing) {
  const char* wanted = std::getenv("GERBANG_BROKER_KILLS");
  int kills = wanted ? std::atoi(wanted) : GetParam() == 5 ? kKills : 10;
  std::mt19937 random(GetParam());
  rig.start();
  Clock::duration slowest{};
  for (int i = 0; i < kills; ++i) {
    ASSERT_TRUE(subscriber_connected(i + 1));
    ASSERT_TRUE(arrive(20 + random() % 300)) << "after kill " << i << "\n" << broker.log();
    broker.kill();
    auto killed = Clock::now();
    rig.turn(std::chrono::milliseconds(random() % 100));
    broker.start();
    ASSERT_TRUE(rig.until([] { return children("gerbang-uplink-").size() == 1; }, 3s));
    slowest = std::max(slowest, Clock::now() - killed);
  }
  expect_all_arrived();
  EXPECT_LT(slowest, 2s);
  std::printf("%d kills, %lu deaths of the host\n", kills, rig.link->status().host_restarts);
}

TEST_P(UplinkKill, AHostThatIsKilledIsBackWithinTwoSeconds) {
  rig.start();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(arrive(200));
    auto connections = rig.link->status().connections;
    auto killed = Clock::now();
    ASSERT_EQ(rig.kill_host(), 1);
    ASSERT_TRUE(rig.until([&] { return rig.link->status().connections > connections; }, 5s));
    EXPECT_LT(Clock::now() - killed, 2s);
  }
  expect_all_arrived();
}

INSTANTIATE_TEST_SUITE_P(Mqtt, UplinkKill, ::testing::Values(5u, 4u),
                         [](const auto& instance) { return "v" + std::to_string(instance.param); });

}  // namespace
}  // namespace gerbang::test
