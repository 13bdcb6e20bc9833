// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

namespace gerbang {

// Dissolved oxygen at saturation, mg/L: fresh water at 1 atm, for a temperature in °C (0 … 40).
// Benson and Krause (1984) in the form of the APHA Standard Methods; the coefficients are from
// memory, the values agree with common tables (20 °C 9.092, 25 °C 8.263, 30 °C 7.559).
inline double oxygen_saturation(double celsius) {
  const double t = celsius + 273.15;
  return std::exp(-139.34411 + 1.575701e5 / t - 6.642308e7 / (t * t) + 1.243800e10 / (t * t * t) -
                  8.621949e11 / (t * t * t * t));
}

}  // namespace gerbang
