// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "source/frames.hpp"
#include "source/status.hpp"

namespace gerbang::source {

// Counts over all processes that one driver has had. Bounded: names beyond the bounds count
// together as "other". Pure.
class Account {
 public:
  static constexpr std::size_t kMaxDevices = 512;
  static constexpr std::size_t kMaxReasons = 32;
  static constexpr std::size_t kMaxName = 64;

  void process_started();  // its counters begin at 0 again
  void heartbeat(const Heartbeat& beat, std::int64_t boot_ns);
  // The name it was counted under.
  const std::string& rejected(const std::string& reason, std::uint64_t count);
  void report(DriverStatus& out) const;

 private:
  std::uint64_t polls_ = 0, overruns_ = 0;          // of earlier processes
  std::uint64_t polls_now_ = 0, overruns_now_ = 0;  // of this one
  std::map<std::string, DeviceStatus> devices_;
  std::map<std::string, std::uint64_t> rejected_;
};

}  // namespace gerbang::source
