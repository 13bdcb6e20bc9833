// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/aggregate.hpp"
#include "core/event.hpp"
#include "core/quantity.hpp"
#include "core/reading.hpp"

// Plain values → message bodies: protobuf without Source, as the outbox keeps them. Pure and
// deterministic: the same values give the same bytes. nullopt means not known and is left out, as
// are NaN and infinity. A text that is not UTF-8 gets U+FFFD in the places that are not.
namespace gerbang::wire {

// A batch is split where its body would grow above this; with its Source it stays within 64 KiB.
inline constexpr std::size_t kMaxBody = 63 * 1024;

// What a body is measured as: a message has one number, whatever its uplinks speak. As JSON each
// row is written once more, and is about twice as long.
enum class Measure { protobuf, both };

struct AggregateHead {
  std::string domain, window;  // "water", "15m"
  std::int64_t start_ms = 0, end_ms = 0;
  std::string timezone;
  std::string local_date;  // YYYY-MM-DD; empty unless the window is a local day
};

// What the wire says of one sensor in one window. Nothing is copied: all of it must live until the
// encoder returns.
struct AggregateRow {
  std::string_view sensor, quantity, unit;
  QuantityKind kind = QuantityKind::gauge;
  const Aggregate* aggregate = nullptr;
};

// One body, or several that share topic and head and say part 1 … parts. Rows keep their order.
// No rows: no bodies.
std::vector<std::string> encode_aggregates(const AggregateHead& head,
                                           std::span<const AggregateRow> rows,
                                           std::size_t max_body = kMaxBody,
                                           Measure measure = Measure::both);

struct ReadingRow {
  std::string_view sensor, unit;
  std::int64_t time_ms = 0;
  Flag flag = Flag::not_evaluated;
  Reason reason = Reason::none;
  ClockTrust clock = ClockTrust::untrusted;
  double value = 0, raw = 0;  // left out when flag is missing
};
std::vector<std::string> encode_readings(std::string_view domain, std::span<const ReadingRow> rows,
                                         std::size_t max_body = kMaxBody,
                                         Measure measure = Measure::both);

struct Gap {
  std::string lost_stream;  // empty: this stream
  std::int64_t first = 0, last = 0;
  std::string reason;
  std::uint64_t count = 0;
};
std::string encode(const Gap& gap);

// `id` is the same for ever, also when the event is sent again with a better time.
std::string encode(const gerbang::Event& event, std::string_view id, std::int64_t time_ms,
                   ClockTrust clock);
// The same event at a time that became known later.
std::string with_time(std::string event, std::int64_t time_ms, ClockTrust clock);

struct Alarm {
  std::string id, sensor, unit;
  std::uint8_t severity = 0, state = 0;  // gerbang.v1.Severity, AlarmState
  std::uint64_t occurrence = 0;
  std::optional<double> value, threshold;
  std::int64_t since_ms = 0, cleared_ms = 0;  // 0: it is not
  Label text, advice;
  ClockTrust clock = ClockTrust::untrusted;
};
std::string encode(const Alarm& alarm);

struct IndicatorInput {
  std::string quantity, sensor, unit;
  std::optional<double> value, capture;
};
struct Indicator {
  std::string id, standard, standard_version, category;
  std::optional<double> value, capture;
  Label label;  // of the category
  std::vector<std::string> critical;
  bool provisional = false;
  std::int64_t start_ms = 0, end_ms = 0;
  std::string timezone, local_date, smart_dimension, iso, confidence;
  std::vector<IndicatorInput> inputs;
  std::uint32_t revision = 0;
  ClockTrust clock = ClockTrust::trusted;
};
std::string encode(const Indicator& indicator);

struct DriverState {
  std::string name, plugin, state, last_error;
  std::uint32_t restarts = 0;
};
struct UplinkState {
  std::string name, reason;
  bool connected = false;
  std::optional<std::int64_t> since_ms, oldest_waiting_ms;
  std::uint64_t waiting = 0, unheard = 0;
  std::int64_t acknowledged_sequence = 0;
};
struct StoreState {
  std::uint64_t bytes = 0, cap = 0;
  bool degraded = false, damaged = false;
  std::optional<std::int64_t> oldest_reading_ms;
};
struct GatewayState {
  bool online = true;
  std::string reason;  // why not online: STOPPED, LOST
  std::string version, boot_id, previous_stream, config_hash, timezone;
  std::optional<std::int64_t> started_at_ms, last_sequence;
  std::optional<std::uint32_t> config_revision;
  std::optional<ClockTrust> clock;
  std::vector<DriverState> drivers;
  std::vector<UplinkState> uplinks;
  std::optional<StoreState> store;
};
std::string encode(const GatewayState& state);

struct SensorDescription {
  std::string id, device, quantity, domain, unit, profile, calibration_due;
  unsigned decimals = 0;
  QuantityKind kind = QuantityKind::gauge;
  Label label;
  std::optional<std::int64_t> interval_ms;  // polled sensors only
  std::optional<double> range_low, range_high;
  std::vector<std::string> windows;
};
struct AlarmDescription {
  std::string id, sensor;
  std::uint8_t severity = 0;  // gerbang.v1.Severity
  Label text;
};
struct IndicatorDescription {
  std::string id, standard;
  Label label;
};
struct GatewayDescription {
  std::string site_kind, timezone;
  std::optional<double> latitude, longitude;
  std::vector<SensorDescription> sensors;
  std::vector<AlarmDescription> alarms;
  std::vector<IndicatorDescription> indicators;
};
std::string encode(const GatewayDescription& description);

}  // namespace gerbang::wire
