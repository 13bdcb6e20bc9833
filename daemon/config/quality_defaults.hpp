// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/diagnostic.hpp"
#include "quality/rules.hpp"

namespace gerbang::config {

// quality.toml of the data folder: what is asked of readings where a sensor does not say otherwise.
struct QualityDefaults {
  struct Quantity {
    std::optional<quality::Range> range, expected;
  };
  struct Related {
    std::string one, at_most;  // quantities
    double tolerance = 0;
  };
  std::map<std::string, Quantity, std::less<>> quantities;
  std::vector<Related> related;
  std::map<std::string, double, std::less<>> molar_masses;  // g/mol, by quantity in ppb
  std::int64_t silence_intervals = 0, silence_least_ms = 0;
};

struct Catalogue;

// Mistakes in the file are diagnostics of it: a damaged installation says so. Its quantities are
// those of the catalogue.
QualityDefaults read_quality_defaults(const std::filesystem::path& folder,
                                      const Catalogue& catalogue, Diagnostics& errors);

}  // namespace gerbang::config
