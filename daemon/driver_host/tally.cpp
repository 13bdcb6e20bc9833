// SPDX-License-Identifier: Apache-2.0
#include "driver_host/tally.hpp"

#include <algorithm>

namespace gerbang::driver_host {

void Tally::add(const std::string& device, unsigned result, std::uint32_t microseconds) {
  auto found = devices_.find(device);
  if (found == devices_.end())
    found = devices_.try_emplace(devices_.size() < kMaxDevices ? device : "other").first;
  Device& entry = found->second;
  ++entry.requests;
  Reason reason = reason_of(result).value_or(Reason::driver);
  ++entry.results.at(static_cast<std::size_t>(reason));
  if (reason != Reason::none) return;
  entry.microseconds += microseconds;
  entry.slowest = std::max(entry.slowest, microseconds);
  // 0: nothing was asked, the device spoke by itself.
  if (microseconds > 0)
    ++entry.round_trips[static_cast<std::uint8_t>(RoundTrips::bucket_of(microseconds))];
}

void Tally::report(host::v1::Heartbeat& out) {
  for (auto& [name, entry] : devices_) {
    if (entry.requests == 0) continue;
    host::v1::Exchanges& copy = *out.add_exchanges();
    copy.set_device(name);
    copy.set_requests(entry.requests);
    for (std::size_t i = 0; i < entry.results.size(); ++i) {
      if (entry.results[i] == 0) continue;
      copy.add_result(static_cast<std::uint32_t>(i));
      copy.add_count(entry.results[i]);
    }
    copy.set_microseconds(entry.microseconds);
    copy.set_slowest_us(entry.slowest);
    for (const auto& [bucket, times] : entry.round_trips) {
      copy.add_bucket(bucket);
      copy.add_times(times);
    }
    entry = Device();
  }
}

}  // namespace gerbang::driver_host
