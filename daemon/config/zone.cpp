// SPDX-License-Identifier: Apache-2.0
#include "config/zone.hpp"

#include <date/tz.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <utility>
#include <vector>

#include "config/check.hpp"

namespace gerbang::config {
namespace {

// What people call the zones of Indonesia.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kLocalNames = {
    {{"WIB", "Asia/Jakarta"}, {"WITA", "Asia/Makassar"}, {"WIT", "Asia/Jayapura"}}};

std::string suggestion(const std::string& name) {
  for (const auto& [local, zone] : kLocalNames)
    if (name == local) return "write \"" + std::string(zone) + "\"";
  std::vector<std::string_view> names;
  for (const date::time_zone& zone : date::get_tzdb().zones) names.push_back(zone.name());
  std::string answer = did_you_mean(name, names);
  return answer.starts_with("did you mean")
             ? answer
             : "write one such as \"Asia/Jakarta\" \"Asia/Makassar\" \"Asia/Jayapura\"";
}

Zone table_of(const date::time_zone& zone) {
  using std::chrono::seconds;
  constexpr date::sys_days kFrom = date::year(2000) / 1 / 1, kTo = date::year(2100) / 1 / 1;
  Zone out;
  for (date::sys_seconds at = kFrom; at < kTo;) {
    const date::sys_info info = zone.get_info(at);
    ZoneSpan span;
    span.utc_from_ms = std::int64_t{at.time_since_epoch().count()} * 1000;
    span.offset_s = static_cast<std::int32_t>(info.offset.count());
    span.abbreviation = info.abbrev;
    if (out.empty() || out.back().offset_s != span.offset_s ||
        out.back().abbreviation != span.abbreviation)
      out.push_back(std::move(span));
    if (info.end <= at) break;
    at = info.end;
  }
  return out;
}

}  // namespace

Result<Zone> resolve_zone(const std::string& name) {
  try {
    const auto& zones = date::get_tzdb().zones;
    const auto known = std::find_if(zones.begin(), zones.end(),
                                    [&](const date::time_zone& z) { return z.name() == name; });
    // Links such as "Asia/Ujung_Pandang" are found by locate_zone, which throws for other names.
    const date::time_zone* zone = known != zones.end() ? &*known : date::locate_zone(name);
    return table_of(*zone);
  } catch (const std::exception&) {
  }
  try {
    return fail(std::errc::invalid_argument,
                "there is no time zone " + in_quotes(name) + "; " + suggestion(name));
  } catch (const std::exception& e) {
    return fail(std::errc::no_such_file_or_directory,
                std::string("the time zone database cannot be read: ") + e.what() +
                    "; install the package tzdata");
  }
}

}  // namespace gerbang::config
