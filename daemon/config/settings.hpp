// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "config/config.hpp"

namespace gerbang::config {

// Every setting in force by its full key, canonically written: durations by their largest unit,
// paths resolved, defaults included, secrets by where they come from.
std::map<std::string, std::string> settings_of(const Config& config);

// 16 hex digits (FNV-1a): recognises a configuration, proves nothing against an attacker.
std::string hash_of(const std::map<std::string, std::string>& settings);

}  // namespace gerbang::config
