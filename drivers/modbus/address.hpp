// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "point.hpp"

namespace gerbang::modbus {

// The keys of a sensor's `address`, as given.
struct AddressKeys {
  std::int64_t unit = 1;
  std::optional<std::string> table;
  std::optional<std::int64_t> reg;     // `register`: from 0, as on the line
  std::optional<std::int64_t> manual;  // as in a manual, from 1: 40001, 400001, 30001, 10001, 1
  std::optional<std::string> type;
  std::optional<std::string> order;
  std::optional<std::int64_t> bit;
  // What the driver's options say for addresses that give none; the type is one of whole registers.
  std::optional<std::string> usual_type;
  std::optional<std::string> usual_order;
};

Expected<Type> type_of(std::string_view name);
Expected<Table> table_of(std::string_view name);
// Letters for 2, 4 or 8 bytes. The four-letter names hold for any type; the others must fit it.
Expected<Order> order_of(std::string_view name, Type type);

// The point that the keys mean, or what is wrong with them and what to write instead.
Expected<Point> point_of(const AddressKeys& keys);

std::string_view name_of(Table table);
// Whether two points tell the same twice: some bit on the wire is part of both, whatever their
// types and orders are. A bit that is picked out may be read beside the value that it is part of,
// and so may one register of a wider value, unless it is the first: that is one number twice.
// `own_numbers`: each number of these devices is a whole value of its own and no register; then two
// points of different numbers share nothing.
bool collide(const Point& a, const Point& b, bool own_numbers);

// "unit 3 holding 100", for texts.
std::string text_of(const Point& point);

}  // namespace gerbang::modbus
