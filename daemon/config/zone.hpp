// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "config/config.hpp"
#include "core/result.hpp"

namespace gerbang::config {

// Offsets of a zone of the system's tz database from 2000 to 2100. The error says what to write
// instead, after "; ". (Beyond 2037 a zone with daylight saving keeps the rule of its last listed
// change.)
Result<Zone> resolve_zone(const std::string& name);

}  // namespace gerbang::config
