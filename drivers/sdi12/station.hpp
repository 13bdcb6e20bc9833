// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gerbang/driver.hpp>
#include <gerbang/schedule.hpp>
#include <map>
#include <string>
#include <vector>

#include "bus.hpp"
#include "serial/line.hpp"

namespace gerbang::sdi12 {

// A way to talk on an SDI-12 line: wakes the devices, sends, and throws away what is late.
class Talker {
 public:
  using Time = Bus::Time;

  // `send_break`: else the adapter makes it.
  Talker(driver::Host host, serial::Settings settings, bool send_break);

  serial::Line& line() { return line_; }
  // What was received late, and whether the command is with the port.
  bool send(const std::string& command);

 private:
  driver::Host host_;
  serial::Line line_;
  bool send_break_, told_ = false;
};

struct Sensor {
  std::uint32_t index;
  std::string id;
  char address;
  Command command;
  std::size_t parameter;  // from 1
  std::chrono::nanoseconds interval;
};

// All sensors of one line. One thread, only during calls from the host.
class Station {
 public:
  Station(driver::Host host, serial::Settings line, bool send_break, const Bus::Settings& bus,
          std::vector<Sensor> sensors);

  gerbang_status poll(std::chrono::milliseconds budget);

 private:
  using Time = Bus::Time;
  struct Turn {
    std::size_t measurement;
    bool waiting = false;
  };

  void fall_due(Time now);
  void talk(Time until);
  bool report(Time now);
  void report(const Bus::Outcome& outcome, driver::Emitter& out);
  void tell(Time now);

  driver::Host host_;
  Talker talker_;
  Bus bus_;
  std::vector<Sensor> sensors_;
  std::vector<Turn> turns_;  // as sensors_
  driver::Schedule schedule_;
  std::uint64_t openings_ = 0;
  std::map<std::size_t, std::string> told_;  // why a measurement failed, as it was logged
  std::uint64_t skipped_ = 0, skipped_told_ = 0, foreign_told_ = 0;
  Time tell_at_{};
};

}  // namespace gerbang::sdi12
