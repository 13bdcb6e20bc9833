// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <numeric>
#include <vector>

namespace gerbang {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::array kDurations = {Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000},
                                   Unit{"s", 1'000}, Unit{"ms", 1}};
constexpr std::array kSizes = {Unit{"TiB", 1ull << 40}, Unit{"GiB", 1ull << 30},
                               Unit{"MiB", 1ull << 20}, Unit{"KiB", 1ull << 10}, Unit{"B", 1}};
constexpr std::uint64_t kCentury = 36'525ull * 86'400'000;

// A whole number followed by exactly one of the units; `bare` is the unit of a number alone (0:
// none).
std::optional<std::uint64_t> parse(std::string_view text, std::span<const Unit> units,
                                   std::uint64_t bare) {
  std::uint64_t count = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{}) return std::nullopt;
  std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
  std::uint64_t factor = suffix.empty() ? bare : 0;
  for (const Unit& unit : units)
    if (suffix == unit.name) factor = unit.factor;
  if (factor == 0 || count > UINT64_MAX / factor) return std::nullopt;
  return count * factor;
}

std::string format(std::uint64_t value, std::span<const Unit> units) {
  for (const Unit& unit : units)
    if (value >= unit.factor && value % unit.factor == 0)
      return std::to_string(value / unit.factor) + std::string(unit.name);
  return "0" + std::string(units.back().name);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  auto ms = parse(text, kDurations, 0);
  if (!ms || *ms > kCentury) return std::nullopt;
  return std::chrono::milliseconds(*ms);
}

std::string format_duration(std::chrono::milliseconds d) {
  return format(static_cast<std::uint64_t>(d.count()), kDurations);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  return parse(text, kSizes, 1);
}

std::string format_size(std::uint64_t bytes) {
  return format(bytes, kSizes);
}

std::string counted(std::size_t count, std::string_view one) {
  return std::to_string(count) + " " + std::string(one) + (count == 1 ? "" : "s");
}

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates) {
  std::optional<std::string_view> best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (std::string_view candidate : candidates) {
    std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string one_word(std::string_view text) {
  std::string out(text.empty() ? "-" : text);
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return std::isspace(c) != 0; }, '-');
  return out;
}

}  // namespace gerbang
