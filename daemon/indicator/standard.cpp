// SPDX-License-Identifier: Apache-2.0
#include "indicator/standard.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/number_text.hpp"

namespace gerbang::indicator {
namespace {

constexpr std::array<std::pair<std::string_view, Method>, 14> kMethods = {{
    {"breakpoints", Method::breakpoints},
    {"limits", Method::limits},
    {"pollution_index", Method::pollution_index},
    {"levels", Method::levels},
    {"amount", Method::amount},
    {"average", Method::average},
    {"count_over", Method::count_over},
    {"hours_outside", Method::hours_outside},
    {"share_complying", Method::share_complying},
    {"capture", Method::capture},
    {"availability", Method::availability},
    {"calibration_due", Method::calibration_due},
    {"inventory", Method::inventory},
    {"difference", Method::difference},
}};
constexpr std::array<std::pair<std::string_view, Statistic>, 5> kStatistics = {{
    {"mean", Statistic::mean},
    {"maximum", Statistic::maximum},
    {"minimum", Statistic::minimum},
    {"last", Statistic::last},
    {"delta", Statistic::delta},
}};

}  // namespace

std::string_view name(Confidence confidence) {
  constexpr std::array<std::string_view, 4> kNames = {"A", "B", "C", "M"};
  return kNames[static_cast<std::size_t>(confidence)];
}

std::string_view name(Method method) {
  return kMethods[static_cast<std::size_t>(method)].first;
}

std::optional<Method> method_of(std::string_view name) {
  for (const auto& [known, method] : kMethods)
    if (known == name) return method;
  return std::nullopt;
}

bool from_values(Method method) {
  return method <= Method::levels;
}

std::optional<Statistic> statistic_of(std::string_view name) {
  for (const auto& [known, statistic] : kStatistics)
    if (known == name) return statistic;
  return std::nullopt;
}

std::optional<Averaging> averaging_of(std::string_view text) {
  constexpr unsigned kMostHours = 72, kMostDays = 366;
  Averaging out;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.count);
  if (error != std::errc{} || end + 1 != text.data() + text.size()) return std::nullopt;
  if (*end == 'd')
    out.unit = Averaging::Unit::day;
  else if (*end != 'h')
    return std::nullopt;
  const unsigned most = out.unit == Averaging::Unit::day ? kMostDays : kMostHours;
  if (out.count == 0 || out.count > most) return std::nullopt;
  return out;
}

std::string text(const Averaging& averaging) {
  return std::to_string(averaging.count) + (averaging.unit == Averaging::Unit::day ? "d" : "h");
}

std::string text(const Limit& limit) {
  const std::string low = limit.low ? number_text(*limit.low) : "";
  const std::string high = limit.high ? number_text(*limit.high) : "";
  if (!limit.relative_to.empty() && limit.low && limit.high && *limit.low == -*limit.high)
    return "within " + high + " of " + limit.relative_to;
  const std::string of =
      limit.relative_to.empty() ? std::string() : ", difference to " + limit.relative_to;
  const std::string low_sign = limit.low_itself ? "at least " : "> ";
  const std::string high_sign = limit.high_itself ? "at most " : "< ";
  if (limit.low && limit.high) {
    if (limit.low_itself && limit.high_itself) return low + " to " + high + of;
    return low_sign + low + ", " + high_sign + high + of;
  }
  return (limit.low ? low_sign + low : high_sign + high) + of;
}

std::vector<std::string> inputs_of(const Standard& standard) {
  std::vector<std::string> out;
  auto add = [&](const std::string& quantity) {
    if (!quantity.empty() && std::find(out.begin(), out.end(), quantity) == out.end())
      out.push_back(quantity);
  };
  for (const Breakpoints& row : standard.breakpoints) add(row.quantity);
  for (const Limit& row : standard.limits) add(row.quantity);
  for (const Level& row : standard.levels) add(row.quantity);
  for (const std::string& quantity : standard.quantities) add(quantity);
  for (const Conversion& row : standard.conversions) add(row.from);
  for (const Limit& row : standard.limits) add(row.relative_to);
  add(standard.witness);
  return out;
}

const Standard* find(const std::vector<Standard>& all, std::string_view name,
                     std::string_view variant) {
  for (const Standard& standard : all) {
    const bool meant =
        standard.family == name ||
        std::find(standard.aliases.begin(), standard.aliases.end(), name) != standard.aliases.end();
    if (variant.empty() ? standard.id == name || (meant && standard.is_default)
                        : (meant || standard.id == name) && standard.variant == variant)
      return &standard;
  }
  return nullptr;
}

}  // namespace gerbang::indicator
