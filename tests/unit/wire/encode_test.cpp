// SPDX-License-Identifier: Apache-2.0
#include "wire/encode.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "gerbang/v1/telemetry.pb.h"
#include "wire/envelope.hpp"

namespace gerbang::wire {
namespace {

AggregateHead minute() {
  AggregateHead head;
  head.domain = "water";
  head.window = "1m";
  head.start_ms = 1735689600000;
  head.end_ms = 1735689660000;
  head.timezone = "Asia/Makassar";
  return head;
}

Aggregate gauge() {
  Aggregate a;
  a.window_ms = 60'000;
  a.start_ms = 1735689600000;
  a.end_ms = 1735689660000;
  a.expected = 4;
  a.received = a.good = 3;
  for (double v : {7.0, 7.25, 7.5}) a.statistics.add(v);
  a.first = 7.0;
  a.last = 7.5;
  a.reason = Reason::timeout;
  return a;
}

v1::AggregateBatch only(const std::vector<std::string>& bodies) {
  v1::AggregateBatch batch;
  EXPECT_EQ(bodies.size(), 1u);
  EXPECT_TRUE(batch.ParseFromString(bodies.at(0)));
  return batch;
}

AggregateRow row(std::string_view sensor, const Aggregate& aggregate,
                 QuantityKind kind = QuantityKind::gauge) {
  return AggregateRow{sensor, "ph", "pH", kind, &aggregate};
}

TEST(EncodeAggregates, GivesTheSameBytesForEver) {
  Aggregate a = gauge();
  std::vector<AggregateRow> rows = {row("raw-ph", a)};
  auto json = to_json(MessageKind::aggregate_batch, encode_aggregates(minute(), rows).at(0));
  ASSERT_TRUE(json);
  EXPECT_EQ(
      *json,
      R"({"domain":"water","window":"1m","windowStartMs":1735689600000,"windowEndMs":1735689660000,)"
      R"("timezone":"Asia/Makassar","part":1,"parts":1,"aggregates":[{"sensor":"raw-ph",)"
      R"("quantity":"ph","unit":"pH","expected":4,"received":3,"good":3,"suspect":0,"bad":0,)"
      R"("missing":1,"maintenance":0,"belowLimit":0,"mean":7.25,"minimum":7,"maximum":7.5,)"
      R"("stddev":0.2041241452319315,"first":7,"last":7.5,"capture":0.75,"verdict":"VALID",)"
      R"("reason":"TIMEOUT","revision":0,"clock":"TRUSTED"}]})");

  Aggregate silent;
  silent.window_ms = 60'000;
  std::vector<AggregateRow> one = {row("s", silent)};
  AggregateHead head;
  head.domain = "air";
  head.window = "1h";
  head.start_ms = 1;
  head.end_ms = 2;
  auto bytes = encode_aggregates(head, one).at(0);
  std::string golden(
      "\x12\x03"
      "air\x1a\x02"
      "1h\x20\x01\x28\x02\x40\x01\x48\x01\x52\x20"
      "\x0a\x01s\x12\x02ph\x1a\x02pH\x28\x00\x30\x00\x38\x00\x40\x00\x50\x00\x58\x00"
      "\xa0\x01\x03\xb0\x01\x00\xb8\x01\x01",
      51);
  EXPECT_EQ(bytes, golden);
}

TEST(EncodeAggregates, SaysNothingOfWhatASilentSensorDidNotSay) {
  Aggregate a;
  a.window_ms = 60'000;
  a.expected = 60;
  a.reason = Reason::no_connection;
  std::vector<AggregateRow> rows = {row("ph", a)};
  auto batch = only(encode_aggregates(minute(), rows));
  const auto& out = batch.aggregates(0);
  EXPECT_EQ(out.expected(), 60u);
  EXPECT_EQ(out.missing(), 60u);
  EXPECT_TRUE(out.has_received());
  EXPECT_EQ(out.received(), 0u);
  EXPECT_EQ(out.capture(), 0);
  EXPECT_EQ(out.verdict(), v1::NONE);
  EXPECT_FALSE(out.has_mean() || out.has_minimum() || out.has_maximum() || out.has_stddev() ||
               out.has_first() || out.has_last() || out.has_delta());
}

TEST(EncodeAggregates, ExpectsNothingOfASensorThatIsNotPolled) {
  Aggregate a = gauge();
  a.expected.reset();
  std::vector<AggregateRow> rows = {row("ph", a)};
  auto batch = only(encode_aggregates(minute(), rows));
  const auto& out = batch.aggregates(0);
  EXPECT_FALSE(out.has_expected() || out.has_missing() || out.has_capture());
  EXPECT_EQ(out.verdict(), v1::VALID);
}

TEST(EncodeAggregates, GivesADirectionAsTheMeanVectorWithoutExtremes) {
  Aggregate a;
  a.received = a.good = 2;
  for (double degrees : {350.0, 20.0}) {
    a.statistics.add(degrees);
    a.x += std::cos(degrees * std::numbers::pi / 180);
    a.y += std::sin(degrees * std::numbers::pi / 180);
  }
  a.first = 350;
  a.last = 20;
  std::vector<AggregateRow> rows = {row("wind", a, QuantityKind::direction)};
  auto batch = only(encode_aggregates(minute(), rows));
  const auto& out = batch.aggregates(0);
  EXPECT_NEAR(out.mean(), 5, 1e-9);
  EXPECT_FALSE(out.has_minimum() || out.has_maximum() || out.has_stddev());
  EXPECT_EQ(out.last(), 20);
}

TEST(EncodeAggregates, NeverSendsWhatIsNotANumber) {
  Aggregate a = gauge();
  a.statistics = Statistics{};
  a.statistics.add(std::numeric_limits<double>::max());
  a.statistics.add(-std::numeric_limits<double>::max());  // M2 overflows
  a.delta = std::numeric_limits<double>::quiet_NaN();
  a.last = std::numeric_limits<double>::infinity();
  std::vector<AggregateRow> rows = {row("ph", a)};
  auto batch = only(encode_aggregates(minute(), rows));
  EXPECT_FALSE(batch.aggregates(0).has_stddev());
  EXPECT_FALSE(batch.aggregates(0).has_delta());
  EXPECT_FALSE(batch.aggregates(0).has_last());
  EXPECT_TRUE(batch.aggregates(0).has_minimum());
}

TEST(EncodeAggregates, SplitsALargeBatchBySensorInOrder) {
  Aggregate a = gauge();
  std::vector<std::string> ids;
  for (int i = 0; i < 1500; ++i) ids.push_back("sensor-" + std::to_string(i));
  std::vector<AggregateRow> rows;
  for (const auto& id : ids) rows.push_back(row(id, a));
  auto bodies = encode_aggregates(minute(), rows);
  ASSERT_GT(bodies.size(), 1u);
  std::size_t next = 0;
  for (std::size_t part = 0; part < bodies.size(); ++part) {
    EXPECT_LE(bodies[part].size(), kMaxBody);
    v1::AggregateBatch batch;
    ASSERT_TRUE(batch.ParseFromString(bodies[part]));
    EXPECT_EQ(batch.part(), part + 1);
    EXPECT_EQ(batch.parts(), bodies.size());
    EXPECT_EQ(batch.window_start_ms(), 1735689600000);
    for (const auto& aggregate : batch.aggregates()) EXPECT_EQ(aggregate.sensor(), ids.at(next++));
  }
  EXPECT_EQ(next, ids.size());
}

// What a source has at most: ids of 63, numbers below 2^53.
Source longest_source() {
  Source source;
  source.region = source.site = source.gateway = std::string(63, 'r');
  source.stream = "0123456789abcdef";
  source.sequence = source.previous = (std::int64_t{1} << 53) - 1;
  source.published_at_ms = 1735689600000;
  return source;
}

// The sizes that a message has for an uplink.
std::size_t larger(MessageKind kind, const std::string& body) {
  const auto protobuf = finish(kind, body, longest_source(), Format::protobuf);
  const auto json = finish(kind, body, longest_source(), Format::json);
  EXPECT_TRUE(protobuf && json);
  return std::max(protobuf->size(), json->size());
}

TEST(EncodeAggregates, StayWithin64KiBInBothEncodings) {
  Aggregate a = gauge();
  a.first = a.last = -1.2345678901234567e-100;
  std::vector<std::string> ids;
  for (int i = 0; i < 400; ++i) ids.push_back(std::string(60, 's') + std::to_string(100 + i));
  std::vector<AggregateRow> rows;
  for (const auto& id : ids) {
    rows.push_back(row(id, a));
    rows.back().unit = "\"\\\n";  // JSON writes two characters for each
  }
  const auto bodies = encode_aggregates(minute(), rows);
  std::vector<std::string> sent;
  for (const auto& body : bodies) {
    EXPECT_LE(larger(MessageKind::aggregate_batch, body), 64u * 1024);
    v1::AggregateBatch batch;
    ASSERT_TRUE(batch.ParseFromString(body));
    EXPECT_EQ(batch.parts(), bodies.size());
    for (const auto& aggregate : batch.aggregates()) sent.push_back(aggregate.sensor());
  }
  EXPECT_EQ(sent, ids);
  // No part is smaller than it need be: all but the last are full.
  for (std::size_t part = 0; part + 1 < bodies.size(); ++part)
    EXPECT_GT(larger(MessageKind::aggregate_batch, bodies[part]), 62u * 1024);
}

TEST(EncodeAggregates, OfAHundredSensorsAreOnePart) {
  const Aggregate a = gauge();
  const std::vector<AggregateRow> rows(100, row("reservoir-west-turbidity", a));
  EXPECT_EQ(only(encode_aggregates(minute(), rows)).parts(), 1u);
}

TEST(EncodeAggregates, SendsARowBeyondTheBoundByItself) {
  Aggregate a = gauge();
  std::vector<AggregateRow> rows = {row("a", a), row("b", a)};
  EXPECT_EQ(encode_aggregates(minute(), rows, 1).size(), 2u);
  EXPECT_TRUE(encode_aggregates(minute(), {}).empty());
}

TEST(EncodeAggregates, WhereNobodyReadsJsonProtobufAloneIsMeasured) {
  const Aggregate a = gauge();
  const std::vector<AggregateRow> rows(300, row("reservoir-west-turbidity", a));
  EXPECT_GT(encode_aggregates(minute(), rows).size(), 1u);
  const auto bodies = encode_aggregates(minute(), rows, kMaxBody, Measure::protobuf);
  EXPECT_EQ(only(bodies).aggregates_size(), 300);
  EXPECT_LE(bodies[0].size(), kMaxBody);
}

TEST(EncodeReadings, StayWithin64KiBInBothEncodings) {
  ReadingRow one;
  one.sensor = "reservoir-west-turbidity";
  one.unit = "NTU";
  one.time_ms = 1735689600000;
  one.value = one.raw = 1.0 / 3;
  const std::vector<ReadingRow> rows(2000, one);
  int sent = 0;
  for (const std::string& body : encode_readings("water", rows)) {
    EXPECT_LE(larger(MessageKind::reading_batch, body), 64u * 1024);
    v1::ReadingBatch batch;
    ASSERT_TRUE(batch.ParseFromString(body));
    sent += batch.readings_size();
  }
  EXPECT_EQ(sent, 2000);
}

TEST(EncodeReadings, CarriesValueRawAndQuality) {
  std::vector<ReadingRow> rows(2);
  rows[0].sensor = "ph";
  rows[0].unit = "pH";
  rows[0].time_ms = 5;
  rows[0].flag = Flag::bad;
  rows[0].reason = Reason::range;
  rows[0].clock = ClockTrust::estimated;
  rows[0].value = 140;
  rows[0].raw = 14000;
  rows[1].sensor = "ph";
  rows[1].flag = Flag::missing;
  rows[1].reason = Reason::crc;
  auto bodies = encode_readings("water", rows);
  ASSERT_EQ(bodies.size(), 1u);
  v1::ReadingBatch batch;
  ASSERT_TRUE(batch.ParseFromString(bodies[0]));
  EXPECT_EQ(batch.domain(), "water");
  EXPECT_EQ(batch.readings(0).value(), 140);
  EXPECT_EQ(batch.readings(0).raw(), 14000);
  EXPECT_EQ(batch.readings(0).quality(), 4u);
  EXPECT_EQ(batch.readings(0).reason(), v1::RANGE);
  EXPECT_EQ(batch.readings(0).clock(), v1::ESTIMATED);
  EXPECT_FALSE(batch.readings(1).has_value() || batch.readings(1).has_raw());
  EXPECT_EQ(batch.readings(1).quality(), 9u);
}

TEST(EncodeState, LeavesOutWhatIsNotKnown) {
  GatewayState state;
  state.online = false;
  state.reason = "STOPPED";
  v1::GatewayState out;
  ASSERT_TRUE(out.ParseFromString(encode(state)));
  EXPECT_TRUE(out.has_online());
  EXPECT_FALSE(out.online());
  EXPECT_EQ(out.reason(), "STOPPED");
  EXPECT_FALSE(out.has_version() || out.has_store() || out.has_clock() || out.has_last_sequence());
}

TEST(EncodeState, CarriesDriversUplinksAndStore) {
  GatewayState state;
  state.version = "0.1.0";
  state.last_sequence = 0;
  state.clock = ClockTrust::untrusted;
  DriverState driver;
  driver.name = "wtp-plc";
  driver.plugin = "modbus";
  driver.state = "running";
  driver.restarts = 2;
  driver.last_error = "line \xff: broken";
  state.drivers.push_back(driver);
  UplinkState uplink;
  uplink.name = "regional";
  uplink.connected = true;
  uplink.waiting = 7;
  state.uplinks.push_back(uplink);
  state.store.emplace().bytes = 4096;
  v1::GatewayState out;
  ASSERT_TRUE(out.ParseFromString(encode(state)));
  EXPECT_TRUE(out.has_last_sequence());
  EXPECT_EQ(out.clock(), v1::UNTRUSTED);
  EXPECT_EQ(out.drivers(0).last_error(), "line \xEF\xBF\xBD: broken");
  EXPECT_EQ(out.drivers(0).restarts(), 2u);
  EXPECT_EQ(out.uplinks(0).waiting(), 7u);
  EXPECT_FALSE(out.uplinks(0).has_oldest_waiting_ms());
  EXPECT_EQ(out.store().bytes(), 4096u);
}

TEST(EncodeDescription, CarriesSensorsWithRangeAndLabels) {
  GatewayDescription description;
  description.latitude = -5.0167;
  SensorDescription sensor;
  sensor.id = "raw-ph";
  sensor.quantity = "ph";
  sensor.domain = "water";
  sensor.unit = "pH";
  sensor.decimals = 2;
  sensor.kind = QuantityKind::totaliser;
  sensor.label = Label{"pH air baku", "Raw water pH"};
  sensor.interval_ms = 1000;
  sensor.range_low = 0.0;
  sensor.windows = {"1m", "1d"};
  description.sensors.push_back(sensor);
  v1::GatewayDescription out;
  ASSERT_TRUE(out.ParseFromString(encode(description)));
  EXPECT_EQ(out.latitude(), -5.0167);
  EXPECT_FALSE(out.has_longitude());
  EXPECT_EQ(out.sensors(0).kind(), "totaliser");
  EXPECT_EQ(out.sensors(0).label_ind(), "pH air baku");
  EXPECT_TRUE(out.sensors(0).has_range_low());
  EXPECT_FALSE(out.sensors(0).has_range_high());
  EXPECT_EQ(out.sensors(0).windows(1), "1d");
}

}  // namespace
}  // namespace gerbang::wire
