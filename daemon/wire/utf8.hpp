// SPDX-License-Identifier: Apache-2.0
//
// For the sources of wire only.
#pragma once

#include <string>
#include <string_view>

namespace gerbang::wire {

// The text with U+FFFD for each byte that is not part of valid UTF-8. A receiver refuses a whole
// message for one bad byte, and what a device says of its error may hold any.
std::string utf8(std::string_view text);

}  // namespace gerbang::wire
