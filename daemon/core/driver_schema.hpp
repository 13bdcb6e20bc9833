// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/shared.hpp"

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
  bool can_decode = false, can_scan = false;  // `gerbangctl decode`, `gerbangctl scan`
  bool pushes = false;                        // its devices speak by themselves
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

// Checked values in the order of the schema. They never change, and copies share them: a thousand
// addresses stand in the configuration and in what the drivers were told.
class OptionValues {
 public:
  OptionValues() = default;
  OptionValues(std::vector<OptionValue> values) {
    values.shrink_to_fit();
    values_ = std::move(values);
  }
  OptionValues(std::initializer_list<OptionValue> values)
      : OptionValues(std::vector<OptionValue>(values)) {}

  const OptionValue* begin() const { return values_->data(); }
  const OptionValue* end() const { return begin() + size(); }
  std::size_t size() const { return values_->size(); }
  bool empty() const { return values_->empty(); }
  const OptionValue& operator[](std::size_t i) const { return (*values_)[i]; }

  friend bool operator==(const OptionValues&, const OptionValues&) = default;

 private:
  Shared<std::vector<OptionValue>> values_;
};

}  // namespace gerbang
