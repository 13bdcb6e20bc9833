// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.hpp"
#include "config/quantities.hpp"
#include "indicator/standard.hpp"

namespace gerbang::config {

// standards/*.toml and smart-city.toml of the data folder, in the order of the file names; a file
// with variants (classes, averaging times) gives one standard for each. Mistakes are diagnostics of
// those files.
std::vector<indicator::Standard> read_standards(const std::filesystem::path& folder,
                                                const Catalogue& catalogue, Diagnostics& errors);

// What a name that no standard has is answered with.
std::string suggest_standard(const std::vector<indicator::Standard>& all, std::string_view name);

}  // namespace gerbang::config
