// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "config/check.hpp"
#include "core/driver_schema.hpp"

namespace gerbang::config {

// [driver.options] or a sensor's address checked against what the driver declares; defaults filled
// in, in the order of the declaration. Mistakes are reported; a wrong value is left out. `node` may
// be null. `where` names the plugin for people: "modbus options".
std::vector<OptionValue> check_options(const std::vector<OptionSpec>& specs, const Node* node,
                                       const Place& at, const std::string& prefix,
                                       const std::string& where, Report& report);

// A value as it is typed on a command line (or declared as a default): as in the configuration, but
// texts need no quotes.
std::variant<OptionValue, Fault> option_of_text(const OptionSpec& spec, const std::string& text);

// What tells two sensors of a driver apart, as text: equal texts are the same place of the line.
// Empty: the driver declares no identity, or some of it is absent everywhere.
std::string identity(const std::vector<OptionSpec>& specs, const OptionValues& values);

// As a person would write it in TOML.
std::string written(const OptionValue& value);

}  // namespace gerbang::config
