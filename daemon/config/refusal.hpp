// SPDX-License-Identifier: Apache-2.0
//
// What is right in all that the drivers' schemas tell, and that a driver refuses.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/build.hpp"

namespace gerbang::config {

// Puts to the drivers what they can judge (context.ask) and reports what they have against it: at
// the key that they name, else at the address or the options that they were told. A `config` in
// which something is wrong already keeps only the lines and sensors that can be asked, and of a
// line with a wrong option only what is true whatever that option will be is reported (doubts.hpp);
// one in which nothing is wrong keeps all. After all that is built.
void ask_drivers(const Document& document, const std::vector<Part>& parts, const Sound& sound,
                 const Context& context, Report& report, Config& config);

// The key of this table that a sentence is about: the first word outside of quotes that is one.
// nullptr: it names none. A null or other node has none.
const Member* named_key(std::string_view sentence, const Node* table);

}  // namespace gerbang::config
