// SPDX-License-Identifier: Apache-2.0
#include "core/tally.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <tuple>

namespace gerbang {
namespace {

std::size_t at(Reason reason) {
  auto i = static_cast<std::size_t>(reason);
  return i < kReasonCount ? i : 0;
}

// The lowest number wins a tie, so that no order of arrival shows.
Reason commonest(const ReasonCounts& counts) {
  auto most = std::max_element(counts.begin() + 1, counts.end());
  if (*most == 0) return Reason::none;
  return static_cast<Reason>(most - counts.begin());
}

ClockTrust worst(ClockTrust a, ClockTrust b) {
  return std::max(a, b);
}

bool close_to(double a, double b) {
  return a == b || std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b)) ||
         (std::isnan(a) && std::isnan(b));
}

}  // namespace

double increment(const Raw& before, const Raw& after, std::optional<std::uint64_t> wrap) {
  auto turn = static_cast<double>(wrap.value_or(0));
  double step = 0;
  if (before.is_integer && after.is_integer) {
    // Modulo 2^64: right for any pair of counts, where a difference of two int64 may overflow.
    auto up =
        static_cast<std::uint64_t>(after.integer) - static_cast<std::uint64_t>(before.integer);
    if (after.integer >= before.integer) return static_cast<double>(up);
    std::uint64_t down = 0 - up;
    if (!wrap || down > *wrap) return 0;
    step = static_cast<double>(*wrap - down);
  } else {
    step = after.value() - before.value();
    if (step >= 0) return step;
    if (!wrap) return 0;
    step += turn;
  }
  return step >= 0 && step <= turn / 2 ? step : 0;
}

std::optional<std::uint32_t> expected(const SeriesPlan& plan, const TimeSpan& span) {
  if (plan.interval_ms <= 0) return std::nullopt;
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(span.length_ms() / plan.interval_ms, 1, UINT32_MAX));
}

bool differ(const Aggregate& a, const Aggregate& b) {
  auto counts = [](const Aggregate& r) {
    return std::tuple(r.end_ms, r.expected, r.received, r.good, r.suspect, r.bad, r.maintenance,
                      r.below_limit, r.statistics.count, r.reason, r.clock, r.valid_hours,
                      r.delta.has_value());
  };
  if (counts(a) != counts(b)) return true;
  const Statistics &s = a.statistics, &t = b.statistics;
  if (s.count > 0) {
    // The spread is a difference of large numbers: rounding is relative to those.
    double scale = std::max(std::abs(s.minimum), std::abs(s.maximum));
    if (!close_to(s.mean, t.mean) || s.minimum != t.minimum || s.maximum != t.maximum ||
        std::abs(s.stddev() - t.stddev()) > 1e-9 * scale || !close_to(a.first, b.first) ||
        !close_to(a.last, b.last) || a.first_ms != b.first_ms || a.last_ms != b.last_ms ||
        std::hypot(a.x - b.x, a.y - b.y) > 1e-9 * s.count)
      return true;
  }
  return a.delta && !close_to(*a.delta, *b.delta);
}

void Tally::add(const Sample& sample, const SeriesPlan& plan) {
  clock_ = worst(clock_, sample.clock);
  ++readings_;
  if (sample.flag == Flag::missing) {
    ++absent_[at(sample.reason)];
    return;
  }
  ++received_;
  if (plan.detection_limit && sample.value < *plan.detection_limit) ++below_limit_;
  if (sample.reason == Reason::maintenance) {
    ++maintenance_;
    ++blame_[at(sample.reason)];
    return;
  }
  if (sample.flag == Flag::suspect) {
    ++suspect_;
    if (plan.count_suspect && std::isfinite(sample.value)) use(sample, plan);
    return;
  }
  if (sample.flag == Flag::bad || !std::isfinite(sample.value)) {
    ++bad_;
    ++blame_[at(sample.flag == Flag::bad ? sample.reason : Reason::not_a_number)];
    return;
  }
  ++good_;
  use(sample, plan);
}

// A reading whose number counts.
void Tally::use(const Sample& sample, const SeriesPlan& plan) {
  const bool only = statistics_.count == 0;
  const bool newest = only || sample.time_ms >= last_ms_;
  const bool oldest = only || sample.time_ms < first_ms_;
  switch (plan.kind) {
    case QuantityKind::gauge:
    case QuantityKind::state:
      break;
    case QuantityKind::direction: {
      double radians = sample.value * (std::numbers::pi / 180);
      x_ += std::cos(radians);
      y_ += std::sin(radians);
      break;
    }
    case QuantityKind::event:
      amount_ += sample.value;
      break;
    case QuantityKind::totaliser:
      if (!only && newest) {
        amount_ += increment(last_raw_, sample.raw, plan.wrap);
        ++pairs_;
      } else if (!only && oldest) {
        amount_ += increment(sample.raw, first_raw_, plan.wrap);
        ++pairs_;
      } else if (!only) {
        disordered_ = true;
      }
      if (oldest) first_raw_ = sample.raw;
      if (newest) last_raw_ = sample.raw;
      break;
  }
  if (oldest) {
    first_ = sample.value;
    first_ms_ = sample.time_ms;
  }
  if (newest) {
    last_ = sample.value;
    last_ms_ = sample.time_ms;
  }
  statistics_.add(sample.value);
}

void Tally::append(const Tally& later, const SeriesPlan& plan) {
  readings_ += later.readings_;
  received_ += later.received_;
  good_ += later.good_;
  suspect_ += later.suspect_;
  bad_ += later.bad_;
  maintenance_ += later.maintenance_;
  below_limit_ += later.below_limit_;
  clock_ = worst(clock_, later.clock_);
  disordered_ = disordered_ || later.disordered_;
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    blame_[i] += later.blame_[i];
    absent_[i] += later.absent_[i];
  }
  amount_ += later.amount_;
  pairs_ += later.pairs_;
  x_ += later.x_;
  y_ += later.y_;
  if (later.statistics_.count > 0) {
    if (statistics_.count == 0) {
      first_ = later.first_;
      first_ms_ = later.first_ms_;
      first_raw_ = later.first_raw_;
    } else if (plan.kind == QuantityKind::totaliser) {
      amount_ += increment(last_raw_, later.first_raw_, plan.wrap);
      ++pairs_;
    }
    last_ = later.last_;
    last_ms_ = later.last_ms_;
    last_raw_ = later.last_raw_;
  }
  statistics_.merge(later.statistics_);
}

Anchor Tally::newest_good() const {
  Anchor out;
  if (statistics_.count > 0) {
    out.time_ms = last_ms_;
    out.raw = last_raw_;
  }
  return out;
}

Aggregate Tally::row(const SeriesPlan& plan, const TimeSpan& span, const Anchor& before,
                     ClockTrust idle) const {
  Aggregate out;
  out.series = plan.series;
  out.start_ms = span.start_ms;
  out.end_ms = span.end_ms;
  out.expected = gerbang::expected(plan, span);
  out.received = received_;
  out.good = good_;
  out.suspect = suspect_;
  out.bad = bad_;
  out.maintenance = maintenance_;
  out.below_limit = below_limit_;
  out.statistics = statistics_;
  out.first = first_;
  out.last = last_;
  out.first_ms = first_ms_;
  out.last_ms = last_ms_;
  out.x = x_;
  out.y = y_;
  out.clock = readings_ > 0 ? clock_ : idle;
  if (plan.kind == QuantityKind::event) {
    if (good_ > 0) out.delta = amount_;
  } else if (plan.kind == QuantityKind::totaliser && statistics_.count > 0) {
    double counts = amount_;
    std::uint32_t pairs = pairs_;
    if (before.known() && before.time_ms < first_ms_) {
      counts += increment(before.raw, first_raw_, plan.wrap);
      ++pairs;
    }
    if (pairs > 0) out.delta = scaled(counts, plan.factor);
  }
  // One record of a missing reading stands for all those that were not worth a record.
  ReasonCounts causes = blame_;
  if (Reason absent = commonest(absent_); absent != Reason::none)
    causes[at(absent)] += std::max(out.missing().value_or(0), absent_[at(absent)]);
  out.reason = commonest(causes);
  return out;
}

void Merge::add(const Aggregate& finer) {
  Aggregate& s = sum_;
  s.clock = rows_ == 0 ? finer.clock : worst(s.clock, finer.clock);
  s.received += finer.received;
  s.good += finer.good;
  s.suspect += finer.suspect;
  s.bad += finer.bad;
  s.maintenance += finer.maintenance;
  s.below_limit += finer.below_limit;
  s.x += finer.x;
  s.y += finer.y;
  if (finer.delta) s.delta = s.delta.value_or(0) + *finer.delta;
  if (finer.statistics.count > 0) {
    if (s.statistics.count == 0 || finer.first_ms < s.first_ms) {
      s.first = finer.first;
      s.first_ms = finer.first_ms;
    }
    if (s.statistics.count == 0 || finer.last_ms >= s.last_ms) {
      s.last = finer.last;
      s.last_ms = finer.last_ms;
    }
    s.statistics.merge(finer.statistics);
  }
  if (finer.reason != Reason::none)
    blame_[at(finer.reason)] +=
        std::max<std::uint32_t>(1, finer.bad + finer.maintenance + finer.missing().value_or(0));
  s.valid_hours +=
      finer.window_ms == kHourMs ? (verdict(finer) == Verdict::valid ? 1 : 0) : finer.valid_hours;
  s.upto = std::max(s.upto, finer.upto);
  ++rows_;
}

Aggregate Merge::row(const SeriesPlan& plan, const TimeSpan& span, ClockTrust idle) const {
  Aggregate out = sum_;
  out.series = plan.series;
  out.start_ms = span.start_ms;
  out.end_ms = span.end_ms;
  out.expected = gerbang::expected(plan, span);
  out.reason = commonest(blame_);
  if (rows_ == 0) out.clock = idle;
  return out;
}

}  // namespace gerbang
