// SPDX-License-Identifier: Apache-2.0
//
// What a technician types and reads when no configuration is involved: captured bytes, options of a
// driver, named values. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/driver_schema.hpp"
#include "core/result.hpp"

namespace gerbang::ctl {

// "42 4d", "424D", "0x42,0x4d", "42:4d": any mixture. Error: which character is wrong, and why.
Result<std::string> bytes_of_hex(std::string_view text);
// As a serial monitor shows it, with \r \n \t \\ and \x02 for what it cannot show.
Result<std::string> bytes_of_text(std::string_view text);

std::string hex(std::string_view bytes);

// As many digits as the number needs to be read back as the same; what fits into 32 bits, as those
// need: a total is not rounded. Without an exponent as far as a person can count.
std::string exact(double number);
// The nearest number of 15 digits: 3 × 0.1 is 0.3.
double without_noise(double computed);

struct Given {
  OptionValues options;
  double scale = 1, offset = 0;  // of what is decoded, as a [[sensor]] has them
};

struct GivenRules {
  bool address = false;            // keys of a sensor's address stand among the options
  bool scale = false;              // so do scale and offset
  std::vector<OptionValue> extra;  // handed on as they are, after the options
};

// KEY=VALUE as typed, checked against what the driver declares. Defaults of its options are filled
// in, those of addresses are not; nothing is required, because there may be no device. Error: which
// key or value is wrong and what to write instead.
Result<Given> given_options(const DriverSchema& schema, const std::vector<std::string>& pairs,
                            const GivenRules& rules);

// "pm2_5 µg/m³", as a driver's log names what it decoded.
struct Named {
  std::string name, unit;
};
Named named(std::string_view line);

// A driver's text without the "decode: " or "scan: " that marks where it was thrown.
std::string without_origin(std::string text);

}  // namespace gerbang::ctl
