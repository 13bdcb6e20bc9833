// SPDX-License-Identifier: Apache-2.0
#include "address.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace gerbang::modbus {
namespace {

using Error = tl::unexpected<std::string>;

constexpr std::array<std::pair<std::string_view, Table>, 4> kTables{{{"coil", Table::coil},
                                                                     {"discrete", Table::discrete},
                                                                     {"input", Table::input},
                                                                     {"holding", Table::holding}}};

constexpr std::array<std::pair<std::string_view, Type>, 12> kTypes{
    {{"bool", Type::boolean},
     {"uint16", Type::uint16},
     {"int16", Type::int16},
     {"uint32", Type::uint32},
     {"int32", Type::int32},
     {"uint64", Type::uint64},
     {"int64", Type::int64},
     {"float32", Type::float32},
     {"float64", Type::float64},
     {"bcd16", Type::bcd16},
     {"bcd32", Type::bcd32},
     {"uint32_milli", Type::uint32_milli}}};

constexpr std::array<std::pair<std::string_view, Order>, 10> kOrders{{{"abcd", Order::abcd},
                                                                      {"cdab", Order::cdab},
                                                                      {"badc", Order::badc},
                                                                      {"dcba", Order::dcba},
                                                                      {"ab", Order::abcd},
                                                                      {"ba", Order::badc},
                                                                      {"abcdefgh", Order::abcd},
                                                                      {"ghefcdab", Order::cdab},
                                                                      {"badcfehg", Order::badc},
                                                                      {"hgfedcba", Order::dcba}}};

template <class Names>
auto find(const Names& names, std::string_view name) {
  return std::find_if(names.begin(), names.end(), [&](const auto& n) { return n.first == name; });
}

std::string quoted(std::string_view text) {
  return '"' + std::string(text) + '"';
}

struct Place {
  Table table;
  std::int64_t address;
};

// What a manual's number with a leading digit means: five digits for the first 9,999 of a table,
// six for all 65,536. Coils have the digit 0, which nobody writes.
std::optional<Place> place_of(std::int64_t manual) {
  if (manual >= 1 && manual <= 9999) return Place{Table::coil, manual - 1};
  for (auto [digit, table] :
       {std::pair{1, Table::discrete}, {3, Table::input}, {4, Table::holding}}) {
    const std::int64_t five = digit * 10'000, six = digit * 100'000;
    if (manual > five && manual <= five + 9'999) return Place{table, manual - five - 1};
    if (manual > six && manual <= six + 65'536) return Place{table, manual - six - 1};
  }
  return std::nullopt;
}

Expected<Place> place_by_manual(std::int64_t manual, std::optional<Table> table) {
  if (auto place = place_of(manual)) {
    if (!table || place->table == *table) return *place;
    if (place->table != Table::coil)
      return Error("manual = " + std::to_string(manual) + " is in table " +
                   quoted(name_of(place->table)) + ", but table is " + quoted(name_of(*table)) +
                   "; correct one, or leave manual out and give register, counted from 0");
  }
  // A manual that counts from 1 within the table that was named.
  if (table && manual >= 1 && manual <= 65'536) return Place{*table, manual - 1};
  return Error(
      "manual = " + std::to_string(manual) +
      " is no address of a manual; write it like 40001, 400001, 30001, 10001 or 1, or give "
      "table and register");
}

Expected<Place> place_by_keys(const AddressKeys& keys) {
  std::optional<Table> table;
  if (keys.table) {
    auto named = table_of(*keys.table);
    if (!named) return Error(named.error());
    table = *named;
  }
  if (!keys.reg && !keys.manual)
    return Error("neither register nor manual is given; write register = 0 for the first one");
  if (!keys.reg) return place_by_manual(*keys.manual, table);
  if (*keys.reg < 0 || *keys.reg > 65'535)
    return Error("register = " + std::to_string(*keys.reg) +
                 " is outside 0 to 65535; numbers like 400001 belong into manual");

  if (!keys.manual) return Place{table.value_or(Table::holding), *keys.reg};
  auto place = place_by_manual(*keys.manual, table);
  if (place && place->address == *keys.reg) return *place;
  // 40001 may also be the 40,001st register of a manual that counts without a leading digit.
  if (table && *keys.manual == *keys.reg + 1) return Place{*table, *keys.reg};
  if (!place) return place;
  return Error("manual = " + std::to_string(*keys.manual) + " is register " +
               std::to_string(place->address) + " of table " + quoted(name_of(place->table)) +
               ", but register = " + std::to_string(*keys.reg) +
               "; manuals count from 1, the line "
               "from 0");
}

Expected<Type> type_by_keys(const AddressKeys& keys, Table table) {
  if (!keys.type)
    return holds_bits(table) || keys.bit ? Type::boolean
                                         : type_of(keys.usual_type.value_or("uint16"));
  auto type = type_of(*keys.type);
  if (!type) return type;
  if (holds_bits(table) && *type != Type::boolean)
    return Error("table " + quoted(name_of(table)) + " holds bits: type must be \"bool\", not " +
                 quoted(*keys.type));
  if (keys.bit && *type != Type::boolean)
    return Error("bit picks one bit of a register: type must be \"bool\", not " +
                 quoted(*keys.type));
  return type;
}

}  // namespace

std::string_view name_of(Table table) {
  return std::find_if(kTables.begin(), kTables.end(), [&](auto& t) { return t.second == table; })
      ->first;
}

Expected<Table> table_of(std::string_view name) {
  auto found = find(kTables, name);
  if (found == kTables.end())
    return Error("table " + quoted(name) + " is not one of coil, discrete, input, holding");
  return found->second;
}

Expected<Type> type_of(std::string_view name) {
  auto found = find(kTypes, name);
  if (found == kTypes.end()) return Error("type " + quoted(name) + " is not known");
  return found->second;
}

Expected<Order> order_of(std::string_view name, Type type) {
  auto found = find(kOrders, name);
  if (found == kOrders.end()) return Error("order " + quoted(name) + " is not known");
  const std::size_t bytes = 2 * std::size_t{width(type)};
  if (name.size() != 4 && name.size() != bytes)
    return Error("order " + quoted(name) + " has " + std::to_string(name.size()) +
                 " letters, but the type has " + std::to_string(bytes) +
                 " bytes; abcd, cdab, badc and dcba go with every type");
  return found->second;
}

Expected<Point> point_of(const AddressKeys& keys) {
  if (keys.unit < 0 || keys.unit > 255)
    return Error("unit = " + std::to_string(keys.unit) + " is outside 0 to 255");
  auto place = place_by_keys(keys);
  if (!place) return Error(place.error());
  auto type = type_by_keys(keys, place->table);
  if (!type) return Error(type.error());
  auto order = order_of(keys.order.value_or(keys.usual_order.value_or("abcd")), *type);
  if (!order) return Error(order.error());
  if (keys.bit && holds_bits(place->table))
    return Error("bit picks one bit of a register; table " + quoted(name_of(place->table)) +
                 " holds bits already: leave bit out");
  if (keys.bit && (*keys.bit < 0 || *keys.bit > 15))
    return Error("bit = " + std::to_string(*keys.bit) + " is outside 0 (least significant) to 15");

  Point point;
  point.unit = static_cast<std::uint8_t>(keys.unit);
  point.table = place->table;
  point.address = static_cast<std::uint16_t>(place->address);
  point.type = *type;
  point.order = *order;
  point.bit = static_cast<std::int8_t>(keys.bit.value_or(-1));
  if (point.end() > 65'536)
    return Error("register = " + std::to_string(point.address) + " with " +
                 std::to_string(width(point.type)) + " registers goes beyond 65535");
  return point;
}

bool collide(const Point& a, const Point& b, bool own_numbers) {
  if (a.unit != b.unit || a.table != b.table) return false;
  const bool picked = a.bit >= 0;
  if (picked != (b.bit >= 0)) return false;
  if (picked) return a.address == b.address && wire_bit(a) == wire_bit(b);
  const bool both_wide = width(a.type) > 1 && width(b.type) > 1;
  if (own_numbers || !both_wide) return a.address == b.address;
  return a.address < b.end() && b.address < a.end();
}

std::string text_of(const Point& point) {
  std::string text = "unit " + std::to_string(point.unit) + " " +
                     std::string(name_of(point.table)) + " " + std::to_string(point.address);
  if (point.bit >= 0) text += " bit " + std::to_string(point.bit);
  return text;
}

}  // namespace gerbang::modbus
