// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

// Times as people and devices write them, for drivers that read texts.
namespace gerbang::moment {

// Nanoseconds since 1970, UTC, of "2026-02-01T02:00:00.123456Z", "2026-02-01 10:00:00+08:00",
// "20260201…" not. Seconds may be left away. Without a zone the text is local time, `local` ahead
// of UTC; without `local` it is refused. A leap second is the second after it. Times before 1970 or
// after 2261 are refused.
std::optional<std::int64_t> of_text(std::string_view text,
                                    std::optional<std::chrono::minutes> local = std::nullopt);

enum class Unit : std::uint8_t { seconds, milliseconds, microseconds, nanoseconds };

// The unit in which a count since 1970 lies in our time: seconds have 10 digits until 2286,
// milliseconds 13, and so on. 0 and negative counts are seconds.
Unit likely_unit(double count);

std::optional<std::int64_t> of_count(double count, Unit unit);
// Exact where the double is not: a count in nanoseconds has more digits than a double.
std::optional<std::int64_t> of_count(std::int64_t count, Unit unit);

// "+08:00", "-0330", "Z".
std::optional<std::chrono::minutes> offset_of(std::string_view text);

}  // namespace gerbang::moment
