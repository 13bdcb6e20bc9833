// SPDX-License-Identifier: Apache-2.0
//
// Short conversations with a driver host, for programs without a loop. Each blocks until the host
// has answered or the deadline has passed; the host is gone when it returns.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/driver_schema.hpp"
#include "core/result.hpp"
#include "source/frames.hpp"
#include "source/spec.hpp"

namespace gerbang::source {

// What comes while a conversation lasts; an empty function: not wanted.
struct Listener {
  std::function<void(const Reading&)> reading;  // sensor: SensorSpec::index
  std::function<void(const Event&)> event;
  std::function<void(const Trace&)> trace;  // raw bytes, in order with the readings they became
  std::function<void(const LogLine&)> log;
  std::function<void(const Heartbeat&)> heartbeat;  // how long requests took
  std::function<void(const Found&)> found;          // of a scan
  std::function<void(const Progress&)> progress;    // of a scan
};

// Polls every sensor once. Done::text names the sensors that did not answer (the host gives them
// 10 s + max_block_ms). Nobody else may hold the line.
Result<Done> read_once(const std::string& host, const DriverSpec& spec, const Listener& listener,
                       std::chrono::nanoseconds deadline);

// Lets the driver take its configuration, without a poll: what it has against it (GERBANG_CONFIG),
// or nothing. Error: it crashed or hung, which says nothing of the configuration. A line that
// somebody else polls is not disturbed, since `open` connects nothing.
Result<std::optional<std::string>> check(
    const std::string& host, const DriverSpec& spec,
    std::chrono::nanoseconds deadline = std::chrono::seconds(5));

// What the driver in this file says of itself.
Result<DriverSchema> describe(const std::string& host, const std::string& plugin_path,
                              std::chrono::nanoseconds deadline = std::chrono::seconds(5));

// The driver's own codec on captured bytes. Readings are numbered 0, 1, 2 … in the order in which
// the driver emits them; status other than ok: refused, text says why.
struct Decoded {
  std::vector<Reading> readings;
  std::vector<Event> events;
  std::vector<LogLine> log;
  Status status = Status::ok;
  std::string text;
};
Result<Decoded> decode(const std::string& host, const std::string& plugin_path,
                       const OptionValues& options, std::string_view bytes,
                       std::chrono::nanoseconds deadline = std::chrono::seconds(5));

// Lets the driver look for devices; what it finds goes to the listener as it comes. When
// interrupted() turns true (asked ten times a second) the driver is told to stop and has ten
// seconds to say what else it knows. Error: the host broke down, or said nothing for `silence`.
Result<Done> scan(const std::string& host, const std::string& plugin_path,
                  const OptionValues& options, const Listener& listener,
                  const std::function<bool()>& interrupted,
                  std::chrono::nanoseconds silence = std::chrono::seconds(60));

}  // namespace gerbang::source
