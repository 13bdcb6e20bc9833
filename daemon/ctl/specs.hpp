// SPDX-License-Identifier: Apache-2.0
//
// What the installed drivers are asked with.
#pragma once

#include <string>
#include <vector>

#include "config/load.hpp"
#include "source/catalogue.hpp"
#include "source/spec.hpp"

namespace gerbang::ctl {

// One for each [[driver]], with its sensors; of these those that are wanted (empty: all). A
// sensor's index is its place in config.sensors.
std::vector<source::DriverSpec> specs_of(const config::Config& config, source::Catalogue& catalogue,
                                         const std::vector<std::string>& wanted = {});

// Lets each driver take its part: what they refuse. Every driver of it has told its schema. Blocks.
std::vector<config::Refusal> ask_drivers(const config::Config& config,
                                         source::Catalogue& catalogue);

}  // namespace gerbang::ctl
