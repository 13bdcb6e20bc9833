// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>
#include <cstdio>

#include "core/text.hpp"
#include "ctl/commands.hpp"
#include "ctl/running.hpp"
#include "ipc/child.hpp"
#include "source/catalogue.hpp"

namespace gerbang::ctl {
namespace {

namespace json = boost::json;

const char* type_name(OptionType type) {
  switch (type) {
    case OptionType::string:
      return "string";
    case OptionType::integer:
      return "integer";
    case OptionType::number:
      return "number";
    case OptionType::boolean:
      return "boolean";
    case OptionType::duration:
      return "duration";
    case OptionType::choice:
      return "choice";
  }
  return "string";
}

std::string bound(OptionType type, double value) {
  if (type == OptionType::duration)
    return format_duration(std::chrono::milliseconds(static_cast<std::int64_t>(value)));
  char text[40];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " | ") + word;
  return out;
}

// Names of types and the drivers' own words are English in both languages.
void print_specs(const char* heading, const std::vector<OptionSpec>& specs, bool ind) {
  std::printf("\n%s\n", heading);
  for (const OptionSpec& spec : specs) {
    std::string facts = type_name(spec.type);
    if (!spec.choices.empty()) facts = joined(spec.choices);
    if (spec.minimum < spec.maximum)
      facts += ", " + bound(spec.type, spec.minimum) + (ind ? " sampai " : " to ") +
               bound(spec.type, spec.maximum);
    if (spec.required) facts += ind ? ", wajib" : ", required";
    if (spec.fallback) facts += (ind ? ", bawaan " : ", default ") + *spec.fallback;
    std::printf("  %-22s %s\n  %-22s %s\n", spec.name.c_str(), spec.help.c_str(), "",
                facts.c_str());
  }
}

json::array specs_json(const std::vector<OptionSpec>& specs) {
  json::array out;
  for (const OptionSpec& spec : specs) {
    json::object o{{"name", spec.name},
                   {"type", type_name(spec.type)},
                   {"required", spec.required},
                   {"help", spec.help}};
    if (spec.fallback) o["default"] = *spec.fallback;
    if (!spec.choices.empty()) o["choices"] = json::array(spec.choices.begin(), spec.choices.end());
    if (spec.minimum < spec.maximum) {
      o["minimum"] = spec.minimum;
      o["maximum"] = spec.maximum;
    }
    out.push_back(std::move(o));
  }
  return out;
}

json::object driver_json(const source::Catalogue::Entry& entry,
                         const Result<DriverSchema>& schema) {
  json::object o{{"plugin", entry.plugin}, {"path", entry.path}};
  if (!schema) {
    o["error"] = schema.error().what;
    return o;
  }
  o["version"] = schema->version;
  o["decode"] = schema->can_decode;
  o["scan"] = schema->can_scan;
  o["pushes"] = schema->pushes;
  o["summary"] = schema->summary;
  o["abi"] = std::to_string(schema->abi_major) + "." + std::to_string(schema->abi_minor);
  o["options"] = specs_json(schema->options);
  o["address"] = specs_json(schema->address);
  return o;
}

int list(source::Catalogue& catalogue, bool as_json) {
  json::array out;
  int code = kOk;
  for (const auto& entry : catalogue.list()) {
    auto schema = catalogue.schema(entry.plugin);
    if (!schema) code = kBad;
    if (as_json)
      out.push_back(driver_json(entry, schema));
    else
      std::printf("%-14s %s\n", entry.plugin.c_str(),
                  schema ? (schema->version + "  " + schema->summary).c_str()
                         : schema.error().what.c_str());
  }
  if (as_json) std::puts(json::serialize(out).c_str());
  return code;
}

// The last line of a check.
std::string verdict(const config::LoadResult& loaded, bool ind) {
  if (!loaded.config) {
    const std::size_t n = loaded.errors.size();
    return ind ? std::to_string(n) + " kesalahan" : counted(n, "mistake");
  }
  const config::Config& c = *loaded.config;
  if (!ind) return "valid: " + config::summary(c);
  return "benar: " + std::to_string(c.drivers.size()) + " driver, " +
         std::to_string(c.sensors.size()) + " sensor, " + std::to_string(c.uplinks.size()) +
         " uplink";
}

}  // namespace

int check(const Common& common) {
  auto loaded = load_configuration(common, true);
  print_mistakes(loaded, common);
  if (!common.json)
    std::printf("%s: %s\n", common.config.c_str(),
                verdict(loaded, common.language == "ind").c_str());
  return loaded.config ? kOk : kConfig;
}

int drivers(const Common& common, const std::string& name) {
  auto host = ipc::host_program("gerbang-driver-host");
  if (!host) {
    std::fprintf(stderr, "gerbangctl: %s\n", host.error().what.c_str());
    return kUnavailable;
  }
  source::Catalogue catalogue(*host);
  if (name.empty()) return list(catalogue, common.json);
  auto path = catalogue.find(name);
  auto schema = catalogue.schema(name);
  if (!path || !schema) {
    std::fprintf(stderr, "gerbangctl: %s\n", (path ? schema.error() : path.error()).what.c_str());
    return kNoInput;
  }
  if (common.json) {
    std::puts(json::serialize(driver_json({name, *path}, schema)).c_str());
    return kOk;
  }
  std::printf("%s %s: %s\n%s, ABI %u.%u\n", name.c_str(), schema->version.c_str(),
              schema->summary.c_str(), path->c_str(), schema->abi_major, schema->abi_minor);
  const bool ind = common.language == "ind";
  if (schema->can_decode)
    std::printf("%s: gerbangctl decode %s\n", ind ? "Byte yang terekam" : "Captured bytes",
                name.c_str());
  if (schema->can_scan)
    std::printf("%s: gerbangctl scan %s\n", ind ? "Mencari perangkat" : "Search", name.c_str());
  if (schema->pushes)
    std::puts(ind ? "Perangkatnya mengirim sendiri: interval menyatakan seberapa sering; tanpa "
                    "itu tidak ada yang ditunggu"
                  : "Its devices speak by themselves: interval says how often; without it nothing "
                    "is expected");
  print_specs("[driver.options]", schema->options, ind);
  print_specs("sensor address = { … }", schema->address, ind);
  return kOk;
}

}  // namespace gerbang::ctl
