// SPDX-License-Identifier: Apache-2.0
#include "keys.hpp"

#include <random>
#include <utility>

#include "topic.hpp"

namespace gerbang::mqtt {
namespace {

using namespace std::chrono_literals;
using driver::Config;
using driver::Failure;
using driver::Values;

constexpr int kSilentIntervals = 3;  // until a device counts as silent

std::string text_or(const Values& values, const char* name, const std::string& otherwise = "") {
  return values.has(name) ? values.text(name) : otherwise;
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

Want want_of(const driver::Sensor& sensor, const Values& options) {
  const Values& address = sensor.address;
  const std::string where = std::string("sensor ") + sensor.id + ": address: ";
  Want want;
  want.index = sensor.index;
  want.id = sensor.id;
  want.interval = sensor.interval;
  want.silent_after = address.has("silent_after") ? Time(address.duration("silent_after"))
                                                  : kSilentIntervals * sensor.interval;
  if (address.has("dev_eui")) {
    want.dev_eui = eui_of(address.text("dev_eui"));
    if (want.dev_eui.empty())
      refuse(where + "dev_eui = \"" + address.text("dev_eui") +
             "\" is no EUI: write its 16 hex digits, as ChirpStack shows them");
    want.filter = replaced(options.text("chirpstack_topic"), "{dev_eui}", want.dev_eui);
  }
  if (address.has("topic")) want.filter = address.text("topic");
  if (want.filter.empty()) refuse(where + "give topic, or dev_eui of a ChirpStack device");
  if (const std::string fault = filter_fault(want.filter); !fault.empty())
    refuse(where + "topic = \"" + want.filter + "\": " + fault);
  if (address.has("bytes")) {
    auto layout = layout_of(address.text("bytes"));
    if (!layout) refuse(where + layout.error());
    want.layout = *layout;
  }
  if (address.has("field")) {
    if (want.dev_eui.empty()) refuse(where + "field is of ChirpStack's object: give dev_eui too");
    want.pointer = field_of(where, address.text("field"));
  }
  if (address.has("pointer")) {
    if (!want.dev_eui.empty())
      refuse(where +
             "with dev_eui the value is a field of the object (field), or bytes of data "
             "(bytes); pointer is for other topics");
    want.pointer = checked_pointer(where, "pointer", address.text("pointer"));
  }
  if (!want.dev_eui.empty() && want.pointer.has_value() == want.layout.has_value())
    refuse(where +
           "with dev_eui give either field, of the decoded object, or bytes, of the raw data");
  if (!want.pointer && !want.layout)
    refuse(where +
           "say where the value stands: pointer = \"/temperature\" in JSON (\"\" when the "
           "payload is only a number), or bytes = \"u16be@0\"");
  if (address.has("f_port")) want.f_port = address.integer("f_port");
  if (address.has("time_pointer"))
    want.time_pointer = checked_pointer(where, "time_pointer", address.text("time_pointer"));
  want.text_numbers = address.boolean("text_numbers");
  want.optional = address.boolean("optional");
  return want;
}

// Two clients of one name take the connection from each other for ever.
std::string unique_id(const char* instance) {
  std::random_device random;
  constexpr const char* kDigits = "0123456789abcdef";
  std::string out = std::string("gerbang-") + instance + "-";
  for (int i = 0; i < 8; ++i) out += kDigits[random() % 16];
  return out;
}

}  // namespace

void refuse(const std::string& text) {
  throw Failure(GERBANG_CONFIG, text);
}

std::string checked_pointer(const std::string& where, const char* key, const std::string& text) {
  if (const std::string fault = pointer_fault(text); !fault.empty())
    refuse(where + key + " = \"" + text + "\": " + fault);
  return text;
}

// A name is a pointer to it.
std::string field_of(const std::string& where, const std::string& field) {
  if (field.starts_with('/')) return checked_pointer(where, "field", field);
  return "/" + replaced(replaced(field, "~", "~0"), "/", "~1");
}

std::vector<Want> wants_of(const Config& config) {
  std::vector<Want> wants;
  for (std::size_t i = 0; i < config.sensor_count(); ++i)
    wants.push_back(want_of(config.sensor(i), config.options()));
  return wants;
}

BrokerSettings broker_of(const Config& config, std::vector<std::string> filters) {
  const Values options = config.options();
  BrokerSettings s;
  s.host = options.text("host");
  s.port = static_cast<std::uint16_t>(options.integer("port"));
  s.v5 = options.text("mqtt_version") == "5";
  s.tls = options.boolean("tls");
  s.ca_file = text_or(options, "ca_file");
  s.certificate_file = text_or(options, "certificate_file");
  s.key_file = text_or(options, "key_file");
  s.username = text_or(options, "username");
  s.password_file = text_or(options, "password_file");
  s.keepalive = std::chrono::duration_cast<std::chrono::seconds>(options.duration("keepalive"));
  s.keep_session =
      std::chrono::duration_cast<std::chrono::seconds>(options.duration("keep_session"));
  s.filters = std::move(filters);
  if (s.host.empty()) refuse("host is empty; write the broker's name or address");
  if (!s.password_file.empty() && s.username.empty())
    refuse("password_file is given without username");
  if (!s.tls && !(s.ca_file + s.certificate_file + s.key_file).empty())
    refuse("ca_file, certificate_file and key_file need tls = true");
  if (s.keep_session > 0s && !options.has("client_id"))
    refuse("keep_session needs a client_id, unique at this broker: the session belongs to it");
  static const std::string own = unique_id(config.instance());
  s.client_id = text_or(options, "client_id", own);
  return s;
}

}  // namespace gerbang::mqtt
