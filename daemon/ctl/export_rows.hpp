// SPDX-License-Identifier: Apache-2.0
//
// What an export consists of: rows that read the same whether they came through the daemon or from
// its file.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/aggregate.hpp"
#include "core/time_text.hpp"
#include "store/types.hpp"

namespace gerbang::ctl {

enum class RowKind { readings, aggregates };

// Column names, in order.
std::vector<std::string_view> columns(RowKind kind);

struct Cell {
  std::string text;     // empty: nothing is known
  bool number = false;  // as against text
};
using Row = std::vector<Cell>;  // one for each column

// What the file says of a series.
struct SeriesText {
  std::string sensor, unit;
  QuantityKind kind = QuantityKind::gauge;
};

Row row_of(const store::StoredReading& reading, const SeriesText& series, const Zone& zone);
Row row_of(const Aggregate& aggregate, const SeriesText& series, const Zone& zone);

// An answer of /api/v1/readings or of /api/v1/aggregates. Numbers stay the text that they came as:
// Boost.JSON 1.81 reads doubles to the last digit but one.
struct Page {
  using Element = std::map<std::string, Cell, std::less<>>;
  std::vector<Element> elements;
  std::string next;  // empty: that was all
};
std::optional<Page> parse_page(std::string_view body);
// nullopt: the element is no row.
std::optional<Row> row_of(RowKind kind, const Page::Element& element, const std::string& window,
                          const Zone& zone);

// RFC 4180, with the line's end.
void append_csv(std::string& out, const std::vector<std::string_view>& names);
void append_csv(std::string& out, const Row& row);
// One JSON object; cells of which nothing is known are left out.
void append_json(std::string& out, const std::vector<std::string_view>& names, const Row& row);

}  // namespace gerbang::ctl
