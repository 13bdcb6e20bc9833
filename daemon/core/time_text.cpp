// SPDX-License-Identifier: Apache-2.0
#include "core/time_text.hpp"

#include <charconv>
#include <chrono>
#include <cstdio>

#include "core/text.hpp"

namespace gerbang {
namespace {

using std::chrono::milliseconds;
using std::chrono::sys_days;

constexpr std::int64_t kDay = 86'400'000;
constexpr std::int64_t kLast = 253'402'300'799'999;  // 9999-12-31T23:59:59.999Z

// Exactly `digits` decimal digits at the front of text; takes them off.
std::optional<int> take_digits(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// "2026-01-31" at the front, as milliseconds of its midnight without a zone.
std::optional<std::int64_t> take_date(std::string_view& text) {
  auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  auto day = take_digits(text, 2);
  if (!day || *year < 1970) return std::nullopt;
  std::chrono::year_month_day date(std::chrono::year(*year),
                                   std::chrono::month(static_cast<unsigned>(*month)),
                                   std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  return milliseconds(sys_days(date).time_since_epoch()).count();
}

// "12:30:00", "12:30:00.250"; a leap second counts as the next minute's first.
std::optional<std::int64_t> take_clock(std::string_view& text) {
  auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  auto minute = take_digits(text, 2);
  if (!minute || *minute > 59 || !take(text, ':')) return std::nullopt;
  auto second = take_digits(text, 2);
  if (!second || *second > 60) return std::nullopt;
  std::int64_t fraction = 0;
  if (take(text, '.')) {
    std::size_t digits = 0;
    for (std::int64_t weight = 100; !text.empty() && text[0] >= '0' && text[0] <= '9'; ++digits) {
      fraction += weight * (text[0] - '0');
      weight /= 10;
      text.remove_prefix(1);
    }
    if (digits == 0) return std::nullopt;
  }
  return ((*hour * 60 + *minute) * 60 + *second) * std::int64_t{1000} + fraction;
}

// "Z" or "+08:00", and nothing after it.
std::optional<std::int64_t> take_offset(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.empty()) return std::nullopt;
  int sign = text[0] == '-' ? -1 : 1;
  if (!take(text, '+') && !take(text, '-')) return std::nullopt;
  auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  auto minute = take_digits(text, 2);
  if (!minute || *minute > 59 || !text.empty()) return std::nullopt;
  return sign * (*hour * 60 + *minute) * std::int64_t{60'000};
}

// The first instant of a local day. Where midnight does not exist the day begins at the change.
std::int64_t day_start(std::int64_t local_midnight_ms, const Zone& zone) {
  std::int64_t offset = offset_at(zone, local_midnight_ms).offset_ms;
  std::int64_t start = local_midnight_ms - offset;
  std::int64_t there = offset_at(zone, start).offset_ms;
  if (there != offset) start = local_midnight_ms - there;
  return start;
}

std::string format(std::int64_t ms, const char* suffix) {
  if (ms < 0 || ms > kLast) return "";
  auto days = std::chrono::floor<std::chrono::days>(milliseconds(ms));
  std::chrono::year_month_day date{sys_days(days)};
  auto rest = static_cast<unsigned>(ms - milliseconds(days).count());
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02u:%02u:%02u.%03u%s",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), rest / 3'600'000, rest / 60'000 % 60,
                rest / 1000 % 60, rest % 1000, suffix);
  return text;
}

}  // namespace

LocalOffset offset_at(const Zone& zone, std::int64_t utc_ms) {
  LocalOffset found;
  for (const ZoneChange& change : zone) {
    if (&change != &zone.front() && change.utc_from_ms > utc_ms) break;
    found.offset_ms = change.offset_ms;
    found.abbreviation = change.abbreviation;
  }
  return found;
}

std::string format_utc(std::int64_t utc_ms) {
  return format(utc_ms, "Z");
}

std::string format_local(std::int64_t utc_ms, const Zone& zone) {
  std::int64_t offset = offset_at(zone, utc_ms).offset_ms;
  auto minutes = static_cast<unsigned>((offset < 0 ? -offset : offset) / 60'000 % (24 * 60));
  char suffix[8];
  std::snprintf(suffix, sizeof suffix, "%c%02u:%02u", offset < 0 ? '-' : '+', minutes / 60 % 24,
                minutes % 60);
  return format(utc_ms + offset, suffix);
}

std::optional<std::int64_t> parse_time(std::string_view text, Bound bound, std::int64_t now_ms,
                                       const Zone& zone) {
  if (text == "now") return now_ms;
  if (text.starts_with('-')) {
    auto back = parse_duration(text.substr(1));
    if (!back) return std::nullopt;
    return now_ms - back->count();
  }
  if (text.find_first_not_of("0123456789") == text.npos) {
    std::int64_t ms = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
    if (error != std::errc{} || text.empty() || ms > kLast) return std::nullopt;
    return ms;
  }
  auto date = take_date(text);
  if (!date) return std::nullopt;
  if (text.empty()) return day_start(bound == Bound::from ? *date : *date + kDay, zone);
  if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return std::nullopt;
  auto clock = take_clock(text);
  if (!clock) return std::nullopt;
  auto offset = take_offset(text);
  if (!offset) return std::nullopt;
  return *date + *clock - *offset;
}

}  // namespace gerbang
