// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.hpp"
#include "core/quantity.hpp"
#include "core/result.hpp"
#include "core/shared.hpp"

namespace gerbang::config {

// value × slope + intercept is in the other unit.
struct Linear {
  double slope = 1, intercept = 0;
  friend bool operator==(const Linear&, const Linear&) = default;
};

// A row of quantities.toml.
struct QuantityRow {
  Shared<Quantity> quantity;
  Shared<Label> label;                 // the quantity's, for those that share it alone
  std::vector<std::string> spellings;  // of units that a quantity without dimension accepts
  std::string share;  // a gas: the quantity for the same gas as a share of the air (ppb), or empty
};

// UDUNITS-2 with what units.toml adds. Not thread-safe.
class Units {
 public:
  Units();
  ~Units();
  Units(Units&&) noexcept;
  Units& operator=(Units&&) noexcept;

  // Adds the units of a parsed units.toml; mistakes become diagnostics of `file`.
  void add(const Node& root, const std::string& file, Diagnostics& errors);

  bool known(std::string_view unit) const;

  // From `unit` to the quantity's own. The error's text says why not, and after "; " what to write.
  Result<Linear> convert(std::string_view unit, const QuantityRow& row) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gerbang::config
