// SPDX-License-Identifier: Apache-2.0
#include "source/complaints.hpp"

#include <algorithm>
#include <set>

#include "source/once.hpp"

namespace gerbang::source {
namespace {

constexpr std::size_t kMostOfOne = 20;  // complaints of one driver; each is a process

constexpr std::string_view kSensor = "sensor ";

bool take(std::string_view& text, std::string_view start) {
  if (!text.starts_with(start)) return false;
  text.remove_prefix(start.size());
  return true;
}

const SensorSpec* find(const DriverSpec& spec, std::string_view id) {
  auto known = std::find_if(spec.sensors.begin(), spec.sensors.end(),
                            [id](const SensorSpec& sensor) { return sensor.id == id; });
  return known == spec.sensors.end() ? nullptr : &*known;
}

// The id that follows; ids are letters, digits and hyphens.
std::string_view id_at(std::string_view text) {
  return text.substr(0, text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"));
}

}  // namespace

Complaint complaint_of(const DriverSpec& spec, std::string_view said) {
  Complaint out;
  out.driver = spec.name;
  (void)take(said, "open: ");  // driver.hpp puts it there
  std::string_view rest = said;
  (void)take(rest, kSensor);
  const auto id = id_at(rest);
  if (const SensorSpec* sensor = find(spec, id);
      sensor != nullptr && rest.substr(id.size()).starts_with(": ")) {
    rest.remove_prefix(id.size() + 2);
    (void)take(rest, "address: ");
    out.sensor = sensor->index;
    out.text = rest;
    return out;
  }
  for (auto at = said.find(kSensor); at != said.npos && !out.sensor;
       at = said.find(kSensor, at + 1))
    if (const SensorSpec* sensor = find(spec, id_at(said.substr(at + kSensor.size()))))
      out.sensor = sensor->index;
  out.text = said;
  return out;
}

std::vector<Complaint> complaints(const std::string& host, const std::vector<DriverSpec>& specs) {
  std::vector<Complaint> out;
  std::set<std::string> hanging;  // plugins
  for (DriverSpec spec : specs) {
    for (std::size_t told = 0; !hanging.contains(spec.plugin_path); ++told) {
      auto refused = check(host, spec);
      if (!refused && refused.error().code == std::errc::timed_out)
        hanging.insert(spec.plugin_path);
      if (!refused || !*refused) break;
      if (told == kMostOfOne) {
        out.push_back({spec.name, std::nullopt,
                       "more is refused than the " + std::to_string(kMostOfOne) +
                           " mistakes that are told; correct those first"});
        break;
      }
      out.push_back(complaint_of(spec, **refused));
      const auto sensor = out.back().sensor;
      if (!sensor) break;
      std::erase_if(spec.sensors, [&](const SensorSpec& one) { return one.index == *sensor; });
    }
  }
  return out;
}

}  // namespace gerbang::source
