// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "config/node.hpp"
#include "config/quantities.hpp"
#include "indicator/standard.hpp"

namespace gerbang::config {

// What is advised about tables that a site may have of its own.
inline constexpr std::string_view kCorrectTable =
    "correct the file if it is yours; else install the package again, or set GERBANG_DATA";

// smart-city.toml: where each of the standards stands.
void read_places(const std::filesystem::path& path, const Catalogue& catalogue,
                 std::vector<indicator::Standard>& all, Diagnostics& errors);

std::optional<indicator::Confidence> tag_of(const Node* node);

}  // namespace gerbang::config
