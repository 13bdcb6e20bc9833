// SPDX-License-Identifier: Apache-2.0
#include "weight.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace gerbang::weighbridge {
namespace {

constexpr std::array<double, 16> kPowers{1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                         1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
constexpr int kMostDigits = 15;  // all are exact in a double

double power(int exponent) {
  return kPowers[static_cast<std::size_t>(std::clamp(exponent, 0, 15))];
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

}  // namespace

double Decimal::value() const {
  const auto number = static_cast<double>(digits);
  return decimals > 0 ? number / power(decimals) : number * power(-decimals);
}

std::optional<Decimal> parse_decimal(std::string_view text) {
  text = trimmed(text);
  if (text.empty()) return std::nullopt;
  const bool negative = text.front() == '-';
  if (negative || text.front() == '+') text = trimmed(text.substr(1));
  Decimal out;
  int count = 0;
  bool mark = false;
  for (const char c : text) {
    if (c == '.' || c == ',') {
      if (mark) return std::nullopt;
      mark = true;
      continue;
    }
    if (c < '0' || c > '9' || ++count > kMostDigits) return std::nullopt;
    out.digits = out.digits * 10 + (c - '0');
    out.decimals += mark ? 1 : 0;
  }
  if (count == 0) return std::nullopt;
  if (negative) out.digits = -out.digits;
  return out;
}

std::optional<Unit> parse_unit(std::string_view text) {
  text = trimmed(text);
  auto is = [&](std::string_view name) {
    return text.size() == name.size() &&
           std::equal(text.begin(), text.end(), name.begin(),
                      [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
  };
  if (is("kg")) return Unit::kilogram;
  if (is("g")) return Unit::gram;
  if (is("t")) return Unit::tonne;
  if (is("lb")) return Unit::pound;
  return std::nullopt;
}

std::optional<Decimal> in_kilograms(Decimal number, Unit unit) {
  switch (unit) {
    case Unit::kilogram:
      break;
    case Unit::gram:
      number.decimals += 3;
      break;
    case Unit::tonne:
      number.decimals -= 3;
      break;
    case Unit::pound: {
      const double micro = number.value() * 453'592.37;
      if (std::abs(micro) > 1e15) return std::nullopt;
      number = {std::llround(micro), 6};
      break;
    }
  }
  if (number.decimals > kMostDigits || number.decimals < -6) return std::nullopt;
  return number;
}

double Weight::load() const {
  if (basis != Basis::net || !tare) return kg();
  // Summed as whole steps, so that 12.3 + 0.1 is 12.4.
  const int decimals = std::clamp(std::max(shown.decimals, tare->decimals), 0, 9);
  const double step = power(decimals);
  return std::round((kg() + tare->value()) * step) / step;
}

}  // namespace gerbang::weighbridge
