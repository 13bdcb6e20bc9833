// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "config/config.hpp"

namespace gerbang::app {

// Builds every part of the gateway in order, runs until SIGTERM or SIGINT, and stops in order.
// Returns the exit code: 0 after a stop, 78 when something in the configuration cannot work on this
// machine (a port that is taken, a store of another program), 74 when the store cannot be used.
int run_gateway(const std::string& file, config::Config config);

}  // namespace gerbang::app
