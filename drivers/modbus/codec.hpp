// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "point.hpp"

namespace gerbang::modbus {

// A decoded value, before scale and offset.
struct Value {
  enum class Kind : std::uint8_t {
    integer,       // the device's own count
    number,        // a float, or a uint64 above the largest int64 (to the nearest double)
    not_a_number,  // the device sent NaN or an infinity
    not_decimal,   // a BCD digit above 9, or more than 999 thousandths
  };
  Kind kind = Kind::integer;
  std::int64_t integer = 0;
  double number = 0;
};

// Decodes a point out of the data bytes of an answer that begins at register (or bit) `first`.
// Precondition: the answer covers the point; true for every request that plan() makes.
Value decode(const Point& point, std::uint16_t first, std::span<const std::uint8_t> data);

}  // namespace gerbang::modbus
