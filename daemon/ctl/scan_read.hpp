// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ctl/commands.hpp"
#include "ctl/scan_profile.hpp"
#include "source/catalogue.hpp"

namespace gerbang::ctl {

// What a scan found, [[driver]] and [[device]] tables ready to be read, once: the channels of each
// device by its id, in the order of the configuration. Nobody else may hold the line. Blocks, at
// most a minute for each [[driver]]. Error: a sentence.
Result<std::map<std::string, std::vector<Seen>>> read_found(const Common& common,
                                                            source::Catalogue& catalogue,
                                                            const config::Profile& profile,
                                                            const std::string& found);

}  // namespace gerbang::ctl
