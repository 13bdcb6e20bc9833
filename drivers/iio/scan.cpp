// SPDX-License-Identifier: Apache-2.0
#include "scan.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <utility>
#include <vector>

#include "tree.hpp"

namespace gerbang::iio {
namespace {

struct Meaning {
  std::string_view channel;  // its beginning
  const char* lines;         // of the sensor
};

constexpr Meaning kIioMeanings[] = {
    {"temp", "quantity = \"air_temperature\"\nunit = \"°C\"\nscale = 0.001\n"},
    {"humidityrelative", "quantity = \"humidity\"\nunit = \"%\"\nscale = 0.001\n"},
    {"pressure", "quantity = \"air_pressure\"\nunit = \"kPa\"\n"},
    {"massconcentration_pm1", "quantity = \"pm1\"\nunit = \"µg/m³\"\n"},
    {"massconcentration_pm2p5", "quantity = \"pm2_5\"\nunit = \"µg/m³\"\n"},
    {"massconcentration_pm4", "quantity = \"pm4\"\nunit = \"µg/m³\"\n"},
    {"massconcentration_pm10", "quantity = \"pm10\"\nunit = \"µg/m³\"\n"},
    {"concentration_co2", "quantity = \"co2\"\nunit = \"ppm\"\nscale = 10000\n"},
};
constexpr const char* kBoard = "quantity = \"board_temperature\"\nunit = \"°C\"\nscale = 0.001\n";
constexpr const char* kThermometer =
    "quantity = \"water_temperature\"   # or what it hangs in\nunit = \"°C\"\nscale = 0.001\n";
constexpr const char* kVoltage = "quantity = \"voltage\"\nunit = \"mV\"\n";
constexpr const char* kCurrent = "quantity = \"current\"\nunit = \"mA\"\n";
constexpr const char* kUnknown =
    "quantity = \"number\"     # what it measures, with its unit and scale\n";

const char* meaning_of(const Target& target) {
  if (target.bus == Bus::w1) return kThermometer;
  const std::string_view unit = unit_of(target.bus, target.channel);
  if (target.bus == Bus::iio)
    for (const Meaning& meaning : kIioMeanings)
      if (target.channel == meaning.channel) return meaning.lines;
  if (target.bus == Bus::hwmon && unit == "milli-°C") return kBoard;
  if (unit == "mV") return kVoltage;
  return unit == "mA" ? kCurrent : kUnknown;
}

// As ids are written: lower case, digits and dashes.
std::string id_of(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain)
      out += c;
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  while (out.ends_with('-')) out.pop_back();
  return out.substr(0, 60);
}

std::string sensor_of(const Target& target, const std::string& id) {
  const char* key = target.bus == Bus::iio ? "device" : target.bus == Bus::hwmon ? "hwmon" : "w1";
  std::string address = std::string(key) + " = \"" + target.name + "\"";
  if (!target.path.empty()) address += ", path = \"" + target.path + "\"";
  if (!target.channel.empty()) address += ", channel = \"" + target.channel + "\"";
  return "[[sensor]]\nid = \"" + id + "\"\ndriver = \"board\"\n" + meaning_of(target) +
         "address = { " + address + " }\n";
}

std::string shown(const Value& value, const Target& target) {
  if (!value) return "no value (" + value.error().why + ")";
  char text[40];
  std::snprintf(text, sizeof text, "%.10g", value->value());
  const std::string unit(unit_of(target.bus, target.channel));
  return unit.empty() ? text : text + (" " + unit);
}

}  // namespace

gerbang_status scan_devices(driver::Host host, const std::string& root, driver::Scan scan) {
  const Tree tree(root);
  std::vector<std::pair<Bus, Device>> devices;
  std::map<std::pair<Bus, std::string>, int> names;
  for (const Bus bus : {Bus::iio, Bus::w1, Bus::hwmon})
    for (Device& device : tree.devices(bus)) {
      ++names[{bus, device.name}];
      devices.emplace_back(bus, std::move(device));
    }
  bool first = true;
  double done = 0;
  for (const auto& [bus, device] : devices) {
    if (host.stopping()) break;
    scan.progress(done++ / static_cast<double>(devices.size()), device.name);
    Target target;
    target.bus = bus;
    target.name = device.name;
    if (names[{bus, device.name}] > 1)
      target.path = std::filesystem::path(device.place).parent_path().filename().string();
    std::vector<std::string> channels = Tree::channels(device.folder, bus);
    if (bus == Bus::w1) channels.assign(1, "");
    std::string toml, note = device.name + " at " + device.place;
    for (const std::string& channel : channels) {
      target.channel = channel;
      std::string text;
      const Value value = tree.read(device.folder, target, text);
      note += std::string(channel == channels.front() ? ": " : ", ") +
              (channel.empty() ? "" : channel + " ") + shown(value, target);
      toml += (toml.empty() ? "" : "\n") +
              sensor_of(target, id_of(target.path + "-" + device.name + "-" + channel));
    }
    if (toml.empty()) continue;
    if (std::exchange(first, false)) {
      std::string driver = "[[driver]]\nname = \"board\"\nplugin = \"iio\"\ninterval = \"10s\"\n";
      if (root != "/sys") driver += "[driver.options]\nroot = \"" + root + "\"\n";
      toml.insert(0, driver + "\n");
    }
    scan.found(toml, note);
  }
  return GERBANG_OK;
}

}  // namespace gerbang::iio
