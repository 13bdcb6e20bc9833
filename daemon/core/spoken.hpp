// SPDX-License-Identifier: Apache-2.0
//
// Reasons as people say them. The one table of both languages for the daemon and gerbangctl; the
// page has the reasons of readings in its labels.json, in the same words.
#pragma once

#include <string>
#include <string_view>

#include "core/reading.hpp"

namespace gerbang {

// language: ind or eng. Empty for Reason::none.
std::string_view spoken(Reason reason, std::string_view language);

// What an uplink, a driver or the store says of its trouble, which is written in English. In
// Indonesian the phrases of the table are replaced; names, numbers and unknown words stay.
std::string spoken(std::string_view english, std::string_view language);

}  // namespace gerbang
