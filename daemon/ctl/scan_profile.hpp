// SPDX-License-Identifier: Apache-2.0
//
// What a scan takes from the profile of the devices that it looks for. Pure.
#pragma once

#include <string>

#include "config/profiles.hpp"

namespace gerbang::ctl {

// A list such as "9600,19200" or "1-32" with what the device leaves its factory with in front.
std::string first_of(const config::Node* made, const std::string& list);

// Below a [[device]] of this profile: what only the site knows, a [device.override.CHANNEL] each,
// its keys as comments. Empty: nothing is left to write.
std::string left_to_write(const config::Profile& profile, const std::string& language);

}  // namespace gerbang::ctl
