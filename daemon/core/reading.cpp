// SPDX-License-Identifier: Apache-2.0
#include "core/reading.hpp"

#include <array>
#include <cmath>

namespace gerbang {
namespace {

constexpr std::array<std::string_view, kReasonCount> kReasons = {
    "",           "TIMEOUT",      "CRC",           "EXCEPTION", "RANGE",
    "FLAT",       "MAINTENANCE",  "NO_CONNECTION", "PROTOCOL",  "NOT_A_NUMBER",
    "DRIVER",     "SPIKE",        "RATE",          "STALE",     "RELATED",
    "WARM_UP",    "DEVICE_FAULT", "NO_TARGET",     "BACK_OFF",  "CONVERSION",
    "CALIBRATION"};

}  // namespace

double scaled(double value, double factor) {
  constexpr double kExact = 9'007'199'254'740'992;  // 2^53: whole numbers up to here are exact
  if (value != std::trunc(value)) return value * factor;
  double power = 1;
  for (int decimals = 0; decimals <= 9; ++decimals, power *= 10) {
    const double digits = std::round(factor * power);
    if (digits / power != factor) continue;
    const double product = value * digits;
    return std::abs(product) <= kExact ? product / power : value * factor;
  }
  return value * factor;
}

std::string_view name(Reason reason) {
  auto i = static_cast<std::size_t>(reason);
  return i < kReasons.size() ? kReasons[i] : std::string_view("UNKNOWN");
}

std::string_view name(ClockTrust trust) {
  switch (trust) {
    case ClockTrust::trusted:
      return "TRUSTED";
    case ClockTrust::estimated:
      return "ESTIMATED";
    case ClockTrust::untrusted:
      return "UNTRUSTED";
  }
  return "UNTRUSTED";
}

std::string_view name(Flag flag) {
  switch (flag) {
    case Flag::good:
      return "good";
    case Flag::not_evaluated:
      return "not_evaluated";
    case Flag::suspect:
      return "suspect";
    case Flag::bad:
      return "bad";
    case Flag::missing:
      return "missing";
  }
  return "missing";
}

std::optional<Reason> reason_of(unsigned number) {
  if (number >= kReasonCount) return std::nullopt;
  return static_cast<Reason>(number);
}

std::optional<Flag> flag_of(unsigned number) {
  if ((number >= 1 && number <= 4) || number == 9) return static_cast<Flag>(number);
  return std::nullopt;
}

}  // namespace gerbang
