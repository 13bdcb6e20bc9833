// SPDX-License-Identifier: Apache-2.0
#include "store/bytes.hpp"

#include <array>
#include <cmath>

namespace gerbang::store::number {
namespace {

constexpr std::array<double, 7> kPower = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
// Four bytes as a zigzag varint: above that a float32 is as short.
constexpr double kLimit = 134217728;  // 2^27

bool same(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

bool fits_decimal(double value, std::size_t digits) {
  double scaled = value * kPower[digits];
  if (!(std::fabs(scaled) < kLimit)) return false;  // also NaN
  return same(static_cast<double>(std::llround(scaled)) / kPower[digits], value);
}

bool fits_float32(double value) {
  if (std::fabs(value) > 3.4e38 && std::isfinite(value)) return false;  // would be undefined
  return same(static_cast<double>(static_cast<float>(value)), value);
}

}  // namespace

std::uint8_t form_of(double value, std::uint8_t likely) {
  if (likely >= decimal && likely < kForms && fits_decimal(value, likely - decimal)) return likely;
  for (std::uint8_t digits = 0; digits < kPower.size(); ++digits)
    if (fits_decimal(value, digits)) return static_cast<std::uint8_t>(decimal + digits);
  return fits_float32(value) ? float32 : float64;
}

void write(ByteWriter& out, double value, std::uint8_t form) {
  if (form == float32)
    out.fixed32(std::bit_cast<std::uint32_t>(static_cast<float>(value)));
  else if (form == float64)
    out.fixed64(std::bit_cast<std::uint64_t>(value));
  else
    out.zigzag(std::llround(value * kPower[static_cast<std::size_t>(form - decimal)]));
}

double read(ByteReader& in, std::uint8_t form) {
  if (form == float32) return static_cast<double>(std::bit_cast<float>(in.fixed32()));
  if (form == float64) return std::bit_cast<double>(in.fixed64());
  return static_cast<double>(in.zigzag()) / kPower[static_cast<std::size_t>(form - decimal)];
}

}  // namespace gerbang::store::number
