// SPDX-License-Identifier: Apache-2.0
//
// For the scan of stream drivers: hear what a port says, and write configuration to paste.
#pragma once

#include <algorithm>
#include <chrono>
#include <gerbang/driver.hpp>
#include <string>

#include "line.hpp"
#include "port.hpp"

namespace gerbang::serial {

// Whether the port can be had at all; throws Failure(CONFIG) with the reason if not.
inline void need_port(const Settings& settings) {
  std::string why;
  if (!open_port(settings, why))
    throw driver::Failure(GERBANG_CONFIG, settings.device + ": " + why);
}

// Gives everything that comes to take(Bytes) → enough?, and calls it with no bytes at least every
// 100 ms, until it has enough, the time is over or the host stops. Says how far it is from `begin`
// to `end` of the whole scan (0 … 1).
template <class Take>
void listen(driver::Host host, const driver::Scan& scan, Line& line, std::chrono::milliseconds time,
            double begin, double end, Take&& take) {
  using namespace std::chrono_literals;
  const auto start = Clock::now();
  const std::string what =
      "listening to " + line.settings().device + " at " + text_of(line.settings());
  for (auto now = start; now < start + time && !host.stopping(); now = Clock::now()) {
    const double done = std::chrono::duration<double>(now - start) / time;
    scan.progress(begin + (end - begin) * std::min(done, 1.0), what);
    if (take(line.read_some(std::min(now + 100ms, start + time)))) return;
    if (!line.is_open()) return;
  }
}

// A [[driver]] with one port, to which sensors are appended. Text values are put in quotes.
inline std::string driver_toml(const std::string& plugin, const std::string& interval,
                               const std::string& device, const std::string& model) {
  return "[[driver]]\nname = \"" + plugin + "\"\nplugin = \"" + plugin + "\"\ninterval = \"" +
         interval + "\"\n[driver.options]\ndevice = \"" + device + "\"\nmodel = \"" + model +
         "\"\n";
}
inline std::string sensor_toml(const std::string& id, const std::string& driver,
                               const std::string& quantity, const std::string& unit,
                               const std::string& address) {
  return "\n[[sensor]]\nid = \"" + id + "\"\ndriver = \"" + driver + "\"\nquantity = \"" +
         quantity + "\"\nunit = \"" + unit + "\"\naddress = { " + address + " }\n";
}

}  // namespace gerbang::serial
