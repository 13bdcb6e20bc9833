// SPDX-License-Identifier: Apache-2.0
//
// Pages rendered from the key table. A test holds the committed files equal to these.
#pragma once

#include <string>

#include "config/quantities.hpp"

namespace gerbang::config {

// config/README.md: every key and every quantity.
std::string reference_page(const Catalogue& catalogue);
// config/gerbang.toml: every setting with its default, those that have one commented out.
std::string default_file();

}  // namespace gerbang::config
