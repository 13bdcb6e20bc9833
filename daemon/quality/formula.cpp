// SPDX-License-Identifier: Apache-2.0
#include "quality/formula.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <sstream>

#include "core/tally.hpp"
#include "quality/relation.hpp"

namespace gerbang::quality {
namespace {

constexpr double kMolarVolume = 24.45;  // L/mol of a gas at 25 °C and 1 atm
constexpr double kNsPerHour = 3.6e12;
constexpr double kSlack = 1.5;   // what a flow may be above the fastest that is declared
constexpr double kStill = 1e-9;  // m/s: below it a mean wind has no direction
constexpr double kRadians = std::numbers::pi / 180;

bool sound(const Mark& mark) {
  return mark.flag == Flag::good || mark.flag == Flag::not_evaluated;
}

}  // namespace

std::size_t inputs_of(Formula::Kind kind) {
  switch (kind) {
    case Formula::Kind::conductivity_25:
    case Formula::Kind::do_saturation:
    case Formula::Kind::wind_vector:
      return 2;
    case Formula::Kind::ppb_to_ug_m3:
    case Formula::Kind::totaliser_volume:
    case Formula::Kind::flow_integral:
    case Formula::Kind::table:
      return 1;
  }
  return 1;
}

bool adds_up(Formula::Kind kind) {
  return kind == Formula::Kind::totaliser_volume || kind == Formula::Kind::flow_integral;
}

Corrector::Result Corrector::take(std::span<const Input> inputs) {
  Result out;
  for (const Input& input : inputs) {
    Mark mark = input.point.mark;
    if (mark.flag == Flag::good) mark.flag = Flag::not_evaluated;  // its own tests speak for it
    out.mark = worse(out.mark, mark);
  }
  if (out.mark.flag == Flag::missing) return out;
  const double first = inputs[0].point.value;
  const double second = inputs.size() > 1 ? inputs[1].point.value : 0;
  switch (formula_.kind) {
    case Formula::Kind::conductivity_25:
      out.value = first / (1 + formula_.coefficient * (second - 25));
      break;
    case Formula::Kind::ppb_to_ug_m3:
      out.value = first * formula_.molar_mass / kMolarVolume;
      break;
    case Formula::Kind::do_saturation:
      out.value = 100 * first / oxygen_saturation(second);
      break;
    case Formula::Kind::totaliser_volume:
      count(inputs[0], out);
      break;
    case Formula::Kind::flow_integral:
      integrate(inputs[0], out);
      break;
    case Formula::Kind::wind_vector:
      blow(inputs[0], inputs[1], out);
      break;
    case Formula::Kind::table:
      out.value = interpolate(first);
      if (beyond_points(first))
        out.mark = worse(out.mark, mark_of(Flag::suspect, Reason::calibration));
      break;
  }
  return out;
}

// Older than what is in the sum: what the sum was at that time is not known any more. Ahead of the
// clock: all that comes until then would be older.
bool Corrector::is_out_of_time(const Input& input, Result& out) {
  const bool late = last_ns_ != 0 && input.point.device_time == last_device_time_ &&
                    input.point.time_ns < last_ns_;
  if (!input.point.ahead) last_device_time_ = input.point.device_time;
  if (!late && !input.point.ahead) return false;
  out.mark = mark_of(Flag::missing, Reason::conversion);
  return true;
}

// A counter that went too fast or backwards was replaced: what it counted meanwhile is not known.
void Corrector::count(const Input& input, Result& out) {
  out.value = sum_;
  if (is_out_of_time(input, out) || !sound(input.point.mark)) return;
  const std::int64_t before_ns = std::exchange(last_ns_, input.point.time_ns);
  const Raw before = std::exchange(last_raw_, input.raw);
  if (!std::exchange(any_, true) || before == input.raw) return;
  const bool backwards = input.raw.value() < before.value();
  double step = 0;
  bool plausible = !backwards;
  if (!backwards || !formula_.wrap) {
    step = increment(before, input.raw, std::nullopt);
  } else if (formula_.fastest) {
    // Not limited to half a turn: the flow tells.
    step =
        before.is_integer && input.raw.is_integer
            ? static_cast<double>(*formula_.wrap - (static_cast<std::uint64_t>(before.integer) -
                                                    static_cast<std::uint64_t>(input.raw.integer)))
            : input.raw.value() - before.value() + static_cast<double>(*formula_.wrap);
    plausible = step >= 0 && step <= static_cast<double>(*formula_.wrap);
  } else {
    step = increment(before, input.raw, formula_.wrap);
    plausible = step > 0;
  }
  const double amount = step * formula_.factor;
  if (formula_.fastest && before_ns != 0) {
    const double hours = static_cast<double>(input.point.time_ns - before_ns) / kNsPerHour;
    plausible = plausible && hours > 0 && amount <= *formula_.fastest * hours * kSlack;
  } else if (backwards && formula_.wrap) {
    plausible = plausible && step <= static_cast<double>(*formula_.wrap) / 2;
  }
  if (!plausible) {
    Mark replaced;
    replaced.flag = Flag::suspect;
    replaced.reason = Reason::rate;
    out.mark = worse(out.mark, replaced);
    return;
  }
  out.value = sum_ += amount;
}

double Corrector::flow_of(double value) const {
  return std::max(formula_.reverse ? -value : value, 0.0);
}

void Corrector::integrate(const Input& input, Result& out) {
  out.value = sum_;
  if (is_out_of_time(input, out) || !sound(input.point.mark)) return;
  const std::int64_t before_ns = std::exchange(last_ns_, input.point.time_ns);
  const double flow = flow_of(input.point.value);
  const double before = std::exchange(last_value_, flow);
  if (!std::exchange(any_, true) || before_ns == 0) return;
  const std::int64_t step_ns = input.point.time_ns - before_ns;
  if (step_ns <= 0 || (formula_.max_gap_ms > 0 && step_ns > formula_.max_gap_ms * 1'000'000))
    return;
  const double hours = static_cast<double>(step_ns) / kNsPerHour;
  out.value = sum_ += (before + flow) / 2 * hours;
}

// The wind blows from its direction: u to the east, v to the north.
void Corrector::blow(const Input& speed, const Input& direction, Result& out) {
  if (!sound(out.mark)) return;
  if (speed.point.ahead) {
    out.mark = mark_of(Flag::missing, Reason::conversion);
    return;
  }
  Gust now{speed.point.time_ns, -speed.point.value * std::sin(direction.point.value * kRadians),
           -speed.point.value * std::cos(direction.point.value * kRadians)};
  gusts_.push_back(now);
  while (gusts_.size() > kMostGusts ||
         (gusts_.size() > 1 && now.time_ns - gusts_.front().time_ns >=
                                   std::max<std::int64_t>(formula_.period_ms * 1'000'000, 1)))
    gusts_.pop_front();
  double u = 0, v = 0;
  for (const Gust& gust : gusts_) {
    u += gust.u;
    v += gust.v;
  }
  u /= static_cast<double>(gusts_.size());
  v /= static_cast<double>(gusts_.size());
  switch (formula_.wind) {
    case Formula::Wind::u:
      out.value = u;
      return;
    case Formula::Wind::v:
      out.value = v;
      return;
    case Formula::Wind::speed:
      out.value = std::hypot(u, v);
      return;
    case Formula::Wind::direction:
      break;
  }
  if (std::hypot(u, v) < kStill) {
    out.mark = mark_of(Flag::missing, Reason::conversion);
    return;
  }
  double degrees = std::atan2(-u, -v) / kRadians;
  if (degrees < 0) degrees += 360;
  out.value = degrees >= 360 ? 0 : degrees;
}

// Nobody has measured there. Two points are a straight line, which goes on.
bool Corrector::beyond_points(double x) const {
  const auto& points = formula_.points;
  return points.size() > 2 && (x < points.front().first || x > points.back().first);
}

// Beyond its ends a table goes on as between its last two points.
double Corrector::interpolate(double x) const {
  const auto& points = formula_.points;
  auto right =
      std::upper_bound(points.begin(), points.end(), x,
                       [](double value, const auto& point) { return value < point.first; });
  if (right == points.begin()) ++right;
  if (right == points.end()) --right;
  const auto left = right - 1;
  return left->second +
         (x - left->first) * (right->second - left->second) / (right->first - left->first);
}

std::string Corrector::save() const {
  std::ostringstream out;
  out.precision(17);
  out << sum_ << ' ' << any_ << ' ' << last_raw_.is_integer << ' ' << last_raw_.integer << ' '
      << last_raw_.number << ' ' << last_value_ << ' ' << last_device_time_ << ' ' << last_ns_;
  return out.str();
}

bool Corrector::load(std::string_view text, const Axis& axis) {
  std::istringstream in{std::string(text)};
  double sum = 0, value = 0;
  bool any = false, device_time = false;
  std::int64_t ns = 0;
  Raw raw;
  if (!(in >> sum >> any >> raw.is_integer >> raw.integer >> raw.number) || !std::isfinite(sum))
    return false;
  // As it was written before there was one.
  bool timed = in >> value >> device_time >> ns && ns != 0 && std::isfinite(value);
  constexpr std::int64_t kMost = INT64_MAX / 2;  // 146 years; nothing overflows
  const std::int64_t shift = device_time ? 0 : axis.shift_ns.value_or(INT64_MAX);
  timed = timed && std::max(ns, shift) < kMost && std::min(ns, shift) > -kMost;
  if (timed) ns += shift;
  // What is later has not been: a device that was a year ahead once would be late for a year.
  if (!timed || ns < -kMost || ns > (device_time ? axis.wall_ns : axis.now_ns)) ns = 0;
  sum_ = sum;
  any_ = any;
  last_raw_ = raw;
  last_value_ = value;
  last_device_time_ = device_time;
  last_ns_ = ns;
  return true;
}

void Corrector::replay_input(const Input& input) {
  waiting_.push_back(input);
  if (waiting_.size() > kMostWaiting) waiting_.pop_front();
}

namespace {

auto at_time_of(const Point& point) {
  return [&point](const Corrector::Input& input) {
    return input.point.time_ns == point.time_ns && input.point.device_time == point.device_time;
  };
}

}  // namespace

void Corrector::replay_verdict(const Point& point) {
  for (Input& input : waiting_)
    if (at_time_of(point)(input)) input.point.mark = worse(input.point.mark, point.mark);
}

void Corrector::forget_last() {
  any_ = false;
  last_ns_ = 0;
}

// The sum and the reading that it reaches to move together: nothing is added twice.
void Corrector::replay_computed(const Point& point, bool timed) {
  sum_ = point.value;
  const auto of = std::find_if(waiting_.begin(), waiting_.end(), at_time_of(point));
  if (of == waiting_.end()) return forget_last();
  if (sound(of->point.mark)) {
    any_ = true;
    last_raw_ = of->raw;
    last_value_ = flow_of(of->point.value);
    last_device_time_ = point.device_time;
    last_ns_ = timed ? point.time_ns : 0;
  }
  waiting_.erase(waiting_.begin(), of + 1);
}

}  // namespace gerbang::quality
