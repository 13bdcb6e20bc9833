// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "config/data_file.hpp"

namespace gerbang::config {

// The keys of standards/*.toml. Mistakes are diagnostics of `file`; false: there was one.
bool check_standard_keys(const Node& root, const std::vector<std::string>& variants,
                         DataFile& file);

}  // namespace gerbang::config
