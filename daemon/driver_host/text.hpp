// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

namespace gerbang::driver_host {

// What a driver wrote, fit for a frame, a log line and a terminal: valid UTF-8, control characters
// as spaces, at most `limit` bytes; a longer one ends with how long it was. nullptr gives "".
// Never reads more than `limit` + 64 KiB, whatever the driver forgot to terminate.
std::string clean_text(const char* text, std::size_t limit);

// The same, but lines stay lines: for configuration that is to be pasted.
std::string clean_lines(const char* text, std::size_t limit);

}  // namespace gerbang::driver_host
