// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gerbang {

// The types of driver.h (gerbang_type), with the same numbers.
enum class OptionType : std::uint8_t {
  string = 1,
  integer = 2,
  number = 3,
  boolean = 4,
  duration = 5,  // milliseconds
  choice = 6,
};

// One key that a driver understands.
struct OptionSpec {
  std::string name;
  OptionType type = OptionType::string;
  bool required = false;
  bool identity = false;  // address keys: two sensors of a driver differ in one of these
  std::optional<std::string> fallback;  // as written in the configuration
  std::vector<std::string> choices;
  std::string help;
  double minimum = 0, maximum = 0;  // bounds when minimum < maximum; durations in milliseconds
};

// What a driver says of itself, learned from its host process.
struct DriverSchema {
  std::string name, version, summary;
  std::uint32_t abi_major = 0, abi_minor = 0;
  std::vector<OptionSpec> options, address;
  std::uint32_t max_block_ms = 0;
};

// A checked value, defaults filled in.
struct OptionValue {
  std::string name;
  OptionType type = OptionType::string;
  std::string text;          // string, choice
  std::int64_t integer = 0;  // integer; boolean 0 or 1; duration in milliseconds
  double number = 0;         // number

  friend bool operator==(const OptionValue&, const OptionValue&) = default;
};

}  // namespace gerbang
