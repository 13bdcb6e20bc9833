// SPDX-License-Identifier: Apache-2.0
#include "http/metrics.hpp"

#include <cmath>
#include <concepts>
#include <cstdlib>
#include <initializer_list>
#include <map>
#include <string_view>
#include <utility>

#include "http/json.hpp"
#include "http/judge.hpp"

namespace gerbang::http {
namespace {

using Label = std::pair<std::string_view, std::string_view>;

class Text {
 public:
  // Samples until the next family belong to this one.
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    out_.append("# HELP ").append(name).append(" ").append(help);
    out_.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
  }

  void sample(std::initializer_list<Label> labels, double value, std::string_view suffix = {}) {
    line(labels, suffix,
         std::isnan(value)   ? "NaN"
         : std::isinf(value) ? (value > 0 ? "+Inf" : "-Inf")
                             : number_text(value));
  }
  template <std::integral T>
  void sample(std::initializer_list<Label> labels, T value, std::string_view suffix = {}) {
    line(labels, suffix, std::to_string(value));
  }

  std::string take() { return std::move(out_); }

 private:
  void line(std::initializer_list<Label> labels, std::string_view suffix,
            const std::string& value) {
    out_.append(name_).append(suffix);
    char separator = '{';
    for (const auto& [key, text] : labels) {
      out_ += separator;
      separator = ',';
      out_.append(key).append("=\"");
      for (char c : clean_utf8(text)) {
        if (c == '\\' || c == '"') out_ += '\\';
        if (c == '\n')
          out_ += "\\n";
        else
          out_ += c;
      }
      out_ += '"';
    }
    if (separator == ',') out_ += '}';
    out_.append(" ").append(value).append("\n");
  }

  std::string_view name_;
  std::string out_;
};

double seconds(std::int64_t ms) {
  return static_cast<double>(ms) / 1000;
}

void write_gateway(Text& text, const Snapshot& now) {
  text.family("gerbang_build_info", "gauge", "Version of the daemon; always 1.");
  text.sample({{"version", now.gateway.version}, {"commit", now.gateway.commit}}, 1);
  text.family("gerbang_start_time_seconds", "gauge", "When the daemon started, Unix time.");
  text.sample({}, seconds(now.gateway.started_ms));
  text.family("gerbang_clock_trusted", "gauge", "1 if the wall clock is synchronised or held.");
  text.sample({}, now.clock == ClockTrust::trusted ? 1 : 0);
  text.family("gerbang_loop_lag_seconds", "gauge", "How late the last tick of the loop was.");
  text.sample({}, now.loop.last_lag_seconds);
  text.family("gerbang_loop_worst_lag_seconds", "gauge", "The latest tick since the start.");
  text.sample({}, now.loop.worst_lag_seconds);
  text.family("gerbang_loop_turns_total", "counter", "Ticks of the loop.");
  text.sample({}, now.loop.turns);
  text.family("process_resident_memory_bytes", "gauge", "Resident memory of the daemon alone.");
  text.sample({}, now.loop.resident_bytes);
  text.family("process_cpu_seconds_total", "counter", "CPU time of the daemon alone.");
  text.sample({}, now.loop.cpu_seconds);
}

void write_sensors(Text& text, const Snapshot& now) {
  text.family("gerbang_sensor_value", "gauge",
              "Newest value in the unit of the quantity; absent while it is bad or missing.");
  for (const SensorNow& sensor : now.sensors) {
    if (!sensor.newest || !sensor.newest->value) continue;
    if (sensor.newest->flag == Flag::bad || sensor.newest->flag == Flag::missing) continue;
    text.sample({{"sensor", sensor.info->id},
                 {"quantity", sensor.info->quantity->name},
                 {"unit", sensor.info->quantity->unit}},
                *sensor.newest->value);
  }
  text.family(
      "gerbang_sensor_flag", "gauge",
      "Quality of the newest reading: 1 good, 2 not evaluated, 3 suspect, 4 bad, 9 missing.");
  for (const SensorNow& sensor : now.sensors)
    if (sensor.newest)
      text.sample({{"sensor", sensor.info->id}}, static_cast<unsigned>(sensor.newest->flag));
  text.family("gerbang_sensor_last_reading_timestamp_seconds", "gauge",
              "When the newest reading was taken, Unix time.");
  for (const SensorNow& sensor : now.sensors)
    if (sensor.newest) text.sample({{"sensor", sensor.info->id}}, seconds(sensor.newest->time_ms));
  text.family("gerbang_readings_total", "counter", "Readings by quality flag.");
  for (const SensorNow& sensor : now.sensors) {
    const FlagCounts& counts = sensor.counts;
    std::string_view id = sensor.info->id;
    text.sample({{"sensor", id}, {"flag", "good"}}, counts.good);
    text.sample({{"sensor", id}, {"flag", "not_evaluated"}}, counts.not_evaluated);
    text.sample({{"sensor", id}, {"flag", "suspect"}}, counts.suspect);
    text.sample({{"sensor", id}, {"flag", "bad"}}, counts.bad);
    text.sample({{"sensor", id}, {"flag", "missing"}}, counts.missing);
  }
  text.family("gerbang_readings_reflagged_total", "counter",
              "Readings that a later test found to be worse than they were counted as.");
  for (const SensorNow& sensor : now.sensors)
    text.sample({{"sensor", sensor.info->id}}, sensor.reflagged);
  text.family("gerbang_sensor_maintenance", "gauge", "1 while people work on the sensor.");
  for (const SensorNow& sensor : now.sensors)
    text.sample({{"sensor", sensor.info->id}}, sensor.maintenance ? 1 : 0);
}

void write_drivers(Text& text, const Snapshot& now) {
  text.family("gerbang_driver_up", "gauge", "1 while the driver runs without trouble.");
  for (const DriverNow& driver : now.drivers)
    text.sample({{"driver", driver.name}}, driver.state == "running" ? 1 : 0);
  text.family("gerbang_driver_delivers", "gauge", "1 while at least one sensor has a fresh value.");
  for (const DriverNow& driver : now.drivers)
    text.sample({{"driver", driver.name}}, delivers(now, driver) ? 1 : 0);
  text.family("gerbang_driver_restarts_total", "counter", "Restarts of the driver's process.");
  for (const DriverNow& driver : now.drivers)
    text.sample({{"driver", driver.name}}, driver.restarts);
  // The driver is a label too: two lines may each have a unit 3.
  text.family("gerbang_device_requests_total", "counter", "Exchanges with a device by result.");
  for (const DriverNow& driver : now.drivers)
    for (const DeviceCounts& device : driver.devices)
      for (const auto& [result, count] : device.results)
        text.sample({{"driver", driver.name}, {"device", device.device}, {"result", result}},
                    count);
  text.family("gerbang_device_last_answer_timestamp_seconds", "gauge",
              "When the device last answered, Unix time; absent if it never did.");
  for (const DriverNow& driver : now.drivers)
    for (const DeviceCounts& device : driver.devices)
      if (device.last_answer_ms > 0)
        text.sample({{"driver", driver.name}, {"device", device.device}},
                    seconds(device.last_answer_ms));
  text.family("gerbang_device_round_trip_seconds", "gauge",
              "How long answers take: half of the last ones (p50), 95 of 100 (p95), the longest.");
  for (const DriverNow& driver : now.drivers)
    for (const DeviceCounts& device : driver.devices) {
      if (device.p50_us == 0) continue;
      const std::pair<std::string_view, std::uint32_t> parts[] = {
          {"p50", device.p50_us}, {"p95", device.p95_us}, {"maximum", device.slowest_us}};
      for (const auto& [part, us] : parts)
        text.sample({{"driver", driver.name}, {"device", device.device}, {"part", part}}, us / 1e6);
    }
}

void write_uplinks(Text& text, const Snapshot& now) {
  text.family("gerbang_uplink_connected", "gauge", "1 while the broker answers.");
  for (const UplinkNow& uplink : now.uplinks)
    text.sample({{"uplink", uplink.name}}, uplink.connected ? 1 : 0);
  text.family("gerbang_uplink_waiting_messages", "gauge", "Messages not yet acknowledged.");
  for (const UplinkNow& uplink : now.uplinks)
    text.sample({{"uplink", uplink.name}}, uplink.waiting);
  text.family("gerbang_uplink_oldest_waiting_timestamp_seconds", "gauge",
              "When the oldest waiting message was made, Unix time; absent if none waits.");
  for (const UplinkNow& uplink : now.uplinks)
    if (uplink.oldest_waiting_ms > 0)
      text.sample({{"uplink", uplink.name}}, seconds(uplink.oldest_waiting_ms));
  text.family("gerbang_uplink_unheard_total", "counter",
              "Messages that the broker took while nobody was subscribed.");
  for (const UplinkNow& uplink : now.uplinks)
    text.sample({{"uplink", uplink.name}}, uplink.unheard);
  text.family("gerbang_uplink_volatile_total", "counter",
              "Windows that went out from memory while the store could not be written.");
  for (const UplinkNow& uplink : now.uplinks) {
    text.sample({{"uplink", uplink.name}, {"outcome", "sent"}}, uplink.volatile_sent);
    text.sample({{"uplink", uplink.name}, {"outcome", "missed"}}, uplink.volatile_missed);
  }
  text.family("gerbang_uplink_messages_total", "counter",
              "Messages by what became of them, since the stream began.");
  for (const UplinkNow& uplink : now.uplinks) {
    text.sample({{"uplink", uplink.name}, {"outcome", "acknowledged"}}, uplink.acknowledged);
    text.sample({{"uplink", uplink.name}, {"outcome", "refused"}}, uplink.refused);
    text.sample({{"uplink", uplink.name}, {"outcome", "dropped"}}, uplink.dropped);
    text.sample({{"uplink", uplink.name}, {"outcome", "filtered"}}, uplink.filtered);
  }
  text.family("gerbang_uplink_host_restarts_total", "counter", "Restarts of the uplink's process.");
  for (const UplinkNow& uplink : now.uplinks)
    text.sample({{"uplink", uplink.name}}, uplink.host_restarts);
}

void write_store(Text& text, const StoreNow& store) {
  text.family("gerbang_store_bytes", "gauge", "Size of the store's files.");
  text.sample({}, store.bytes);
  text.family("gerbang_store_cap_bytes", "gauge", "Size that the files never exceed.");
  text.sample({}, store.cap);
  text.family("gerbang_store_degraded", "gauge", "1 while readings cannot be made durable.");
  text.sample({}, store.degraded ? 1 : 0);
  text.family("gerbang_store_damaged", "gauge", "1 after a damaged file was set aside.");
  text.sample({}, store.damaged ? 1 : 0);
  text.family("gerbang_store_commit_seconds", "summary", "How long commits take.");
  text.sample({}, store.commit_seconds_sum, "_sum");
  text.sample({}, store.commits, "_count");
  text.family("gerbang_store_worst_commit_seconds", "gauge", "The slowest commit.");
  text.sample({}, store.commit_seconds_max);
  text.family("gerbang_store_waiting_readings", "gauge", "Readings that wait for a commit.");
  text.sample({}, store.waiting_readings);
  text.family("gerbang_store_reopened_total", "counter",
              "Times that the file was opened again after an I/O error.");
  text.sample({}, store.reopened);
  text.family("gerbang_store_salvaged_total", "counter",
              "Brought over from files that were set aside.");
  for (const auto& [what, count] : store.salvaged) text.sample({{"what", what}}, count);
  text.family("gerbang_store_expired_total", "counter",
              "History that went: its time was over, or it made room.");
  for (const auto& [what, count] : store.expired) text.sample({{"what", what}}, count);
}

// Eight lines a configured sensor; those that left count together.
void write_sensor_ledger(Text& text, const Snapshot& now, const Balance& sheet) {
  struct Line {
    std::uint64_t taken = 0, stored = 0, rejected = 0, folded = 0, not_folded = 0;
    std::uint64_t to_commit = 0, to_fold = 0;
    std::int64_t difference = 0;
  };
  std::map<std::pair<std::string, std::string>, Line> lines;  // sensor, quantity
  for (std::size_t i = 0; i < now.ledger.size(); ++i) {
    const SensorLedger& one = now.ledger[i];
    Line& line = one.configured ? lines[{one.sensor, one.quantity}] : lines[{"", ""}];
    line.taken += one.taken;
    line.stored += one.stored;
    for (const auto& [reason, count] : one.rejected) line.rejected += count;
    line.folded += one.folded;
    for (const auto& [reason, count] : one.not_folded) line.not_folded += count;
    line.to_commit += one.waiting;
    line.to_fold += one.to_fold;
    line.difference += std::abs(sheet.sensors[i].readings) + std::abs(sheet.sensors[i].folding);
  }
  text.family("gerbang_ledger_sensor_readings_total", "counter",
              "Readings of a sensor by stage, since the stream began.");
  for (const auto& [of, line] : lines) {
    const std::pair<std::string_view, std::uint64_t> stages[] = {{"taken", line.taken},
                                                                 {"stored", line.stored},
                                                                 {"rejected", line.rejected},
                                                                 {"folded", line.folded},
                                                                 {"not_folded", line.not_folded}};
    for (const auto& [stage, count] : stages)
      text.sample({{"sensor", of.first}, {"quantity", of.second}, {"stage", stage}}, count);
  }
  text.family("gerbang_ledger_sensor_waiting_readings", "gauge",
              "Readings of a sensor that wait for a commit, or for their window to close.");
  for (const auto& [of, line] : lines) {
    text.sample({{"sensor", of.first}, {"quantity", of.second}, {"for", "commit"}}, line.to_commit);
    text.sample({{"sensor", of.first}, {"quantity", of.second}, {"for", "folding"}}, line.to_fold);
  }
  text.family("gerbang_ledger_sensor_difference", "gauge",
              "What the ledger of a sensor cannot account for; anything but 0 is a defect.");
  for (const auto& [of, line] : lines)
    text.sample({{"sensor", of.first}, {"quantity", of.second}}, line.difference);
}

void write_alarms(Text& text, const Snapshot& now) {
  text.family("gerbang_alarm_active", "gauge",
              "1: the alarm is raised, or suppressed because it flaps.");
  for (const AlarmNow& alarm : now.alarms)
    text.sample({{"id", alarm.info->id}, {"severity", alarm.info->severity}},
                alarm.active() ? 1 : 0);
}

void write_ledger(Text& text, const Snapshot& now) {
  const StoreNow& store = now.store;
  text.family("gerbang_ledger_readings_total", "counter",
              "Readings by stage, since the stream began.");
  text.sample({{"stage", "taken"}}, store.taken);
  text.sample({{"stage", "stored"}}, store.stored);
  text.sample({{"stage", "folded"}}, store.folded);
  text.family("gerbang_ledger_rejected_total", "counter",
              "Readings that were not stored, by reason; repeated: still missing.");
  for (const auto& [reason, count] : store.rejected) text.sample({{"reason", reason}}, count);
  text.family("gerbang_ledger_not_folded_total", "counter",
              "Stored readings that no window took, by reason.");
  for (const auto& [reason, count] : store.not_folded) text.sample({{"reason", reason}}, count);
  Balance sheet = balance(now);
  text.family("gerbang_ledger_waiting_readings", "gauge",
              "Readings that wait for a commit, or for their window to close.");
  text.sample({{"for", "commit"}}, store.waiting_readings);
  text.sample({{"for", "folding"}}, sheet.to_fold);
  text.family("gerbang_ledger_difference", "gauge",
              "What the ledger cannot account for; anything but 0 is a defect.");
  text.sample({}, sheet.difference());
  text.family("gerbang_events_total", "counter",
              "Events (weighings, maintenance, steps of the clock) since the stream began.");
  text.sample({{"state", "taken"}}, now.events.taken);
  text.sample({{"state", "stored"}}, now.events.stored);
  text.family("gerbang_events_refused_total", "counter", "Events that were refused, by reason.");
  for (const auto& [reason, count] : now.events.refused) text.sample({{"reason", reason}}, count);
  write_sensor_ledger(text, now, sheet);
}

void write_journal(Text& text, const JournalNow& journal) {
  text.family("gerbang_journal_on", "gauge",
              "1 if readings that wait for a commit survive the death of the process.");
  text.sample({}, journal.on ? 1 : 0);
  text.family("gerbang_journal_bytes", "gauge", "Bytes of the journal that wait for a commit.");
  text.sample({}, journal.bytes);
  text.family("gerbang_journal_restored_readings", "gauge",
              "Readings of a killed process that were stored at the start.");
  text.sample({}, journal.restored);
  text.family("gerbang_journal_damaged_records", "gauge",
              "Records of the journal that could not be read at the start.");
  text.sample({}, journal.damaged);
  text.family("gerbang_journal_uncovered_readings_total", "counter",
              "Readings that were taken while the journal had no room for them.");
  text.sample({}, journal.uncovered);
}

void write_http(Text& text, const HttpNow& http) {
  text.family("gerbang_http_connections", "gauge", "Open HTTP connections.");
  text.sample({}, http.connections);
  text.family("gerbang_http_streams", "gauge", "Open event streams.");
  text.sample({}, http.streams);
  text.family("gerbang_http_connections_total", "counter",
              "HTTP connections by what became of them.");
  text.sample({{"outcome", "accepted"}}, http.accepted);
  text.sample({{"outcome", "refused"}}, http.refused);
  text.sample({{"outcome", "displaced"}}, http.displaced);
  text.family("gerbang_http_responses_total", "counter", "HTTP responses by status.");
  for (const auto& [status, count] : http.responses)
    text.sample({{"code", std::to_string(status)}}, count);
}

}  // namespace

std::string metrics_text(const Snapshot& now) {
  Text text;
  write_gateway(text, now);
  write_sensors(text, now);
  write_drivers(text, now);
  write_uplinks(text, now);
  write_store(text, now.store);
  write_alarms(text, now);
  write_ledger(text, now);
  write_journal(text, now.journal);
  write_http(text, now.http);
  return text.take();
}

}  // namespace gerbang::http
