// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace gerbang::mqtt {

// Which LoRaWAN uplinks were seen before: a network server tells some twice (two bridges, a
// restart), a broker repeats what was not acknowledged. Memory is bounded; what is forgotten first
// is what is longest ago.
//
// The same `deduplicationId` is the same uplink. Without one, or with another, the same device with
// the same session (devAddr), frame counter and payload is. A counter that stands anew, after a
// rejoin or a change of batteries, begins a new session: counters that go back by more than the
// memory holds, another devAddr, or a known counter with another payload.
class Duplicates {
 public:
  static constexpr std::size_t kIds = 1024;
  static constexpr std::size_t kDevices = 512;
  static constexpr std::size_t kCounters = 16;  // of one device

  // True if it was seen before. Empty texts and a missing counter are not compared.
  bool seen(std::string_view id, std::string_view device, std::string_view session,
            std::optional<std::uint64_t> counter, std::string_view payload);

 private:
  struct Device {
    std::string name, session;
    std::deque<std::pair<std::uint64_t, std::size_t>> frames;  // counter, hash of the payload
  };
  bool id_seen(std::string_view id);
  Device& device_of(std::string_view name);

  std::unordered_set<std::string> ids_;
  std::deque<std::string> id_order_;
  std::list<Device> devices_;  // the latest first
  std::map<std::string, std::list<Device>::iterator, std::less<>> by_name_;
};

}  // namespace gerbang::mqtt
