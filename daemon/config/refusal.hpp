// SPDX-License-Identifier: Apache-2.0
//
// A configuration that is right in all that the drivers' schemas tell, and that a driver refuses.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "config/load.hpp"

namespace gerbang::config {

struct Refusal {
  std::string driver;                 // Driver::name
  std::optional<std::size_t> sensor;  // index in Config::sensors
  std::string text;                   // "what is wrong; what to write instead"
};

// Makes them errors at the sensor, or at the [[driver]]; with any there is no configuration.
void refuse(LoadResult& loaded, const std::vector<Refusal>& refusals);

}  // namespace gerbang::config
