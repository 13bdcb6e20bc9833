// SPDX-License-Identifier: Apache-2.0
//
// What a person has to know when a serial port cannot be used. Nothing is opened to find out:
// opening a port moves its lines.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace gerbang::ctl {

// The serial ports of adapters and boards: names that stay (serial/by-id) if there are any, else
// ttyUSB0 and the like; sorted.
std::vector<std::string> serial_ports(const std::filesystem::path& dev = "/dev");

struct PortFault {
  std::string what;       // a sentence; empty: nothing is wrong
  bool is_there = false;  // but may not be used
};
// Why a program of this user cannot use it.
PortFault port_fault(const std::string& device, const std::filesystem::path& dev = "/dev");

}  // namespace gerbang::ctl
