// SPDX-License-Identifier: Apache-2.0
#include "moment.hpp"

#include <array>
#include <cmath>

namespace gerbang::moment {
namespace {

using namespace std::chrono;

constexpr std::int64_t kBillion = 1'000'000'000;
constexpr std::int64_t kLastSecond = 9'214'646'400;  // 2262-01-01: int64 nanoseconds end in April

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Reads a text from the left.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}
  bool done() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  bool skip(std::string_view any_of) {
    if (rest_.empty() || any_of.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Exactly so many digits, and a number within the bounds.
  std::optional<unsigned> number(std::size_t digits, unsigned low, unsigned high) {
    if (rest_.size() < digits) return std::nullopt;
    unsigned value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (!is_digit(rest_[i])) return std::nullopt;
      value = value * 10 + static_cast<unsigned>(rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    if (value < low || value > high) return std::nullopt;
    return value;
  }
  // Digits after the point; what is finer than a nanosecond is cut.
  std::optional<std::int64_t> fraction_ns() {
    if (!is_digit(peek())) return std::nullopt;
    std::int64_t value = 0, unit = kBillion / 10;
    for (; is_digit(peek()); rest_.remove_prefix(1), unit /= 10) value += (peek() - '0') * unit;
    return value;
  }

 private:
  std::string_view rest_;
};

std::optional<minutes> zone(Cursor& in) {
  if (in.skip("Zz")) return minutes(0);
  const bool west = in.peek() == '-';
  if (!in.skip("+-")) return std::nullopt;
  const auto hour = in.number(2, 0, 23);
  in.skip(":");
  const auto minute = in.number(2, 0, 59);
  if (!hour || !minute) return std::nullopt;
  const minutes ahead(*hour * 60 + *minute);
  return west ? -ahead : ahead;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::optional<std::int64_t> checked(std::int64_t seconds, std::int64_t ns) {
  if (seconds < 0 || seconds >= kLastSecond) return std::nullopt;
  return seconds * kBillion + ns;
}

std::int64_t per_second(Unit unit) {
  constexpr std::array<std::int64_t, 4> kPerSecond{1, 1'000, 1'000'000, kBillion};
  return kPerSecond[static_cast<std::size_t>(unit)];
}

}  // namespace

std::optional<std::int64_t> of_text(std::string_view text, std::optional<minutes> local) {
  Cursor in(trimmed(text));
  const auto y = in.number(4, 1970, 2261);
  if (!y || !in.skip("-")) return std::nullopt;
  const auto m = in.number(2, 1, 12);
  if (!m || !in.skip("-")) return std::nullopt;
  const auto d = in.number(2, 1, 31);
  if (!d) return std::nullopt;
  const year_month_day day{year(static_cast<int>(*y)), month(*m), std::chrono::day(*d)};
  if (!day.ok() || !in.skip("Tt ")) return std::nullopt;
  const auto hour = in.number(2, 0, 23);
  if (!hour || !in.skip(":")) return std::nullopt;
  const auto minute = in.number(2, 0, 59);
  if (!minute) return std::nullopt;
  std::int64_t second = 0, ns = 0;
  if (in.skip(":")) {
    const auto given = in.number(2, 0, 60);
    if (!given) return std::nullopt;
    second = *given;
    if (in.skip(".,")) {
      const auto fraction = in.fraction_ns();
      if (!fraction) return std::nullopt;
      ns = *fraction;
    }
  }
  in.skip(" ");
  const auto ahead = in.done() ? local : zone(in);
  if (!ahead || !in.done()) return std::nullopt;
  const auto days = sys_days(day).time_since_epoch().count();
  const std::int64_t seconds = std::int64_t{days} * 86'400 + *hour * std::int64_t{3'600} +
                               *minute * std::int64_t{60} + second - ahead->count() * 60;
  return checked(seconds, ns);
}

Unit likely_unit(double count) {
  if (count < 1e11) return Unit::seconds;
  if (count < 1e14) return Unit::milliseconds;
  return count < 1e17 ? Unit::microseconds : Unit::nanoseconds;
}

std::optional<std::int64_t> of_count(double count, Unit unit) {
  const double seconds = count / static_cast<double>(per_second(unit));
  if (!(seconds >= 0 && seconds < static_cast<double>(kLastSecond))) return std::nullopt;
  const double whole = std::floor(seconds);
  // A double holds a microsecond of our time and no more.
  const double micro = std::floor((seconds - whole) * 1e6 + 0.5);
  return static_cast<std::int64_t>(whole) * kBillion + static_cast<std::int64_t>(micro) * 1'000;
}

std::optional<std::int64_t> of_count(std::int64_t count, Unit unit) {
  const std::int64_t per = per_second(unit);
  if (count < 0) return std::nullopt;
  return checked(count / per, count % per * (kBillion / per));
}

std::optional<minutes> offset_of(std::string_view text) {
  Cursor in(trimmed(text));
  const auto ahead = zone(in);
  if (!ahead || !in.done()) return std::nullopt;
  return ahead;
}

}  // namespace gerbang::moment
