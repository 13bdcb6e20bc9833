// SPDX-License-Identifier: Apache-2.0
#include "ctl/scan_profile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gerbang::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;

config::Node integer(std::int64_t value) {
  config::Node node;
  node.kind = config::Node::Kind::integer;
  node.integer = value;
  return node;
}

config::Node text(const char* value) {
  config::Node node;
  node.kind = config::Node::Kind::string;
  node.text = value;
  return node;
}

config::Channel channel(const char* name, std::vector<std::string> ask) {
  config::Channel out;
  out.name = name;
  out.ask = std::move(ask);
  return out;
}

TEST(ScanProfile, WhatTheDeviceLeavesItsFactoryWithIsTriedFirst) {
  const auto unit = integer(247), rate = integer(19200), parity = text("even");
  EXPECT_EQ(first_of(&unit, "1-32"), "247,1-32");
  EXPECT_EQ(first_of(&rate, "9600,19200"), "19200,9600");
  EXPECT_EQ(first_of(&parity, "none,even,odd"), "even,none,odd");
  EXPECT_EQ(first_of(nullptr, "1-32"), "1-32");
}

TEST(ScanProfile, WhatOnlyTheSiteKnowsIsLeftToWrite) {
  config::Profile profile;
  profile.channels = {channel("conductivity", {"unit", "scale"}), channel("temperature", {}),
                      channel("spare", {"unit"})};
  profile.channels[0].note = {"lihat pelat alat", "see its plate"};
  profile.channels[2].extra = true;
  const std::string left = left_to_write(profile, "eng");
  EXPECT_THAT(left, HasSubstr("[device.override.conductivity]\n# see its plate\n# unit = \"…\""));
  EXPECT_THAT(left, HasSubstr("\n# scale = …"));
  EXPECT_THAT(left, Not(HasSubstr("temperature")));
  EXPECT_THAT(left, Not(HasSubstr("spare"))) << "an extra channel is not read";
  EXPECT_THAT(left_to_write(profile, "ind"), HasSubstr("# lihat pelat alat\n"));
}

TEST(ScanProfile, NothingIsLeftToWriteOfADeviceThatIsKnown) {
  config::Profile profile;
  profile.channels = {channel("ph", {}), channel("temperature", {})};
  EXPECT_EQ(left_to_write(profile, "eng"), "");
}

config::Member member(const char* key, config::Node value) {
  config::Member out;
  out.key = key;
  out.value = std::move(value);
  return out;
}

TEST(ScanProfile, ADeviceIsReadBeforeTheSiteHasSaidWhatItMeasures) {
  config::Profile profile;
  profile.channels = {channel("value", {"quantity", "unit", "scale"}), channel("total", {"unit"}),
                      channel("temperature", {}), channel("spare", {"unit"})};
  profile.channels[1].sensor.kind = config::Node::Kind::table;
  profile.channels[1].sensor.members.push_back(member("quantity", text("volume")));
  profile.channels[3].extra = true;
  const auto unit_of = [](const std::string& quantity) {
    return std::string(quantity == "volume" ? "m³" : "");
  };
  EXPECT_EQ(stand_in(profile, unit_of),
            "[device.override.value]\nquantity = \"number\"\nunit = \"1\"\nscale = 1.0\n"
            "[device.override.total]\nunit = \"m³\"\n");
}

TEST(ScanProfile, WhyAChannelIsRefusedIsWhatTheDriverSaidOfIt) {
  const std::vector<std::string> said{
      "unit 4: no answer within 500 ms",
      "sensor a-ph: unit 1 holding 1: exception 2, ILLEGAL DATA ADDRESS",
      "unit 2: exception 6, SERVER DEVICE BUSY; it is asked ever more rarely until it answers"};
  EXPECT_EQ(refusal_of("a-ph", said), "exception 2, ILLEGAL DATA ADDRESS");
  EXPECT_EQ(refusal_of("a-orp", said), "exception 2, ILLEGAL DATA ADDRESS") << "of any";
  EXPECT_EQ(refusal_of("b", {said[2]}), "exception 6, SERVER DEVICE BUSY");
  EXPECT_EQ(refusal_of("b", {said[0]}), "");
}

TEST(ScanProfile, WhatTheChannelsSayStandsInComments) {
  const std::vector<Seen> seen{{"a-ph", Seen::State::value, "7.02 pH"},
                               {"a-temperature", Seen::State::outside, "3000 °C"},
                               {"a-orp", Seen::State::refused, "exception 1, ILLEGAL FUNCTION"}};
  EXPECT_EQ(comments_of(seen, "eng"),
            "# a-ph           7.02 pH\n"
            "# a-temperature  out of range: 3000 °C\n"
            "# a-orp          refused: exception 1, ILLEGAL FUNCTION\n");
  EXPECT_THAT(comments_of(seen, "ind"), HasSubstr("# a-orp          ditolak: exception 1"));
}

TEST(ScanProfile, AProfileThatFitsNothingIsDoubted) {
  using State = Seen::State;
  const auto seen = [](std::initializer_list<State> states) {
    std::vector<Seen> out;
    for (State state : states) out.push_back({"a-x", state, ""});
    return out;
  };
  const auto doubted = [&](std::initializer_list<State> states) {
    return doubt("a", "maker-box", seen(states), "eng");
  };
  EXPECT_THAT(doubted({State::refused, State::refused, State::value}),
              HasSubstr("a: 2 of 3 channels are refused, out of range or no number: maker-box is "
                        "probably not its profile"));
  EXPECT_THAT(doubted({State::outside, State::no_number}), HasSubstr("2 of 2"));
  EXPECT_THAT(doubted({State::refused, State::silent}), HasSubstr("1 of 1"));
  EXPECT_EQ(doubted({State::value, State::value, State::outside}), "") << "it may be so";
  EXPECT_EQ(doubted({State::silent, State::silent}), "") << "silence says nothing of a profile";
  EXPECT_THAT(doubt("a", "maker-box", seen({State::refused}), "ind"), HasSubstr("1 dari 1 kanal"));
}

}  // namespace
}  // namespace gerbang::ctl
