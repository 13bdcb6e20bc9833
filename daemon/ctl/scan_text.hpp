// SPDX-License-Identifier: Apache-2.0
//
// What a scan says to the person in front of it. language: ind or eng. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace gerbang::ctl {

// "about 40 s left", by how long the part from 0 to `done` (0 … 1) took; empty: it is too early.
std::string time_left(std::chrono::milliseconds elapsed, double done, std::string_view language);

// Why a serial port is left alone: the [[driver]] of the running gateway (empty: not known) or a
// process ("process 12 (gerbang-driver-)") has it.
std::string busy_port(const std::string& device, const std::string& driver,
                      const std::string& holder, std::string_view language);

// A device on the network that the running gateway reads as well.
std::string shared_host(const std::string& host, const std::string& driver,
                        std::string_view language);
// The same, where the device did not let us in and nobody knows what the gateway reads.
std::string lonely_host(std::string_view language);

struct Outcome {
  std::size_t found = 0;
  bool unknown = false;  // registers were found, and nobody knows what they measure
  bool left = false;     // keys that only the site knows are left to write
};
// What to do next.
std::string conclusion(const Outcome& outcome, std::string_view language);

}  // namespace gerbang::ctl
