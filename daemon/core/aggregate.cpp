// SPDX-License-Identifier: Apache-2.0
#include "core/aggregate.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace gerbang {

void Statistics::add(double value) {
  if (count == 0) {
    minimum = maximum = value;
  } else {
    minimum = std::min(minimum, value);
    maximum = std::max(maximum, value);
  }
  ++count;
  double difference = value - mean;
  mean += difference / count;
  m2 += difference * (value - mean);
}

void Statistics::merge(const Statistics& other) {
  if (other.count == 0) return;
  if (count == 0) {
    *this = other;
    return;
  }
  double n = count, k = other.count, total = n + k;
  double difference = other.mean - mean;
  mean += difference * k / total;
  m2 += other.m2 + difference * difference * n * k / total;
  minimum = std::min(minimum, other.minimum);
  maximum = std::max(maximum, other.maximum);
  count += other.count;
}

double Statistics::stddev() const {
  return count < 2 ? 0 : std::sqrt(m2 / count);
}

std::string_view name(Verdict verdict) {
  switch (verdict) {
    case Verdict::valid:
      return "VALID";
    case Verdict::provisional:
      return "PROVISIONAL";
    case Verdict::none:
      return "NONE";
  }
  return "NONE";
}

std::optional<double> capture(const Aggregate& aggregate) {
  if (!aggregate.expected || *aggregate.expected == 0) return std::nullopt;
  return std::min(1.0, static_cast<double>(aggregate.counted()) / *aggregate.expected);
}

Verdict verdict(const Aggregate& aggregate) {
  constexpr double kEnough = 0.75;
  constexpr std::uint32_t kEnoughHours = 18;
  bool valid = false;
  if (auto share = capture(aggregate))
    valid =
        aggregate.window_ms >= kDayMs ? aggregate.valid_hours >= kEnoughHours : *share >= kEnough;
  else
    valid = aggregate.received > 0;
  if (valid) return Verdict::valid;
  return aggregate.counted() > 0 ? Verdict::provisional : Verdict::none;
}

std::optional<double> mean(const Aggregate& aggregate, QuantityKind kind) {
  std::uint32_t count = aggregate.statistics.count;
  if (count == 0) return std::nullopt;
  if (kind != QuantityKind::direction) return aggregate.statistics.mean;
  // The length of the mean vector; below this it points nowhere, only rounding is left.
  constexpr double kNowhere = 1e-9;
  if (std::hypot(aggregate.x, aggregate.y) / count < kNowhere) return std::nullopt;
  double degrees = std::atan2(aggregate.y, aggregate.x) * 180 / std::numbers::pi;
  if (degrees < 0) degrees += 360;
  return degrees < 360 ? degrees : 0;
}

ShownValues shown_values(const Aggregate& aggregate, QuantityKind kind) {
  ShownValues out;
  const Statistics& all = aggregate.statistics;
  if (all.count == 0 || kind == QuantityKind::event) return out;
  out.first = aggregate.first;
  out.last = aggregate.last;
  out.mean = mean(aggregate, kind);
  if (kind == QuantityKind::direction) return out;
  out.minimum = all.minimum;
  out.maximum = all.maximum;
  out.stddev = all.stddev();
  return out;
}

}  // namespace gerbang
