// SPDX-License-Identifier: Apache-2.0
#include "mqtt/payload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/mqtt/uplink.hpp"
#include "mqtt/sketch.hpp"

namespace gerbang::mqtt {
namespace {

using testing::HasSubstr;

Value value(const std::string& payload, const std::string& pointer, bool from_text = false) {
  const auto json = parse(payload);
  EXPECT_TRUE(json) << json.error();
  const auto* found = find(*json, pointer);
  EXPECT_NE(found, nullptr) << pointer;
  return number_of(*found, from_text);
}

TEST(Payload, FindsNumbersByPointer) {
  EXPECT_EQ(value(R"({"a":{"b":[1,{"c":2.5}]}})", "/a/b/1/c"), Found::of(2.5));
  EXPECT_EQ(value("-7", ""), Found::of(std::int64_t{-7}));
  EXPECT_EQ(value("[3,4]", "/1"), Found::of(std::int64_t{4}));
  EXPECT_EQ(value(R"({"a/b":{"~":1}})", "/a~1b/~0"), Found::of(std::int64_t{1}));
  EXPECT_EQ(value(R"({"on":true})", "/on"), Found::of(std::int64_t{1}));
  EXPECT_EQ(value(R"({"on":false})", "/on"), Found::of(std::int64_t{0}));
  EXPECT_EQ(value("9223372036854775807", ""), Found::of(std::int64_t{9223372036854775807}));
  EXPECT_EQ(value("18446744073709551615", "")->number, 18446744073709551615.0);
  EXPECT_EQ(find(*parse("[1]"), "/1"), nullptr);
  EXPECT_EQ(find(*parse("[1]"), "/x"), nullptr);
}

TEST(Payload, TakesTextsOnlyIfAskedForAndOnlyNumbers) {
  EXPECT_EQ(value(R"("21.5")", "").error().reason, GERBANG_REASON_PROTOCOL);
  EXPECT_THAT(value(R"("21.5")", "").error().why, HasSubstr("text_numbers"));
  EXPECT_EQ(value(R"("21.5")", "", true), Found::of(21.5));
  EXPECT_EQ(value(R"("+8")", "", true), Found::of(std::int64_t{8}));
  for (const char* text : {R"("")", R"(" 1")", R"("1 V")", R"("0x10")", R"("--1")"})
    EXPECT_EQ(value(text, "", true).error().reason, GERBANG_REASON_PROTOCOL) << text;
  EXPECT_EQ(value(R"("nan")", "", true).error().reason, GERBANG_REASON_NOT_A_NUMBER);
}

TEST(Payload, NullMeansThatTheDeviceHasNoValue) {
  EXPECT_EQ(value("null", "").error().reason, GERBANG_REASON_NOT_A_NUMBER);
  EXPECT_EQ(value("{}", "").error().reason, GERBANG_REASON_PROTOCOL);
  EXPECT_EQ(value("1e999", "").error().reason, GERBANG_REASON_NOT_A_NUMBER);
}

TEST(Payload, SaysWhereJsonIsBroken) {
  for (const char* text : {"", "{", "{\"a\":", "nan", "{\"a\":1} x", "\xff\xfe"}) {
    const auto json = parse(text);
    ASSERT_FALSE(json) << text;
    EXPECT_THAT(json.error(), HasSubstr("no JSON")) << text;
  }
  EXPECT_FALSE(parse(std::string(100'000, '[')));
  EXPECT_TRUE(parse("{\"a\":1}\r\n"));
}

TEST(Payload, TimesAreTextsOrCounts) {
  constexpr std::int64_t kTime = 1769911200'123'000'000;
  EXPECT_EQ(time_of(*parse(R"("2026-02-01T02:00:00.123Z")")), kTime);
  EXPECT_EQ(time_of(*parse("1769911200123")), kTime);
  EXPECT_EQ(time_of(*parse("1769911200.123")), kTime);
  EXPECT_EQ(time_of(*parse("true")), std::nullopt);
  EXPECT_EQ(time_of(*parse(R"("yesterday")")), std::nullopt);
}

TEST(Payload, PointersAreChecked) {
  EXPECT_EQ(pointer_fault(""), "");
  EXPECT_EQ(pointer_fault("/a~1b/0"), "");
  EXPECT_THAT(pointer_fault("temperature"), HasSubstr("/temperature"));
  EXPECT_NE(pointer_fault("/a~"), "");
}

TEST(Payload, ListsEveryNumberByItsPointer) {
  const auto json = parse(R"({"t":21.5,"list":[1,"x",{"a/b":true}],"none":null})");
  const auto numbers = numbers_in(*json, 10);
  ASSERT_EQ(numbers.size(), 3u);
  EXPECT_EQ(numbers[0].first, "/t");
  EXPECT_EQ(numbers[1].first, "/list/0");
  EXPECT_EQ(numbers[2].first, "/list/2/a~1b");
  for (const auto& [pointer, found] : numbers) EXPECT_NE(find(*json, pointer), nullptr);
  EXPECT_EQ(numbers_in(*json, 1).size(), 1u);
}

TEST(Payload, EuisMayBeWrittenWithSeparators) {
  EXPECT_EQ(eui_of("0101010101010101"), "0101010101010101");
  EXPECT_EQ(eui_of("AA-BB-CC-DD-EE-FF-00-11"), "aabbccddeeff0011");
  EXPECT_EQ(eui_of("01010101"), "");
  EXPECT_EQ(eui_of("010101010101010g"), "");
}

TEST(Sketch, WritesASensorForEachNumberOfADeviceOrTopic) {
  test::ChirpStack uplink;
  auto sketch_of = [](std::string_view topic, std::string_view payload) {
    Written nothing;
    return mqtt::sketch_of(topic, payload, nothing);
  };
  auto sketch = sketch_of(test::kUplinkTopic, uplink.text());
  ASSERT_TRUE(sketch);
  EXPECT_EQ(sketch->device, "0101010101010101");
  EXPECT_EQ(sketch->note, "TPS-012: /distance_mm 3000 /battery_mv 2000");
  EXPECT_THAT(sketch->sensors, HasSubstr(R"(id = "tps-012-distance-mm")"));
  EXPECT_THAT(sketch->sensors,
              HasSubstr(R"(address = { dev_eui = "0101010101010101", field = "/battery_mv" })"));
  uplink.object = "";
  sketch = sketch_of(test::kUplinkTopic, uplink.text());
  EXPECT_THAT(sketch->note, HasSubstr("sends 0B B8 07 D0"));
  EXPECT_THAT(sketch->sensors, HasSubstr(R"(bytes = "u16be@0")"));
  EXPECT_FALSE(sketch_of("application/1/device/0101010101010101/event/ack", uplink.text()));
  sketch = sketch_of("site/a \"b\"", R"({"t":21.5,"s":"x"})");
  EXPECT_THAT(sketch->sensors,
              HasSubstr(R"(address = { topic = "site/a \"b\"", pointer = "/t" })"));
  EXPECT_FALSE(sketch_of("t", "Err 3"));
  EXPECT_FALSE(sketch_of("t", R"({"s":"x"})"));
}

TEST(Sketch, NoDeviceIsWrittenTwiceAndNoIdEvenIfNamesAreEqual) {
  Written written;
  auto id_of = [&](const std::string& eui, const std::string& name) -> std::string {
    const std::string payload = R"({"deviceInfo":{"devEui":")" + eui + R"(","deviceName":")" +
                                name + R"("},"object":{"t":1}})";
    const auto sketch = sketch_of("application/1/device/x/event/up", payload, written);
    if (!sketch) return "none";
    const auto begin = sketch->sensors.find("id = \"") + 6;
    return sketch->sensors.substr(begin, sketch->sensors.find('"', begin) - begin);
  };
  EXPECT_EQ(id_of("0101010101010101", "bin"), "bin-t");
  EXPECT_EQ(id_of("0101010101010101", "bin"), "none");
  EXPECT_EQ(id_of("0202020202020202", "bin"), "bin-t-2");
  EXPECT_EQ(id_of("0303030303030303", "bin"), "bin-t-3");
  EXPECT_EQ(id_of("0404040404040404", "液位"), "0404040404040404-t");
  const std::string longest(40, 'x');
  EXPECT_EQ(id_of("0505050505050505", longest), longest + "-t");
  EXPECT_EQ(id_of("0606060606060606", longest), longest + "-t-2");
}

}  // namespace
}  // namespace gerbang::mqtt
