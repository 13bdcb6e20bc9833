// SPDX-License-Identifier: Apache-2.0
//
// What the HTTP routes show of the gateway now. The composition root fills it from the modules; a
// route reads nothing else, so no request touches the database or a driver.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/quantity.hpp"
#include "core/reading.hpp"
#include "core/shared.hpp"
#include "core/time_text.hpp"

namespace gerbang::http {

using gerbang::Zone;
using gerbang::ZoneChange;

struct GatewayInfo {
  std::string id, region, site, site_kind;
  std::string timezone;          // "Asia/Makassar"
  std::string language = "ind";  // "ind" or "eng": texts for people
  std::string version, commit;
  std::string boot_id, stream, previous_stream;
  std::string config_hash;
  std::uint32_t config_revision = 0;  // which in a row since the store began; 0: not known
  std::optional<double> latitude, longitude;
  std::int64_t started_ms = 0;
  std::int64_t last_sequence = 0;
  std::vector<std::int64_t> windows_ms;  // configured window lengths, ascending
  Zone zone;
};

// Exchanges of a driver with one device since the driver started: result ("ok", "timeout", "crc")
// → how many.
struct DeviceCounts {
  std::string device;  // as the driver names it: "unit-3"
  std::string id;      // of the [[device]] that it is; empty: none, or several
  std::map<std::string, std::uint64_t> results;
  std::int64_t last_answer_ms = 0;  // UTC; 0: never
  // UTC, since when no request was answered; 0: the last one was.
  std::int64_t silent_since_ms = 0;
  Reason silent_reason = Reason::none;  // how the last one failed
  // Round trips in µs: half, and 95 of 100, of the last few thousand answers took at most so long;
  // the longest since the driver started. 0: not known.
  std::uint32_t p50_us = 0, p95_us = 0, slowest_us = 0;
};

struct DriverNow {
  std::string name, plugin;
  std::string state;     // "running"; else "starting", "trouble", "backing_off", "quarantined", …
  std::int64_t pid = 0;  // of its host process; 0: none
  std::uint64_t restarts = 0;
  std::string last_error;  // what happened last, empty if nothing did
  std::int64_t last_error_ms = 0;
  std::vector<DeviceCounts> devices;
};

struct UplinkNow {
  std::string name;
  bool connected = false;
  std::int64_t since_ms = 0;  // when `connected` last changed
  std::string reason;         // why not connected
  std::uint64_t waiting = 0;
  std::int64_t oldest_waiting_ms = 0;  // 0: nothing waits
  std::int64_t acknowledged_sequence = 0;
  std::uint64_t unheard = 0;  // acknowledged, and the broker said that nobody listens
  std::uint64_t made = 0, acknowledged = 0, refused = 0, dropped = 0, filtered = 0;
  std::map<std::string, std::uint64_t> refused_for, dropped_for;  // reason → messages
  std::uint64_t host_restarts = 0;
  // What windows said while the store could not be written: handed over; no connection.
  std::uint64_t volatile_sent = 0, volatile_missed = 0;
};

// store::Status, and what the fold has open.
struct StoreNow {
  std::uint64_t bytes = 0, cap = 0;
  bool degraded = false;  // readings cannot be made durable now
  bool damaged = false;   // a damaged file was set aside
  std::string trouble;
  std::int64_t oldest_reading_ms = 0;
  std::uint64_t commits = 0;
  double commit_seconds_sum = 0, commit_seconds_max = 0, last_commit_seconds = 0;
  std::uint64_t waiting_readings = 0;
  std::uint64_t reopened = 0;  // after I/O errors
  // Of files that were set aside; what retention and want of room took of history.
  std::map<std::string, std::uint64_t> salvaged, expired;
  std::uint64_t taken = 0, stored = 0, folded = 0;
  std::map<std::string, std::uint64_t> rejected, not_folded;
  // Readings of open windows, if the fold counts them itself: makes the second equation of the
  // ledger a check instead of a definition.
  std::optional<std::uint64_t> to_fold;
};

// How readings that wait for a commit are kept for the case that the process dies.
struct JournalNow {
  bool on = false;
  std::string trouble;
  std::uint64_t bytes = 0, restored = 0, damaged = 0, foreign = 0, uncovered = 0;
};

// The ledger of one series, since the stream began. A sensor that is no longer configured stays.
struct SensorLedger {
  std::string sensor, quantity, unit;  // sensor is empty: readings of no known sensor
  bool configured = false;
  std::uint64_t taken = 0, stored = 0, waiting = 0, folded = 0, to_fold = 0;
  std::map<std::string, std::uint64_t> rejected, not_folded;
};

// Of events since the stream began: taken = stored + refused + waiting.
struct EventsNow {
  std::uint64_t taken = 0, stored = 0, waiting = 0;
  std::map<std::string, std::uint64_t> refused;
};

struct AlarmInfo {
  std::string id, sensor, unit;
  std::string severity;  // "WARNING"
  unsigned rank = 0;     // 1 (info) … 4 (critical)
  Label text, advice;
};

// An alarm of the configuration as it was said last.
struct AlarmNow {
  std::shared_ptr<const AlarmInfo> info;  // never null
  std::string state = "CLEARED";          // "RAISED", "CLEARED", "SUPPRESSED"
  std::uint64_t occurrence = 0;           // 0: it never was raised, the rest is meaningless
  std::optional<double> value, threshold;
  std::int64_t since_ms = 0, cleared_ms = 0;
  ClockTrust clock = ClockTrust::trusted;
  Label flapping;  // what is said instead of the text while it is suppressed

  bool active() const { return state != "CLEARED"; }
};

// What does not change while a configuration runs; shared between snapshots.
struct SensorInfo {
  std::string id, driver;
  std::string device, profile;   // empty: none
  Shared<Quantity> quantity;     // name, domain, unit, decimals, kind
  Shared<Label> label;           // the sensor's own, else the quantity's
  std::int64_t interval_ms = 0;  // 0: event or push sensor
  std::optional<double> range_low, range_high;
  Shared<Calibrated> calibrated;
  std::string correction;         // computed: how; empty: it is read
  std::vector<std::string> from;  // and from which sensors
  std::optional<double> detection_limit;
};

// People work on a sensor: its readings are kept and do not count.
struct MaintenanceNow {
  std::int64_t from_ms = 0, until_ms = 0;
  std::string person, note;
};

struct NewestReading {
  std::optional<double> value;  // in the quantity's unit; none when missing
  std::optional<Raw> raw;
  Flag flag = Flag::missing;
  Reason reason = Reason::none;
  ClockTrust clock = ClockTrust::untrusted;
  std::int64_t time_ms = 0;  // UTC
  std::int64_t boot_ns = 0;  // when it was taken; ages are counted with it
};

// Readings taken since the daemon started, by flag.
struct FlagCounts {
  std::uint64_t good = 0, not_evaluated = 0, suspect = 0, bad = 0, missing = 0;
  std::uint64_t total() const { return good + not_evaluated + suspect + bad + missing; }
};

struct SensorNow {
  std::shared_ptr<const SensorInfo> info;  // never null
  std::optional<NewestReading> newest;
  FlagCounts counts;
  std::uint64_t reflagged = 0;  // of those, what a later test said something worse of
  std::optional<MaintenanceNow> maintenance;
};

struct LoopNow {
  std::uint64_t turns = 0;      // ticks of the supervision timer
  double last_lag_seconds = 0;  // how late the last tick was
  double worst_lag_seconds = 0;
  std::uint64_t resident_bytes = 0;
  double cpu_seconds = 0;
};

// One line of what happened, newest first in Snapshot::notes; the app keeps a few dozen.
struct Note {
  // So that the page can say it in the reader's language (labels.json, "event"); details are
  // what the log says. Without a kind the page shows the text.
  struct About {
    std::string kind;     // "driver", "uplink", "started", "maintenance_begins" …
    std::string subject;  // its name, a sensor's id
    std::string state;    // a driver's state, "connected", "disconnected", a length ("2h")
    std::string detail;
  };
  std::int64_t time_ms = 0;
  std::string level;  // "info", "warning", "error"
  std::string text;   // English
  About about;
};

// The HTTP server's own counters; the server fills them in.
struct HttpNow {
  std::uint64_t connections = 0, streams = 0;              // open now
  std::uint64_t accepted = 0, refused = 0, displaced = 0;  // since start
  std::map<unsigned, std::uint64_t> responses;             // status → how many
};

struct Snapshot {
  std::int64_t now_ms = 0;   // UTC
  std::int64_t boot_ns = 0;  // CLOCK_BOOTTIME
  ClockTrust clock = ClockTrust::untrusted;
  GatewayInfo gateway;
  std::vector<DriverNow> drivers;
  std::vector<UplinkNow> uplinks;
  StoreNow store;
  JournalNow journal;
  std::vector<SensorLedger> ledger;  // empty: not known by sensor
  EventsNow events;
  std::vector<AlarmNow> alarms;  // the order of the configuration
  std::vector<SensorNow> sensors;
  std::vector<std::string> indicators;  // gerbang.v1.Indicator without Source; empty: none yet
  LoopNow loop;
  std::vector<Note> notes;
  HttpNow http;
};

}  // namespace gerbang::http
