// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <optional>

#include "ctl/by_hand.hpp"
#include "ctl/commands.hpp"
#include "ipc/child.hpp"
#include "source/catalogue.hpp"

namespace gerbang::ctl {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxBytes = 64u << 10;
constexpr unsigned kDebug = 0, kInfo = 1, kWarning = 2, kError = 3;  // gerbang_log_level

int complain(const std::string& what, int code) {
  std::fprintf(stderr, "gerbangctl: %s\n", what.c_str());
  return code;
}

std::vector<std::string> lines_of(const source::Decoded& decoded, unsigned level) {
  std::vector<std::string> out;
  for (const source::LogLine& line : decoded.log)
    if (line.level == level) out.push_back(without_origin(line.text));
  return out;
}

// One reading with the name that the driver's log gave it.
struct Item {
  Named what;
  const Reading* reading;
  double scale, offset;

  bool is_scaled() const { return scale != 1 || offset != 0; }
  double value() const { return reading->raw.value() * scale + offset; }
};

std::vector<Item> items_of(const source::Decoded& decoded, const Given& given) {
  const auto names = lines_of(decoded, kInfo);
  std::vector<Item> out;
  for (const Reading& reading : decoded.readings) {
    Item item;
    const std::size_t place = reading.sensor;
    item.what = place < names.size() ? named(names[place])
                                     : Named{"value-" + std::to_string(place + 1), {}};
    item.reading = &reading;
    item.scale = given.scale;
    item.offset = given.offset;
    out.push_back(std::move(item));
  }
  return out;
}

std::string quality_text(const Reading& reading) {
  std::string out(name(reading.flag));
  std::replace(out.begin(), out.end(), '_', ' ');
  if (reading.reason != Reason::none) out += " (" + std::string(name(reading.reason)) + ")";
  return out;
}

std::string raw_text(const Item& item) {
  const Raw& raw = item.reading->raw;
  return raw.is_integer ? std::to_string(raw.integer) : exact(raw.number);
}

std::string number_text(const Item& item) {
  return item.is_scaled() ? exact(without_noise(item.value())) : raw_text(item);
}

void print(const Item& item) {
  const bool missing = item.reading->flag == Flag::missing;
  std::printf("%-22s %14s %-8s  %s", item.what.name.c_str(),
              missing ? "no value" : number_text(item).c_str(), item.what.unit.c_str(),
              quality_text(*item.reading).c_str());
  if (item.is_scaled() && !missing) std::printf("   raw %s", raw_text(item).c_str());
  std::putchar('\n');
}

void print(const source::Event& event) {
  std::string out = "event " + event.kind;
  for (const source::EventField& field : event.fields) {
    out +=
        "  " + field.name + " " + exact(field.value) + (field.unit.empty() ? "" : " " + field.unit);
  }
  if (!event.text.empty()) out += "  " + event.text;
  std::puts(out.c_str());
}

json::object to_json(const Item& item) {
  json::object o{{"name", item.what.name}, {"quality", name(item.reading->flag)}};
  if (item.reading->reason != Reason::none) o["reason"] = name(item.reading->reason);
  if (item.reading->flag == Flag::missing) return o;
  if (item.reading->raw.is_integer)
    o["raw"] = item.reading->raw.integer;
  else
    o["raw"] = item.reading->raw.number;
  if (item.is_scaled())
    o["value"] = item.value();
  else
    o["value"] = o["raw"];
  o["unit"] = item.what.unit;
  return o;
}

json::array to_json(const std::vector<std::string>& lines) {
  return json::array(lines.begin(), lines.end());
}

json::object to_json(const source::Event& event) {
  json::array fields;
  for (const source::EventField& field : event.fields)
    fields.push_back(
        json::object{{"name", field.name}, {"value", field.value}, {"unit", field.unit}});
  return {{"kind", event.kind}, {"text", event.text}, {"fields", std::move(fields)}};
}

int refused(const Common& common, const std::string& driver, const source::Decoded& decoded) {
  auto reasons = lines_of(decoded, kError);
  if (reasons.empty()) reasons = lines_of(decoded, kWarning);
  if (reasons.empty())
    reasons.push_back(decoded.text.empty() ? "the driver gave no reason"
                                           : without_origin(decoded.text));
  if (common.json) {
    json::object out{{"driver", driver}, {"refused", to_json(reasons)}};
    std::puts(json::serialize(out).c_str());
    return kData;
  }
  for (const std::string& line : lines_of(decoded, kWarning))
    if (std::find(reasons.begin(), reasons.end(), line) == reasons.end())
      std::fprintf(stderr, "warning: %s\n", line.c_str());
  const char* word = common.language == "ind" ? "ditolak" : "refused";
  for (const std::string& reason : reasons)
    std::fprintf(stderr, "%s: %s: %s\n", driver.c_str(), word, reason.c_str());
  return kData;
}

int show(const Common& common, const std::string& driver, const source::Decoded& decoded,
         const Given& given) {
  const auto items = items_of(decoded, given);
  const auto notes = lines_of(decoded, kDebug), warnings = lines_of(decoded, kWarning);
  if (common.json) {
    json::array readings, events;
    for (const Item& item : items) readings.push_back(to_json(item));
    for (const source::Event& event : decoded.events) events.push_back(to_json(event));
    json::object out{{"driver", driver},
                     {"readings", std::move(readings)},
                     {"events", std::move(events)},
                     {"notes", to_json(notes)},
                     {"warnings", to_json(warnings)}};
    std::puts(json::serialize(out).c_str());
    return kOk;
  }
  for (const Item& item : items) print(item);
  for (const source::Event& event : decoded.events) print(event);
  std::fflush(stdout);
  for (const std::string& line : warnings) std::fprintf(stderr, "warning: %s\n", line.c_str());
  for (const std::string& line : notes) std::fprintf(stderr, "note: %s\n", line.c_str());
  return kOk;
}

Result<std::string> captured(const DecodeOptions& options) {
  if (options.hex.empty() == options.text.empty())
    return fail(std::errc::invalid_argument,
                "give the captured bytes with --hex \"42 4d …\" or with --text");
  auto bytes = options.text.empty() ? bytes_of_hex(options.hex) : bytes_of_text(options.text);
  if (!bytes)
    return fail(std::move(bytes).error().within(options.text.empty() ? "--hex" : "--text"));
  if (bytes->size() > kMaxBytes)
    return fail(std::errc::invalid_argument, std::to_string(bytes->size()) +
                                                 " bytes are more than a capture needs; at most " +
                                                 std::to_string(kMaxBytes));
  return bytes;
}

}  // namespace

static std::string unknown_driver(const source::Catalogue& catalogue, const Error& error) {
  std::string what = error.what;
  if (what.find("; did you mean") == std::string::npos) return what;
  std::string installed;
  for (const auto& entry : catalogue.list())
    installed += (installed.empty() ? "" : ", ") + entry.plugin;
  return what + " Installed: " + installed;
}

int decode(const Common& common, const DecodeOptions& options) {
  auto bytes = captured(options);
  if (!bytes) return complain(bytes.error().what, kUsage);
  auto host = ipc::host_program("gerbang-driver-host");
  if (!host) return complain(host.error().what, kUnavailable);
  source::Catalogue catalogue(*host);
  if (auto path = catalogue.find(options.driver); !path)
    return complain(unknown_driver(catalogue, path.error()), kNoInput);
  auto schema = catalogue.schema(options.driver);
  if (!schema) return complain(schema.error().what, kUnavailable);
  if (!schema->can_decode)
    return complain("driver " + options.driver + " has no codec for captured bytes", kUnavailable);

  GivenRules rules;
  rules.address = rules.scale = true;
  auto given = given_options(*schema, options.options, rules);
  if (!given) return complain(given.error().what, kUsage);
  auto decoded = catalogue.decode(options.driver, given->options, *bytes);
  if (!decoded) return complain(decoded.error().what, kInternal);
  if (decoded->status != source::Status::ok) return refused(common, options.driver, *decoded);
  return show(common, options.driver, *decoded, *given);
}

}  // namespace gerbang::ctl
