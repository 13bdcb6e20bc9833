// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <termios.h>

#include <cstdint>
#include <string>

#include "descriptor.hpp"
#include "options.hpp"

namespace gerbang::serial {

// The number that termios has for a rate; B0: none.
speed_t speed_of(std::int64_t rate);

// Opens a port raw, without waiting for a carrier, for this process alone. On failure the
// descriptor is empty and `why` is a sentence.
Descriptor open_port(const Settings& settings, std::string& why);
// Closes a port of open_port(). Without it the kernel keeps others out, this process among them, as
// long as anybody has the port open (a pseudo-terminal's other side has).
void close_port(Descriptor& port);

// Sets speed and format of an open port and forgets what it has received; "" or why not.
std::string configure(int fd, const Settings& settings);

}  // namespace gerbang::serial
