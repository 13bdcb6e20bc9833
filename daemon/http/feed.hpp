// SPDX-License-Identifier: Apache-2.0
//
// What one client of the event stream has seen, and so what is news to it. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/snapshot.hpp"

namespace gerbang::http {

class Feed {
 public:
  using Time = std::chrono::steady_clock::time_point;

  Feed(std::chrono::milliseconds heartbeat, Time now) : heartbeat_(heartbeat), beat_at_(now) {}

  // Once a tick: whether a snapshot is needed to say what is new. `version` is the server's.
  bool wants_snapshot(std::uint64_t version, Time now) const;
  // Begins to tell what is new in a snapshot (none: nothing but a heartbeat).
  void look(std::shared_ptr<const Snapshot> snapshot, std::uint64_t version, Time now);
  // The next piece of about `most` bytes to send; empty: that was all.
  std::string next(std::size_t most);

 private:
  std::chrono::milliseconds heartbeat_;
  bool anything_ = false;
  std::uint64_t version_ = 0;
  std::string config_, digest_;
  std::vector<std::string> alarms_;    // alarm_digest of what was told, by alarm
  std::vector<std::uint64_t> counts_;  // FlagCounts::total() of what was told, by sensor
  Time state_at_{}, beat_at_;

  std::shared_ptr<const Snapshot> snapshot_;  // being told
  std::size_t sensor_ = 0;                    // the next of it
  std::string first_;                         // what goes out before its sensors
};

}  // namespace gerbang::http
