// SPDX-License-Identifier: Apache-2.0
//
// Times as people and programs write them. Calendar: proleptic Gregorian, years 1970 … 9999.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gerbang {

// From this instant on local time is UTC + offset_ms, and people call it `abbreviation` ("WITA").
struct ZoneChange {
  std::int64_t utc_from_ms = 0;
  std::int64_t offset_ms = 0;
  std::string abbreviation;
};
using Zone =
    std::vector<ZoneChange>;  // ascending; the first entry also holds before it; empty: UTC

// What the zone says at an instant. `abbreviation` is "UTC" where the zone is empty.
struct LocalOffset {
  std::int64_t offset_ms = 0;
  std::string_view abbreviation = "UTC";
};
LocalOffset offset_at(const Zone& zone, std::int64_t utc_ms);

// "2026-01-01T00:00:00.000Z"; times outside the calendar give "".
std::string format_utc(std::int64_t utc_ms);
// "2026-01-01T08:00:00.000+08:00"
std::string format_local(std::int64_t utc_ms, const Zone& zone);

enum class Bound { from, to };

// RFC 3339, milliseconds since 1970, "now", relative ("-24h"), or a local day ("2026-01-31": as
// `from` its first instant, as `to` its end). nullopt: none of these.
std::optional<std::int64_t> parse_time(std::string_view text, Bound bound, std::int64_t now_ms,
                                       const Zone& zone);

}  // namespace gerbang
