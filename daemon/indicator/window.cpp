// SPDX-License-Identifier: Apache-2.0
#include "indicator/window.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "indicator/evaluate.hpp"

namespace gerbang::indicator {
namespace {

bool enough(double share, double threshold) {
  return compare(share, threshold) != Order::below;
}

double per(unsigned part, unsigned whole) {
  return whole == 0 ? 0 : std::min(1.0, static_cast<double>(part) / whole);
}

// Adds up what blocks say, in the order of time: the same rows give the same bits.
class Sum {
 public:
  Sum(QuantityKind kind, Statistic statistic) : kind_(kind), statistic_(statistic) {}

  void add(const Aggregate& row) {
    if (statistic_ == Statistic::delta) {
      if (row.delta) put(*row.delta);
      return;
    }
    if (row.statistics.count == 0) return;
    if (statistic_ == Statistic::maximum) return put(row.statistics.maximum);
    if (statistic_ == Statistic::minimum) return put(row.statistics.minimum);
    if (statistic_ == Statistic::last) return put(row.last);
    const auto value = mean(row, kind_);
    if (!value) return;
    put(*value);
    x_ += std::cos(*value * std::numbers::pi / 180);
    y_ += std::sin(*value * std::numbers::pi / 180);
  }

  std::optional<double> value() const {
    if (count_ == 0) return std::nullopt;
    switch (statistic_) {
      case Statistic::mean:
        return kind_ == QuantityKind::direction ? direction() : sum_ / count_;
      case Statistic::maximum:
        return maximum_;
      case Statistic::minimum:
        return minimum_;
      case Statistic::last:
        return last_;
      case Statistic::delta:
        return sum_;
    }
    return std::nullopt;
  }

 private:
  void put(double value) {
    maximum_ = count_ == 0 ? value : std::max(maximum_, value);
    minimum_ = count_ == 0 ? value : std::min(minimum_, value);
    last_ = value;
    sum_ += value;
    ++count_;
  }

  std::optional<double> direction() const {
    if (std::hypot(x_, y_) / count_ < 1e-9) return std::nullopt;
    const double degrees = std::atan2(y_, x_) * 180 / std::numbers::pi;
    return degrees < 0 ? degrees + 360 : degrees;
  }

  QuantityKind kind_;
  Statistic statistic_;
  unsigned count_ = 0;
  double sum_ = 0, maximum_ = 0, minimum_ = 0, last_ = 0, x_ = 0, y_ = 0;
};

}  // namespace

std::int64_t block_ms(const Averaging& averaging) {
  return averaging.unit == Averaging::Unit::day && averaging.count > 1 ? kDayMs : kHourMs;
}

TimeSpan window_ending(const Averaging& averaging, const Calendar& calendar, std::int64_t end_ms) {
  if (averaging.unit == Averaging::Unit::hour) return {end_ms - averaging.count * kHourMs, end_ms};
  std::int64_t start = end_ms;
  for (unsigned i = 0; i < averaging.count; ++i) start = calendar.day(start - 1).start_ms;
  return {start, end_ms};
}

std::vector<std::int64_t> ends_touched(const Averaging& averaging, const Calendar& calendar,
                                       const TimeSpan& block) {
  std::vector<std::int64_t> out;
  if (averaging.unit == Averaging::Unit::hour) {
    for (unsigned i = 0; i < averaging.count; ++i) out.push_back(block.end_ms + i * kHourMs);
    return out;
  }
  std::int64_t in = block.start_ms;
  for (unsigned i = 0; i < averaging.count; ++i) {
    out.push_back(calendar.day(in).end_ms);
    in = out.back();
  }
  return out;
}

unsigned blocks_in(const Averaging& averaging, const TimeSpan& window) {
  if (averaging.unit == Averaging::Unit::hour || averaging.count > 1) return averaging.count;
  return static_cast<unsigned>((window.length_ms() + kHourMs - 1) / kHourMs);
}

bool valid_block(const Aggregate& row, const Threshold& threshold) {
  const auto share = capture(row);
  if (!share) return row.received > 0;
  if (row.window_ms < kDayMs) return enough(*share, threshold.block);
  const auto hours = static_cast<unsigned>((row.end_ms - row.start_ms + kHourMs - 1) / kHourMs);
  return enough(per(row.valid_hours, hours), threshold.window);
}

WindowValue summarise(std::span<const Aggregate* const> rows, QuantityKind kind,
                      Statistic statistic, const TimeSpan& window, unsigned blocks,
                      const Threshold& threshold) {
  std::vector<const Aggregate*> in;
  for (const Aggregate* row : rows)
    if (window.contains(row->start_ms)) in.push_back(row);
  std::sort(in.begin(), in.end(),
            [](const Aggregate* a, const Aggregate* b) { return a->start_ms < b->start_ms; });
  WindowValue out;
  Sum valid(kind, statistic), any(kind, statistic);
  bool expected = false, counted = false;
  for (const Aggregate* row : in) {
    if (row->received > 0) out.clock = std::max(out.clock, row->clock);
    expected = expected || row->expected.has_value();
    counted = counted || row->counted() > 0;
    any.add(*row);
    if (!valid_block(*row, threshold)) continue;
    ++out.valid;
    valid.add(*row);
  }
  const bool all = statistic != Statistic::mean || out.valid == 0;
  out.value = (all ? any : valid).value();
  if (expected) out.capture = per(out.valid, blocks);
  const bool fit = expected ? enough(*out.capture, threshold.window) : out.valid > 0;
  if (fit && out.value)
    out.verdict = Verdict::valid;
  else if (out.value && counted)
    out.verdict = Verdict::provisional;
  if (out.verdict == Verdict::none) out.value.reset();
  return out;
}

}  // namespace gerbang::indicator
