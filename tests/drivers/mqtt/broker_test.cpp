// SPDX-License-Identifier: Apache-2.0
//
// The driver against mosquitto, with messages that mosquitto_pub sends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/mqtt/uplink.hpp"
#include "drivers/rig.hpp"
#include "support/broker.hpp"

namespace gerbang::test {
namespace {

using testing::HasSubstr;

Rig::Keys at(const Broker& broker, Rig::Keys more = {}) {
  more["port"] = std::to_string(broker.port());
  return more;
}

void publish(const Broker& broker, const std::string& topic, const std::string& payload,
             std::vector<std::string> more = {}) {
  std::vector<std::string> words{
      "mosquitto_pub", "-h", "127.0.0.1", "-p", std::to_string(broker.port()), "-q", "1", "-t",
      topic,           "-m", payload};
  words.insert(words.end(), more.begin(), more.end());
  run_program(words, broker.folder().path());
}

// The subscription is there once a message that is published now arrives.
bool hear(Rig& rig, const Broker& broker, const std::string& topic, const std::string& payload,
          std::uint32_t sensor) {
  for (int i = 0; i < 100 && rig.good(sensor) == 0; ++i) {
    publish(broker, topic, payload);
    rig.poll_for(50ms);
  }
  return rig.good(sensor) > 0;
}

const char* const kEui = "0101010101010101";

TEST(MqttDriver, TakesChirpStackUplinksOnceWithBothTimes) {
  Broker broker;
  Rig rig("mqtt");
  rig.sensor("probe", {{"topic", "probe"}, {"pointer", ""}}, 10s);
  rig.sensor("level", {{"dev_eui", kEui}, {"field", "distance_mm"}}, 900s);
  rig.sensor("battery", {{"dev_eui", kEui}, {"bytes", "u16be@2"}, {"f_port", "2"}}, 900s);
  ASSERT_EQ(rig.open(at(broker)), GERBANG_OK) << rig.log;
  ASSERT_TRUE(hear(rig, broker, "probe", "1", 0)) << rig.log;
  publish(broker, kUplinkTopic, ChirpStack().text());
  publish(broker, kUplinkTopic, ChirpStack().text());
  ChirpStack next;
  next.id = "5d6d2e3a-0000-4000-8000-000000000000";
  next.f_cnt = 43;
  publish(broker, kUplinkTopic, next.text());
  ASSERT_TRUE(rig.poll_until([&] { return rig.good(2) >= 2; })) << rig.log;
  rig.poll_for(100ms);
  ASSERT_EQ(rig.good(1), 2u);  // three messages, two uplinks
  EXPECT_EQ(rig.of(1)[0].integer, 3000);
  EXPECT_EQ(rig.of(2)[0].integer, 2000);
  EXPECT_EQ(rig.of(1)[0].unix_ns, 1769911200'123'456'000);
  EXPECT_GT(rig.of(1)[0].boottime_ns, 0);
  EXPECT_EQ(rig.exchanges.back().device, kEui);
  EXPECT_EQ(rig.exchanges.back().result, GERBANG_REASON_NONE);
}

TEST(MqttDriver, BadPayloadsAreMissingAndOverlappingFiltersAreNotDoubled) {
  Broker broker;
  Rig rig("mqtt");
  rig.sensor("all", {{"topic", "plant/#"}, {"pointer", "/level"}}, 10s);
  rig.sensor("one", {{"topic", "plant/tank"}, {"pointer", "/level"}}, 10s);
  ASSERT_EQ(rig.open(at(broker)), GERBANG_OK) << rig.log;
  ASSERT_TRUE(hear(rig, broker, "plant/tank", R"({"level":2.5})", 0)) << rig.log;
  rig.poll_for(100ms);
  rig.readings.clear();
  publish(broker, "plant/tank", R"({"level":2.75})");
  publish(broker, "plant/tank", "Err 3");
  ASSERT_TRUE(rig.poll_until([&] { return rig.count(1, GERBANG_REASON_PROTOCOL) > 0; })) << rig.log;
  rig.poll_for(100ms);
  EXPECT_EQ(rig.good(0), 1u);
  EXPECT_EQ(rig.good(1), 1u);
  EXPECT_EQ(rig.count(0, GERBANG_REASON_PROTOCOL), 1u);
  EXPECT_EQ(rig.count(1, GERBANG_REASON_PROTOCOL), 1u);
  EXPECT_DOUBLE_EQ(rig.of(1)[0].number, 2.75);
  EXPECT_THAT(rig.log, HasSubstr("no JSON"));
  EXPECT_EQ(rig.exchanges.back().result, GERBANG_REASON_PROTOCOL);
}

TEST(MqttDriver, SaysThatTheBrokerIsAwayAndComesBackByItself) {
  Broker broker;
  Rig rig("mqtt");
  rig.sensor("t", {{"topic", "t"}, {"pointer", ""}}, 200ms);
  ASSERT_EQ(rig.open(at(broker)), GERBANG_OK) << rig.log;
  ASSERT_TRUE(hear(rig, broker, "t", "7", 0)) << rig.log;
  broker.kill();
  ASSERT_TRUE(rig.poll_until([&] { return rig.count(0, GERBANG_REASON_NO_CONNECTION) >= 3; }))
      << rig.log;
  EXPECT_THAT(rig.log, HasSubstr("the connection was lost; trying again"));
  EXPECT_TRUE(rig.poll_until([&] { return rig.logged("nobody answers there"); })) << rig.log;
  broker.start();
  rig.readings.clear();
  ASSERT_TRUE(hear(rig, broker, "t", "8", 0)) << rig.log;
  EXPECT_EQ(rig.count(0, GERBANG_REASON_PROTOCOL), 0u);
  EXPECT_THAT(rig.log, HasSubstr("connected to"));
  // Nobody speaks: the broker is there, so it is the device that is silent.
  EXPECT_TRUE(rig.poll_until([&] { return rig.count(0, GERBANG_REASON_TIMEOUT) > 0; })) << rig.log;
}

TEST(MqttDriver, RetainedMessagesAreOldAndNotTaken) {
  Broker broker;
  publish(broker, "t", "1", {"-r"});
  Rig rig("mqtt");
  rig.sensor("t", {{"topic", "t"}, {"pointer", ""}}, 60s);
  ASSERT_EQ(rig.open(at(broker)), GERBANG_OK) << rig.log;
  ASSERT_TRUE(rig.poll_until([&] { return rig.logged("retained"); })) << rig.log;
  ASSERT_TRUE(hear(rig, broker, "t", "2", 0)) << rig.log;
  EXPECT_EQ(rig.of(0)[0].integer, 2);
}

TEST(MqttDriver, AsksWithAPasswordFromAFileAndSaysWhyItIsRefused) {
  TempDir folder;
  run_program({"mosquitto_passwd", "-c", "-b", (folder / "users").string(), "gerbang", "rahasia"},
              folder.path());
  Broker::Setup setup;
  setup.anonymous = false;
  setup.extra = "password_file " + (folder / "users").string() + "\n";
  Broker broker(setup);
  for (bool v5 : {true, false}) {
    folder.write("password", "salah\n");
    Rig rig("mqtt");
    rig.sensor("t", {{"topic", "t"}, {"pointer", ""}}, 60s);
    ASSERT_EQ(rig.open(at(broker, {{"username", "gerbang"},
                                   {"password_file", (folder / "password").string()},
                                   {"mqtt_version", v5 ? "5" : "3.1.1"}})),
              GERBANG_OK);
    EXPECT_TRUE(rig.poll_until([&] { return rig.logged("the broker refuses: "); })) << rig.log;
    EXPECT_TRUE(rig.logged("Not authorized") || rig.logged("Bad user name"));
    folder.write("password", "rahasia\n");  // read again at each attempt
    rig.readings.clear();
    for (int i = 0; i < 100 && rig.good(0) == 0; ++i) {
      publish(broker, "t", "3", {"-u", "gerbang", "-P", "rahasia"});
      rig.poll_for(50ms);
    }
    EXPECT_GT(rig.good(0), 0u) << rig.log;
  }
}

TEST(MqttDriver, ATopicThatTheBrokerRefusesIsSaidAndTheOthersGoOn) {
  const char* const library = MOSQUITTO_DYNAMIC_SECURITY;
  TempDir folder;
  const auto access = folder.write("access.json", R"({"defaultACLAccess":{"publishClientSend":true,
    "publishClientReceive":true,"subscribe":false,"unsubscribe":true},
    "roles":[{"rolename":"anyone","acls":[
      {"acltype":"subscribePattern","topic":"open/#","allow":true}]}],
    "groups":[{"groupname":"anonymous","roles":[{"rolename":"anyone"}]}],
    "anonymousGroup":"anonymous","clients":[]})");
  std::filesystem::permissions(access, std::filesystem::perms(0600));
  Broker::Setup setup;
  setup.extra =
      std::string("plugin ") + library + "\nplugin_opt_config_file " + access.string() + "\n";
  Broker broker(setup);
  for (const char* version : {"5", "3.1.1"}) {
    Rig rig("mqtt");
    rig.sensor("closed", {{"topic", "closed/a"}, {"pointer", ""}}, 200ms);
    rig.sensor("open", {{"topic", "open/a"}, {"pointer", ""}}, 60s);
    ASSERT_EQ(rig.open(at(broker, {{"mqtt_version", version}})), GERBANG_OK);
    ASSERT_TRUE(hear(rig, broker, "open/a", "5", 1)) << rig.log << broker.log();
    EXPECT_TRUE(rig.poll_until([&] { return rig.count(0, GERBANG_REASON_EXCEPTION) >= 2; }))
        << rig.log;
    EXPECT_THAT(rig.log, HasSubstr("the broker refuses the topic closed/a"));
  }
}

TEST(MqttDriver, ASessionThatIsKeptBringsWhatWasMissed) {
  Broker broker;
  const auto options = at(broker, {{"client_id", "gerbang-lorawan"}, {"keep_session", "60s"}});
  {
    Rig rig("mqtt");
    rig.sensor("level", {{"topic", "level"}, {"pointer", ""}}, 900s);
    ASSERT_EQ(rig.open(options), GERBANG_OK);
    ASSERT_TRUE(hear(rig, broker, "level", "1", 0)) << rig.log;
  }
  publish(broker, "level", "2");
  Rig rig("mqtt");
  rig.sensor("level", {{"topic", "level"}, {"pointer", ""}}, 900s);
  ASSERT_EQ(rig.open(options), GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] { return rig.good(0) > 0; })) << rig.log;
  EXPECT_EQ(rig.readings.back().integer, 2);
}

TEST(MqttDriver, EncryptsAndRefusesABrokerThatItDoesNotKnow) {
  Certificates certificates;
  Broker::Setup setup;
  setup.certificate = certificates.certificate("good");
  setup.key = certificates.key("good");
  Broker broker(setup);
  {
    Rig stranger("mqtt");
    stranger.sensor("t", {{"topic", "t"}, {"pointer", ""}}, 200ms);
    ASSERT_EQ(stranger.open(at(broker, {{"tls", "true"}})), GERBANG_OK);
    ASSERT_TRUE(
        stranger.poll_until([&] { return stranger.count(0, GERBANG_REASON_NO_CONNECTION) >= 2; }));
    EXPECT_THAT(stranger.log, HasSubstr("is its certificate signed"));
  }
  Rig rig("mqtt");
  rig.sensor("t", {{"topic", "t"}, {"pointer", ""}}, 60s);
  ASSERT_EQ(rig.open(at(broker, {{"tls", "true"}, {"ca_file", certificates.ca()}})), GERBANG_OK);
  for (int i = 0; i < 100 && rig.good(0) == 0; ++i) {
    publish(broker, "t", "6", {"--cafile", certificates.ca()});
    rig.poll_for(50ms);
  }
  EXPECT_GT(rig.good(0), 0u) << rig.log;
}

TEST(MqttScan, FindsWhatTheBrokerHearsAndSaysWhyItCannot) {
  Broker broker;
  publish(broker, "yard", R"({"t":27.5})", {"-r"});
  Rig rig("mqtt");
  rig.stop_after = 3s;
  ASSERT_EQ(rig.scan(at(broker)), GERBANG_OK) << rig.log;
  ASSERT_EQ(rig.scanned.size(), 1u) << rig.log;
  EXPECT_THAT(rig.scanned[0].first, HasSubstr("port = " + std::to_string(broker.port())));
  EXPECT_THAT(rig.scanned[0].first, HasSubstr(R"(address = { topic = "yard", pointer = "/t" })"));
  EXPECT_EQ(rig.scanned[0].second, "yard: /t 27.5");
  Rig nobody("mqtt");
  EXPECT_EQ(nobody.scan({{"port", "1"}}), GERBANG_GONE);
  EXPECT_THAT(nobody.log, HasSubstr("127.0.0.1:1: nobody answers there"));
}

TEST(MqttConfig, SaysWhichAddressIsWrongAndWhatToWrite) {
  auto refusal = [](Rig::Keys address, Rig::Keys options = {}) {
    Rig rig("mqtt");
    rig.sensor("s", std::move(address));
    EXPECT_EQ(rig.open(std::move(options)), GERBANG_CONFIG);
    return rig.log;
  };
  EXPECT_THAT(refusal({}), HasSubstr("give topic, or dev_eui"));
  EXPECT_THAT(refusal({{"topic", "a/#/b"}, {"pointer", ""}}), HasSubstr("# stands alone"));
  EXPECT_THAT(refusal({{"topic", "a"}}), HasSubstr("say where the value stands"));
  EXPECT_THAT(refusal({{"topic", "a"}, {"pointer", "level"}}), HasSubstr("/level"));
  EXPECT_THAT(refusal({{"dev_eui", "01"}, {"field", "x"}}), HasSubstr("16 hex digits"));
  EXPECT_THAT(refusal({{"dev_eui", kEui}}), HasSubstr("either field"));
  EXPECT_THAT(refusal({{"dev_eui", kEui}, {"bytes", "u16@0"}}), HasSubstr("byte order is missing"));
  EXPECT_THAT(refusal({{"topic", "a"}, {"pointer", ""}}, {{"keep_session", "60s"}}),
              HasSubstr("client_id"));
  EXPECT_THAT(refusal({{"topic", "a"}, {"pointer", ""}}, {{"ca_file", "/x"}}),
              HasSubstr("tls = true"));
}

TEST(MqttDecode, ShowsEveryNumberByThePointerThatReadsIt) {
  Rig rig("mqtt");
  auto bytes = [](const std::string& text) {
    return std::vector<std::uint8_t>(text.begin(), text.end());
  };
  ASSERT_EQ(rig.decode({}, bytes(ChirpStack().text())), GERBANG_OK);
  ASSERT_EQ(rig.readings.size(), 2u);
  EXPECT_EQ(rig.readings[0].integer, 3000);
  EXPECT_EQ(rig.log, "/distance_mm\n/battery_mv\n");
  ChirpStack raw;
  raw.object = "";
  EXPECT_EQ(rig.decode({}, bytes(raw.text())), GERBANG_CONFIG);
  EXPECT_THAT(rig.log, HasSubstr("C7gH0A=="));
  rig.readings.clear();
  ASSERT_EQ(rig.decode({{"bytes", "u16be@2"}}, bytes(raw.text())), GERBANG_OK) << rig.log;
  ASSERT_EQ(rig.readings.size(), 1u);
  EXPECT_EQ(rig.readings[0].integer, 2000);
  ASSERT_EQ(rig.decode({{"pointer", "/list/1"}}, bytes(R"({"list":[1,7]})")), GERBANG_OK);
  EXPECT_EQ(rig.readings.back().integer, 7);
  EXPECT_EQ(rig.decode({{"field", "level"}}, bytes(ChirpStack().text())), GERBANG_CONFIG);
  EXPECT_EQ(rig.decode({{"dev_eui", "0202020202020202"}}, bytes(ChirpStack().text())),
            GERBANG_CONFIG);
  EXPECT_EQ(rig.decode({{"dev_eui", "01-01-01-01-01-01-01-01"}}, bytes(ChirpStack().text())),
            GERBANG_OK);
  EXPECT_THAT(rig.log, HasSubstr("nothing stands at /level"));
  EXPECT_EQ(rig.decode({}, bytes("Err 3")), GERBANG_CONFIG);
  EXPECT_THAT(rig.log, HasSubstr("no JSON"));
}

}  // namespace
}  // namespace gerbang::test
