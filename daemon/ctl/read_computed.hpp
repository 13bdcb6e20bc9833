// SPDX-License-Identifier: Apache-2.0
//
// Sensors that the gateway computes, when their inputs are read by hand.
#pragma once

#include <string>
#include <vector>

#include "ctl/read_lines.hpp"

namespace gerbang::ctl {

// With what they are computed from; none stays none.
std::vector<std::string> with_inputs(const config::Config& config, std::vector<std::string> wanted);

// Of the wanted sensors (none: all) those that are computed, from what was just read. What adds up
// over time has no value here.
std::vector<SensorLine> computed_lines(const config::Config& config,
                                       const std::vector<std::string>& wanted,
                                       const std::vector<SensorLine>& read);

}  // namespace gerbang::ctl
