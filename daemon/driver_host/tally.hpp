// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <host/v1/driver.pb.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "core/reading.hpp"
#include "core/round_trips.hpp"

namespace gerbang::driver_host {

// Requests to devices between two heartbeats. At most kMaxDevices names; the others count together
// as "other". Pure.
class Tally {
 public:
  static constexpr std::size_t kMaxDevices = 256;

  // An unknown reason counts as DRIVER.
  void add(const std::string& device, unsigned result, std::uint32_t microseconds);
  // Moves what was counted into the heartbeat.
  void report(host::v1::Heartbeat& out);

 private:
  struct Device {
    std::array<std::uint32_t, kReasonCount> results{};
    std::uint64_t microseconds = 0;
    std::uint32_t slowest = 0;
    std::uint32_t requests = 0;
    std::map<std::uint8_t, std::uint32_t> round_trips;  // bucket of RoundTrips → answers
  };
  std::map<std::string, Device> devices_;  // kept between heartbeats: the names stay the same
};

}  // namespace gerbang::driver_host
