// SPDX-License-Identifier: Apache-2.0
#include "modbus/address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <bitset>
#include <tuple>
#include <vector>

#include "modbus/codec.hpp"

namespace gerbang::modbus {
namespace {

using testing::HasSubstr;

AddressKeys keys(std::optional<std::string> table, std::optional<std::int64_t> reg,
                 std::optional<std::int64_t> manual = {}) {
  AddressKeys k;
  k.table = std::move(table);
  k.reg = reg;
  k.manual = manual;
  return k;
}
void expect_place(const AddressKeys& k, Table table, int address) {
  const auto point = point_of(k);
  ASSERT_TRUE(point) << point.error();
  EXPECT_EQ(point->table, table);
  EXPECT_EQ(point->address, address);
}
std::string error_of(const AddressKeys& k) {
  const auto point = point_of(k);
  EXPECT_FALSE(point);
  return point ? std::string() : point.error();
}

TEST(Address, RegisterCountsFromZeroAndMeansHoldingUnlessSaid) {
  expect_place(keys({}, 0), Table::holding, 0);
  expect_place(keys("input", 65'535), Table::input, 65'535);
  expect_place(keys("coil", 7), Table::coil, 7);
}

TEST(Address, ManualAloneDefinesTableAndRegister) {
  expect_place(keys({}, {}, 40'001), Table::holding, 0);
  expect_place(keys({}, {}, 400'001), Table::holding, 0);
  expect_place(keys({}, {}, 44'100), Table::holding, 0x1003);  // Longrun LRF-3000S: its address
  expect_place(keys({}, {}, 400'031), Table::holding, 30);     // Pemtech PT2008, sensor 1
  expect_place(keys({}, {}, 465'536), Table::holding, 65'535);
  expect_place(keys({}, {}, 30'001), Table::input, 0);
  expect_place(keys({}, {}, 300'010), Table::input, 9);
  expect_place(keys({}, {}, 10'001), Table::discrete, 0);
  expect_place(keys({}, {}, 1), Table::coil, 0);
}

TEST(Address, ManualWithoutALeadingDigitCountsFromOneInTheNamedTable) {
  expect_place(keys("holding", {}, 5), Table::holding, 4);
  // 12,000 may be the 12,000th input register or the 2,000th discrete input: not guessed.
  EXPECT_THAT(error_of(keys("input", {}, 12'000)), HasSubstr("table is \"input\""));
}

TEST(Address, ManualIsCheckedAgainstRegisterAndTable) {
  expect_place(keys("holding", 0, 40'001), Table::holding, 0);
  expect_place(keys("holding", 101, 40'102), Table::holding, 101);
  expect_place(keys("holding", 40'000, 40'001), Table::holding, 40'000);
  EXPECT_THAT(error_of(keys("holding", 1, 40'001)), HasSubstr("is register 0 of table"));
  EXPECT_THAT(error_of(keys("input", 0, 40'001)), HasSubstr("table is \"input\""));
  EXPECT_THAT(error_of(keys({}, {}, 20'001)), HasSubstr("no address of a manual"));
}

TEST(Address, SaysWhatIsMissingOrOutOfRange) {
  EXPECT_THAT(error_of(keys("holding", {})), HasSubstr("neither register nor manual"));
  EXPECT_THAT(error_of(keys("holding", 400'001)), HasSubstr("belong into manual"));
  EXPECT_THAT(error_of(keys("register", 0)), HasSubstr("coil, discrete, input, holding"));
  AddressKeys last = keys("holding", 65'535);
  last.type = "float32";
  EXPECT_THAT(error_of(last), HasSubstr("beyond 65535"));
}

TEST(Address, TypeFollowsTheTableAndTheBit) {
  EXPECT_EQ(point_of(keys("coil", 0))->type, Type::boolean);
  EXPECT_EQ(point_of(keys("holding", 0))->type, Type::uint16);
  AddressKeys bit = keys("holding", 0);
  bit.bit = 15;
  EXPECT_EQ(point_of(bit)->type, Type::boolean);
  EXPECT_EQ(point_of(bit)->bit, 15);
  bit.type = "uint16";
  EXPECT_THAT(error_of(bit), HasSubstr("must be \"bool\""));
  AddressKeys coil = keys("coil", 0);
  coil.type = "float32";
  EXPECT_THAT(error_of(coil), HasSubstr("holds bits"));
  coil.type = {};
  coil.bit = 1;
  EXPECT_THAT(error_of(coil), HasSubstr("leave bit out"));
}

TEST(Address, WhatIsUsualHoldsForRegistersThatSayNothingElse) {
  AddressKeys k = keys({}, {}, 40'001);
  k.usual_type = "float32";
  k.usual_order = "cdab";
  EXPECT_EQ(point_of(k)->type, Type::float32);
  EXPECT_EQ(point_of(k)->order, Order::cdab);
  k.type = "int16";
  k.order = "ba";
  EXPECT_EQ(point_of(k)->type, Type::int16);
  EXPECT_EQ(point_of(k)->order, Order::badc);
  AddressKeys coil = keys({}, {}, 1);
  coil.usual_type = "float32";
  EXPECT_EQ(point_of(coil)->type, Type::boolean);
}

TEST(Address, OrderHasAsManyLettersAsTheValueHasBytesOrFour) {
  EXPECT_EQ(order_of("ghefcdab", Type::uint64).value(), Order::cdab);
  EXPECT_EQ(order_of("badcfehg", Type::float64).value(), Order::badc);
  EXPECT_EQ(order_of("hgfedcba", Type::int64).value(), Order::dcba);
  EXPECT_EQ(order_of("cdab", Type::uint64).value(), Order::cdab);
  EXPECT_EQ(order_of("ba", Type::int16).value(), Order::badc);
  EXPECT_EQ(order_of("dcba", Type::int16).value(), Order::dcba);
  EXPECT_FALSE(order_of("abcdefgh", Type::float32));
  EXPECT_FALSE(order_of("ba", Type::float32));
  EXPECT_FALSE(order_of("acbd", Type::float32));
}

// The bits on the wire that the codec looks at, of the registers from 0 on.
std::bitset<128> looked_at(const Point& point) {
  std::array<std::uint8_t, 16> wire{};
  auto told = [&] {
    const Value value = decode(point, 0, wire);
    return std::tuple(value.kind, value.integer, std::bit_cast<std::uint64_t>(value.number));
  };
  const auto nothing = told();
  std::bitset<128> out;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto bit = static_cast<std::uint8_t>(1u << (i % 8));
    wire[i / 8] = bit;
    out[i] = told() != nothing;
    wire[i / 8] = 0;
  }
  return out;
}

TEST(Place, IsTakenWhenTheCodecLooksAtABitOfItAlready) {
  std::vector<Point> points;
  for (const Order order : {Order::abcd, Order::cdab, Order::badc, Order::dcba})
    for (const std::uint16_t address : std::to_array<std::uint16_t>({0, 1, 3, 4})) {
      for (int type = 0; type <= static_cast<int>(Type::uint32_milli); ++type)
        points.push_back({1, Table::holding, address, static_cast<Type>(type), order, -1});
      for (std::int8_t bit = 0; bit < 16 && address < 2; ++bit)
        points.push_back({1, Table::holding, address, Type::boolean, order, bit});
    }
  std::vector<std::bitset<128>> bits;
  for (const Point& point : points) bits.push_back(looked_at(point));
  for (std::size_t i = 0; i < points.size(); ++i)
    for (std::size_t j = 0; j < points.size(); ++j) {
      const Point &a = points[i], &b = points[j];
      const bool part = a.address != b.address && (width(a.type) == 1 || width(b.type) == 1);
      const bool alike = (a.bit < 0) == (b.bit < 0) && (a.bit >= 0 || !part);
      ASSERT_EQ(collide(a, b, false), alike && (bits[i] & bits[j]).any())
          << text_of(points[i]) << ", " << text_of(points[j]);
    }
}

TEST(Place, IsOfOneUnitAndTable) {
  const Point point{1, Table::holding, 7};
  Point other = point;
  EXPECT_TRUE(collide(point, other, false));
  other.unit = 2;
  EXPECT_FALSE(collide(point, other, false));
  other = point;
  other.table = Table::input;
  EXPECT_FALSE(collide(point, other, false));
  const Point coil{1, Table::coil, 7, Type::boolean};
  EXPECT_TRUE(collide(coil, coil, false));
  EXPECT_FALSE(collide(coil, {1, Table::coil, 8, Type::boolean}, false));
}

TEST(Place, IsANumberWhereEachIsAValueOfItsOwn) {
  const Point wide{1, Table::holding, 7, Type::float64}, next{1, Table::holding, 8, Type::float32};
  EXPECT_TRUE(collide(wide, next, false));
  EXPECT_FALSE(collide(wide, next, true));
  EXPECT_TRUE(collide(wide, {1, Table::holding, 7, Type::uint16}, true));
}

}  // namespace
}  // namespace gerbang::modbus
