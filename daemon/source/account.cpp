// SPDX-License-Identifier: Apache-2.0
#include "source/account.hpp"

#include <algorithm>

namespace gerbang::source {
namespace {

// The entry of this name, or of "other" once there are too many.
template <class Value>
std::pair<const std::string, Value>& entry(std::map<std::string, Value>& map,
                                           const std::string& name, std::size_t bound) {
  std::string key = name.substr(0, Account::kMaxName);
  if (map.size() >= bound && map.find(key) == map.end()) key = "other";
  return *map.try_emplace(std::move(key)).first;
}

}  // namespace

std::string_view name(DriverState state) {
  switch (state) {
    case DriverState::starting:
      return "starting";
    case DriverState::running:
      return "running";
    case DriverState::trouble:
      return "trouble";
    case DriverState::backing_off:
      return "backing_off";
    case DriverState::quarantined:
      return "quarantined";
    case DriverState::config_error:
      return "config_error";
    case DriverState::stopped:
      return "stopped";
  }
  return "unknown";
}

void Account::process_started() {
  polls_ += polls_now_;
  overruns_ += overruns_now_;
  polls_now_ = overruns_now_ = 0;
  // It may have other devices; those that it asks say so again.
  for (auto& [name, device] : devices_) device.silent_since_boot_ns = 0;
}

void Account::heartbeat(const Heartbeat& beat, std::int64_t boot_ns) {
  polls_now_ = beat.polls;
  overruns_now_ = beat.overruns;
  for (const Exchanges& said : beat.exchanges) {
    DeviceStatus& device = entry(devices_, said.device, kMaxDevices).second;
    device.requests += said.requests;
    device.microseconds += said.microseconds;
    device.slowest_us = std::max(device.slowest_us, said.slowest_us);
    for (auto& [bucket, times] : said.round_trips) device.round_trips.add(bucket, times);
    // Silence begins with silence alone: a damaged frame or a device's own fault was heard. Noise
    // in its place does not end one.
    bool answered = false, quiet = false;
    Reason failure = Reason::none;
    for (auto& [reason, count] : said.results) {
      if (count == 0) continue;
      device.results[reason] += count;
      if (reason == Reason::none) device.last_answer_boot_ns = boot_ns;
      if (reason == Reason::back_off) continue;  // that one only says that nobody asked
      failure = reason;
      const bool silence = reason == Reason::timeout || reason == Reason::no_connection;
      quiet = quiet || silence;
      answered = answered || !(silence || reason == Reason::crc || reason == Reason::protocol);
    }
    if (answered) {
      device.silent_since_boot_ns = 0;
    } else if (quiet || (failure != Reason::none && device.silent_since_boot_ns != 0)) {
      if (device.silent_since_boot_ns == 0) device.silent_since_boot_ns = boot_ns;
      device.silent_reason = failure;
    }
  }
}

const std::string& Account::rejected(const std::string& reason, std::uint64_t count) {
  auto& counter = entry(rejected_, reason, kMaxReasons);
  counter.second += count;
  return counter.first;
}

void Account::report(DriverStatus& out) const {
  out.polls = polls_ + polls_now_;
  out.overruns = overruns_ + overruns_now_;
  out.rejected = rejected_;
  out.devices.clear();
  for (auto& [device, status] : devices_) {
    out.devices.push_back(status);
    out.devices.back().device = device;
  }
}

}  // namespace gerbang::source
