// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/result.hpp"

namespace gerbang::ctl {

// What a subscriber asks a broker for: `topic` (a filter; empty: all) below `root` (a name). Fails
// with a sentence for a person that names the option, where no broker would take it or no gateway
// could meet it. Pure.
Result<std::string> filter_below(const std::string& root, const std::string& topic);

}  // namespace gerbang::ctl
