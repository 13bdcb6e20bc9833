// SPDX-License-Identifier: Apache-2.0
#include "table.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "moment/moment.hpp"

namespace gerbang::replay {
namespace {

constexpr std::size_t kNamesShown = 20;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// What loggers and spreadsheets write for "no value".
bool says_nothing(std::string_view text) {
  std::string lower;
  for (char c : text.substr(0, 8)) lower += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  for (std::string_view word : {"", "nan", "-nan", "na", "n/a", "#n/a", "null", "none", "inf",
                                "-inf", "+inf", "-", "--", "---"})
    if (lower == word) return true;
  return false;
}

template <class Number>
std::optional<Number> whole(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  Number out{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, out);
  if (error != std::errc() || stop != end) return std::nullopt;
  return out;
}

char likely_separator(std::string_view header) {
  char best = ',';
  std::ptrdiff_t most = 0;
  for (char candidate : {',', ';', '\t'}) {
    const auto count = std::count(header.begin(), header.end(), candidate);
    if (count > most) most = count, best = candidate;
  }
  return best;
}

}  // namespace

void Lines::feed(std::string_view chunk) {
  buffer_.erase(0, begin_);
  begin_ = 0;
  buffer_.append(chunk);
}

Line Lines::cut(std::size_t end, std::size_t skip) {
  Line line{++number_, std::string_view(buffer_).substr(begin_, end - begin_), false};
  if (line.text.ends_with('\r')) line.text.remove_suffix(1);
  if (line.text.size() > kMax) {
    line.text = line.text.substr(0, kMax);
    line.too_long = true;
  }
  begin_ = end + skip;
  return line;
}

std::optional<Line> Lines::next() {
  for (;;) {
    const std::size_t end = buffer_.find('\n', begin_);
    if (skipping_) {  // the rest of a line that was too long
      skipping_ = end == std::string::npos;
      begin_ = skipping_ ? buffer_.size() : end + 1;
      if (skipping_) return std::nullopt;
      continue;
    }
    if (end != std::string::npos) return cut(end, 1);
    if (buffer_.size() - begin_ > kMax) {
      skipping_ = true;
      return cut(buffer_.size(), 0);
    }
    if (finished_ && begin_ < buffer_.size()) return cut(buffer_.size(), 0);
    return std::nullopt;
  }
}

std::optional<std::vector<std::string>> cells_of(std::string_view line, char separator) {
  std::vector<std::string> out(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      out.back() += line[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == separator && !quoted) {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  if (quoted) return std::nullopt;
  return out;
}

tl::expected<void, std::string> Table::header(std::string_view line) {
  if (line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);  // spreadsheets begin files so
  if (settings_.separator == '\0') settings_.separator = likely_separator(line);
  auto names = cells_of(line, settings_.separator);
  if (!names) return tl::unexpected(std::string("a quote in the header is not closed"));
  for (std::string& name : *names) name = trimmed(name);
  width_ = names->size();
  std::string all;
  for (std::size_t i = 0; i < std::min(width_, kNamesShown); ++i)
    all += (i == 0 ? "" : ", ") + (*names)[i];
  if (width_ > kNamesShown) all += " …";
  auto find = [&](const std::string& name, std::size_t& out) -> tl::expected<void, std::string> {
    const auto found = std::find(names->begin(), names->end(), name);
    if (found == names->end())
      return tl::unexpected("there is no column \"" + name + "\"; the header has: " + all);
    if (std::find(found + 1, names->end(), name) != names->end())
      return tl::unexpected("two columns are called \"" + name + "\"");
    out = static_cast<std::size_t>(found - names->begin());
    return {};
  };
  if (auto found = find(settings_.time_column, time_); !found) return found;
  if (!settings_.date_column.empty())
    if (auto found = find(settings_.date_column, date_); !found) return found;
  places_.assign(settings_.columns.size(), 0);
  for (std::size_t i = 0; i < places_.size(); ++i)
    if (auto found = find(settings_.columns[i], places_[i]); !found) return found;
  return {};
}

tl::expected<Row, std::string> Table::row(std::string_view line) const {
  const auto cells = cells_of(line, settings_.separator);
  if (!cells) return tl::unexpected(std::string("a quote is not closed"));
  const auto time = time_of(*cells);
  if (!time) {
    const std::string text = time_ < cells->size() ? (*cells)[time_].substr(0, 40) : "";
    std::string why = "\"" + text + "\" is no time";
    if (!settings_.local && moment::of_text(text, std::chrono::minutes(0)))
      why += " with a zone; say timezone_offset = \"+08:00\"";
    return tl::unexpected(why);
  }
  Row out;
  out.unix_ns = *time;
  if (cells->size() != width_)
    out.fault = "it has " + std::to_string(cells->size()) + " cells, the header has " +
                std::to_string(width_);
  for (std::size_t i = 0; i < places_.size(); ++i) {
    Cell cell{Cell::Kind::bad};
    if (out.fault.empty() || cells->size() == width_)
      cell = cell_of((*cells)[places_[i]], settings_.integers[i]);
    if (cell.kind == Cell::Kind::bad && out.fault.empty())
      out.fault = settings_.columns[i] + ": \"" + (*cells)[places_[i]].substr(0, 40) +
                  (settings_.integers[i] ? "\" is no integer" : "\" is no number");
    out.cells.push_back(cell);
  }
  return out;
}

std::optional<std::int64_t> Table::time_of(const std::vector<std::string>& cells) const {
  if (time_ >= cells.size() || date_ >= cells.size()) return std::nullopt;
  std::string text(trimmed(cells[time_]));
  if (!settings_.date_column.empty()) text = std::string(trimmed(cells[date_])) + " " + text;
  if (settings_.time_format != TimeFormat::text) {
    const auto unit = [this](double count) {
      if (settings_.time_format == TimeFormat::automatic) return moment::likely_unit(count);
      return settings_.time_format == TimeFormat::seconds ? moment::Unit::seconds
                                                          : moment::Unit::milliseconds;
    };
    if (const auto count = whole<std::int64_t>(text))
      return moment::of_count(*count, unit(static_cast<double>(*count)));
    if (const auto count = whole<double>(text)) return moment::of_count(*count, unit(*count));
    if (settings_.time_format != TimeFormat::automatic) return std::nullopt;
  }
  return moment::of_text(text, settings_.local);
}

Cell Table::cell_of(const std::string& raw, bool integer) const {
  std::string text(trimmed(raw));
  if (says_nothing(text)) return {};
  if (settings_.decimal_comma) std::replace(text.begin(), text.end(), ',', '.');
  Cell cell{Cell::Kind::bad};
  if (integer) {
    if (const auto count = whole<std::int64_t>(text)) {
      cell.kind = Cell::Kind::integer;
      cell.integer = *count;
    }
  } else if (const auto number = whole<double>(text); number && std::isfinite(*number)) {
    cell.kind = Cell::Kind::number;
    cell.number = *number;
  }
  return cell;
}

}  // namespace gerbang::replay
