// SPDX-License-Identifier: Apache-2.0
//
// The one request that changes something: people work on a sensor. It marks data and touches no
// device.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "http/message.hpp"
#include "http/snapshot.hpp"

namespace gerbang::http {

inline constexpr std::int64_t kLongestMaintenanceMinutes = 30 * 24 * 60;

struct MaintenanceCall {
  std::string sensor;
  std::int64_t for_ms = 0;  // 0: it ends now
  std::string person, note;
};

// {"minutes": 120, "person": "…", "note": "…"}; person and note may be left out.
std::variant<MaintenanceCall, Response> parse_maintenance(std::string_view sensor,
                                                          std::string_view body,
                                                          const Snapshot& now);

}  // namespace gerbang::http
