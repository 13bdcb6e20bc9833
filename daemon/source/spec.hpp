// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/driver_schema.hpp"

namespace gerbang::source {

struct SensorSpec {
  std::uint32_t index = 0;  // in the running configuration; may change while the driver runs
  std::string id;
  std::chrono::nanoseconds interval{};
  OptionValues address;
};

// One [[driver]] with its sensors.
struct DriverSpec {
  std::string name;
  std::string plugin;       // "modbus"
  std::string plugin_path;  // of the shared object (Catalogue::find)
  OptionValues options;
  std::vector<SensorSpec> sensors;
  std::uint32_t max_block_ms = 0;  // from the driver's schema
};

}  // namespace gerbang::source
