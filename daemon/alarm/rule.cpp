// SPDX-License-Identifier: Apache-2.0
#include "alarm/rule.hpp"

namespace gerbang::alarm {

std::string_view name(Severity severity) {
  switch (severity) {
    case Severity::info:
      return "INFO";
    case Severity::warning:
      return "WARNING";
    case Severity::high:
      return "HIGH";
    case Severity::critical:
      return "CRITICAL";
  }
  return "WARNING";
}

std::string subject(const Rule& rule) {
  std::string out = std::to_string(static_cast<int>(rule.watch));
  switch (rule.watch) {
    case Watch::reading:
    case Watch::rate:
    case Watch::stale:
    case Watch::quality:
      return out + "/" + std::to_string(rule.series);
    case Watch::window:
      return out + "/" + std::to_string(rule.series) + "/" + std::to_string(rule.window_ms) + "/" +
             std::to_string(static_cast<int>(rule.statistic));
    case Watch::indicator:
    case Watch::condition:
      return out + "/" + rule.source;
  }
  return out;
}

std::optional<double> value_of(const Rule& rule, const Aggregate& window, QuantityKind kind) {
  if (rule.statistic == Statistic::delta) return window.delta;
  if (verdict(window) == Verdict::none) return std::nullopt;
  if (rule.statistic == Statistic::mean) return mean(window, kind);
  const ShownValues shown = shown_values(window, kind);
  return rule.statistic == Statistic::minimum ? shown.minimum : shown.maximum;
}

}  // namespace gerbang::alarm
