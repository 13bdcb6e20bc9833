// SPDX-License-Identifier: Apache-2.0
//
// Serial lines: what the devices on one say of it, and that nobody else is on it.
#pragma once

#include <string>
#include <vector>

#include "config/check.hpp"
#include "config/config.hpp"

namespace gerbang::config {

// The driver option that names a serial port, for every driver that has one.
inline constexpr std::string_view kPortOption = "device";

struct Line {
  struct Member {
    std::string prefix;  // "device[reservoir]"
    Place place;
    Node options;  // what its profile says of the line
  };
  std::string driver;
  std::vector<Member> devices;
};

// Adds to the options of a serial driver what its devices' profiles say and it does not. Reports
// devices that cannot share a line.
void fill_in(const Line& line, Document& document, Report& report);

// Where the name of a port leads through all its links, whether or not something is there: a link
// to an adapter that is unplugged still says which port it is. As it was written where links lead
// in a circle. Reads the file system.
std::string port_path(const std::string& written);

// One serial port belongs to one driver. Reports the second one, also where the two write it
// differently (/dev/serial/by-id). Without an adapter udev makes no link: then the second one is
// refused when it opens the port. After build_drivers().
void check_ports(const Document& document, Report& report, const Config& config);

}  // namespace gerbang::config
