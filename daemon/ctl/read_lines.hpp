// SPDX-License-Identifier: Apache-2.0
//
// What one [[driver]] says while its sensors are read by hand: the newest reading of each with the
// bytes that it was made of, the counts of its devices, and what all of it means.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "core/reading.hpp"
#include "ctl/advice.hpp"
#include "ctl/exchanges.hpp"
#include "source/once.hpp"

namespace gerbang::ctl {

struct SensorLine {
  const config::Sensor* sensor = nullptr;
  Reading reading;
  Exchange exchange;
  std::vector<std::string> from;  // of a computed one: the sensors that it is computed from

  // A sum over time: one reading says nothing of it.
  bool adds_up() const { return sensor->formula && quality::adds_up(sensor->formula->kind); }
  bool good() const { return reading.flag == Flag::good || reading.flag == Flag::not_evaluated; }
  double in_sensor_unit() const;
  double value() const { return sensor->calibration.apply(reading.raw.value()); }
  double milliseconds() const;  // from the question to the last byte of the answer; 0: unknown
};

// The same range test as the gateway's.
void judge(SensorLine& line);
void print(const SensorLine& line);
void print_json(const SensorLine& line);

class DriverView {
 public:
  // keep_value: a value is worth more than its absence before or after it (one pass over a line);
  // else the newest reading counts. Both outlive it.
  DriverView(const config::Config& config, const source::DriverSpec& spec, bool keep_value);
  DriverView(const DriverView&) = delete;
  DriverView& operator=(const DriverView&) = delete;

  // Feeds this object; log lines from warnings on are also printed to standard error.
  source::Listener listener();
  // False: it is empty, or was among the newest that were said.
  bool trouble(const std::string& text);

  const std::vector<SensorLine>& lines() const { return lines_; }
  // Sensors of which nothing came, as missing for this reason.
  std::vector<SensorLine> silent(Reason reason) const;
  // Every sensor has a reading and all are good.
  bool all_good() const;
  // Counts of the last half minute, where there are any: what was repaired is not complained of.
  LineFacts facts() const;
  void tick();  // once a second

  void print(const std::string& language) const;         // sensors, devices, advice
  void print_json(const std::string& language) const;    // an object a line
  void print_advice(const std::string& language) const;  // counts of devices and advice, as text
  void print_advice_json(const std::string& language) const;

 private:
  void keep(SensorLine line);
  void count(const source::Heartbeat& beat);

  const config::Config& config_;
  const source::DriverSpec& spec_;
  bool keep_value_;
  Exchanges exchanges_;
  std::vector<SensorLine> lines_;
  std::vector<DeviceCounts> devices_;              // since the beginning
  std::deque<std::vector<DeviceCounts>> earlier_;  // at the last ticks, the oldest first
  std::vector<std::string> said_;                  // at most a few: the newest
};

void print_counts(const DeviceCounts& counts);
boost::json::object to_json(const DeviceCounts& counts);
// Advice of one line, as text; what its name is.
void print_advice(const std::string& driver, const std::vector<Advice>& advice);

LineFacts::Kind kind_of(const OptionValues& options);

}  // namespace gerbang::ctl
