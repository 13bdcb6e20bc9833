// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace gerbang::pipeline {

// Under which keys the store keeps the state of the fold.
inline constexpr const char* kWindowsKey = "windows";          // WindowEngine::save
inline constexpr const char* kMembersKey = "windows/members";  // text_of(members)
// Pipeline::restamping_text. It speaks of the epochs of one file: no heir of a damaged one takes
// it.
inline constexpr const char* kRestampKey = "store/restamped";
// EventDesk::changed_text. It counts since the stream began.
inline constexpr const char* kEventsKey = "store/events";
inline constexpr const char* kAlarmsKey = "alarms";                    // AlarmDesk::changed_text
inline constexpr const char* kMaintenanceKey = "quality/maintenance";  // Maintenance::text
// The boot and its wall clock that those times are of: "BOOT OFFSET_MS".
inline constexpr const char* kMaintenanceClockKey = "quality/maintenance-clock";
// The boot and the clock that times in those are of: "BOOT OFFSET_NS TRUST".
inline constexpr const char* kSumClockKey = "quality/sum-clock";
inline std::string sum_key(const std::string& sensor) {  // Corrector::save
  return "quality/sum/" + sensor;
}
inline std::string slow_key(std::int32_t series) {  // WindowEngine::save_slow
  return "windows/" + std::to_string(series);
}

// The newest message of an indicator, and what was said of the windows of one day.
inline std::string indicator_key(const std::string& id) {
  return "indicator/" + id;
}
inline std::string indicator_key(const std::string& id, unsigned slot) {
  return "indicator/" + id + "/" + std::to_string(slot);
}

}  // namespace gerbang::pipeline
