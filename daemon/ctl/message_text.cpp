// SPDX-License-Identifier: Apache-2.0
#include "ctl/message_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <ctime>

#include "ctl/json_fields.hpp"

namespace gerbang::ctl {
namespace {

namespace json = boost::json;
using Lines = std::vector<std::string>;

// "-": there is none. A reading's last digits are noise, a meter's or a count's are not.
std::string number_of(const json::object& o, std::string_view key, int digits = 5) {
  const json::value* v = o.if_contains(key);
  if (!v || !v->is_number()) return "-";
  char text[40];
  std::snprintf(text, sizeof text, "%.*g", digits, v->to_number<double>());
  return text;
}
constexpr int kAllDigits = 15;

const json::array& list_of(const json::object& o, std::string_view key) {
  static const json::array none;
  const json::value* v = o.if_contains(key);
  return v && v->is_array() ? v->as_array() : none;
}

std::string in(std::string_view language, const json::object& o, const std::string& key) {
  return text_of(o, key + (language == "eng" ? "Eng" : "Ind"));
}

std::string with_unit(const std::string& number, const std::string& unit) {
  return unit.empty() ? number : number + " " + unit;
}

std::string padded(std::string text) {
  constexpr std::size_t kName = 24;
  if (text.size() < kName) text.resize(kName, ' ');
  return text;
}

std::string window_of(const json::object& message) {
  return "window from " + utc(integer_of(message, "windowStartMs")) + " to " +
         utc(integer_of(message, "windowEndMs"));
}

std::string figures_of(const json::object& a) {
  const std::string unit = text_of(a, "unit");
  if (a.contains("delta"))  // a meter's window is its increase, its register the last value
    return "increase " + with_unit(number_of(a, "delta"), unit) + "  from " +
           number_of(a, "first", kAllDigits) + " to " + number_of(a, "last", kAllDigits);
  if (!a.contains("mean")) return "nothing";
  return "mean " + with_unit(number_of(a, "mean"), unit) + "  min " + number_of(a, "minimum") +
         "  max " + number_of(a, "maximum");
}

Lines aggregates(const json::object& message) {
  Lines out = {window_of(message)};
  for (const json::value& row : list_of(message, "aggregates")) {
    if (!row.is_object()) continue;
    const json::object& a = row.as_object();
    std::string line = padded(text_of(a, "sensor")) + " " + figures_of(a);
    if (a.contains("expected"))
      line += "  good " + number_of(a, "good", kAllDigits) + " of " +
              number_of(a, "expected", kAllDigits);
    for (const char* key : {"verdict", "reason"})
      if (const std::string word = text_of(a, key); !word.empty()) line += "  " + word;
    out.push_back(std::move(line));
  }
  return out;
}

Lines readings(const json::object& message) {
  Lines out;
  for (const json::value& row : list_of(message, "readings")) {
    if (!row.is_object()) continue;
    const json::object& r = row.as_object();
    std::string line = padded(text_of(r, "sensor")) + " " + utc(integer_of(r, "timeMs")) + "  " +
                       with_unit(number_of(r, "value", kAllDigits), text_of(r, "unit"));
    if (const std::string reason = text_of(r, "reason"); !reason.empty()) line += "  " + reason;
    out.push_back(std::move(line));
  }
  return out;
}

Lines alarm(const json::object& message, std::string_view language) {
  std::string line = text_of(message, "state") + "  " + text_of(message, "severity") + "  " +
                     in(language, message, "text");
  if (message.contains("value"))
    line += "  (" + with_unit(number_of(message, "value"), text_of(message, "unit")) + ")";
  line += "  since " + utc(integer_of(message, "sinceMs"));
  if (message.contains("clearedMs")) line += " until " + utc(integer_of(message, "clearedMs"));
  Lines out = {std::move(line)};
  if (const std::string advice = in(language, message, "advice"); !advice.empty())
    out.push_back(advice);
  return out;
}

Lines indicator(const json::object& message, std::string_view language) {
  std::string line =
      message.contains("value") ? number_of(message, "value", kAllDigits) : "no data";
  if (const std::string label = in(language, message, "label"); !label.empty())
    line += "  " + label;
  std::string critical;
  for (const json::value& each : list_of(message, "critical"))
    if (each.is_string())
      critical += (critical.empty() ? "" : ", ") + std::string(each.as_string());
  if (!critical.empty()) line += "  because of " + critical;
  if (is_true(message, "provisional")) line += "  provisional";
  if (message.contains("capture")) line += "  capture " + number_of(message, "capture");
  return {std::move(line), text_of(message, "standard") + " (" +
                               text_of(message, "standardVersion") + "), " + window_of(message)};
}

Lines event(const json::object& message) {
  std::string line = utc(integer_of(message, "timeMs"));
  for (const char* key : {"sensor", "person", "text"})
    if (const std::string word = text_of(message, key); !word.empty()) line += "  " + word;
  for (const json::value& each : list_of(message, "values")) {
    if (!each.is_object()) continue;
    const json::object& value = each.as_object();
    line += "  " + text_of(value, "name") + " " +
            with_unit(number_of(value, "value", kAllDigits), text_of(value, "unit"));
  }
  return {std::move(line)};
}

Lines gap(const json::object& message) {
  return {"#" + number_of(message, "first", kAllDigits) + " to #" +
          number_of(message, "last", kAllDigits) + " will not come: " + text_of(message, "reason")};
}

Lines state(const json::object& message) {
  std::string line = is_true(message, "online") ? "online" : "OFFLINE";
  if (const std::string reason = text_of(message, "reason"); !reason.empty()) line += " " + reason;
  if (const std::string version = text_of(message, "version"); !version.empty())
    line += "  version " + version;
  if (const std::string clock = text_of(message, "clock"); !clock.empty())
    line += "  clock " + clock;
  line += "  newest #" + number_of(message, "lastSequence", kAllDigits);
  if (const json::value* store = message.if_contains("store"); store && store->is_object())
    for (const char* key : {"degraded", "damaged"})
      if (is_true(store->as_object(), key)) line += std::string("  store ") + key;
  Lines out = {std::move(line)};
  for (const json::value& each : list_of(message, "drivers")) {
    if (!each.is_object() || text_of(each.as_object(), "state") == "running") continue;
    const json::object& driver = each.as_object();
    out.push_back("driver " + text_of(driver, "name") + " " + text_of(driver, "state") + "  " +
                  text_of(driver, "lastError"));
  }
  return out;
}

Lines description(const json::object& message) {
  std::string line = text_of(message, "siteKind") + " in " + text_of(message, "timezone") + ": ";
  for (const char* key : {"sensors", "indicators", "alarms"})
    line += std::to_string(list_of(message, key).size()) + " " + key +
            (key == std::string_view("alarms") ? "" : ", ");
  return {std::move(line)};
}

}  // namespace

std::string utc(std::int64_t ms) {
  const auto seconds = static_cast<std::time_t>(ms / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

Lines message_lines(std::string_view suffix, const json::object& message,
                    std::string_view language) {
  if (suffix.starts_with("aggregate/")) return aggregates(message);
  if (suffix.starts_with("reading/")) return readings(message);
  if (suffix.starts_with("alarm/")) return alarm(message, language);
  if (suffix.starts_with("indicator/")) return indicator(message, language);
  if (suffix.starts_with("event/")) return event(message);
  if (suffix == "gap") return gap(message);
  if (suffix == "state") return state(message);
  if (suffix == "description") return description(message);
  json::object rest = message;
  rest.erase("source");
  return {json::serialize(rest)};
}

}  // namespace gerbang::ctl
