// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "config/quality_defaults.hpp"
#include "config/units.hpp"

namespace gerbang::config {

// quantities.toml and units.toml of the data folder.
struct Catalogue {
  std::map<std::string, QuantityRow, std::less<>> quantities;
  Units units;
  QualityDefaults quality;  // quality.toml, too

  const QuantityRow* find(std::string_view name) const;
  // What an unknown name is answered with.
  std::string suggestion(std::string_view name) const;
};

// Mistakes in the files are diagnostics of those files: a damaged installation says so.
Catalogue read_catalogue(const std::filesystem::path& folder, Diagnostics& errors);

}  // namespace gerbang::config
