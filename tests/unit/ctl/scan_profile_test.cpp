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

}  // namespace
}  // namespace gerbang::ctl
