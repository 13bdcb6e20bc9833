// SPDX-License-Identifier: Apache-2.0
//
// From what was counted on a line to what a technician should look at. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/reading.hpp"

namespace gerbang::ctl {

// Requests to one device.
struct DeviceCounts {
  std::string device;                       // as the driver names it: "unit-3"
  std::map<Reason, std::uint64_t> results;  // Reason::none: good answers
  std::uint64_t microseconds = 0;           // sum over the good answers
  std::uint32_t slowest_us = 0;

  std::uint64_t of(Reason reason) const {
    const auto found = results.find(reason);
    return found == results.end() ? 0 : found->second;
  }
  std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const auto& [reason, count] : results) sum += count;
    return sum;
  }
  bool answers() const { return of(Reason::none) > 0 || of(Reason::exception) > 0; }
};

struct SensorFacts {
  std::string id;
  Flag flag = Flag::not_evaluated;  // of its newest reading
  Reason reason = Reason::none;
  std::string device{};  // which answered, as in DeviceCounts; empty: not known
};

// One [[driver]] and all that is known of it.
struct LineFacts {
  enum class Kind : std::uint8_t { network, serial, other };
  Kind kind = Kind::other;
  std::vector<std::string> said;  // what the driver complained of, the newest last
  std::vector<DeviceCounts> devices;
  std::vector<SensorFacts> sensors;
};

struct Advice {
  std::string_view code;  // stable, for programs: "crc_always"
  std::string text;
};

// What to check, the most likely cause first; empty: nothing is wrong. language: ind or eng.
std::vector<Advice> advise(const LineFacts& line, std::string_view language);

// "unit 3" of "unit-3".
std::string device_label(std::string_view device);

}  // namespace gerbang::ctl
