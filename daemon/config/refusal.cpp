// SPDX-License-Identifier: Apache-2.0
#include "config/refusal.hpp"

#include <algorithm>
#include <tuple>

#include "config/check.hpp"

namespace gerbang::config {
namespace {

// "sensor[ph].address", or "device[reservoir].ph.address" where a profile gave it.
std::string key_of(const Sensor& sensor) {
  const std::string start = sensor.device + "-";
  if (sensor.device.empty() || !sensor.id.starts_with(start))
    return "sensor[" + sensor.id + "].address";
  return "device[" + sensor.device + "]." + sensor.id.substr(start.size()) + ".address";
}

Diagnostic diagnostic_of(const Config& config, const Refusal& refusal) {
  const auto driver = std::find_if(config.drivers.begin(), config.drivers.end(),
                                   [&](const Driver& d) { return d.name == refusal.driver; });
  Place at;
  if (driver != config.drivers.end()) at = driver->place;
  Diagnostic out;
  out.key = "driver[" + refusal.driver + "]";
  if (refusal.sensor && *refusal.sensor < config.sensors.size()) {
    at = config.sensors[*refusal.sensor].place;
    out.key = key_of(config.sensors[*refusal.sensor]);
  }
  out.file = at.file;
  out.line = at.line;
  out.column = at.column;
  std::tie(out.what, out.remedy) = halves(refusal.text);
  if (out.remedy.empty() && driver != config.drivers.end())
    out.remedy = "gerbangctl drivers " + driver->plugin + " lists what it understands";
  return out;
}

}  // namespace

void refuse(LoadResult& loaded, const std::vector<Refusal>& refusals) {
  if (refusals.empty() || !loaded.config) return;
  for (const Refusal& refusal : refusals)
    loaded.errors.push_back(diagnostic_of(*loaded.config, refusal));
  sort_by_place(loaded.errors, loaded.config->files);
  loaded.config.reset();
}

}  // namespace gerbang::config
