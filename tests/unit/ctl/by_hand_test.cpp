// SPDX-License-Identifier: Apache-2.0
#include "ctl/by_hand.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ctl/holder.hpp"

namespace gerbang::ctl {
namespace {

using testing::HasSubstr;

TEST(ByHand, TakesHexAsPeopleAndProgramsWriteIt) {
  const std::string bytes("\x42\x4d\x00\x1c", 4);
  for (const char* text : {"42 4d 00 1c", "424D001C", "0x42,0x4d,0x00,0x1c", "42:4d:00:1C",
                           "\\x42\\x4d\\x00\\x1c", " 424d\t00-1c\r\n", "0x424d001c"}) {
    auto parsed = bytes_of_hex(text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().what;
    EXPECT_EQ(*parsed, bytes) << text;
  }
  EXPECT_EQ(hex(bytes), "42 4d 00 1c");
}

TEST(ByHand, SaysWhereHexIsWrong) {
  EXPECT_THAT(bytes_of_hex("42 4g").error().what, HasSubstr("character 5, \"g\""));
  EXPECT_THAT(bytes_of_hex("42 4 d0").error().what, HasSubstr("character 4: \"4\" has an odd"));
  EXPECT_THAT(bytes_of_hex("424").error().what, HasSubstr("odd number of digits"));
  EXPECT_THAT(bytes_of_hex("0x").error().what, HasSubstr("character 3"));
  EXPECT_THAT(bytes_of_hex("  ").error().what, HasSubstr("no bytes"));
}

TEST(ByHand, TakesTextWithEscapes) {
  EXPECT_EQ(bytes_of_text("R1234\\r").value(), "R1234\r");
  EXPECT_EQ(bytes_of_text("\\x02A\\\\\\x03").value(),
            "\x02"
            "A\\\x03");
  EXPECT_THAT(bytes_of_text("ab\\q").error().what, HasSubstr("character 3"));
  EXPECT_THAT(bytes_of_text("\\x4").error().what, HasSubstr("two hex digits"));
  EXPECT_FALSE(bytes_of_text(""));
  EXPECT_FALSE(bytes_of_text("trailing\\"));
}

OptionSpec spec(const char* name, OptionType type, std::optional<std::string> fallback = {},
                std::vector<std::string> choices = {}) {
  OptionSpec s;
  s.name = name;
  s.type = type;
  s.fallback = std::move(fallback);
  s.choices = std::move(choices);
  s.help = "Help";
  return s;
}

DriverSchema schema() {
  DriverSchema s;
  s.name = "probe";
  s.options = {spec("order", OptionType::choice, "abcd", {"abcd", "cdab"}),
               spec("timeout", OptionType::duration, "500ms"), spec("device", OptionType::string)};
  s.options[2].required = true;
  s.address = {spec("order", OptionType::choice, {}, {"abcd", "cdab", "ba"}),
               spec("register", OptionType::integer, "0")};
  s.address[1].minimum = 0;
  s.address[1].maximum = 65535;
  return s;
}

const OptionValue* find(const Given& given, std::string_view name) {
  for (const OptionValue& value : given.options)
    if (value.name == name) return &value;
  return nullptr;
}

TEST(ByHand, OptionsGetDefaultsAndNothingIsRequired) {
  auto given = given_options(schema(), {}, {});
  ASSERT_TRUE(given) << given.error().what;
  ASSERT_EQ(given->options.size(), 2u);
  EXPECT_EQ(find(*given, "order")->text, "abcd");
  EXPECT_EQ(find(*given, "timeout")->integer, 500);
}

TEST(ByHand, AddressKeysAndScaleStandAmongTheOptions) {
  GivenRules rules;
  rules.address = rules.scale = true;
  auto given = given_options(
      schema(), {"order=ba", "register=0x63", "scale=0.01", "offset=-1", "device=/dev/ttyUSB0"},
      rules);
  ASSERT_TRUE(given) << given.error().what;
  EXPECT_EQ(find(*given, "order")->text, "ba") << "an order that only an address allows";
  EXPECT_EQ(find(*given, "register")->integer, 99);
  EXPECT_EQ(find(*given, "device")->text, "/dev/ttyUSB0");
  EXPECT_EQ(given->scale, 0.01);
  EXPECT_EQ(given->offset, -1);
  EXPECT_EQ(given->options.size(), 4u);
}

TEST(ByHand, SaysWhichOptionIsWrongAndWhatToWrite) {
  GivenRules rules;
  rules.address = rules.scale = true;
  auto wrong = [&](std::vector<std::string> pairs) {
    auto given = given_options(schema(), pairs, rules);
    return given ? std::string("taken") : given.error().what;
  };
  EXPECT_THAT(wrong({"ordr=abcd"}), HasSubstr("did you mean \"order\""));
  EXPECT_THAT(wrong({"order"}), HasSubstr("KEY=VALUE"));
  EXPECT_THAT(wrong({"order=xyz"}), HasSubstr("--option order: "));
  EXPECT_THAT(wrong({"register=70000"}), HasSubstr("0 to 65535"));
  EXPECT_THAT(wrong({"register=abc"}), HasSubstr("integer"));
  EXPECT_THAT(wrong({"timeout=5"}), HasSubstr("--option timeout"));
  EXPECT_THAT(wrong({"scale=big"}), HasSubstr("--option scale"));
  EXPECT_THAT(wrong({"order=abcd", "order=cdab"}), HasSubstr("twice"));
  EXPECT_THAT(wrong({"register=1\ntimeout = 3"}), HasSubstr("--option register"));
}

TEST(ByHand, NumbersHaveAsManyDigitsAsTheyNeed) {
  EXPECT_EQ(exact(12345678.999), "12345678.999");
  EXPECT_EQ(exact(12345678999.0), "12345678999");
  EXPECT_EQ(exact(4294967295999.0), "4294967295999");
  EXPECT_EQ(exact(0.1), "0.1");
  EXPECT_EQ(exact(static_cast<double>(0.1F)), "0.1") << "what a device says in 32 bits";
  EXPECT_EQ(exact(static_cast<double>(123456792.0F)), "123456792");
  EXPECT_EQ(exact(without_noise(3 * 0.1)), "0.3");
  EXPECT_EQ(exact(without_noise(12345678999.0 * 0.001)), "12345678.999");
  EXPECT_EQ(exact(-2.5), "-2.5");
  EXPECT_EQ(exact(0), "0");
  EXPECT_EQ(exact(1e-9), "1e-09");
  EXPECT_EQ(exact(1e300), "1e+300");
}

TEST(ByHand, NamesAreTheFirstWordAndUnitsTheRest) {
  EXPECT_EQ(named("pm2_5 µg/m³").name, "pm2_5");
  EXPECT_EQ(named("pm2_5 µg/m³").unit, "µg/m³");
  EXPECT_EQ(named("holding+0").unit, "");
  EXPECT_EQ(without_origin("decode: too short"), "too short");
}

TEST(Holder, IsFoundInTheKernelsListOfLocks) {
  const char* locks =
      "1: POSIX  ADVISORY  WRITE 700 08:01:4242 0 EOF\n"
      "2: FLOCK  ADVISORY  WRITE 812 00:05:4242 0 EOF\n"
      "2: -> FLOCK  ADVISORY  WRITE 813 00:05:4242 0 EOF\n"
      "3: FLOCK  ADVISORY  WRITE 900 00:1a:7 0 EOF\n";
  EXPECT_EQ(lock_holder(locks, 0, 5, 4242), 812);
  EXPECT_EQ(lock_holder(locks, 0, 0x1a, 7), 900);
  EXPECT_EQ(lock_holder(locks, 8, 1, 4242), std::nullopt) << "not the kind of lock that ports have";
  EXPECT_EQ(lock_holder(locks, 0, 5, 424), std::nullopt);
  EXPECT_EQ(lock_holder("", 0, 5, 4242), std::nullopt);
}

TEST(Holder, TheDriverOnALineIsFoundByPortOrByHost) {
  config::Config config;
  auto driver = [&](const char* name, std::vector<OptionValue> options) {
    config::Driver d;
    d.name = name;
    d.options = OptionValues(std::move(options));
    config.drivers.push_back(std::move(d));
  };
  driver("bus", {{"device", OptionType::string, "/dev/null", 0, 0}});
  driver("plc", {{"host", OptionType::string, "192.0.2.1", 0, 0},
                 {"port", OptionType::integer, "", 502, 0}});
  EXPECT_EQ(driver_on(config, "/dev/../dev/null", "", 0)->name, "bus");
  EXPECT_EQ(driver_on(config, "/dev/zero", "", 0), nullptr);
  EXPECT_EQ(driver_on(config, "", "192.0.2.1", 502)->name, "plc");
  EXPECT_EQ(driver_on(config, "", "192.0.2.1", 503), nullptr);
}

}  // namespace
}  // namespace gerbang::ctl
