// SPDX-License-Identifier: Apache-2.0
//
// What passes between the daemon and a driver host, as values. The only user of driver.proto here.
// Sensors are numbered by their place in DriverSpec::sensors, not by their index in the running
// configuration: so a driver outlives a reload that changes only the others.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/driver_schema.hpp"
#include "core/reading.hpp"
#include "core/result.hpp"
#include "source/spec.hpp"

namespace gerbang::source {

// gerbang_status of driver.h.
enum class Status : std::uint8_t { ok = 0, retry = 1, gone = 2, config = 3 };

struct Hello {
  std::string name, version, load_error;
  std::uint32_t abi_major = 0, abi_minor = 0;
};

struct Ready {};

struct Trouble {
  Status status = Status::ok;
  std::string text;
};

struct Readings {
  std::vector<Reading> all;
};

struct EventField {
  std::string name, unit;
  double value = 0;
};

// A record of named numbers with one time: a weighing.
struct Event {
  std::uint32_t sensor = 0;
  std::string kind, text;
  std::int64_t boot_ns = 0, unix_ns = 0;
  std::vector<EventField> fields;
};

struct LogLine {
  unsigned level = 0;  // gerbang_log_level: debug, info, warning, error
  std::string text;
};

struct Trace {
  bool sent = false;  // true: to the device
  std::string data, device;
  std::int64_t boot_ns = 0;
};

// Requests to one device since the heartbeat before.
struct Exchanges {
  std::string device;
  std::uint64_t requests = 0;
  std::vector<std::pair<Reason, std::uint64_t>> results;  // Reason::none: a good answer
  std::uint64_t microseconds = 0;                         // sum over the good answers
  std::uint32_t slowest_us = 0;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> round_trips;  // bucket, answers
};

struct Heartbeat {
  std::uint64_t polls = 0, overruns = 0;  // since the driver was configured
  std::vector<Exchanges> exchanges;
  std::vector<std::pair<std::string, std::uint64_t>> refused;  // by the host, since the last one
};

struct Done {
  Status status = Status::ok;
  std::string text;
};

// A candidate of a scan.
struct Found {
  std::string toml;  // ready to paste; may be empty when there is only something to say
  std::string note;
};

struct Progress {
  double done = 0;  // 0 to 1
  std::string what;
};

using HostFrame = std::variant<Hello, DriverSchema, Ready, Trouble, Readings, Event, LogLine, Trace,
                               Heartbeat, Done, Found, Progress>;

// Error: no frame of this protocol; the host is broken.
Result<HostFrame> decode_frame(std::string_view payload);

std::string encode_configure(const DriverSpec& spec, bool trace, bool once);
std::string encode_check(const DriverSpec& spec);  // open and close only
std::string encode_stop();
std::string encode_describe();
std::string encode_decode(const OptionValues& options, std::string_view bytes);
std::string encode_scan(const OptionValues& options);

}  // namespace gerbang::source
