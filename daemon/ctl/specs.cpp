// SPDX-License-Identifier: Apache-2.0
#include "ctl/specs.hpp"

#include <algorithm>
#include <utility>

#include "source/complaints.hpp"

namespace gerbang::ctl {

std::vector<source::DriverSpec> specs_of(const config::Config& config, source::Catalogue& catalogue,
                                         const std::vector<std::string>& wanted) {
  std::vector<source::DriverSpec> specs(config.drivers.size());
  for (std::size_t i = 0; i < config.sensors.size(); ++i) {
    const config::Sensor& sensor = config.sensors[i];
    if (sensor.driver == config::kNoDriver) continue;  // computed
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), sensor.id) == wanted.end())
      continue;
    source::SensorSpec one;
    one.index = static_cast<std::uint32_t>(i);
    one.id = sensor.id;
    one.interval = sensor.interval;
    one.address = sensor.address;
    specs[sensor.driver].sensors.push_back(std::move(one));
  }
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const config::Driver& driver = config.drivers[i];
    specs[i].name = driver.name;
    specs[i].plugin = driver.plugin;
    specs[i].plugin_path = catalogue.find(driver.plugin).value_or("");
    specs[i].options = driver.options;
    specs[i].max_block_ms = driver.schema.max_block_ms;
  }
  return specs;
}

std::vector<config::Refusal> ask_drivers(const config::Config& config,
                                         source::Catalogue& catalogue) {
  std::vector<config::Refusal> refusals;
  for (source::Complaint& one : source::complaints(catalogue.host(), specs_of(config, catalogue)))
    refusals.push_back({std::move(one.driver), one.sensor, std::move(one.text)});
  return refusals;
}

}  // namespace gerbang::ctl
