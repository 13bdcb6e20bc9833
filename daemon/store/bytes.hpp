// SPDX-License-Identifier: Apache-2.0
//
// Little-endian fields and varints for what the store keeps as blobs.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/reading.hpp"

namespace gerbang::store {

// Of a flag on disk: it is a verdict, see Reading::verdict.
inline constexpr std::uint8_t kVerdictBit = 0x40;
inline std::uint8_t mark_byte(Flag flag, bool verdict) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(flag) | (verdict ? kVerdictBit : 0u));
}

// Neither extreme values nor a crafted blob may overflow.
namespace wrapping {
inline std::int64_t plus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
inline std::int64_t minus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
inline std::int64_t times(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}
}  // namespace wrapping

class ByteWriter {
 public:
  void u8(std::uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void fixed32(std::uint32_t v) {
    for (int i = 0; i < 4; ++i) u8(static_cast<std::uint8_t>(v >> (8 * i)));
  }
  void fixed64(std::uint64_t v) {
    for (int i = 0; i < 8; ++i) u8(static_cast<std::uint8_t>(v >> (8 * i)));
  }
  void varint(std::uint64_t v) {
    for (; v >= 0x80; v >>= 7) u8(static_cast<std::uint8_t>(v | 0x80));
    u8(static_cast<std::uint8_t>(v));
  }
  // Small magnitudes of either sign are short.
  void zigzag(std::int64_t v) {
    varint((static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63));
  }

  std::string& bytes() { return out_; }

 private:
  std::string out_;
};

// Reading past the end, or a varint above 64 bits, sets failed() and gives 0 from then on.
class ByteReader {
 public:
  explicit ByteReader(std::string_view in) : in_(in) {}

  std::uint8_t u8() {
    if (in_.empty()) {
      failed_ = true;
      return 0;
    }
    auto v = static_cast<std::uint8_t>(in_.front());
    in_.remove_prefix(1);
    return v;
  }
  std::uint32_t fixed32() {
    std::uint32_t v = 0;
    for (int i = 0; i < 4; ++i) v |= static_cast<std::uint32_t>(u8()) << (8 * i);
    return v;
  }
  std::uint64_t fixed64() {
    std::uint64_t v = 0;
    for (int i = 0; i < 8; ++i) v |= static_cast<std::uint64_t>(u8()) << (8 * i);
    return v;
  }
  std::uint64_t varint() {
    std::uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      std::uint8_t b = u8();
      if (shift == 63 && b > 1) break;
      v |= static_cast<std::uint64_t>(b & 0x7f) << shift;
      if ((b & 0x80) == 0) return v;
    }
    failed_ = true;
    in_ = {};
    return 0;
  }
  std::int64_t zigzag() {
    std::uint64_t v = varint();
    return static_cast<std::int64_t>((v >> 1) ^ (~(v & 1) + 1));
  }

  std::string_view rest() const { return in_; }
  // At most what there is.
  std::string_view take(std::size_t bytes) {
    auto out = in_.substr(0, bytes);
    in_.remove_prefix(out.size());
    return out;
  }
  bool failed() const { return failed_; }
  bool at_end() const { return in_.empty(); }

 private:
  std::string_view in_;
  bool failed_ = false;
};

// How a number is kept: the shortest form that gives back the same bits. decimal + n: an integer
// divided by 10^n, as devices print them; n is 0 … 6.
namespace number {
enum Form : std::uint8_t { none = 0, integer = 1, float32 = 2, float64 = 3, decimal = 4 };
inline constexpr std::uint8_t kForms = decimal + 7;

// `likely` is tried first, so that runs of one form stay unbroken.
std::uint8_t form_of(double value, std::uint8_t likely);
void write(ByteWriter& out, double value, std::uint8_t form);
double read(ByteReader& in, std::uint8_t form);
}  // namespace number

}  // namespace gerbang::store
