// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

namespace gerbang::modbus {

// A value, or the sentence that says why there is none.
template <class T>
using Expected = tl::expected<T, std::string>;

// The four tables of the data model; the numbers are the function codes that read them. There is no
// other function code in this driver.
enum class Table : std::uint8_t { coil = 1, discrete = 2, holding = 3, input = 4 };

constexpr bool holds_bits(Table table) {
  return table == Table::coil || table == Table::discrete;
}

enum class Type : std::uint8_t {
  boolean,
  uint16,
  int16,
  bcd16,
  uint32,
  int32,
  float32,
  bcd32,
  uint64,
  int64,
  float64,
  uint32_milli,  // two uint32, each in the order given: whole, then thousandths
};

// How the bytes of a value stand in the answer, by the usual letters: a is the most significant
// byte of a 32-bit value. Shorter and longer values follow the same two habits.
enum class Order : std::uint8_t {
  abcd,  // most significant byte first: what the standard says of one register
  cdab,  // low word first
  badc,  // bytes swapped within each word
  dcba,  // least significant byte first
};

constexpr bool low_word_first(Order order) {
  return order == Order::cdab || order == Order::dcba;
}
constexpr bool low_byte_first(Order order) {
  return order == Order::badc || order == Order::dcba;
}

// Registers (or bits, in the tables of bits) that a value takes up.
constexpr std::uint16_t width(Type type) {
  if (type >= Type::uint64) return 4;
  return type >= Type::uint32 ? 2 : 1;
}

// One value of one unit.
struct Point {
  std::uint8_t unit = 1;
  Table table = Table::holding;
  std::uint16_t address = 0;  // as it goes over the line: the first one is 0
  Type type = Type::uint16;
  Order order = Order::abcd;
  std::int8_t bit = -1;  // 0 (least significant) … 15: this bit of the register; -1: all of it

  std::uint32_t end() const { return std::uint32_t{address} + width(type); }
  friend bool operator==(const Point&, const Point&) = default;
};

// Where a point's bit stands in its register as it is sent. Precondition: it picks one.
constexpr int wire_bit(const Point& point) {
  return low_byte_first(point.order) ? point.bit ^ 8 : point.bit;
}

}  // namespace gerbang::modbus
