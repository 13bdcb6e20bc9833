// SPDX-License-Identifier: Apache-2.0
//
// From [[device]] to sensors. What a profile gives, what the device says of all its channels and
// what it overrides of one become the keys of a [[sensor]], each still with the place where it was
// written; from there on they are treated as if somebody had written them out.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/check.hpp"
#include "config/config.hpp"

namespace gerbang::config {

// One sensor of a device.
struct Part {
  Node sensor;             // keys of a [[sensor]], with id and driver
  std::string prefix;      // for people: "device[reservoir].ph"
  std::size_t device = 0;  // index in Config::devices
  bool own_label = false;  // the device's name does not go before it
};

// The checked document's devices, added to `config`. Reads the profiles that are named, whose files
// are added to the document's names. Also fills in the line's settings (baud, parity …) in the
// options of serial drivers that do not say them, from the profiles of their devices.
std::vector<Part> expand_devices(Document& document, const std::filesystem::path& profiles,
                                 Report& report, Diagnostics& errors, Config& config);

}  // namespace gerbang::config
