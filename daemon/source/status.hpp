// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/reading.hpp"
#include "core/round_trips.hpp"

namespace gerbang::source {

enum class DriverState : std::uint8_t {
  starting,      // the process runs and is not yet ready
  running,       // polls
  trouble,       // the process runs; its line is lost or the driver complains
  backing_off,   // ended; started again soon
  quarantined,   // ended too often; tried again every ten minutes
  config_error,  // the operator has to change something; stays until a reload
  stopped,
};

// "running", "backing_off" …
std::string_view name(DriverState state);

// Requests to one device since the driver was added.
struct DeviceStatus {
  std::string device;
  std::uint64_t requests = 0;
  std::map<Reason, std::uint64_t> results;  // Reason::none: good answers
  std::uint64_t microseconds = 0;           // sum over the good answers
  std::uint32_t slowest_us = 0;
  RoundTrips round_trips;                // of the last few thousand good answers
  std::int64_t last_answer_boot_ns = 0;  // 0: never
  // Since when this process had no answer, a refusal being one, and how the last request failed. 0:
  // the last request was answered.
  std::int64_t silent_since_boot_ns = 0;
  Reason silent_reason = Reason::none;

  // Of the good answers; 0 without one.
  std::uint64_t mean_us() const {
    auto good = results.find(Reason::none);
    return good == results.end() || good->second == 0 ? 0 : microseconds / good->second;
  }
};

struct DriverStatus {
  std::string name, plugin;
  std::string version;  // of the plugin, when it has said so
  DriverState state = DriverState::starting;
  std::int64_t since_boot_ms = 0;  // in this state
  std::uint64_t restarts = 0;
  std::string last_error;               // what happened last, also after it was overcome
  std::int64_t last_error_boot_ms = 0;  // 0: nothing did
  pid_t pid = 0;                        // 0: no process
  std::int64_t last_reading_boot_ns = 0;
  std::uint64_t readings = 0;  // given to the sink
  std::uint64_t polls = 0, overruns = 0;
  std::uint64_t log_lines_dropped = 0;
  std::map<std::string, std::uint64_t> rejected;  // readings, by reason
  std::vector<DeviceStatus> devices;              // by name
};

}  // namespace gerbang::source
