// SPDX-License-Identifier: Apache-2.0
#include "indicator/measure.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace gerbang::indicator {
namespace {

constexpr double kMsPerHour = static_cast<double>(kHourMs);

// The rows of all inputs that start together.
std::map<std::int64_t, std::vector<const Aggregate*>> by_start(const Plan& plan,
                                                               const TimeSpan& window,
                                                               const Rows& rows) {
  std::map<std::int64_t, std::vector<const Aggregate*>> out;
  for (std::size_t i = 0; i < plan.inputs.size(); ++i)
    for (const Aggregate* row : rows.of(plan.inputs[i].series)) {
      if (!window.contains(row->start_ms)) continue;
      auto& here = out[row->start_ms];
      here.resize(plan.inputs.size());
      here[i] = row;
    }
  return out;
}

// What was expected of an input in the window: what its rows say, and by its interval where it has
// none, from when on it was there. A sensor of which a whole hour or day is missing may have no row
// for it.
double expected_of(const Input& input, const TimeSpan& window, const Rows& rows) {
  double expected = 0;
  const std::int64_t from_ms = std::max(window.start_ms, input.since_ms);
  std::int64_t without = window.end_ms - from_ms;
  for (const Aggregate* row : rows.of(input.series)) {
    if (!window.contains(row->start_ms)) continue;
    expected += row->expected.value_or(0);
    without -= std::max<std::int64_t>(row->end_ms - std::max(row->start_ms, from_ms), 0);
  }
  if (input.interval_ms > 0 && without > 0)
    expected += std::floor(static_cast<double>(without) / static_cast<double>(input.interval_ms));
  return expected;
}

// Capture over the whole window, for the list of inputs.
void list_inputs(const Plan& plan, const TimeSpan& window, const Rows& rows, Outcome& out) {
  for (const Input& input : plan.inputs) {
    InputValue value{input.quantity, input.sensor, input.unit, {}, {}};
    const double expected = expected_of(input, window, rows);
    double counted = 0;
    for (const Aggregate* row : rows.of(input.series)) {
      if (!window.contains(row->start_ms)) continue;
      counted += row->counted();
      if (row->received > 0) out.clock = std::max(out.clock, row->clock);
    }
    if (expected > 0) value.capture = std::min(1.0, counted / expected);
    out.inputs.push_back(std::move(value));
  }
}

void name_once(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

}  // namespace

void hours_outside(const Plan& plan, const TimeSpan& window, const Rows& rows, Outcome& out) {
  list_inputs(plan, window, rows, out);
  double outside = 0, known = 0;
  for (const auto& [start, here] : by_start(plan, window, rows)) {
    bool any = false, broken = false;
    std::int64_t length = 0;
    for (std::size_t i = 0; i < here.size(); ++i) {
      if (here[i] == nullptr) continue;
      length = here[i]->end_ms - here[i]->start_ms;
      const auto value = mean(*here[i], plan.inputs[i].kind);
      if (!value) continue;
      any = true;
      for (const Limit& limit : plan.standard->limits) {
        if (limit.quantity != plan.inputs[i].quantity || complies(limit, *value)) continue;
        broken = true;
        name_once(out.critical, plan.inputs[i].sensor);
        out.confidence = std::max(out.confidence.value_or(limit.tag), limit.tag);
      }
    }
    if (any) known += static_cast<double>(length);
    if (broken) outside += static_cast<double>(length);
  }
  if (known == 0) return;
  out.value = outside / kMsPerHour;
  out.capture = known / static_cast<double>(window.length_ms());
  out.provisional = compare(*out.capture, plan.threshold.window) == Order::below;
}

void share_complying(const Plan& plan, const TimeSpan& window, const Rows& rows, Outcome& out) {
  list_inputs(plan, window, rows, out);
  Standard table = *plan.standard;
  table.method = Method::limits;
  table.categories.resize(2);
  unsigned judged = 0, good = 0;
  for (const auto& [start, here] : by_start(plan, window, rows)) {
    std::vector<Given> given;
    for (std::size_t i = 0; i < here.size(); ++i)
      if (here[i] != nullptr && valid_block(*here[i], plan.threshold))
        given.push_back({plan.inputs[i].quantity, mean(*here[i], plan.inputs[i].kind)});
    const auto evaluation = evaluate(table, given);
    if (!evaluation) continue;
    ++judged;
    if (evaluation->value == 0) ++good;
    for (const std::string& quantity : evaluation->critical) name_once(out.critical, quantity);
    out.confidence = std::max(out.confidence.value_or(evaluation->tag), evaluation->tag);
  }
  if (judged == 0) return;
  out.value = 100.0 * good / judged;
  out.capture = static_cast<double>(judged) / blocks_in(plan.averaging, window);
  out.provisional = compare(*out.capture, plan.threshold.window) == Order::below;
}

void share_of_readings(const Plan& plan, const TimeSpan& window, const Rows& rows, Outcome& out) {
  list_inputs(plan, window, rows, out);
  const bool counted_only = plan.standard->method == Method::capture;
  double expected = 0, came = 0;
  for (const Input& input : plan.inputs) {
    expected += expected_of(input, window, rows);
    for (const Aggregate* row : rows.of(input.series)) {
      if (!window.contains(row->start_ms) || !row->expected) continue;
      came += std::min(*row->expected, counted_only ? row->counted() : row->received);
    }
  }
  if (expected == 0) return;
  out.value = 100 * came / expected;
  out.provisional = false;
}

namespace {

// No reading is missing between two hours: what the counter counted in the second is of that hour.
bool joins(const Aggregate* before, const Aggregate& row, std::int64_t interval_ms) {
  constexpr std::int64_t kHold = 3;  // intervals; a longer silence is a gap
  // Nothing in the day before: a gap that is longer than what is read, or its first hour ever.
  return before != nullptr && row.first_ms - before->last_ms <= kHold * interval_ms;
}

// The newest row with a value that begins before the window.
const Aggregate* last_before(const TimeSpan& window, std::span<const Aggregate* const> rows) {
  const Aggregate* out = nullptr;
  for (const Aggregate* row : rows)
    if (row->start_ms < window.start_ms && row->counted() > 0 &&
        (out == nullptr || row->start_ms > out->start_ms))
      out = row;
  return out;
}

}  // namespace

void difference(const Plan& plan, const TimeSpan& window, const Rows& rows, Outcome& out) {
  const std::vector<std::string>& pair = plan.standard->quantities;
  list_inputs(plan, window, rows, out);
  std::size_t counter = plan.inputs.size(), flow = counter;
  for (std::size_t i = 0; i < plan.inputs.size(); ++i)
    (plan.inputs[i].quantity == pair[0] ? counter : flow) = i;
  if (counter == plan.inputs.size() || flow == plan.inputs.size()) return;
  double counted = 0, flowed = 0;
  unsigned hours = 0;
  const Aggregate* before = last_before(window, rows.of(plan.inputs[counter].series));
  for (const auto& [start, here] : by_start(plan, window, rows)) {
    const Aggregate *count = here[counter], *rate = here[flow];
    const Aggregate* last =
        std::exchange(before, count != nullptr && count->counted() > 0 ? count : before);
    if (count == nullptr || rate == nullptr || !count->delta ||
        !valid_block(*count, plan.threshold) || !valid_block(*rate, plan.threshold) ||
        !joins(last, *count, plan.inputs[counter].interval_ms))
      continue;
    counted += *count->delta;
    flowed += rate->statistics.mean * static_cast<double>(rate->end_ms - start) / kMsPerHour;
    ++hours;
  }
  if (hours == 0) return;
  out.inputs[counter].value = counted;
  out.inputs[flow].value = flowed;
  out.inputs[flow].unit = out.inputs[counter].unit;
  // The counter is the truth, unless it stands still while the flow does not.
  const double whole = std::abs(counted != 0 ? counted : flowed);
  out.value = whole == 0 ? 0 : 100 * std::abs(counted - flowed) / whole;
  out.capture = static_cast<double>(hours) / blocks_in(plan.averaging, window);
  out.provisional = compare(*out.capture, plan.threshold.window) == Order::below;
  const Level& step = plan.standard->levels.front();
  const Order order = compare(*out.value, step.bound);
  const bool differs = order == Order::above || (order == Order::equal && step.itself);
  const Category& category = plan.standard->categories[differs ? 1 : 0];
  out.category = category.name;
  out.label = category.label;
  out.confidence = step.tag;
  if (differs) out.critical = {plan.inputs[counter].sensor, plan.inputs[flow].sensor};
}

void inventory(const Plan& plan, const TimeSpan& window, const Rows& rows, Outcome& out) {
  list_inputs(plan, window, rows, out);
  unsigned alive = 0;
  bool any = false;
  for (const Input& input : plan.inputs) {
    bool spoke = false;
    for (const Aggregate* row : rows.of(input.series))
      if (window.contains(row->start_ms)) {
        any = true;
        spoke = spoke || row->counted() > 0;
      }
    if (spoke)
      ++alive;
    else
      out.critical.push_back(input.sensor);
  }
  if (!any) return;
  out.value = alive;
  out.provisional = false;
}

void calibration_due(const Plan& plan, const std::string& local_date, Outcome& out) {
  for (const Input& input : plan.inputs) {
    if (input.calibration_due.empty()) continue;
    out.inputs.push_back({input.quantity, input.sensor, input.unit, {}, {}});
    if (input.calibration_due <= local_date) out.critical.push_back(input.sensor);
  }
  if (out.inputs.empty()) return;  // no due date is known: that is not "none is due"
  out.value = static_cast<double>(out.critical.size());
  out.provisional = false;
}

}  // namespace gerbang::indicator
