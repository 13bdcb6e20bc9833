// SPDX-License-Identifier: Apache-2.0
#include "quality/tests.hpp"

#include <algorithm>
#include <cmath>

#include "core/clock.hpp"

namespace gerbang::quality {
namespace {

constexpr std::int64_t kGapIntervals = 3;   // from here on neighbours are no neighbours
constexpr std::int64_t kOutageMs = 10'000;  // shorter silence is no loss of power
constexpr double kNsPerSecond = 1e9;

std::int64_t gap_ns(const Rules& rules) {
  return rules.interval_ms <= 0 ? INT64_MAX : kGapIntervals * rules.interval_ms * kNsPerMs;
}

}  // namespace

std::uint32_t Tests::Row::add(double value, const FlatRule& rule) {
  while (!lowest_.empty() && lowest_.back().value >= value) lowest_.pop_back();
  while (!highest_.empty() && highest_.back().value <= value) highest_.pop_back();
  lowest_.push_back({next_, value});
  highest_.push_back({next_, value});
  ++next_;
  while (highest_.front().value - lowest_.front().value > rule.tolerance ||
         next_ - first_ > rule.bad) {
    ++first_;
    if (lowest_.front().number < first_) lowest_.pop_front();
    if (highest_.front().number < first_) highest_.pop_front();
  }
  return static_cast<std::uint32_t>(next_ - first_);
}

void Tests::forget() {
  last_.reset();
  before_last_.reset();
  row_.reset();
}

void Tests::hear(const Point& point, const Rules& rules) {
  note(point);
  forget();
  if (point.mark.flag != Flag::missing) (void)warming(point, rules);
}

void Tests::note(const Point& point) {
  heard_ns_ = std::max(heard_ns_.value_or(point.boot_ns), point.boot_ns);
  if (point.mark.reason == Reason::device_fault) fault_ = true;
}

bool Tests::stale(std::int64_t boot_ns, const Rules& rules) {
  if (!heard_ns_) heard_ns_ = boot_ns;
  if (rules.stale_ms <= 0 || boot_ns - *heard_ns_ < rules.stale_ms * kNsPerMs) return false;
  heard_ns_ = boot_ns;
  return true;
}

Tests::Outcome Tests::take(const Point& point, const Rules& rules) {
  Outcome out;
  note(point);
  out.mark = check(point.mark, point.value, rules.range, rules.expected);
  if (point.mark.flag == Flag::missing) return out;
  if (warming(point, rules)) {
    forget();
    out.mark = worse(out.mark, mark_of(Flag::suspect, Reason::warm_up));
    return out;
  }
  if (out.mark.flag == Flag::bad || point.ahead) return out;  // no neighbour of any other
  const bool newest = follows(point, rules);
  if (!newest) return out;
  if (const Mark found = spike(point, rules); found.reason != Reason::none) {
    if (is_worse(found.flag, last_->mark.flag)) {
      out.before.emplace();
      out.before->reading = *last_;
      out.before->mark = found;
    }
    last_ = before_last_;  // no neighbour of what comes
  }
  out.mark = worse(out.mark, sequence(point, rules));
  before_last_ = last_;
  last_ = point;
  last_->mark = out.mark;
  return out;
}

// Whether it goes on where the readings before ended; a gap or another clock begins anew.
bool Tests::follows(const Point& point, const Rules& rules) {
  if (!last_) return true;
  const bool other_clock = point.device_time != last_->device_time;
  if (!other_clock && point.time_ns <= last_->time_ns) return false;
  if (other_clock || point.time_ns - last_->time_ns > gap_ns(rules)) forget();
  return true;
}

// Of the reading before, now that the next one tells what was to be expected in between. Only a
// peak is one: a step is not, nor is what stands beside a peak.
Mark Tests::spike(const Point& point, const Rules& rules) const {
  Mark out;
  if (!rules.spike || !last_ || !before_last_) return out;
  const double up = last_->value - before_last_->value, down = last_->value - point.value;
  if ((up > 0) != (down > 0) || up == 0 || down == 0) return out;
  const double height = std::abs(up + down) / 2;
  if (rules.spike->bad && height > *rules.spike->bad)
    out = mark_of(Flag::bad, Reason::spike);
  else if (rules.spike->suspect && height > *rules.spike->suspect)
    out = mark_of(Flag::suspect, Reason::spike);
  return out;
}

// The tests that need what came before.
Mark Tests::sequence(const Point& point, const Rules& rules) {
  Mark out;
  const Mark passed = mark_of(Flag::good, Reason::none);
  if (rules.spike) out = passed;  // until the next reading says otherwise
  if (last_ && rules.rate) {
    const double seconds = static_cast<double>(point.time_ns - last_->time_ns) / kNsPerSecond;
    const bool fast = std::abs(point.value - last_->value) > *rules.rate * seconds;
    out = worse(out, fast ? mark_of(Flag::suspect, Reason::rate) : passed);
  }
  if (rules.flat) {
    if (!row_) row_ = std::make_unique<Row>();
    const std::uint32_t alike = row_->add(point.value, *rules.flat);
    out = worse(out, passed);
    if (alike >= rules.flat->bad)
      out = worse(out, mark_of(Flag::bad, Reason::flat));
    else if (alike >= rules.flat->suspect)
      out = worse(out, mark_of(Flag::suspect, Reason::flat));
  }
  return out;
}

// A device that lost its power, or says that it had a fault, needs its time again.
bool Tests::warming(const Point& point, const Rules& rules) {
  const std::int64_t length = rules.warm_up_ms * kNsPerMs;
  const std::int64_t outage =
      std::max(gap_ns(rules) == INT64_MAX ? 0 : gap_ns(rules), kOutageMs * kNsPerMs);
  const bool away = value_ns_ && point.boot_ns - *value_ns_ > outage;
  if (point.mark.reason != Reason::device_fault && (away || fault_)) {
    warm_from_ns_ = point.boot_ns;
    fault_ = false;
  }
  value_ns_ = std::max(value_ns_.value_or(point.boot_ns), point.boot_ns);
  if (length <= 0) return false;
  return point.boot_ns < length || (warm_from_ns_ && point.boot_ns - *warm_from_ns_ < length);
}

}  // namespace gerbang::quality
