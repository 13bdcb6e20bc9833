// SPDX-License-Identifier: Apache-2.0
#include "mqtt/reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/mqtt/uplink.hpp"

namespace gerbang::mqtt {
namespace {

using namespace std::chrono_literals;
using test::ChirpStack;
using test::kUplinkTopic;
using testing::HasSubstr;
using testing::SizeIs;

constexpr std::int64_t kNow = 1769911260'000'000'000;  // 2026-02-01T02:01:00Z
constexpr std::int64_t kTime = 1769911200'123'456'000;

Want bin(std::uint32_t index) {
  Want want;
  want.index = index;
  want.id = "bin-" + std::to_string(index);
  want.filter = "application/+/device/0101010101010101/event/up";
  want.dev_eui = "0101010101010101";
  want.interval = 900s;
  want.silent_after = 2700s;
  return want;
}
Want field(std::uint32_t index, const std::string& pointer) {
  Want want = bin(index);
  want.pointer = pointer;
  return want;
}
Want bytes(std::uint32_t index, const std::string& layout) {
  Want want = bin(index);
  want.layout = *layout_of(layout);
  return want;
}
Want json(const std::string& filter, const std::string& pointer) {
  Want want;
  want.id = "json";
  want.filter = filter;
  want.pointer = pointer;
  want.interval = 10s;
  want.silent_after = 30s;
  return want;
}
Taken take(Reader& reader, const std::string& topic, const std::string& payload, Time at = 1s) {
  return reader.take({topic, payload, {}, at}, kNow);
}

TEST(MqttReader, ReadsObjectAndRawDataOfTheSameUplink) {
  Reader reader({field(0, "/distance_mm"), field(1, "/battery_mv"), bytes(2, "u16be@0")}, 0s);
  const Taken taken = take(reader, kUplinkTopic, ChirpStack().text());
  ASSERT_THAT(taken.outcomes, SizeIs(3));
  EXPECT_EQ(taken.outcomes[0].value, Found::of(std::int64_t{3000}));
  EXPECT_EQ(taken.outcomes[1].value, Found::of(std::int64_t{2000}));
  EXPECT_EQ(taken.outcomes[2].value, Found::of(std::int64_t{3000}));
  for (const Outcome& outcome : taken.outcomes) EXPECT_EQ(outcome.unix_ns, kTime);
  ASSERT_THAT(taken.exchanges, SizeIs(1));
  EXPECT_EQ(taken.exchanges[0].device, "0101010101010101");
  EXPECT_EQ(taken.exchanges[0].result, GERBANG_REASON_NONE);
}

TEST(MqttReader, WithoutACodecTheObjectIsMissingAndTheLogSaysWhatToDoOnce) {
  Reader reader({field(0, "/distance_mm"), bytes(1, "u16be@2")}, 0s);
  ChirpStack uplink;
  uplink.object = "";
  Taken taken = take(reader, kUplinkTopic, uplink.text());
  ASSERT_THAT(taken.outcomes, SizeIs(2));
  EXPECT_EQ(taken.outcomes[0].value.error().reason, GERBANG_REASON_PROTOCOL);
  EXPECT_EQ(taken.outcomes[1].value, Found::of(std::int64_t{2000}));
  EXPECT_EQ(taken.exchanges[0].result, GERBANG_REASON_PROTOCOL);
  ASSERT_THAT(taken.notes, SizeIs(1));
  EXPECT_THAT(taken.notes[0].text, HasSubstr("codec"));
  uplink.id = "another";
  uplink.f_cnt = 43;
  EXPECT_THAT(take(reader, kUplinkTopic, uplink.text()).notes, SizeIs(0));
}

TEST(MqttReader, AnUplinkIsTakenOnceAndARejoinIsNoDuplicate) {
  Reader reader({field(0, "/distance_mm")}, 0s);
  ChirpStack uplink;
  EXPECT_THAT(take(reader, kUplinkTopic, uplink.text()).outcomes, SizeIs(1));
  EXPECT_THAT(take(reader, kUplinkTopic, uplink.text()).outcomes, SizeIs(0));
  uplink.id = "8c1f3e0e-0000-4000-8000-000000000000";  // told again by another bridge
  EXPECT_THAT(take(reader, kUplinkTopic, uplink.text()).outcomes, SizeIs(0));
  EXPECT_EQ(reader.duplicates(), 2u);
  uplink.id = "8c1f3e0e-0000-4000-8000-000000000001";
  uplink.dev_addr = "00189441";
  uplink.f_cnt = 0;
  EXPECT_THAT(take(reader, kUplinkTopic, uplink.text()).outcomes, SizeIs(1));
  // An acknowledgement of it has the same id and is another event.
  Reader acks({json("a/#", "/fCnt")}, 0s);
  EXPECT_THAT(take(acks, "a/event/up", uplink.text()).outcomes, SizeIs(1));
  EXPECT_THAT(take(acks, "a/event/ack", uplink.text()).outcomes, SizeIs(1));
}

TEST(MqttReader, OtherDevicesPortsAndTopicsAreNotForASensor) {
  Want other_device = field(0, "/distance_mm");
  other_device.dev_eui = "0202020202020202";
  Want port_3 = bytes(1, "u16be@0");
  port_3.f_port = 3;
  Want port_2 = bytes(2, "u16be@0");
  port_2.f_port = 2;
  Reader reader({other_device, port_3, port_2}, 0s);
  EXPECT_THAT(take(reader, "application/x/device/y/event/up", ChirpStack().text()).outcomes,
              SizeIs(0));
  const Taken taken = take(reader, kUplinkTopic, ChirpStack().text());
  ASSERT_THAT(taken.outcomes, SizeIs(1));
  EXPECT_EQ(taken.outcomes[0].sensor, 2u);
}

TEST(MqttReader, DeviceTimesThatCannotBeAreIgnoredAndToldOnce) {
  Reader reader({field(0, "/distance_mm")}, 0s);
  ChirpStack uplink;
  uplink.time = R"("time":"2026-02-02T02:02:00Z",)";  // a day and a minute ahead
  Taken taken = take(reader, kUplinkTopic, uplink.text());
  EXPECT_EQ(taken.outcomes.at(0).unix_ns, 0);
  EXPECT_EQ(taken.outcomes[0].value, Found::of(std::int64_t{3000}));
  EXPECT_THAT(taken.notes, SizeIs(1));
  uplink.id += "1", uplink.f_cnt++, uplink.time = R"("time":"1970-01-01T00:10:00Z",)";
  taken = take(reader, kUplinkTopic, uplink.text());
  EXPECT_EQ(taken.outcomes.at(0).unix_ns, 0);
  EXPECT_THAT(taken.notes, SizeIs(0));
  uplink.id += "2", uplink.f_cnt++, uplink.time = "";  // ChirpStack may leave it away
  EXPECT_EQ(take(reader, kUplinkTopic, uplink.text()).outcomes.at(0).unix_ns, 0);
  uplink.id += "3", uplink.f_cnt++, uplink.time = ChirpStack().time;
  EXPECT_EQ(take(reader, kUplinkTopic, uplink.text()).outcomes.at(0).unix_ns, kTime);
}

TEST(MqttReader, ReadsAnyJsonWithItsOwnTime) {
  Want want = json("site/+/weather", "/sensors/0/value");
  want.time_pointer = "/ts";
  Reader reader({want}, 0s);
  const Taken taken =
      take(reader, "site/a/weather", R"({"ts":1769911200,"sensors":[{"value":27.25}]})");
  ASSERT_THAT(taken.outcomes, SizeIs(1));
  EXPECT_EQ(taken.outcomes[0].value, Found::of(27.25));
  EXPECT_EQ(taken.outcomes[0].unix_ns, 1769911200'000'000'000);
  EXPECT_EQ(taken.exchanges.at(0).device, "site/+/weather");
}

TEST(MqttReader, BadPayloadsAreMissingForEverySensorOfTheTopic) {
  Reader reader({json("t", "/a"), json("t", "/b")}, 0s);
  Taken taken = take(reader, "t", "{broken");
  ASSERT_THAT(taken.outcomes, SizeIs(2));
  for (const Outcome& outcome : taken.outcomes)
    EXPECT_EQ(outcome.value.error().reason, GERBANG_REASON_PROTOCOL);
  ASSERT_THAT(taken.exchanges, SizeIs(1));
  EXPECT_EQ(taken.exchanges[0].result, GERBANG_REASON_PROTOCOL);
  taken = take(reader, "t", std::string(Reader::kMaxPayload + 1, ' '));
  EXPECT_THAT(taken.notes.at(0).text, HasSubstr("bytes, more than"));
  taken = take(reader, "t", R"({"a":1})");  // b is not there
  EXPECT_EQ(taken.outcomes[0].value, Found::of(std::int64_t{1}));
  EXPECT_THAT(taken.outcomes[1].value.error().why, HasSubstr("/b"));
  EXPECT_EQ(taken.exchanges[0].result, GERBANG_REASON_PROTOCOL);
}

TEST(MqttReader, OptionalValuesMayBeAbsent) {
  Want want = json("zigbee2mqtt/pump", "/humidity");
  want.optional = true;
  Reader reader({want}, 0s);
  EXPECT_THAT(take(reader, "zigbee2mqtt/pump", R"({"battery":90})").outcomes, SizeIs(0));
  EXPECT_THAT(take(reader, "zigbee2mqtt/pump", R"({"humidity":71})").outcomes, SizeIs(1));
  EXPECT_THAT(take(reader, "zigbee2mqtt/pump", "{").outcomes, SizeIs(1));  // broken is broken
}

TEST(MqttReader, BytesMayBeThePayloadOrBase64AnywhereInJson) {
  Want raw;
  raw.filter = "raw";
  raw.layout = *layout_of("i16le@0");
  Want frame = json("ttn", "/uplink_message/frm_payload");
  frame.layout = *layout_of("u16be@0");
  Reader reader({raw, frame}, 0s);
  EXPECT_EQ(take(reader, "raw", std::string("\xFE\xFF", 2)).outcomes.at(0).value,
            Found::of(std::int64_t{-2}));
  EXPECT_EQ(
      take(reader, "ttn", R"({"uplink_message":{"frm_payload":"C7gH0A=="}})").outcomes.at(0).value,
      Found::of(std::int64_t{3000}));
  EXPECT_FALSE(take(reader, "ttn", R"({"uplink_message":{"frm_payload":"?"}})").outcomes[0].value);
}

TEST(MqttReader, ASilentDeviceIsMissingAfterThreeIntervalsAndThenOnceAnInterval) {
  Reader reader({json("t", "/a")}, 0s);
  reader.broker_there(0s);
  EXPECT_THAT(reader.silent(29s).outcomes, SizeIs(0));
  take(reader, "t", R"({"a":1})", 20s);
  EXPECT_EQ(reader.next_silence(), 50s);
  EXPECT_THAT(reader.silent(49s).outcomes, SizeIs(0));
  Taken taken = reader.silent(50s);
  ASSERT_THAT(taken.outcomes, SizeIs(1));
  EXPECT_EQ(taken.outcomes[0].value.error().reason, GERBANG_REASON_TIMEOUT);
  EXPECT_EQ(taken.exchanges.at(0).result, GERBANG_REASON_TIMEOUT);
  EXPECT_THAT(taken.notes.at(0).text, HasSubstr("interval says how often the device sends"));
  EXPECT_THAT(reader.silent(59s).outcomes, SizeIs(0));
  EXPECT_THAT(reader.silent(60s).notes, SizeIs(0));  // told once
  EXPECT_THAT(take(reader, "t", R"({"a":1})", 61s).notes.at(0).text, HasSubstr("heard again"));
  EXPECT_EQ(reader.next_silence(), 91s);
}

TEST(MqttReader, ASensorThatMayBeSilentNeverTimesOut) {
  Want want = json("t", "/a");
  want.silent_after = 0s;
  Reader reader({want}, 0s);
  reader.broker_there(0s);
  EXPECT_EQ(reader.next_silence(), Time::max());
}

TEST(MqttReader, ASensorWithoutAnIntervalIsMissingOnceWhileTheBrokerIsAway) {
  Want want = json("t", "/a");
  want.interval = want.silent_after = 0s;
  Reader reader({want}, 0s);
  reader.broker_there(0s);
  take(reader, "t", R"({"a":1})", 8s);
  EXPECT_EQ(reader.next_silence(), Time::max());
  reader.broker_away(10s);
  const Taken taken = reader.silent(10s);
  ASSERT_THAT(taken.outcomes, SizeIs(1));
  EXPECT_EQ(taken.outcomes[0].value.error().reason, GERBANG_REASON_NO_CONNECTION);
  EXPECT_EQ(reader.next_silence(), Time::max());
}

TEST(MqttReader, ASensorWithoutAnIntervalRepeatsASilenceAsOftenAsItMayBeSilent) {
  Want want = json("t", "/a");
  want.interval = 0s;
  want.silent_after = 30s;
  Reader reader({want}, 0s);
  reader.broker_there(0s);
  const Taken taken = reader.silent(30s);
  ASSERT_THAT(taken.outcomes, SizeIs(1));
  EXPECT_THAT(taken.notes.at(0).text, HasSubstr("silent_after allows no longer silence"));
  EXPECT_EQ(reader.next_silence(), 60s);
}

TEST(MqttReader, WithoutTheBrokerWhatIsDueIsMissingOnceAnInterval) {
  Want never_heard = json("u", "/a");
  never_heard.index = 1;
  Reader reader({json("t", "/a"), never_heard}, 0s);
  reader.broker_there(0s);
  take(reader, "t", R"({"a":1})", 8s);
  reader.broker_away(10s);
  Taken taken = reader.silent(10s);
  ASSERT_THAT(taken.outcomes, SizeIs(1));  // the other one spoke two seconds ago
  EXPECT_EQ(taken.outcomes[0].sensor, 1u);
  EXPECT_EQ(taken.outcomes[0].value.error().reason, GERBANG_REASON_NO_CONNECTION);
  EXPECT_THAT(reader.silent(18s).outcomes, SizeIs(1));
  reader.broker_away(19s);  // still away: no new turn
  EXPECT_THAT(reader.silent(19s).outcomes, SizeIs(0));
  reader.broker_there(20s);
  EXPECT_THAT(reader.silent(49s).outcomes, SizeIs(0));
  EXPECT_THAT(reader.silent(50s).outcomes, SizeIs(2));
}

TEST(MqttReader, ATopicThatTheBrokerRefusesIsAnException) {
  Reader reader({json("t", "/a")}, 0s);
  reader.broker_there(0s);
  reader.set_refused(0, true, 1s);
  EXPECT_EQ(reader.silent(1s).outcomes.at(0).value.error().reason, GERBANG_REASON_EXCEPTION);
  reader.set_refused(0, false, 2s);
  EXPECT_THAT(reader.silent(31s).outcomes, SizeIs(0));
}

TEST(MqttReader, AMessageThatTwoFiltersMatchIsTakenOnceForEach) {
  Want all = json("a/#", "/v"), one = json("a/b", "/v");
  one.index = 1;
  Reader reader({all, one}, 0s);
  const std::string payload = R"({"v":1})";
  // MQTT 5: two deliveries, each naming its subscription.
  EXPECT_THAT(reader.take({"a/b", payload, {0}, 1s}, kNow).outcomes, SizeIs(1));
  EXPECT_THAT(reader.take({"a/b", payload, {1}, 1s}, kNow).outcomes, SizeIs(1));
  EXPECT_THAT(reader.take({"a/b", payload, {7}, 1s}, kNow).outcomes, SizeIs(0));
  // A number of an older session may stand for another filter now.
  EXPECT_THAT(reader.take({"a/c", payload, {1}, 1s}, kNow).outcomes, SizeIs(0));
}

}  // namespace
}  // namespace gerbang::mqtt
