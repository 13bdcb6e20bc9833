// SPDX-License-Identifier: Apache-2.0
#include "core/calendar.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "core/aggregate.hpp"

namespace gerbang {
namespace {

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  std::int64_t q = a / b;
  return a % b < 0 ? q - 1 : q;
}

}  // namespace

Calendar::Calendar(std::vector<ZoneOffset> zone) : zone_(std::move(zone)) {
  if (zone_.empty()) zone_.emplace_back();
}

// The entry of the table that holds at t.
std::size_t Calendar::index(std::int64_t t) const {
  auto later = std::upper_bound(
      zone_.begin(), zone_.end(), t,
      [](std::int64_t time, const ZoneOffset& entry) { return time < entry.utc_from_ms; });
  return later == zone_.begin() ? 0 : static_cast<std::size_t>(later - zone_.begin()) - 1;
}

std::int32_t Calendar::offset_s(std::int64_t t) const {
  return zone_[index(t)].offset_s;
}

// Days since 1970 on the local calendar, for a t that entry `index` speaks of.
std::int64_t Calendar::local_day(std::size_t index, std::int64_t t) const {
  return floor_div(t + zone_[index].offset_s * std::int64_t{1000}, kDayMs);
}

TimeSpan Calendar::day(std::int64_t t) const {
  const std::size_t now = index(t);
  const std::int64_t date = local_day(now, t);
  auto midnight = [&](std::size_t i, std::int64_t d) {
    return d * kDayMs - zone_[i].offset_s * std::int64_t{1000};
  };
  TimeSpan out;
  // Back and forth over the changes of the clock within this day. A change that skips midnight
  // is itself the border.
  std::size_t i = now;
  out.start_ms = midnight(i, date);
  while (i > 0 && zone_[i].utc_from_ms > out.start_ms) {
    std::int64_t change = zone_[i].utc_from_ms;
    if (local_day(i - 1, change - 1) != date) {
      out.start_ms = change;
      break;
    }
    out.start_ms = midnight(--i, date);
  }
  i = now;
  out.end_ms = midnight(i, date + 1);
  while (i + 1 < zone_.size() && zone_[i + 1].utc_from_ms < out.end_ms) {
    std::int64_t change = zone_[i + 1].utc_from_ms;
    if (local_day(i + 1, change) != date) {
      out.end_ms = change;
      break;
    }
    out.end_ms = midnight(++i, date + 1);
  }
  return out;
}

TimeSpan Calendar::window(std::int64_t length_ms, std::int64_t t) const {
  TimeSpan whole = day(t);
  if (length_ms >= kDayMs) return whole;
  TimeSpan out;
  out.start_ms = whole.start_ms + (t - whole.start_ms) / length_ms * length_ms;
  out.end_ms = std::min(out.start_ms + length_ms, whole.end_ms);
  return out;
}

std::string Calendar::date(std::int64_t t) const {
  std::chrono::sys_days days{std::chrono::days(local_day(index(t), t))};
  std::chrono::year_month_day date(days);
  std::array<char, 32> text;
  int n = std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return std::string(text.data(), static_cast<std::size_t>(n));
}

}  // namespace gerbang
