// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/quantity.hpp"

namespace gerbang::test {

// A quantity of its own for the sensor of that name.
inline Quantity quantity_of(const std::string& sensor, const std::string& domain,
                            QuantityKind kind) {
  Quantity quantity;
  quantity.name = "quantity-of-" + sensor;
  quantity.domain = domain;
  quantity.unit = "unit";
  quantity.kind = kind;
  return quantity;
}

}  // namespace gerbang::test
