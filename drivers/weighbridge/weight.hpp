// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gerbang::weighbridge {

// What the number on the display is. Many formats do not say (`display`): then it is what stands on
// the platform as long as nobody uses the indicator's tare key.
enum class Basis : std::uint8_t { display, gross, net, tare };

// Many formats do not say whether the platform is at rest.
enum class Motion : std::uint8_t { unknown, at_rest, moving };

// A decimal number as it was sent: digits × 10^-decimals. Negative decimals are zeros at the end
// that were not sent.
struct Decimal {
  std::int64_t digits = 0;
  int decimals = 0;

  bool whole() const { return decimals <= 0; }
  // The double nearest to it.
  double value() const;
};

// "+00012.345", "-  20", "12,5": spaces may stand before and after the sign, the sign is optional,
// comma and dot are the decimal mark. Nothing else, and not more than 15 digits.
std::optional<Decimal> parse_decimal(std::string_view text);

enum class Unit : std::uint8_t { gram, kilogram, tonne, pound };

// "kg", " KG ", "t"; nothing for what is no unit of weight known here.
std::optional<Unit> parse_unit(std::string_view text);

// In kilograms. Exact for the metric units; a pound is 0.45359237 kg, rounded to six decimals.
std::optional<Decimal> in_kilograms(Decimal number, Unit unit);

// One reading of an indicator, in kilograms.
struct Weight {
  Decimal shown;
  Basis basis = Basis::display;
  Motion motion = Motion::unknown;
  std::optional<Decimal> tare;  // that the indicator takes off just now; with Basis::net only

  double kg() const { return shown.value(); }
  // On the platform, as far as the indicator tells: with the tare added back where it is known.
  double load() const;
};

}  // namespace gerbang::weighbridge
