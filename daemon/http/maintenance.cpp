// SPDX-License-Identifier: Apache-2.0
#include "http/maintenance.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <vector>

#include "core/text.hpp"
#include "http/documents.hpp"

namespace gerbang::http {
namespace {

constexpr double kMsPerMinute = 60'000;
constexpr std::size_t kMostText = 200;  // bytes of a person or note
constexpr std::string_view kExample =
    R"(; write {"minutes": 120, "person": "Sari", "note": "buffers"})";

Response wrong(const std::string& what) {
  return problem(400, what + std::string(kExample));
}

// Why not; empty: `out` is filled in.
std::string take_text(const boost::json::object& body, std::string_view key, std::string& out) {
  const boost::json::value* value = body.if_contains(key);
  if (value == nullptr) return "";
  if (!value->is_string()) return std::string(key) + " is not a text";
  out = std::string(value->as_string());
  if (out.size() > kMostText)
    return std::string(key) + " has more than " + std::to_string(kMostText) + " bytes";
  return "";
}

}  // namespace

std::variant<MaintenanceCall, Response> parse_maintenance(std::string_view sensor,
                                                          std::string_view body,
                                                          const Snapshot& now) {
  if (find_sensor(now, sensor) == nullptr) {
    std::vector<std::string_view> ids;
    for (const SensorNow& known : now.sensors) ids.push_back(known.info->id);
    auto near = nearest(sensor, ids);
    return problem(404, "there is no sensor of that id; " +
                            (near ? "did you mean \"" + std::string(*near) + "\"?"
                                  : std::string("/api/v1/sensors lists them")));
  }
  boost::system::error_code error;
  const boost::json::value root = boost::json::parse(body, error);
  if (error || !root.is_object()) return wrong("the body is no JSON object");
  const boost::json::object& object = root.as_object();
  for (const auto& member : object)
    if (member.key() != "minutes" && member.key() != "person" && member.key() != "note")
      return wrong("the body has a key that is not known here");
  MaintenanceCall call;
  call.sensor = sensor;
  const boost::json::value* minutes = object.if_contains("minutes");
  if (minutes == nullptr || !minutes->is_number()) return wrong("minutes is missing or no number");
  const double length = minutes->to_number<double>();
  if (!(length >= 0) || length > static_cast<double>(kLongestMaintenanceMinutes))
    return wrong("minutes has to be 0 (it ends now) to " +
                 std::to_string(kLongestMaintenanceMinutes));
  call.for_ms = std::llround(length * kMsPerMinute);
  for (auto [key, out] : {std::pair{"person", &call.person}, std::pair{"note", &call.note}})
    if (std::string fault = take_text(object, key, *out); !fault.empty()) return wrong(fault);
  return call;
}

}  // namespace gerbang::http
