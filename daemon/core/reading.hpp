// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace gerbang {

// QARTOD / IODE primary level flags.
enum class Flag : std::uint8_t { good = 1, not_evaluated = 2, suspect = 3, bad = 4, missing = 9 };

// Why a reading is bad or missing. Numbers as in gerbang.v1.Reason and driver.h.
enum class Reason : std::uint8_t {
  none = 0,
  timeout = 1,
  crc = 2,
  exception = 3,
  range = 4,
  flat = 5,
  maintenance = 6,
  no_connection = 7,
  protocol = 8,
  not_a_number = 9,
  driver = 10,
  spike = 11,
  rate = 12,
  stale = 13,
  related = 14,
  warm_up = 15,
  device_fault = 16,
  no_target = 17,
  back_off = 18,
  conversion = 19,
  calibration = 20,
};
inline constexpr std::uint8_t kReasonCount = 21;

// How far the time of a reading can be believed; a window takes the worst.
enum class ClockTrust : std::uint8_t { trusted = 1, estimated = 2, untrusted = 3 };

// Upper-case names as on the wire ("TIMEOUT", "TRUSTED"); lower-case for the flag ("good").
std::string_view name(Reason reason);
std::string_view name(ClockTrust trust);
std::string_view name(Flag flag);
std::optional<Reason> reason_of(unsigned number);
std::optional<Flag> flag_of(unsigned number);

// The device's own number: an integer where the device counts in integers, else a double.
struct Raw {
  double number = 0;
  std::int64_t integer = 0;
  bool is_integer = false;

  static Raw of(double v) { return Raw{v, 0, false}; }
  static Raw of(std::int64_t v) { return Raw{static_cast<double>(v), v, true}; }
  double value() const { return is_integer ? static_cast<double>(integer) : number; }
  friend bool operator==(const Raw&, const Raw&) = default;
};

// value × factor. Where the value is whole and the factor has few decimals it is rounded once, as
// the factor was written: 714 × 0.01 is 7.14, and not the 7.140000000000001 of two doubles.
double scaled(double value, double factor);

// raw × scale + offset is in the sensor's unit; × slope + intercept makes it the quantity's unit.
struct Calibration {
  double scale = 1, offset = 0;
  double slope = 1, intercept = 0;

  double apply(double raw) const { return scaled(scaled(raw, scale) + offset, slope) + intercept; }
  friend bool operator==(const Calibration&, const Calibration&) = default;
};

// What a driver said, before calibration and quality control.
struct Reading {
  std::uint32_t sensor = 0;  // index in the running configuration
  Flag flag = Flag::not_evaluated;
  Reason reason = Reason::none;
  Raw raw;                   // meaningless when flag is missing
  std::int64_t boot_ns = 0;  // CLOCK_BOOTTIME
  std::int64_t unix_ns = 0;  // the device's own clock, 0 if it has none
  // Not a reading: what a later test says of the sensor's reading of this time, which was taken
  // before. It has no value, only worsens a flag, and is counted nowhere.
  bool verdict = false;
};

// Without verdicts.
inline std::size_t readings_in(std::span<const Reading> records) {
  std::size_t out = 0;
  for (const Reading& reading : records) out += reading.verdict ? 0 : 1;
  return out;
}

// Whether a verdict changes the flag that a reading was given.
inline bool worsens(Flag verdict, Flag flag) {
  return flag != Flag::missing && static_cast<unsigned>(verdict) > static_cast<unsigned>(flag);
}

}  // namespace gerbang
