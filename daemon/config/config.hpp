// SPDX-License-Identifier: Apache-2.0
//
// A checked configuration: plain values, defaults filled in, units resolved. Nothing here knows
// TOML. Made by load() (load.hpp); constant afterwards.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "alarm/rule.hpp"
#include "core/driver_schema.hpp"
#include "core/quantity.hpp"
#include "core/reading.hpp"
#include "core/shared.hpp"
#include "indicator/window.hpp"
#include "quality/formula.hpp"
#include "quality/relation.hpp"
#include "quality/rules.hpp"

namespace gerbang::config {

using Milliseconds = std::chrono::milliseconds;

// Where something was written; lines and columns count from 1.
struct Place {
  std::string file;
  unsigned line = 1, column = 1;
};

// From this instant on local time is UTC + offset_s, and people call it `abbreviation` ("WITA").
struct ZoneSpan {
  std::int64_t utc_from_ms = 0;
  std::int32_t offset_s = 0;
  std::string abbreviation;
  friend bool operator==(const ZoneSpan&, const ZoneSpan&) = default;
};
using Zone = std::vector<ZoneSpan>;  // ascending from 2000-01-01, never empty; the first also holds
                                     // before it, the last for ever

// A secret from a file or a systemd credential. Never printed, hashed or logged; only its path is.
struct Secret {
  std::string written;         // as in the configuration: "credential:mqtt-password"
  std::filesystem::path path;  // resolved
  std::string value;           // content without the final line break
};

struct Gateway {
  std::string id, region, site, site_kind, timezone;
  std::string language;                       // "ind" or "eng"
  std::optional<double> latitude, longitude;  // degrees; both or neither
};

struct Store {
  std::filesystem::path path;
  Milliseconds commit_interval{};
  std::uint64_t max_size = 0, min_free = 0;  // bytes
  Milliseconds keep_readings{};
  std::map<std::int64_t, Milliseconds> keep_aggregates;  // window ms → how long; every window
};

struct Http {
  std::string address;     // numeric: "127.0.0.1", "::1"
  std::uint16_t port = 0;  // 0: the kernel chooses
  bool loopback = true;
  bool anonymous = false;
  std::optional<Secret> token;
};

struct Windows {
  std::vector<std::int64_t>
      lengths_ms;  // ascending, each divides the next; 86400000 is the local day
  Milliseconds grace{};
};

enum class TimeTrust : std::uint8_t { ntp, rtc };
struct Time {
  Milliseconds hold{};
  TimeTrust trust = TimeTrust::ntp;
};

struct Forward {
  bool readings = false;
};

enum class Format : std::uint8_t { protobuf, json };
enum class MqttVersion : std::uint8_t { v3_1_1 = 4, v5 = 5 };

struct Uplink {
  std::string name;
  std::string host;  // name or address, IPv6 without brackets
  std::uint16_t port = 0;
  bool tls = false;
  Format format = Format::protobuf;
  std::string root;
  std::vector<std::string> topics;  // filters below the gateway's topic; match "state" and "gap"
  unsigned in_flight = 0;
  unsigned backlog_rate = 0;  // messages per second, 0: no limit
  MqttVersion mqtt_version = MqttVersion::v5;
  std::string client_id, username;  // defaults filled in; empty user name: none is sent
  std::optional<Secret> password;
  std::filesystem::path ca_file, certificate_file, key_file;  // resolved; empty: not given
  Place place;
};

struct Driver {
  std::string name, plugin;
  Milliseconds interval{};  // of its sensors, where they do not say their own; 0: unknown (push)
  OptionValues options;
  DriverSchema schema;
  Place place;
};

struct Range {
  std::optional<double> low, high;  // in the quantity's unit; at least one
  friend bool operator==(const Range&, const Range&) = default;
};

// A box whose sensors come from a profile.
struct Device {
  std::string id, profile;
  Label label;  // both empty: none
  Place place;
};

inline constexpr std::size_t kNoDriver = SIZE_MAX;

struct Sensor {
  std::string id;
  std::string device, profile;  // of a sensor that belongs to a Device, else empty
  std::size_t driver = 0;       // index in Config::drivers; kNoDriver: computed
  Shared<Quantity> quantity;
  std::string unit;  // of the number after scale and offset, as written
  Calibration calibration;
  Shared<Label> label;
  std::optional<Range> range;
  std::optional<std::uint64_t> wrap;  // totaliser: the raw count after which it starts again at 0
  bool count_suspect = false;         // suspect readings are in its windows' statistics and capture
  Shared<quality::Rules> rules;       // with the defaults, and `range`
  std::vector<quality::Relation> relations;  // of this one to others, by their places
  Shared<Calibrated> calibrated;
  std::string correction;  // its name; empty: it is read
  // Computed from the sensors at these places before it; else null.
  std::shared_ptr<const quality::Formula> formula;
  std::vector<std::size_t> from;
  std::string formerly;  // the removed id whose history goes on here, or empty
  Milliseconds interval{};
  OptionValues address;
  Place place;
};

// Milliseconds between the readings that are expected of it; 0: nothing is, since it tells events
// or its device speaks by itself and nobody said how often.
inline std::int64_t expected_every(const Sensor& sensor) {
  return sensor.quantity->kind == QuantityKind::event ? 0 : sensor.interval.count();
}

struct Indicator {
  struct Input {
    std::string quantity;
    std::size_t sensor = 0;  // index in Config::sensors
  };
  std::string id;
  Label label;
  std::shared_ptr<const indicator::Standard> standard;  // never null; with the site's own limits
  indicator::Averaging averaging;
  indicator::Threshold threshold;
  std::vector<Input> inputs;
  Place place;
};

struct Alarm {
  std::string id;
  alarm::Watch watch = alarm::Watch::reading;
  std::optional<std::size_t> sensor;   // index in Config::sensors
  std::string source;                  // of an indicator or a condition: its name
  std::optional<double> above, below;  // in the quantity's unit
  bool inclusive = false;              // already at the threshold
  double hysteresis = 0;
  std::int64_t window_ms = 0;
  std::string statistic;  // of a window: "mean", "minimum", "maximum" or "delta"
  Milliseconds span{}, hold{}, release{};
  bool suspect = false;  // quality: suspect is enough
  std::vector<std::string> categories;
  std::string severity;  // "info", "warning", "high" or "critical"
  Label text, advice;
  bool built_in = false;
  Place place;
};

struct Alarms {
  bool built_in = true;
  std::vector<std::string> off;  // which of those are not
  unsigned flap_count = 0;
  Milliseconds flap_period{};
  Label flapping;          // what is said of one that flaps; {text} stands for its own
  std::vector<Alarm> all;  // those of the file, then those built in
};

struct Config {
  Gateway gateway;
  Store store;
  Http http;
  Windows windows;
  Time time;
  Forward forward;
  std::vector<Uplink> uplinks;
  std::vector<Driver> drivers;
  std::vector<Device> devices;
  std::vector<Sensor> sensors;
  Alarms alarms;
  std::vector<Indicator> indicators;
  Zone zone;
  std::vector<std::string> files;  // what was read, the main file first
  std::set<std::string> written;   // the keys in them: see written.hpp
  // 16 hex digits over settings_of(): equal hashes mean equal behaviour.
  std::string hash;
};

}  // namespace gerbang::config
