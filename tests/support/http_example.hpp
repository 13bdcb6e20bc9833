// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "http/snapshot.hpp"

namespace gerbang::test {

inline constexpr std::int64_t kExampleNow = 1'767'247'380'000;  // 2026-01-01T06:03:00Z, 14.03 WITA
inline constexpr std::int64_t kExampleBoot = 5'000'000'000'000;

inline http::SensorNow example_sensor(std::string id, std::string driver, Quantity quantity,
                                      Label label, std::int64_t interval_ms) {
  auto info = std::make_shared<http::SensorInfo>();
  info->id = std::move(id);
  info->driver = std::move(driver);
  info->quantity = std::move(quantity);
  info->label = std::move(label);
  info->interval_ms = interval_ms;
  http::SensorNow sensor;
  sensor.info = std::move(info);
  return sensor;
}

inline Quantity example_quantity(std::string name, std::string domain, std::string unit,
                                 unsigned decimals, QuantityKind kind = QuantityKind::gauge) {
  Quantity quantity;
  quantity.name = std::move(name);
  quantity.domain = std::move(domain);
  quantity.unit = std::move(unit);
  quantity.decimals = decimals;
  quantity.kind = kind;
  return quantity;
}

// A reading taken `age_ms` before the example's now.
inline void give(http::SensorNow& sensor, double value, Flag flag, Reason reason,
                 std::int64_t age_ms, ClockTrust clock = ClockTrust::trusted) {
  http::NewestReading newest;
  if (flag != Flag::missing) {
    newest.value = value;
    newest.raw = Raw::of(value);
  }
  newest.flag = flag;
  newest.reason = reason;
  newest.clock = clock;
  newest.time_ms = kExampleNow - age_ms;
  newest.boot_ns = kExampleBoot - age_ms * 1'000'000;
  sensor.newest = newest;
  if (flag == Flag::missing)
    ++sensor.counts.missing;
  else if (flag == Flag::bad)
    ++sensor.counts.bad;
  else if (flag == Flag::suspect)
    ++sensor.counts.suspect;
  else
    ++sensor.counts.good;
}

// A small water plant in Maros with one healthy and one broken line, connected to one of two
// brokers. Its ledger balances.
inline http::Snapshot example_snapshot() {
  http::Snapshot now;
  now.now_ms = kExampleNow;
  now.boot_ns = kExampleBoot;
  now.clock = ClockTrust::trusted;
  http::GatewayInfo& gateway = now.gateway;
  gateway.id = "ipa-bantimurung-1";
  gateway.region = "maros";
  gateway.site = "ipa-bantimurung";
  gateway.site_kind = "water-treatment-plant";
  gateway.timezone = "Asia/Makassar";
  gateway.version = "0.1.0";
  gateway.commit = "abcdef123456";
  gateway.boot_id = "5f0c6c34-0000-4000-8000-000000000001";
  gateway.stream = "00112233aabbccdd";
  gateway.config_hash = "c0ffee";
  gateway.config_revision = 7;
  gateway.started_ms = kExampleNow - 7'200'000;
  gateway.last_sequence = 412;
  gateway.windows_ms = {60'000, 900'000, 3'600'000, 86'400'000};
  http::ZoneChange wita;
  wita.offset_ms = 8 * 3'600'000;
  wita.abbreviation = "WITA";
  gateway.zone = {wita};

  http::DriverNow plc;
  plc.name = "wtp-plc";
  plc.plugin = "modbus";
  plc.state = "running";
  http::DeviceCounts unit;
  unit.device = "unit 1";
  unit.results = {{"ok", 7'180}, {"timeout", 3}};
  plc.devices = {unit};
  http::DriverNow meter;
  meter.name = "rs485-a";
  meter.plugin = "modbus";
  meter.state = "quarantined";
  meter.restarts = 5;
  meter.last_error = "killed by signal 11, five times within a minute";
  meter.last_error_ms = kExampleNow - 120'000;
  now.drivers = {plc, meter};

  http::UplinkNow regional;
  regional.name = "regional";
  regional.connected = true;
  regional.since_ms = kExampleNow - 3'600'000;
  regional.made = 412;
  regional.acknowledged = 410;
  regional.waiting = 2;
  regional.oldest_waiting_ms = kExampleNow - 1'500;
  regional.acknowledged_sequence = 410;
  http::UplinkNow ministry;
  ministry.name = "ministry";
  ministry.since_ms = kExampleNow - 7'000'000;
  ministry.reason = "connection refused";
  ministry.made = 412;
  ministry.waiting = 400;
  ministry.filtered = 12;
  ministry.oldest_waiting_ms = kExampleNow - 7'000'000;
  now.uplinks = {regional, ministry};

  http::StoreNow& store = now.store;
  store.bytes = 12'582'912;
  store.cap = 2ull << 30;
  store.commits = 7'200;
  store.commit_seconds_sum = 14.4;
  store.commit_seconds_max = 0.31;
  store.last_commit_seconds = 0.002;
  store.taken = 1'010;
  store.stored = 1'000;
  store.rejected = {{"repeated", 4}};
  store.waiting_readings = 6;
  store.folded = 980;
  store.not_folded = {{"too_old", 1}};
  store.to_fold = 19;
  now.journal.on = true;
  now.journal.bytes = 312;
  http::SensorLedger books;
  books.sensor = "raw-ph";
  books.quantity = "ph";
  books.unit = "1";
  books.configured = true;
  books.taken = 606;
  books.stored = 600;
  books.waiting = 6;
  books.folded = 581;
  books.to_fold = 19;
  http::SensorLedger gone;  // left the configuration
  gone.sensor = "old-meter";
  gone.quantity = "volume";
  gone.unit = "m³";
  gone.taken = 404;
  gone.stored = 400;
  gone.rejected = {{"repeated", 4}};
  gone.folded = 399;
  gone.not_folded = {{"too_old", 1}};
  now.ledger = {books, gone};

  auto water = [](const char* name, const char* unit_name, unsigned decimals,
                  QuantityKind kind = QuantityKind::gauge) {
    return example_quantity(name, "water", unit_name, decimals, kind);
  };
  auto ph = example_sensor("raw-ph", "wtp-plc", water("ph", "1", 2),
                           {"pH air baku", "Raw water pH"}, 1'000);
  give(ph, 7.214, Flag::good, Reason::none, 400);
  auto turbidity = example_sensor("raw-turbidity", "wtp-plc", water("turbidity", "NTU", 2),
                                  {"Kekeruhan air baku", "Raw water turbidity"}, 1'000);
  give(turbidity, 1234.5, Flag::suspect, Reason::spike, 3'000);
  auto chlorine = example_sensor("chlorine", "wtp-plc", water("free-chlorine", "mg/L", 2),
                                 {"Sisa klor bebas", "Free residual chlorine"}, 1'000);
  give(chlorine, 42.0, Flag::bad, Reason::range, 1'200);
  auto pump = example_sensor("pump", "wtp-plc", water("pump", "1", 0, QuantityKind::state),
                             {"Pompa 1", "Pump 1"}, 5'000);
  give(pump, 1, Flag::not_evaluated, Reason::none, 2'500);
  auto total = example_sensor("total", "rs485-a", water("volume", "m³", 0, QuantityKind::totaliser),
                              {"Stand meter induk", "Main meter"}, 60'000);
  give(total, 0, Flag::missing, Reason::timeout, 61'000);
  auto rain = example_sensor("rain", "rs485-a", example_quantity("rain", "weather", "mm", 1),
                             {"Curah hujan", "Rain"}, 60'000);
  give(rain, 3.2, Flag::good, Reason::none, 600'000, ClockTrust::untrusted);
  now.sensors = {ph, turbidity, chlorine, pump, total, rain};
  auto alarm = [](const char* id, const char* severity, unsigned rank, const char* state,
                  std::int64_t since_ms) {
    auto info = std::make_shared<http::AlarmInfo>();
    info->id = id;
    info->severity = severity;
    info->rank = rank;
    info->text = Label{std::string("teks ") + id, std::string("text ") + id};
    info->advice = Label{"periksa", "look"};
    http::AlarmNow out;
    out.info = std::move(info);
    if (since_ms == 0) return out;  // never raised
    out.state = state;
    out.occurrence = 3;
    out.value = 0.12;
    out.threshold = 0.2;
    out.since_ms = since_ms;
    out.flapping = Label{"berganti", "flaps"};
    return out;
  };
  now.alarms = {alarm("never", "CRITICAL", 4, "CLEARED", 0),
                alarm("old", "HIGH", 3, "RAISED", kExampleNow - 60'000),
                alarm("new", "HIGH", 3, "SUPPRESSED", kExampleNow - 1'000),
                alarm("worst", "CRITICAL", 4, "RAISED", kExampleNow - 900'000)};
  now.events.taken = 5;
  now.events.stored = 3;
  now.events.waiting = 1;
  now.events.refused = {{"kind", 1}};
  http::Note note;
  note.time_ms = kExampleNow - 120'000;
  note.level = "error";
  note.text = "driver rs485-a: quarantined after five crashes";
  note.about = {"driver", "rs485-a", "quarantined", "five crashes"};
  http::Note other;
  other.time_ms = kExampleNow - 180'000;
  other.level = "info";
  other.text = "something of no kind";
  http::Note begins = other, ended = other;
  begins.about = {"maintenance_begins", "raw-ph", "2h", "Sari: buffer 7"};
  ended.about = {"maintenance_ended", "unknown", "1m", ""};
  now.notes = {note, other, begins, ended};
  return now;
}

}  // namespace gerbang::test
