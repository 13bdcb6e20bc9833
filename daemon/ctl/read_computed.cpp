// SPDX-License-Identifier: Apache-2.0
#include "ctl/read_computed.hpp"

#include <algorithm>
#include <optional>

namespace gerbang::ctl {
namespace {

using Input = quality::Corrector::Input;

bool among(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Input input_of(const SensorLine& line) {
  Input out;
  out.point.time_ns = line.reading.boot_ns;
  out.point.mark.flag = line.reading.flag;
  out.point.mark.reason = line.reading.reason;
  out.raw = line.reading.raw;
  if (line.reading.flag != Flag::missing) out.point.value = line.value();
  return out;
}

// Nothing came of an input, or it is known to the running gateway only.
Input unknown() {
  Input out;
  out.point.mark.flag = Flag::missing;
  return out;
}

}  // namespace

std::vector<std::string> with_inputs(const config::Config& config,
                                     std::vector<std::string> wanted) {
  // Inputs stand before what is computed from them.
  if (!wanted.empty())
    for (std::size_t i = config.sensors.size(); i-- > 0;)
      if (among(wanted, config.sensors[i].id))
        for (std::size_t input : config.sensors[i].from)
          if (!among(wanted, config.sensors[input].id)) wanted.push_back(config.sensors[input].id);
  return wanted;
}

std::vector<SensorLine> computed_lines(const config::Config& config,
                                       const std::vector<std::string>& wanted,
                                       const std::vector<SensorLine>& read) {
  std::vector<Input> known(config.sensors.size(), unknown());
  for (const SensorLine& line : read)
    known[static_cast<std::size_t>(line.sensor - config.sensors.data())] = input_of(line);
  std::vector<SensorLine> out;
  for (std::size_t i = 0; i < config.sensors.size(); ++i) {
    const config::Sensor& sensor = config.sensors[i];
    if (!sensor.formula || (!wanted.empty() && !among(wanted, sensor.id))) continue;
    SensorLine line;
    line.sensor = &sensor;
    std::vector<Input> inputs;
    for (std::size_t input : sensor.from) {
      line.from.push_back(config.sensors[input].id);
      inputs.push_back(known[input]);
    }
    line.reading.flag = Flag::not_evaluated;
    if (!line.adds_up()) {
      const auto result = quality::Corrector(*sensor.formula).take(inputs);
      line.reading.boot_ns = inputs.front().point.time_ns;
      line.reading.flag = result.mark.flag;
      line.reading.reason = result.mark.reason;
      line.reading.raw = Raw::of(result.value);
      if (line.reading.flag != Flag::missing) judge(line);
      known[i] = input_of(line);
    }
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace gerbang::ctl
