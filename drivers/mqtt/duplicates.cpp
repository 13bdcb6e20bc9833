// SPDX-License-Identifier: Apache-2.0
#include "duplicates.hpp"

#include <algorithm>
#include <functional>

namespace gerbang::mqtt {

bool Duplicates::seen(std::string_view id, std::string_view device, std::string_view session,
                      std::optional<std::uint64_t> counter, std::string_view payload) {
  if (!id.empty() && id_seen(id)) return true;
  if (device.empty() || !counter) return false;
  Device& known = device_of(device);
  if (known.session != session) {
    known.session = session;
    known.frames.clear();
  }
  const std::size_t hash = std::hash<std::string_view>()(payload);
  const auto same = std::find_if(known.frames.begin(), known.frames.end(),
                                 [&](const auto& frame) { return frame.first == *counter; });
  if (same != known.frames.end()) {
    if (same->second == hash) return true;
    known.frames.clear();
  } else if (!known.frames.empty() && *counter + kCounters < known.frames.back().first) {
    known.frames.clear();
  }
  known.frames.emplace_back(*counter, hash);
  if (known.frames.size() > kCounters) known.frames.pop_front();
  return false;
}

bool Duplicates::id_seen(std::string_view id) {
  if (!ids_.emplace(id).second) return true;
  id_order_.emplace_back(id);
  if (id_order_.size() > kIds) {
    ids_.erase(id_order_.front());
    id_order_.pop_front();
  }
  return false;
}

Duplicates::Device& Duplicates::device_of(std::string_view name) {
  if (const auto known = by_name_.find(name); known != by_name_.end()) {
    devices_.splice(devices_.begin(), devices_, known->second);
    return devices_.front();
  }
  devices_.push_front({std::string(name), {}, {}});
  by_name_.emplace(name, devices_.begin());
  if (devices_.size() > kDevices) {
    by_name_.erase(devices_.back().name);
    devices_.pop_back();
  }
  return devices_.front();
}

}  // namespace gerbang::mqtt
