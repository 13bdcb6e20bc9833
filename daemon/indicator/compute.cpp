// SPDX-License-Identifier: Apache-2.0
#include "indicator/compute.hpp"

#include <algorithm>
#include <set>

#include "indicator/measure.hpp"

namespace gerbang::indicator {
namespace {

constexpr std::size_t kMostInputs = 400;  // in one message; more are counted and not listed

void take(Outcome& out, const Standard& standard, const Evaluation& evaluation) {
  const Category& category = standard.categories[evaluation.category];
  out.value = evaluation.value;
  out.category = category.name;
  out.label = category.label;
  out.critical = evaluation.critical;
  out.confidence = evaluation.tag;
}

// The least capture of the inputs that were used.
void lower(std::optional<double>& capture, const std::optional<double>& other) {
  if (other) capture = capture ? std::min(*capture, *other) : *other;
}

// One sensor a quantity: what the table says of their means. False: nothing can be judged.
bool by_table(const Plan& plan, const std::vector<WindowValue>& windows, Verdict worst,
              Outcome& out) {
  std::vector<Given> given;
  for (std::size_t i = 0; i < windows.size(); ++i)
    given.push_back(
        {plan.inputs[i].quantity, windows[i].verdict <= worst ? windows[i].value : std::nullopt});
  const auto evaluation = evaluate(*plan.standard, given);
  if (evaluation) take(out, *plan.standard, *evaluation);
  return evaluation.has_value();
}

// Each sensor by itself; the worst decides, and is named by its own name.
void by_sensor(const Plan& plan, const std::vector<WindowValue>& windows, Verdict used,
               Outcome& out) {
  struct One {
    const Input* input;
    Evaluation evaluation;
  };
  std::vector<One> all;
  std::size_t category = 0;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    if (windows[i].verdict != used) continue;
    const std::vector<Given> given = {{plan.inputs[i].quantity, windows[i].value}};
    auto one = evaluate(*plan.standard, given);
    if (!one) continue;
    category = std::max(category, one->category);
    all.push_back({&plan.inputs[i], std::move(*one)});
  }
  const One* worst = nullptr;
  std::vector<std::string> named;
  for (const One& one : all) {
    if (one.evaluation.category != category) continue;
    if (category > 0) named.push_back(one.input->sensor);
    if (worst == nullptr || (one.input->quantity == worst->input->quantity &&
                             one.evaluation.value > worst->evaluation.value))
      worst = &one;
  }
  if (worst == nullptr) return;
  take(out, *plan.standard, worst->evaluation);
  out.critical = std::move(named);
}

void by_windows(const Plan& plan, const std::vector<WindowValue>& windows, Verdict used,
                Outcome& out) {
  std::vector<double> values;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    if (windows[i].verdict != used || !windows[i].value) continue;
    values.push_back(*windows[i].value);
    for (const Level& level : plan.standard->levels) {
      const Order order = compare(values.back(), level.bound);
      out.confidence = std::max(out.confidence.value_or(level.tag), level.tag);
      if (order == Order::above || (order == Order::equal && level.itself))
        out.critical.push_back(plan.inputs[i].sensor);
      break;  // the first step is what counts
    }
  }
  if (values.empty()) return;
  double sum = 0;
  for (double value : values) sum += value;
  switch (plan.standard->method) {
    case Method::amount:
      out.value = sum * plan.standard->factor;
      break;
    case Method::average:
      out.value = sum / static_cast<double>(values.size());
      break;
    default:
      out.value = static_cast<double>(out.critical.size());
  }
}

// A weighbridge at which no lorry stopped says nothing, and so does a dead one. Only while its
// device was heard is no event an amount of 0.
void heard(const Plan& plan, const WindowValue& witness, std::vector<WindowValue>& windows,
           Outcome& out) {
  out.capture = witness.capture;
  out.clock = std::max(out.clock, witness.clock);
  if (witness.verdict != Verdict::valid) return;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    WindowValue& one = windows[i];
    if (plan.inputs[i].kind != QuantityKind::event || one.value) continue;
    out.inputs[i].value = one.value = 0;
    one.verdict = Verdict::valid;
  }
}

void from_windows(const Plan& plan, const TimeSpan& window, const Rows& rows, Outcome& out) {
  const Standard& standard = *plan.standard;
  std::vector<WindowValue> windows;
  std::optional<WindowValue> witness;  // the worst of them
  for (std::size_t i = 0; i < plan.inputs.size(); ++i) {
    const Input& input = plan.inputs[i];
    const bool witnesses = input.quantity == standard.witness;
    windows.push_back(summarise(rows.of(input.series), input.kind,
                                witnesses ? Statistic::mean : standard.statistic, window,
                                blocks_in(plan.averaging, window), plan.threshold));
    WindowValue& one = windows.back();
    // Whether empty hours have rows depends on when the others came.
    if (input.interval_ms > 0 && !one.capture) one.capture = 0;
    if (witnesses) {
      if (!witness || one.capture < witness->capture) witness = one;
      const auto capture = one.capture;
      one = WindowValue{};
      one.capture = capture;
    }
    out.inputs.push_back({input.quantity, input.sensor, input.unit, one.value, one.capture});
  }
  if (witness) heard(plan, *witness, windows, out);
  Verdict used = Verdict::none;
  for (const WindowValue& one : windows) used = std::min(used, one.verdict);
  // What adds up is of all inputs, so the worst of them tells how good the sum is.
  const bool sums = standard.method == Method::amount || standard.method == Method::average;
  if (used == Verdict::none) return;
  out.provisional = used != Verdict::valid || (witness && witness->verdict != Verdict::valid);
  for (std::size_t i = 0; i < windows.size(); ++i) {
    WindowValue& one = windows[i];
    if (plan.inputs[i].quantity == standard.witness) continue;
    if (sums && one.verdict != Verdict::valid) out.provisional = true;
    if (sums && one.verdict == Verdict::provisional) one.verdict = used;
    if (one.verdict != used) continue;
    lower(out.capture, one.capture);
    out.clock = std::max(out.clock, one.clock);
  }
  switch (standard.method) {
    case Method::levels:
      return by_sensor(plan, windows, used, out);
    case Method::breakpoints:
    case Method::limits:
    case Method::pollution_index:
      // What is valid may be a helper only, such as the temperature of the air.
      if (!by_table(plan, windows, used, out) && by_table(plan, windows, Verdict::provisional, out))
        out.provisional = true;
      return;
    default:
      return by_windows(plan, windows, used, out);
  }
}

// Without the inputs that came later.
Plan as_of(Plan plan, const TimeSpan& window, const Rows& rows) {
  std::erase_if(plan.inputs, [&](const Input& input) {
    const auto own = rows.of(input.series);
    return input.since_ms >= window.end_ms &&
           std::none_of(own.begin(), own.end(),
                        [&](const Aggregate* row) { return window.contains(row->start_ms); });
  });
  return plan;
}

}  // namespace

std::int64_t rows_of(const Plan& plan, const std::vector<std::int64_t>& lengths_ms) {
  switch (plan.standard->method) {
    case Method::capture:
    case Method::availability:
    case Method::inventory:
    case Method::calibration_due:
      return kDayMs;
    case Method::hours_outside: {
      std::int64_t slowest = 0;
      for (const Input& input : plan.inputs) slowest = std::max(slowest, input.interval_ms);
      for (std::int64_t length : lengths_ms)
        if (length >= slowest) return length;
      return kHourMs;
    }
    default:
      return block_ms(plan.averaging);
  }
}

std::int64_t reads_before_ms(const Plan& plan) {
  return plan.standard->method == Method::difference ? kDayMs : 0;
}

Outcome compute(const Plan& of_today, const TimeSpan& window, const std::string& local_date,
                const std::vector<Aggregate>& all) {
  Outcome out;
  const Rows rows(all);
  const Plan plan = as_of(of_today, window, rows);
  switch (plan.standard->method) {
    case Method::hours_outside:
      hours_outside(plan, window, rows, out);
      break;
    case Method::share_complying:
      share_complying(plan, window, rows, out);
      break;
    case Method::capture:
    case Method::availability:
      share_of_readings(plan, window, rows, out);
      break;
    case Method::inventory:
      inventory(plan, window, rows, out);
      break;
    case Method::difference:
      difference(plan, window, rows, out);
      break;
    case Method::calibration_due:
      calibration_due(plan, local_date, out);
      break;
    default:
      from_windows(plan, window, rows, out);
  }
  if (!out.value) {
    out.provisional = true;
    out.category.clear();
    out.critical.clear();
    out.label = Label{"Tidak ada data", "No data"};
  } else if (out.provisional) {
    out.label.ind += out.label.ind.empty() ? "Sementara" : " (sementara)";
    out.label.eng += out.label.eng.empty() ? "Provisional" : " (provisional)";
  }
  if (out.inputs.size() > kMostInputs) out.inputs.resize(kMostInputs);
  return out;
}

std::string smart_dimension(const Standard& standard) {
  const Place& place = standard.place;
  return place.sub_dimension.empty() ? place.dimension
                                     : place.dimension + ", " + place.sub_dimension;
}

std::string iso_text(const Plan& plan) {
  std::set<std::string> measured;
  for (const Input& input : plan.inputs) measured.insert(input.quantity);
  std::string out;
  for (const IsoNumber& row : plan.standard->place.iso)
    if (row.quantity.empty() || measured.contains(row.quantity))
      out += (out.empty() ? "" : ", ") + row.edition + " " + row.number;
  return out;
}

}  // namespace gerbang::indicator
