// SPDX-License-Identifier: Apache-2.0
#include "source/frames.hpp"

#include <gtest/gtest.h>
#include <host/v1/driver.pb.h>

#include <cmath>
#include <limits>

namespace gerbang::source {
namespace {

namespace pb = gerbang::host::v1;

Result<HostFrame> decode(const pb::FromDriverHost& frame) {
  return decode_frame(frame.SerializeAsString());
}

void add(pb::Readings& out, std::uint32_t sensor, std::int64_t boot_step, std::uint32_t quality) {
  out.add_sensor(sensor);
  out.add_boot_ns(boot_step);
  out.add_quality(quality);
}

// One integer, one number, one missing for time-out.
pb::FromDriverHost three_readings() {
  pb::FromDriverHost frame;
  pb::Readings& readings = *frame.mutable_readings();
  add(readings, 7, 1'000, 2 | 0x10);
  readings.add_integer(-5);
  add(readings, 8, 10, 2);
  readings.add_number(3.25);
  add(readings, 7, -10, 9 | 1 << 8);
  return frame;
}

TEST(HostFrames, ReadingsComeBackFromTheirColumns) {
  auto frame = decode(three_readings());
  ASSERT_TRUE(frame);
  auto& all = std::get<Readings>(*frame).all;
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].sensor, 7u);
  EXPECT_EQ(all[0].raw, Raw::of(std::int64_t{-5}));
  EXPECT_EQ(all[0].flag, Flag::not_evaluated);
  EXPECT_EQ(all[0].boot_ns, 1'000);
  EXPECT_EQ(all[0].unix_ns, 0);
  EXPECT_EQ(all[1].raw, Raw::of(3.25));
  EXPECT_EQ(all[1].boot_ns, 1'010);
  EXPECT_EQ(all[2].flag, Flag::missing);
  EXPECT_EQ(all[2].reason, Reason::timeout);
  EXPECT_EQ(all[2].boot_ns, 1'000);
}

TEST(HostFrames, WhatIsNoNumberIsMissing) {
  pb::FromDriverHost frame;
  for (double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    add(*frame.mutable_readings(), 0, 1, 1);
    frame.mutable_readings()->add_number(bad);
  }
  auto decoded = decode(frame);
  ASSERT_TRUE(decoded);
  for (auto& reading : std::get<Readings>(*decoded).all) {
    EXPECT_EQ(reading.flag, Flag::missing);
    EXPECT_EQ(reading.reason, Reason::not_a_number);
  }
}

TEST(HostFrames, ColumnsThatDoNotFitAreRefused) {
  auto spoil = [](auto change) {
    pb::FromDriverHost frame = three_readings();
    change(*frame.mutable_readings());
    return decode(frame).has_value();
  };
  EXPECT_TRUE(spoil([](pb::Readings&) {}));
  EXPECT_FALSE(spoil([](pb::Readings& r) { r.add_sensor(1); }));
  EXPECT_FALSE(spoil([](pb::Readings& r) { r.mutable_boot_ns()->RemoveLast(); }));
  EXPECT_FALSE(spoil([](pb::Readings& r) { r.add_unix_ns(1); }));
  EXPECT_FALSE(spoil([](pb::Readings& r) { r.clear_integer(); }));
  EXPECT_FALSE(spoil([](pb::Readings& r) { r.clear_number(); }));
  EXPECT_FALSE(spoil([](pb::Readings& r) { r.add_integer(1); }));
  EXPECT_FALSE(spoil([](pb::Readings& r) { r.add_number(1); }));
  EXPECT_FALSE(spoil([](pb::Readings& r) { r.set_quality(0, 5); }));
  EXPECT_FALSE(spoil([](pb::Readings& r) { r.set_quality(2, 9 | 77 << 8); }));
}

TEST(HostFrames, SumsOfTimesThatOverflowAreNoUndefinedBehaviour) {
  pb::FromDriverHost frame;
  for (int i = 0; i < 2; ++i) {
    add(*frame.mutable_readings(), 0, std::numeric_limits<std::int64_t>::max(), 9);
  }
  auto decoded = decode(frame);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(std::get<Readings>(*decoded).all[1].boot_ns, -2);
}

TEST(HostFrames, FramesOfNoKindOrTwoKindsOrNoFramesAreRefused) {
  pb::FromDriverHost both;
  both.mutable_ready();
  both.mutable_hello();
  EXPECT_EQ(decode(both).error().what, "a frame of two kinds");
  EXPECT_EQ(decode_frame("").error().what, "a frame of unknown kind");
  EXPECT_EQ(decode_frame(std::string_view("\xf8\x07\x01", 3)).error().what,
            "a frame of unknown kind");  // field 127
  EXPECT_EQ(decode_frame("\xff\xff\xff\xff").error().what, "a frame that cannot be parsed");
  pb::FromDriverHost status;
  status.mutable_trouble()->set_status(4);
  EXPECT_FALSE(decode(status));
}

TEST(HostFrames, HeartbeatsBringExchangesAndRefusals) {
  pb::FromDriverHost frame;
  frame.mutable_heartbeat()->set_polls(5);
  pb::Exchanges& device = *frame.mutable_heartbeat()->add_exchanges();
  device.set_device("unit 1");
  device.set_requests(3);
  device.add_result(0);
  device.add_count(2);
  device.add_result(2);
  device.add_count(1);
  device.set_microseconds(900);
  pb::Refused& refused = *frame.mutable_heartbeat()->add_refused();
  refused.set_reason("flood");
  refused.set_count(9);
  auto decoded = decode(frame);
  ASSERT_TRUE(decoded);
  auto& beat = std::get<Heartbeat>(*decoded);
  EXPECT_EQ(beat.polls, 5u);
  ASSERT_EQ(beat.exchanges.size(), 1u);
  EXPECT_EQ(beat.exchanges[0].results[1], std::pair(Reason::crc, std::uint64_t{1}));
  EXPECT_EQ(beat.refused[0], std::pair(std::string("flood"), std::uint64_t{9}));
  device.add_result(0);
  EXPECT_FALSE(decode(frame));
}

TEST(HostFrames, DescriptionsBecomeSchemas) {
  pb::FromDriverHost frame;
  pb::Description& description = *frame.mutable_description();
  description.set_max_block_ms(700);
  description.set_summary("Modbus devices");
  pb::OptionSpec& option = *description.add_options();
  option.set_name("transport");
  option.set_type(6);
  option.set_flags(1);
  option.add_choices("tcp");
  option.add_choices("rtu");
  option.set_has_fallback(true);
  option.set_fallback("tcp");
  pb::OptionSpec& address = *description.add_address();
  address.set_name("unit");
  address.set_type(2);
  address.set_flags(2);
  address.set_maximum(247);
  auto decoded = decode(frame);
  ASSERT_TRUE(decoded);
  auto& schema = std::get<DriverSchema>(*decoded);
  EXPECT_EQ(schema.max_block_ms, 700u);
  ASSERT_EQ(schema.options.size(), 1u);
  EXPECT_EQ(schema.options[0].type, OptionType::choice);
  EXPECT_TRUE(schema.options[0].required);
  EXPECT_EQ(schema.options[0].fallback, "tcp");
  EXPECT_EQ(schema.options[0].choices, (std::vector<std::string>{"tcp", "rtu"}));
  EXPECT_TRUE(schema.address[0].identity);
  EXPECT_FALSE(schema.address[0].fallback);
  EXPECT_EQ(schema.address[0].maximum, 247);
  address.set_type(7);
  EXPECT_FALSE(decode(frame));
}

TEST(HostFrames, ConfigureNumbersSensorsByPlace) {
  DriverSpec spec;
  spec.name = "plc";
  spec.options = {OptionValue{"port", OptionType::integer, "", 502, 0}};
  spec.sensors.resize(2);
  spec.sensors[0].index = 40;
  spec.sensors[1].index = 7;
  spec.sensors[1].id = "ph";
  spec.sensors[1].interval = std::chrono::seconds(2);
  spec.sensors[1].address = {OptionValue{"table", OptionType::choice, "holding", 0, 0}};
  pb::ToDriverHost frame;
  ASSERT_TRUE(frame.ParseFromString(encode_configure(spec, true, false)));
  const pb::Configure& configure = frame.configure();
  EXPECT_EQ(configure.instance(), "plc");
  EXPECT_TRUE(configure.trace());
  EXPECT_FALSE(configure.once());
  EXPECT_EQ(configure.options(0).integer(), 502);
  EXPECT_EQ(configure.sensors(0).index(), 0u);
  EXPECT_EQ(configure.sensors(1).index(), 1u);
  EXPECT_EQ(configure.sensors(1).id(), "ph");
  EXPECT_EQ(configure.sensors(1).interval_ns(), 2'000'000'000);
  EXPECT_EQ(configure.sensors(1).address(0).text(), "holding");
}

// By this a supervisor knows whether its driver may go on after a reload.
TEST(Configure, IsTheSameFrameWhenOnlyIndicesDiffer) {
  auto frame = [](const DriverSpec& spec) { return encode_configure(spec, false, false); };
  DriverSpec a;
  a.name = "plc";
  a.sensors.resize(1);
  DriverSpec b = a;
  b.sensors[0].index = 5;
  EXPECT_EQ(frame(a), frame(b));
  DriverSpec c = a;
  c.sensors[0].interval = std::chrono::seconds(1);
  EXPECT_NE(frame(a), frame(c));
  DriverSpec d = a;
  d.sensors.emplace_back();
  EXPECT_NE(frame(a), frame(d));
  DriverSpec e = a;
  e.options = {OptionValue()};
  EXPECT_NE(frame(a), frame(e));
}

TEST(Configure, OfACheckAsksForNothingElse) {
  DriverSpec spec;
  spec.name = "plc";
  spec.sensors.resize(1);
  pb::ToDriverHost frame;
  ASSERT_TRUE(frame.ParseFromString(encode_check(spec)));
  EXPECT_EQ(frame.configure().instance(), "plc");
  EXPECT_EQ(frame.configure().sensors_size(), 1);
  EXPECT_TRUE(frame.configure().check());
  EXPECT_FALSE(frame.configure().once());
}

}  // namespace
}  // namespace gerbang::source
