// SPDX-License-Identifier: Apache-2.0
#include "codec.hpp"

#include <bit>
#include <cmath>
#include <limits>

namespace gerbang::modbus {
namespace {

Value integer(std::int64_t count) {
  return {Value::Kind::integer, count, 0};
}

Value number(double value) {
  if (!std::isfinite(value)) return {Value::Kind::not_a_number, 0, 0};
  return {Value::Kind::number, 0, value};
}

Value unsigned_64(std::uint64_t count) {
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (count > kLargest) return number(static_cast<double>(count));
  return integer(static_cast<std::int64_t>(count));
}

// Four bits a digit, most significant first.
Value decimal(std::uint64_t digits, int count) {
  std::int64_t value = 0;
  for (int i = count - 1; i >= 0; --i) {
    const auto digit = static_cast<std::int64_t>(digits >> (4 * i) & 0xF);
    if (digit > 9) return {Value::Kind::not_decimal, 0, 0};
    value = value * 10 + digit;
  }
  return integer(value);
}

// A meter that counts in whole units and in thousandths of one: a count of thousandths, so that no
// digit is lost.
Value thousandths(std::uint64_t whole, std::uint64_t part) {
  if (part > 999) return {Value::Kind::not_decimal, 0, 0};
  return integer(static_cast<std::int64_t>(whole * 1000 + part));
}

// The registers as one number, whatever way they were sent.
std::uint64_t assemble(std::span<const std::uint8_t> bytes, Order order) {
  const std::size_t words = bytes.size() / 2;
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < words; ++i) {
    const std::size_t word = low_word_first(order) ? words - 1 - i : i;
    const std::size_t high = low_byte_first(order) ? 2 * word + 1 : 2 * word;
    const std::size_t low = low_byte_first(order) ? 2 * word : 2 * word + 1;
    all = all << 16 | std::uint64_t{bytes[high]} << 8 | bytes[low];
  }
  return all;
}

}  // namespace

Value decode(const Point& point, std::uint16_t first, std::span<const std::uint8_t> data) {
  const auto offset = static_cast<std::size_t>(point.address - first);
  if (holds_bits(point.table)) return integer(data[offset / 8] >> (offset % 8) & 1);

  const auto bytes = data.subspan(2 * offset, 2 * std::size_t{width(point.type)});
  if (point.type == Type::uint32_milli)
    return thousandths(assemble(bytes.first(4), point.order),
                       assemble(bytes.subspan(4), point.order));
  const auto bits = assemble(bytes, point.order);
  switch (point.type) {
    case Type::boolean:
      return integer(point.bit < 0 ? bits != 0 : static_cast<std::int64_t>(bits >> point.bit & 1));
    case Type::uint16:
    case Type::uint32:
      return integer(static_cast<std::int64_t>(bits));
    case Type::uint64:
      return unsigned_64(bits);
    case Type::int16:
      return integer(static_cast<std::int16_t>(bits));
    case Type::int32:
      return integer(static_cast<std::int32_t>(bits));
    case Type::int64:
      return integer(static_cast<std::int64_t>(bits));
    case Type::float32:
      return number(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    case Type::float64:
      return number(std::bit_cast<double>(bits));
    case Type::bcd16:
      return decimal(bits, 4);
    case Type::bcd32:
      return decimal(bits, 8);
    case Type::uint32_milli:
      break;  // above
  }
  return {Value::Kind::not_decimal, 0, 0};  // not reached: every type is above
}

}  // namespace gerbang::modbus
