// SPDX-License-Identifier: Apache-2.0
#include "app/present.hpp"

#include <algorithm>

#include "core/letters.hpp"

namespace gerbang::app {
namespace {

std::optional<std::int64_t> if_known(std::int64_t ms) {
  if (ms == 0) return std::nullopt;
  return ms;
}

}  // namespace

http::DriverNow driver_now(const source::DriverStatus& status, const Boxes& boxes, BootToUtc utc) {
  const auto mine = boxes.find(status.name);
  auto box = [&](const std::string& name) {
    if (mine == boxes.end()) return std::string();
    auto found = mine->second.find(name);
    if (found == mine->second.end() && status.devices.size() == 1) found = mine->second.find("");
    return found == mine->second.end() ? std::string() : found->second;
  };
  http::DriverNow now;
  now.name = status.name;
  now.plugin = status.plugin;
  now.state = std::string(name(status.state));
  now.pid = status.pid;
  now.restarts = status.restarts;
  now.last_error = status.last_error;
  now.last_error_ms = utc(status.last_error_boot_ms);
  for (const source::DeviceStatus& device : status.devices) {
    http::DeviceCounts counts;
    counts.device = device.device;
    counts.id = box(device.device);
    counts.last_answer_ms = utc(device.last_answer_boot_ns / 1'000'000);
    counts.silent_since_ms = utc(device.silent_since_boot_ns / 1'000'000);
    counts.silent_reason = device.silent_reason;
    counts.p50_us = std::min(device.round_trips.percentile(0.5), device.slowest_us);
    counts.p95_us = std::min(device.round_trips.percentile(0.95), device.slowest_us);
    counts.slowest_us = device.slowest_us;
    for (const auto& [reason, count] : device.results)
      counts.results[reason == Reason::none ? "ok" : lower(name(reason))] = count;
    now.devices.push_back(std::move(counts));
  }
  return now;
}

http::SensorNow sensor_now(std::shared_ptr<const http::SensorInfo> info, const pipeline::Live& live,
                           const quality::Work* work) {
  http::SensorNow now;
  now.info = std::move(info);
  now.reflagged = live.reflagged;
  if (work != nullptr) {
    http::MaintenanceNow& shown = now.maintenance.emplace();
    shown.from_ms = work->from_ms;
    shown.until_ms = work->until_ms;
    shown.person = work->person;
    shown.note = work->note;
  }
  now.counts.good = live.good;
  now.counts.not_evaluated = live.not_evaluated;
  now.counts.suspect = live.suspect;
  now.counts.bad = live.bad;
  now.counts.missing = live.missing;
  if (!live.any) return now;
  http::NewestReading newest;
  newest.flag = live.flag;
  newest.reason = live.reason;
  newest.clock = live.clock;
  newest.time_ms = live.time_ms;
  newest.boot_ns = live.boot_ns;
  if (live.flag != Flag::missing) {
    newest.value = live.value;
    newest.raw = live.raw;
  }
  now.newest = newest;
  return now;
}

http::UplinkNow uplink_now(const uplink::Status& status, const store::UplinkCounts& counts) {
  http::UplinkNow now;
  now.name = status.name;
  now.connected = status.connected;
  now.since_ms = status.since_ms;
  now.reason = status.reason;
  now.unheard = status.unheard;
  now.host_restarts = status.host_restarts;
  now.volatile_sent = status.volatile_sent;
  now.volatile_missed = status.volatile_missed;
  now.waiting = counts.waiting;
  now.oldest_waiting_ms = counts.oldest_waiting_ms;
  now.acknowledged_sequence = counts.acknowledged_sequence;
  now.made = counts.made;
  now.acknowledged = counts.acknowledged;
  now.refused = counts.refused;
  now.dropped = counts.dropped;
  now.filtered = counts.filtered;
  const std::string refused = "refused/", dropped = "dropped/";
  for (const auto& [name, count] : counts.reasons) {
    if (name.starts_with(refused)) now.refused_for[name.substr(refused.size())] = count;
    if (name.starts_with(dropped)) now.dropped_for[name.substr(dropped.size())] = count;
  }
  return now;
}

http::StoreNow store_now(const store::Status& status) {
  http::StoreNow now;
  now.bytes = status.bytes;
  now.cap = status.cap;
  now.degraded = status.degraded;
  now.damaged = status.damaged;
  now.trouble = status.trouble;
  now.oldest_reading_ms = status.oldest_reading_ms;
  now.commits = status.commits;
  now.commit_seconds_sum = status.commit_seconds_sum;
  now.commit_seconds_max = status.commit_seconds_max;
  now.last_commit_seconds = status.last_commit_seconds;
  now.waiting_readings = status.waiting_readings;
  now.reopened = status.reopened;
  now.salvaged = status.salvaged;
  now.expired = status.expired;
  now.taken = status.taken;
  now.stored = status.stored;
  now.folded = status.folded;
  now.rejected = status.rejected;
  now.not_folded = status.not_folded;
  return now;
}

http::JournalNow journal_now(const store::JournalStatus& status) {
  http::JournalNow now;
  now.on = status.on;
  now.trouble = status.trouble;
  now.bytes = status.bytes;
  now.restored = status.restored;
  now.damaged = status.damaged;
  now.foreign = status.foreign;
  now.uncovered = status.uncovered;
  return now;
}

std::vector<http::AlarmNow> alarms_now(
    const std::vector<std::shared_ptr<const http::AlarmInfo>>& infos,
    const pipeline::AlarmDesk& alarms) {
  std::vector<http::AlarmNow> out;
  const std::size_t count = std::min(infos.size(), alarms.engine().rules().size());
  for (std::size_t i = 0; i < count; ++i) {
    const alarm::Engine::Said said = alarms.engine().now(i);
    http::AlarmNow& now = out.emplace_back();
    now.info = infos[i];
    if (said.state == alarm::Said::nothing) continue;
    now.state = alarm::name(said.state);
    now.occurrence = said.occurrence;
    now.value = said.value;
    now.threshold = said.threshold;
    now.since_ms = said.since_ms;
    now.cleared_ms = said.cleared_ms;
    now.clock = said.clock;
    if (said.state == alarm::Said::suppressed) now.flapping = alarms.text_of(said);
  }
  return out;
}

http::EventsNow events_now(const pipeline::EventDesk& events) {
  const pipeline::EventLedger ledger = events.ledger();
  http::EventsNow out;
  out.taken = ledger.taken;
  out.stored = ledger.stored;
  out.waiting = events.waiting();
  out.refused = ledger.refused;
  return out;
}

void add_ledger(http::Snapshot& now, std::vector<store::SeriesLedger> ledger,
                const pipeline::Pipeline& pipeline, const std::set<std::int32_t>& configured) {
  Counts taken = pipeline.taken(), to_fold = pipeline.to_fold();
  pipeline::Pipeline::Underway underway = pipeline.underway();
  const std::uint64_t waiting = sum(underway.readings);
  now.store.to_fold = sum(to_fold);
  now.store.taken += waiting;
  now.store.waiting_readings += waiting;
  for (const auto& [reason, counts] : underway.rejected) {
    now.store.taken += sum(counts);
    now.store.rejected[reason] += sum(counts);
  }
  // A series whose first readings have not been committed has no account yet.
  std::set<std::int32_t> known;
  for (const auto& one : ledger) known.insert(one.series);
  for (const auto& [series, count] : taken)
    if (!known.contains(series)) {
      ledger.emplace_back();
      ledger.back().series = series;
    }
  for (store::SeriesLedger& one : ledger) {
    http::SensorLedger& out = now.ledger.emplace_back();
    out.sensor = std::move(one.name.sensor);
    out.quantity = std::move(one.name.quantity);
    out.unit = std::move(one.name.unit);
    out.configured = configured.contains(one.series);
    out.taken = taken[one.series];
    out.stored = one.account.stored;
    out.folded = one.account.folded;
    out.rejected = std::move(one.account.rejected);
    for (const auto& [reason, counts] : underway.rejected)
      if (auto found = counts.find(one.series); found != counts.end())
        out.rejected[reason] += found->second;
    out.waiting = one.waiting + underway.readings[one.series];
    out.to_fold = to_fold[one.series];
    out.not_folded = std::move(one.account.not_folded);
  }
}

wire::GatewayState state_of(const http::Snapshot& now) {
  wire::GatewayState state;
  state.version = now.gateway.version;
  state.boot_id = now.gateway.boot_id;
  state.previous_stream = now.gateway.previous_stream;
  state.config_hash = now.gateway.config_hash;
  if (now.gateway.config_revision > 0) state.config_revision = now.gateway.config_revision;
  state.timezone = now.gateway.timezone;
  state.started_at_ms = now.gateway.started_ms;
  state.last_sequence = now.gateway.last_sequence;
  state.clock = now.clock;
  for (const http::DriverNow& driver : now.drivers) {
    wire::DriverState d;
    d.name = driver.name;
    d.plugin = driver.plugin;
    d.state = driver.state;
    d.last_error = driver.last_error;
    d.restarts = static_cast<std::uint32_t>(driver.restarts);
    state.drivers.push_back(std::move(d));
  }
  for (const http::UplinkNow& uplink : now.uplinks) {
    wire::UplinkState u;
    u.name = uplink.name;
    u.connected = uplink.connected;
    u.since_ms = if_known(uplink.since_ms);
    u.reason = uplink.reason;
    u.waiting = uplink.waiting;
    u.oldest_waiting_ms = if_known(uplink.oldest_waiting_ms);
    u.acknowledged_sequence = uplink.acknowledged_sequence;
    u.unheard = uplink.unheard;
    state.uplinks.push_back(std::move(u));
  }
  wire::StoreState store;
  store.bytes = now.store.bytes;
  store.cap = now.store.cap;
  store.degraded = now.store.degraded;
  store.damaged = now.store.damaged;
  store.oldest_reading_ms = if_known(now.store.oldest_reading_ms);
  state.store = store;
  return state;
}

}  // namespace gerbang::app
