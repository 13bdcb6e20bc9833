// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace gerbang::replay {

struct Line {
  std::uint64_t number = 0;  // of the file, from 1
  std::string_view text;     // without its end; valid until the next call
  bool too_long = false;     // cut
};

// Cuts a stream into lines, in bounded memory: LF or CRLF; what is longer than kMax is cut and
// said.
class Lines {
 public:
  static constexpr std::size_t kMax = 64 << 10;

  // To be called when next() has nothing. The chunk is copied.
  void feed(std::string_view chunk);
  void finish() { finished_ = true; }  // the last line may have no end
  std::optional<Line> next();

 private:
  Line cut(std::size_t end, std::size_t skip);
  std::string buffer_;
  std::size_t begin_ = 0;
  std::uint64_t number_ = 0;
  bool finished_ = false, skipping_ = false;
};

enum class TimeFormat : std::uint8_t { automatic, text, seconds, milliseconds };

struct TableSettings {
  char separator = '\0';  // '\0': found out from the header
  bool decimal_comma = false;
  std::string time_column = "time";
  std::string date_column;  // beside it, when date and time stand apart
  TimeFormat time_format = TimeFormat::automatic;
  std::optional<std::chrono::minutes> local;  // of times that name no zone
  std::vector<std::string> columns;           // wanted
  std::vector<bool> integers;                 // as columns: counts, not measurements
};

struct Cell {
  enum class Kind : std::uint8_t { number, integer, empty, bad };
  Kind kind = Kind::empty;
  double number = 0;
  std::int64_t integer = 0;
};

struct Row {
  std::int64_t unix_ns = 0;
  std::vector<Cell> cells;  // as the wanted columns
  std::string fault;        // what is wrong with the line; its cells are bad where they are
};

// Turns the lines of a CSV file (RFC 4180; a quoted cell ends on its line) into rows. Pure.
class Table {
 public:
  explicit Table(TableSettings settings) : settings_(std::move(settings)) {}

  // Finds the columns; or says which one is not there, and which are.
  tl::expected<void, std::string> header(std::string_view line);
  // A row; or why there is not even a time.
  tl::expected<Row, std::string> row(std::string_view line) const;

 private:
  std::optional<std::int64_t> time_of(const std::vector<std::string>& cells) const;
  Cell cell_of(const std::string& text, bool integer) const;

  TableSettings settings_;
  std::size_t width_ = 0, time_ = 0, date_ = 0;
  std::vector<std::size_t> places_;  // of the wanted columns
};

// Cells of a line. Nothing: a quote is not closed.
std::optional<std::vector<std::string>> cells_of(std::string_view line, char separator);

}  // namespace gerbang::replay
