// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "value.hpp"

namespace gerbang::mqtt {

using Bytes = std::span<const std::uint8_t>;

// Where a number stands in the bytes of a device, and how it is coded. Written as
//   u16be@0   unsigned, 16 bits, most significant byte first, at byte 0
//   i24le@3   signed (two's complement); f32 and f64 are IEEE 754; u8 and i8 need no order
//   u16be@-2  from the end: the last two bytes
//   bit@4.7   one bit of byte 4; 0 is the least significant
struct Layout {
  enum class Kind : std::uint8_t { unsigned_, signed_, real, bit };
  Kind kind = Kind::unsigned_;
  std::size_t size = 1;  // bytes: 1, 2, 3, 4, 8
  bool little = false;   // least significant byte first
  int offset = 0;        // negative: from the end
  unsigned bit = 0;
  friend bool operator==(const Layout&, const Layout&) = default;
};

// Or what is wrong with it and what to write instead.
tl::expected<Layout, std::string> layout_of(std::string_view text);

// The bytes may be too few (PROTOCOL) and a float not a number (NOT_A_NUMBER).
Value decode(const Layout& layout, Bytes bytes);

// RFC 4648, both alphabets, with or without padding; nothing else may stand in it.
tl::expected<std::vector<std::uint8_t>, std::string> base64(std::string_view text);

}  // namespace gerbang::mqtt
