// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "config/diagnostic.hpp"
#include "config/quantities.hpp"
#include "indicator/standard.hpp"

namespace gerbang::ctl {

// The installed data files, as far as they have no mistakes.
struct Tables {
  config::Catalogue catalogue;
  std::vector<indicator::Standard> standards;
  config::Diagnostics errors;
};
Tables read_tables();

// Prints the mistakes to standard error. False: `standard` (nullptr: all of them) is not to be
// used. A mistake in the table of another standard is a warning.
bool usable(const Tables& tables, const indicator::Standard* standard);

}  // namespace gerbang::ctl
