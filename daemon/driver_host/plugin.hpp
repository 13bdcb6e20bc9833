// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gerbang/driver.h>
#include <host/v1/driver.pb.h>

#include <string>

#include "core/result.hpp"

namespace gerbang::driver_host {

struct Plugin {
  gerbang_driver_table table;
  host::v1::Description description;
};

// Loads a driver for the life of the process and checks it. Runs the driver's code: confine the
// process first. Error: one sentence that names the file and what is wrong with it.
Result<Plugin> load_plugin(const std::string& path);

}  // namespace gerbang::driver_host
