// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace gerbang {

enum class QuantityKind : std::uint8_t { gauge, totaliser, state, direction, event };

// A text for people in the two languages of the field.
struct Label {
  std::string ind, eng;
  friend bool operator==(const Label&, const Label&) = default;
};

// One row of config/quantities.toml: what is measured, in which unit the project speaks of it.
struct Quantity {
  std::string name;    // "turbidity"
  std::string domain;  // water, waste, air, energy, weather, system
  std::string unit;    // canonical, as printed: "NTU"
  unsigned decimals = 2;
  QuantityKind kind = QuantityKind::gauge;
  Label label;
};

// Who calibrated a sensor, and when it is due again; dates as "2026-11-22", empty: not said.
struct Calibrated {
  std::string date, due, person, note;
};

}  // namespace gerbang
