// SPDX-License-Identifier: Apache-2.0
//
// Numbers out of bytes, for pure codecs. Every function reads at `at` and needs the bytes to be
// there.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace gerbang::serial {

using Bytes = std::span<const std::uint8_t>;

inline std::uint16_t big16(Bytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}
inline std::uint16_t little16(Bytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at + 1] << 8 | bytes[at]);
}
inline float big_float(Bytes bytes, std::size_t at) {
  return std::bit_cast<float>(std::uint32_t{big16(bytes, at)} << 16 | big16(bytes, at + 2));
}
// Sum of all bytes; cut it to the width that the protocol has.
inline std::uint32_t sum(Bytes bytes) {
  std::uint32_t total = 0;
  for (std::uint8_t byte : bytes) total += byte;
  return total;
}
// "42 4D 00": as people write frames.
inline std::string hex(Bytes bytes) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (std::uint8_t byte : bytes) {
    if (!out.empty()) out += ' ';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

}  // namespace gerbang::serial
