// SPDX-License-Identifier: Apache-2.0
//
// For the scan of stream drivers: hear what a port says, and write configuration to paste.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <gerbang/driver.hpp>
#include <optional>
#include <string>
#include <vector>

#include "line.hpp"

namespace gerbang::serial {

// An ear at a port: one speed after the other. Only during a scan.
class Ear {
 public:
  struct Part {
    std::size_t number, of;  // of the whole scan
  };

  Ear(driver::Host host, driver::Scan scan, Settings settings);

  // Hears at this speed from now on. Throws Failure(GONE) with the reason if the port cannot be
  // had.
  void tune(int baud, Part part);

  // Gives everything that comes to take(Bytes) → enough?, and calls it without bytes at least every
  // 100 ms, until it has enough, the time is over or the host stops. Throws like tune.
  template <class Take>
  void listen(std::chrono::milliseconds time, Take&& take) {
    const auto begin = Clock::now();
    for (auto now = begin; now < begin + time && !host_.stopping(); now = Clock::now()) {
      progress(std::chrono::duration<double>(now - begin) / time);
      if (take(hear(std::min(now + std::chrono::milliseconds(100), begin + time)))) return;
    }
  }

  bool heard_any() const { return !heard_.empty(); }
  // A warning with what was heard first, if anything was: nobody of `what` speaks like that.
  void say_what_was_heard(const std::string& what) const;
  Line& line() { return *line_; }

 private:
  void progress(double part) const;
  Bytes hear(Clock::time_point deadline);

  driver::Host host_;
  driver::Scan scan_;
  Settings settings_;
  std::optional<Line> line_;
  Part part_{0, 1};
  std::vector<std::uint8_t> heard_;  // the first bytes
  std::string heard_at_;             // and at which speed
};

// The rates that the option `bauds` names ("9600,19200"), or the usual ones. Throws
// Failure(CONFIG).
std::vector<int> bauds_of(const driver::Values& options, std::vector<int> usual);

// A [[driver]] with one port, and a [[sensor]] to append to it.
std::string driver_toml(const std::string& plugin, const std::string& interval,
                        const std::string& device, const std::string& model);
std::string sensor_toml(const std::string& id, const std::string& driver,
                        const std::string& quantity, const std::string& unit,
                        const std::string& address);

}  // namespace gerbang::serial
