// SPDX-License-Identifier: Apache-2.0
#include "http/documents.hpp"

#include "core/spoken.hpp"
#include "core/text.hpp"
#include "http/judge.hpp"
#include "wire/envelope.hpp"

namespace gerbang::http {
namespace {

template <class Map>
void write_counts(Json& json, std::string_view key, const Map& counts) {
  json.key(key).begin_object();
  for (const auto& [reason, count] : counts) json.member(reason, count);
  json.end_object();
}

void write_readiness(Json& json, const Snapshot& now) {
  Readiness ready = readiness(now);
  json.member("status", name(ready.verdict)).key("checks").begin_array();
  for (const Check& check : ready.checks)
    json.begin_object()
        .member("name", check.name)
        .member("status", name(check.verdict))
        .member("text", now.gateway.language == "eng" ? check.eng : check.ind)
        .member("textInd", check.ind)
        .member("textEng", check.eng)
        .end_object();
  json.end_array();
}

void write_gateway(Json& json, const Snapshot& now) {
  const GatewayInfo& gateway = now.gateway;
  json.member("gateway", gateway.id)
      .member("region", gateway.region)
      .member("site", gateway.site)
      .member("siteKind", gateway.site_kind)
      .member("timezone", gateway.timezone)
      .member("language", gateway.language)
      .member_if("latitude", gateway.latitude)
      .member_if("longitude", gateway.longitude)
      .member("version", gateway.version)
      .member("commit", gateway.commit)
      .member("startedAtMs", gateway.started_ms)
      .member("bootId", gateway.boot_id)
      .member("stream", gateway.stream)
      .member_if("previousStream", gateway.previous_stream)
      .member("lastSequence", gateway.last_sequence)
      .member("configHash", gateway.config_hash)
      .member("configRevision", gateway.config_revision)
      .key("windows")
      .begin_array();
  for (std::int64_t window : gateway.windows_ms)
    json.value(format_duration(std::chrono::milliseconds(window)));
  LocalOffset local = offset_at(gateway.zone, now.now_ms);
  json.end_array()
      .member("nowMs", now.now_ms)
      .member("utcOffsetMs", local.offset_ms)
      .member("zone", local.abbreviation)
      .member("clock", name(now.clock));
}

void write_drivers(Json& json, const Snapshot& now) {
  json.key("drivers").begin_array();
  for (const DriverNow& driver : now.drivers) {
    json.begin_object()
        .member("name", driver.name)
        .member("plugin", driver.plugin)
        .member("state", driver.state)
        .member("delivers", delivers(now, driver))
        .member("pid", driver.pid)
        .member("restarts", driver.restarts)
        .member("lastError", driver.last_error)
        .member("lastErrorInd", spoken(driver.last_error, "ind"));
    if (driver.last_error_ms > 0) json.member("lastErrorMs", driver.last_error_ms);
    json.key("devices").begin_array();
    for (const DeviceCounts& device : driver.devices) {
      json.begin_object().member("name", device.device).member_if("id", device.id);
      write_counts(json, "requests", device.results);
      if (device.last_answer_ms > 0) json.member("lastAnswerMs", device.last_answer_ms);
      if (device.silent_since_ms > 0)
        json.member("silentSinceMs", device.silent_since_ms)
            .member("silentReason", gerbang::name(device.silent_reason));
      if (device.p50_us > 0)
        json.key("roundTripMs")
            .begin_object()
            .member("p50", device.p50_us / 1000.0)
            .member("p95", device.p95_us / 1000.0)
            .member("maximum", device.slowest_us / 1000.0)
            .end_object();
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
}

void write_uplinks(Json& json, const Snapshot& now) {
  json.key("uplinks").begin_array();
  for (const UplinkNow& uplink : now.uplinks) {
    json.begin_object()
        .member("name", uplink.name)
        .member("connected", uplink.connected)
        .member("sinceMs", uplink.since_ms)
        .member("reason", uplink.reason)
        .member("reasonInd", spoken(uplink.reason, "ind"))
        .member("waiting", uplink.waiting);
    if (uplink.oldest_waiting_ms > 0) json.member("oldestWaitingMs", uplink.oldest_waiting_ms);
    json.member("acknowledgedSequence", uplink.acknowledged_sequence)
        .member("unheard", uplink.unheard)
        .member("refused", uplink.refused)
        .member("dropped", uplink.dropped)
        .member("hostRestarts", uplink.host_restarts)
        .member("volatileSent", uplink.volatile_sent)
        .member("volatileMissed", uplink.volatile_missed)
        .end_object();
  }
  json.end_array();
}

void write_store(Json& json, const StoreNow& store) {
  json.key("store")
      .begin_object()
      .member("bytes", store.bytes)
      .member("cap", store.cap)
      .member("degraded", store.degraded)
      .member("damaged", store.damaged)
      .member("trouble", store.trouble);
  if (store.oldest_reading_ms > 0) json.member("oldestReadingMs", store.oldest_reading_ms);
  json.member("commits", store.commits)
      .member("lastCommitSeconds", store.last_commit_seconds)
      .member("worstCommitSeconds", store.commit_seconds_max)
      .member("waitingReadings", store.waiting_readings)
      .member("reopened", store.reopened);
  write_counts(json, "salvaged", store.salvaged);
  write_counts(json, "expired", store.expired);
  json.end_object();
}

// What a newest reading and a `reading` event share.
void write_newest(Json& json, const Snapshot& now, const SensorNow& sensor) {
  const NewestReading& newest = *sensor.newest;
  json.member_if("value", newest.value);
  if (newest.raw) write_raw(json, "raw", *newest.raw);
  json.member("quality", gerbang::name(newest.flag))
      .member("flag", static_cast<unsigned>(newest.flag));
  if (newest.reason != Reason::none) json.member("reason", gerbang::name(newest.reason));
  json.member("clock", gerbang::name(newest.clock))
      .member("timeMs", newest.time_ms)
      .member("ageMs", age_ms(now, sensor))
      .member("stale", stale(now, sensor));
}

void write_sensor(Json& json, const Snapshot& now, const SensorNow& sensor) {
  const SensorInfo& info = *sensor.info;
  json.begin_object()
      .member("id", info.id)
      .member_if("device", info.device)
      .member_if("profile", info.profile)
      .member_if("driver", info.driver)
      .member("quantity", info.quantity->name)
      .member("domain", info.quantity->domain)
      .member("unit", info.quantity->unit)
      .member("decimals", info.quantity->decimals)
      .member("kind", name(info.quantity->kind))
      .member("labelInd", info.label->ind)
      .member("labelEng", info.label->eng)
      .member("intervalMs", info.interval_ms)
      .member_if("rangeLow", info.range_low)
      .member_if("rangeHigh", info.range_high)
      .member_if("detectionLimit", info.detection_limit)
      .member_if("calibrationDate", info.calibrated->date)
      .member_if("calibrationDue", info.calibrated->due)
      .member_if("calibratedBy", info.calibrated->person)
      .member_if("calibrationNote", info.calibrated->note)
      .member_if("correction", info.correction);
  if (!info.from.empty()) {
    json.key("from").begin_array();
    for (const std::string& id : info.from) json.value(id);
    json.end_array();
  }
  if (sensor.maintenance) {
    const MaintenanceNow& work = *sensor.maintenance;
    json.key("maintenance")
        .begin_object()
        .member("fromMs", work.from_ms)
        .member("untilMs", work.until_ms)
        .member("until", format_local(work.until_ms, now.gateway.zone))
        .member_if("person", work.person)
        .member_if("note", work.note)
        .end_object();
  }
  if (sensor.newest) {
    json.key("newest").begin_object();
    write_newest(json, now, sensor);
    json.member("time", format_local(sensor.newest->time_ms, now.gateway.zone)).end_object();
  }
  const FlagCounts& counts = sensor.counts;
  json.key("counts")
      .begin_object()
      .member("good", counts.good)
      .member("notEvaluated", counts.not_evaluated)
      .member("suspect", counts.suspect)
      .member("bad", counts.bad)
      .member("missing", counts.missing)
      .member("reflagged", sensor.reflagged)
      .end_object()
      .end_object();
}

std::string finish(Json& json) {
  return json.take() + "\n";
}

}  // namespace

std::string_view name(QuantityKind kind) {
  switch (kind) {
    case QuantityKind::gauge:
      return "gauge";
    case QuantityKind::totaliser:
      return "totaliser";
    case QuantityKind::state:
      return "state";
    case QuantityKind::direction:
      return "direction";
    case QuantityKind::event:
      return "event";
  }
  return "gauge";
}

void write_raw(Json& json, std::string_view key, const Raw& raw) {
  if (raw.is_integer)
    json.member(key, raw.integer);
  else
    json.member(key, raw.number);
}

std::string health_document() {
  Json json;
  json.begin_object().member("status", "pass").end_object();
  return finish(json);
}

std::string readiness_document(const Snapshot& now) {
  Json json;
  json.begin_object();
  write_readiness(json, now);
  json.end_object();
  return finish(json);
}

std::string status_document(const Snapshot& now) {
  Json json;
  json.begin_object();
  write_gateway(json, now);
  write_readiness(json, now);
  write_drivers(json, now);
  write_uplinks(json, now);
  write_store(json, now.store);
  json.member("ledgerDifference", balance(now).difference())
      .member("sensors", now.sensors.size())
      .key("loop")
      .begin_object()
      .member("turns", now.loop.turns)
      .member("lastLagSeconds", now.loop.last_lag_seconds)
      .member("worstLagSeconds", now.loop.worst_lag_seconds)
      .member("residentBytes", now.loop.resident_bytes)
      .member("cpuSeconds", now.loop.cpu_seconds)
      .end_object()
      .key("notes")
      .begin_array();
  for (const Note& note : now.notes)
    json.begin_object()
        .member("timeMs", note.time_ms)
        .member("level", note.level)
        .member("text", note.text)
        .member("kind", note.about.kind)
        .member("subject", note.about.subject)
        .member("state", note.about.state)
        .member("detail", note.about.detail)
        .end_object();
  json.end_array().end_object();
  return finish(json);
}

std::string ledger_document(const Snapshot& now) {
  const StoreNow& store = now.store;
  Balance sheet = balance(now);
  Json json;
  json.begin_object().member("stream", now.gateway.stream).key("readings").begin_object();
  json.member("taken", store.taken).member("stored", store.stored);
  write_counts(json, "rejected", store.rejected);
  json.member("waitingForCommit", store.waiting_readings).member("folded", store.folded);
  json.member("waitingToBeFolded", sheet.to_fold);
  write_counts(json, "notFolded", store.not_folded);
  json.member("difference", sheet.readings).member("foldingDifference", sheet.folding).end_object();
  json.key("sensors").begin_array();
  for (std::size_t i = 0; i < now.ledger.size(); ++i) {
    const SensorLedger& one = now.ledger[i];
    json.begin_object()
        .member("sensor", one.sensor)
        .member("quantity", one.quantity)
        .member("unit", one.unit)
        .member("configured", one.configured)
        .member("taken", one.taken)
        .member("stored", one.stored);
    write_counts(json, "rejected", one.rejected);
    json.member("waitingForCommit", one.waiting)
        .member("folded", one.folded)
        .member("waitingToBeFolded", one.to_fold);
    write_counts(json, "notFolded", one.not_folded);
    json.member("difference", sheet.sensors[i].readings)
        .member("foldingDifference", sheet.sensors[i].folding)
        .end_object();
  }
  json.end_array();
  json.key("messages").begin_object();
  for (std::size_t i = 0; i < now.uplinks.size(); ++i) {
    const UplinkNow& uplink = now.uplinks[i];
    json.key(uplink.name)
        .begin_object()
        .member("made", uplink.made)
        .member("acknowledged", uplink.acknowledged)
        .member("waiting", uplink.waiting)
        .member("refused", uplink.refused)
        .member("dropped", uplink.dropped)
        .member("filtered", uplink.filtered)
        .member("difference", sheet.messages[i]);
    write_counts(json, "refusedFor", uplink.refused_for);
    write_counts(json, "droppedFor", uplink.dropped_for);
    json.end_object();
  }
  json.end_object();
  json.key("events")
      .begin_object()
      .member("taken", now.events.taken)
      .member("stored", now.events.stored)
      .member("waiting", now.events.waiting);
  write_counts(json, "refused", now.events.refused);
  json.member("difference", sheet.events).end_object();
  const JournalNow& journal = now.journal;
  json.key("journal")
      .begin_object()
      .member("on", journal.on)
      .member("trouble", journal.trouble)
      .member("bytes", journal.bytes)
      .member("restored", journal.restored)
      .member("damaged", journal.damaged)
      .member("foreign", journal.foreign)
      .member("uncovered", journal.uncovered)
      .end_object()
      .member("sumDifference", sheet.sum)
      .member("difference", sheet.difference())
      .end_object();
  return finish(json);
}

std::string sensors_document(const Snapshot& now) {
  Json json;
  json.begin_object().member("nowMs", now.now_ms).key("sensors").begin_array();
  for (const SensorNow& sensor : now.sensors) write_sensor(json, now, sensor);
  json.end_array().end_object();
  return finish(json);
}

std::string indicators_document(const Snapshot& now) {
  Json json;
  json.begin_object().member("nowMs", now.now_ms).key("indicators").begin_array();
  for (const std::string& body : now.indicators) {
    if (body.empty()) continue;
    if (auto text = wire::to_json(MessageKind::indicator, body)) json.document(*text);
  }
  json.end_array().end_object();
  return finish(json);
}

std::string sensor_document(const Snapshot& now, const SensorNow& sensor) {
  Json json;
  write_sensor(json, now, sensor);
  return finish(json);
}

std::string reading_event(const Snapshot& now, const SensorNow& sensor) {
  Json json;
  json.begin_object().member("sensor", sensor.info->id).member("unit", sensor.info->quantity->unit);
  write_newest(json, now, sensor);
  json.end_object();
  return json.take();
}

std::string state_digest(const Snapshot& now) {
  Json json;
  json.begin_array().value(now.gateway.config_hash).value(name(now.clock));
  for (const DriverNow& driver : now.drivers)
    json.value(driver.name)
        .value(driver.state)
        .value(driver.restarts)
        .value(driver.last_error)
        .value(delivers(now, driver));
  for (const UplinkNow& uplink : now.uplinks)
    json.value(uplink.name)
        .value(uplink.connected)
        .value(uplink.reason)
        .value(uplink.waiting > 0)
        .value(uplink.host_restarts);
  json.value(now.store.degraded).value(now.store.damaged).value(now.store.trouble);
  json.value(now.sensors.size()).end_array();
  return json.take();
}

const SensorNow* find_sensor(const Snapshot& now, std::string_view id) {
  for (const SensorNow& sensor : now.sensors)
    if (sensor.info->id == id) return &sensor;
  return nullptr;
}

}  // namespace gerbang::http
