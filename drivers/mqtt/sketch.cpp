// SPDX-License-Identifier: Apache-2.0
#include "sketch.hpp"

#include <cstdio>

#include "layout.hpp"
#include "payload.hpp"

namespace gerbang::mqtt {
namespace {

constexpr std::size_t kMostSensors = 32;  // of one message
constexpr std::size_t kLongestId = 56;    // of 63: two may have to be told apart

// As ids are written: lower case, digits and dashes.
std::string id_of(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
      out += c;
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  if (out.size() > kLongestId) out.erase(0, out.size() - kLongestId);  // the end tells them apart
  while (out.ends_with('-')) out.pop_back();
  while (out.starts_with('-')) out.erase(0, 1);
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 || c == '\x7f' ? '?' : c;
  }
  return out + '"';
}

std::string free_id(const std::string& name, std::set<std::string>& ids) {
  const std::string first = name.empty() ? "sensor" : name;
  std::string id = first;
  for (int n = 2; !ids.insert(id).second; ++n) id = first + "-" + std::to_string(n);
  return id;
}

std::string sensor(const std::string& name, const std::string& address,
                   std::set<std::string>& ids) {
  return "[[sensor]]\nid = \"" + free_id(id_of(name), ids) +
         "\"\ndriver = \"broker\"\nquantity = \"number\"     # what it measures, with its unit and "
         "scale\naddress = { " +
         address + " }\n";
}

std::string shown(const Found& found) {
  char text[40];
  std::snprintf(text, sizeof text, "%.10g",
                found.is_integer ? static_cast<double>(found.integer) : found.number);
  return text;
}

std::string name_of(const boost::json::value& json) {
  const auto* name = find(json, "/deviceInfo/deviceName");
  if (name == nullptr || !name->is_string()) return {};
  return std::string(name->get_string().subview(0, 40));
}

Sketch of_data(const Uplink& uplink, const std::string& title, const std::string& name,
               const std::string& where, std::set<std::string>& ids) {
  Sketch out;
  const auto bytes = base64(*uplink.data);
  std::string hex;
  char text[4];
  for (const std::uint8_t byte : bytes ? *bytes : std::vector<std::uint8_t>()) {
    std::snprintf(text, sizeof text, " %02X", byte);
    hex += text;
  }
  out.note = title + " sends" + (hex.empty() ? " nothing" : hex) +
             " and has no codec: bytes says where a value stands";
  out.sensors = sensor(name, where + ", bytes = \"u16be@0\"", ids);
  return out;
}

}  // namespace

std::optional<Sketch> sketch_of(std::string_view topic, std::string_view payload,
                                Written& written) {
  const auto json = parse(payload);
  if (!json) return std::nullopt;
  const auto uplink = uplink_of(*json);
  // Joins, acknowledgements and status have no values of the device.
  if (uplink && !topic.ends_with("/up")) return std::nullopt;
  const std::string device = uplink ? uplink->dev_eui : std::string(topic);
  if (written.devices.contains(device)) return std::nullopt;
  const std::string where =
      uplink ? "dev_eui = \"" + uplink->dev_eui + "\"" : "topic = " + quoted(topic);
  std::string title(topic);
  if (uplink) title = name_of(*json).empty() ? uplink->dev_eui : name_of(*json);
  const std::string name = id_of(title).empty() ? device : title;  // in other letters

  std::optional<Sketch> out;
  if (uplink && uplink->object == nullptr) {
    if (!uplink->data) return std::nullopt;
    out = of_data(*uplink, title, name, where, written.ids);
  } else {
    const auto numbers = numbers_in(uplink ? *uplink->object : *json, kMostSensors);
    if (numbers.empty()) return std::nullopt;
    out.emplace();
    out->note = title + ":";
    for (const auto& [pointer, found] : numbers) {
      out->note += " " + (pointer.empty() ? "payload" : pointer) + " " + shown(found);
      out->sensors +=
          (out->sensors.empty() ? "" : "\n") +
          sensor(name + "-" + pointer,
                 where + (uplink ? ", field = " : ", pointer = ") + quoted(pointer), written.ids);
    }
  }
  out->device = device;
  written.devices.insert(device);
  for (char& c : out->note)
    if (static_cast<unsigned char>(c) < 0x20) c = '?';
  return out;
}

}  // namespace gerbang::mqtt
