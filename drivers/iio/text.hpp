// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gerbang/driver.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

// What the kernel writes into its text files, and how it calls them. Pure.
namespace gerbang::iio {

struct Number {
  bool is_integer = false;
  std::int64_t integer = 0;
  double real = 0;
  double value() const { return is_integer ? static_cast<double>(integer) : real; }
};

struct Refusal {
  gerbang_reason reason;
  std::string why;
};
using Value = tl::expected<Number, Refusal>;

// One number and the end of the line. IIO writes "25080", "0.008000000" or, of some drivers, "1.5
// V".
Value number_of(std::string_view text);

// (raw + offset) × scale, as the kernel documents it. Stays an integer when there is nothing to do.
Number processed(const Number& raw, const std::optional<Number>& offset,
                 const std::optional<Number>& scale);

// w1_slave of a thermometer, in thousandths of a degree:
//   "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n"
Value w1_of(std::string_view text);

// 85 °C is what a DS18B20 holds before its first conversion: a value that appears from nowhere is
// that one. `before`: the good value before, if any.
bool looks_like_power_on(std::int64_t millidegrees, std::optional<std::int64_t> before);

// "temp", "in_temp", "in_temp_input" and "in_temp_raw" are all the channel "temp".
std::string channel_of(std::string_view text);

// Where the scale (or offset) of a channel may stand, the most special first: a channel has its own
// or shares one with its kind. "voltage0" → "voltage0", "voltage".
std::vector<std::string> owners_of(std::string_view channel);

enum class Bus : std::uint8_t { iio, hwmon, w1 };

// The unit of the kernel's number, for texts: "milli-°C". Empty: it is not known here.
std::string_view unit_of(Bus bus, std::string_view channel);

// How a failed read of a sysfs file is told.
gerbang_reason reason_of(int error);

}  // namespace gerbang::iio
