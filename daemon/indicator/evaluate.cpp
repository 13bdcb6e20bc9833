// SPDX-License-Identifier: Apache-2.0
#include "indicator/evaluate.hpp"

#include <algorithm>
#include <cmath>

#include "core/oxygen.hpp"
#include "core/text.hpp"

namespace gerbang::indicator {
namespace {

constexpr double kNoise = 1e-9;
constexpr const char* kOxygen = "dissolved_oxygen";
constexpr const char* kWaterTemperature = "water_temperature";

// The given values by quantity, converted where the standard offers it.
class Values {
 public:
  explicit Values(const Standard& standard) : standard_(standard) {}

  Result<void> take(std::span<const Given> given, std::vector<Left>& left_out) {
    const std::vector<std::string> known = inputs_of(standard_);
    std::vector<std::string> seen;
    for (const Given& one : given) {
      if (std::find(known.begin(), known.end(), one.quantity) == known.end() &&
          !helps(one.quantity))
        return unknown(one.quantity, known);
      if (std::find(seen.begin(), seen.end(), one.quantity) != seen.end())
        return fail(std::errc::invalid_argument, one.quantity + " is given twice; keep one");
      seen.push_back(one.quantity);
      if (!one.value) {
        left_out.push_back({one.quantity, "no value"});
        continue;
      }
      if (!std::isfinite(*one.value))
        return fail(std::errc::invalid_argument, one.quantity + " is not a finite number");
      add(one.quantity, *one.value, left_out);
    }
    return {};
  }

  std::optional<double> of(const std::string& quantity) const {
    for (const Given& one : values_)
      if (one.quantity == quantity) return one.value;
    return std::nullopt;
  }

 private:
  // Oxygen is judged by what water of this temperature could hold.
  bool helps(const std::string& quantity) const {
    return standard_.method == Method::pollution_index && quantity == kWaterTemperature;
  }

  // Of two that say the same thing, one of them converted, the higher one holds: what is converted
  // is a dangerous gas.
  void add(const std::string& quantity, double value, std::vector<Left>& left_out) {
    std::string judged = quantity;
    for (const Conversion& row : standard_.conversions)
      if (row.from == quantity) {
        judged = row.to;
        value *= row.factor;
      }
    for (std::size_t i = 0; i < values_.size(); ++i) {
      Given& known = values_[i];
      if (known.quantity != judged) continue;
      const bool higher = value > *known.value;
      left_out.push_back(
          {higher ? said_by_[i] : quantity, "says less than " + (higher ? quantity : said_by_[i])});
      if (!higher) return;
      known.value = value;
      said_by_[i] = quantity;
      return;
    }
    values_.push_back({judged, value});
    said_by_.push_back(quantity);
  }

  tl::unexpected<Error> unknown(const std::string& quantity,
                                const std::vector<std::string>& known) const {
    std::string all;
    for (const std::string& name : known) all += (all.empty() ? "" : ", ") + name;
    const std::vector<std::string_view> names(known.begin(), known.end());
    const auto near = nearest(quantity, names);
    return fail(std::errc::invalid_argument,
                standard_.id + " does not judge " + quantity +
                    (near ? "; did you mean " + std::string(*near) + "?" : ".") +
                    " It judges: " + all);
  }

  const Standard& standard_;
  std::vector<Given> values_;
  std::vector<std::string> said_by_;  // the quantity that was given, for each of values_
};

void worst(Confidence& tag, Confidence other) {
  tag = std::max(tag, other);
}

void choose_critical(Evaluation& out) {
  for (const Part& part : out.parts) {
    worst(out.tag, part.tag);
    if (part.critical) out.critical.push_back(part.quantity);
  }
}

void by_breakpoints(const Standard& standard, const Values& values, Evaluation& out) {
  for (const Breakpoints& row : standard.breakpoints) {
    const auto value = values.of(row.quantity);
    if (!value) continue;
    Part part{row.quantity, row.unit, *value, {}, 0, false, row.tag, row.note};
    part.score = sub_index(row, standard.steps, *value);
    part.category = category_of(standard.categories, round_half_up(*part.score));
    if (out.parts.empty() || *part.score > out.exact) out.exact = *part.score;
    out.parts.push_back(std::move(part));
  }
  out.value = round_half_up(out.exact);
  out.category = category_of(standard.categories, out.value);
  for (Part& part : out.parts) part.critical = round_half_up(*part.score) == out.value;
}

// What a limit is compared with: the value, or its difference to another.
std::optional<double> judged(const Limit& row, const Values& values, Evaluation& out) {
  const auto value = values.of(row.quantity);
  if (!value || row.relative_to.empty()) return value;
  if (const auto other = values.of(row.relative_to)) return *value - *other;
  out.left_out.push_back({row.quantity, "judged against " + row.relative_to + ", not given"});
  return std::nullopt;
}

void by_limits(const Standard& standard, const Values& values, Evaluation& out) {
  for (const Limit& row : standard.limits) {
    const auto value = judged(row, values, out);
    if (!value) continue;
    const bool good = complies(row, *value);
    Part part{row.quantity, row.unit, *values.of(row.quantity), {}, 0, !good, row.tag, text(row)};
    part.category = good ? 0 : standard.categories.size() - 1;
    if (!good) out.value += 1;
    out.parts.push_back(std::move(part));
  }
  out.exact = out.value;
  out.category = out.value > 0 ? standard.categories.size() - 1 : 0;
}

// How near to its limit, or how far beyond it. nullopt with a reason left in `out`.
std::optional<double> ratio(const Limit& row, double value, const Values& values, Evaluation& out) {
  if (row.low && row.high) {
    const double middle = (*row.low + *row.high) / 2;
    return (value - middle) / ((value <= middle ? *row.low : *row.high) - middle);
  }
  if (row.high) {
    if (*row.high > 0) return std::max(0.0, value) / *row.high;
    out.left_out.push_back({row.quantity, "its limit is 0: there is no ratio to it"});
    return std::nullopt;
  }
  if (row.quantity != kOxygen) {
    out.left_out.push_back({row.quantity, "a lower limit has no ratio but for oxygen"});
    return std::nullopt;
  }
  const auto temperature = values.of(kWaterTemperature);
  if (!temperature) {
    out.left_out.push_back(
        {row.quantity, std::string("judged by its saturation: needs ") + kWaterTemperature});
    return std::nullopt;
  }
  const double saturation = oxygen_saturation(*temperature);
  if (!(saturation > *row.low)) {
    out.left_out.push_back({row.quantity, "water of this temperature cannot hold its limit"});
    return std::nullopt;
  }
  return std::max(0.0, (saturation - value) / (saturation - *row.low));
}

void by_pollution_index(const Standard& standard, const Values& values, Evaluation& out) {
  double greatest = 0, sum = 0;
  for (const Limit& row : standard.limits) {
    const auto value = judged(row, values, out);
    if (!value) continue;
    auto score = ratio(row, *value, values, out);
    if (!score) continue;
    if (*score > 1) score = 1 + standard.factor * std::log10(*score);
    Part part{row.quantity, row.unit, *values.of(row.quantity), score, 0, false,
              row.tag,      text(row)};
    part.category = category_of(standard.categories, *score);
    greatest = std::max(greatest, *score);
    sum += *score;
    out.parts.push_back(std::move(part));
  }
  if (out.parts.empty()) return;
  const double mean = sum / static_cast<double>(out.parts.size());
  out.value = out.exact = std::sqrt((greatest * greatest + mean * mean) / 2);
  out.category = category_of(standard.categories, out.value);
  for (Part& part : out.parts) part.critical = compare(*part.score, greatest) == Order::equal;
}

void by_levels(const Standard& standard, const Values& values, Evaluation& out) {
  for (const Level& row : standard.levels) {
    const auto value = values.of(row.quantity);
    if (!value) continue;
    const Order order = compare(*value, row.bound);
    const bool reached =
        order == Order::equal ? row.itself : order == (row.falling ? Order::below : Order::above);
    Part* part = nullptr;
    for (Part& known : out.parts)
      if (known.quantity == row.quantity) part = &known;
    if (part == nullptr) {
      out.parts.push_back({row.quantity, row.unit, *value, {}, 0, false, row.tag, ""});
      part = &out.parts.back();
    }
    if (!reached || row.category < part->category) continue;
    part->category = row.category;
    part->tag = row.tag;
    part->rule = row.note;
  }
  // The value is that of the worst input; among equals, of the first of the table.
  bool first = true;
  for (const Part& part : out.parts) {
    if (!first && part.category <= out.category) continue;
    first = false;
    out.category = part.category;
    out.value = out.exact = part.value;
  }
  for (Part& part : out.parts) part.critical = part.category == out.category && part.category > 0;
}

}  // namespace

double round_half_up(double value) {
  return std::floor(value + 0.5 + kNoise);
}

Order compare(double value, double bound) {
  const double difference = value - bound;
  if (std::abs(difference) <= kNoise * std::max(1e-3, std::abs(bound))) return Order::equal;
  return difference < 0 ? Order::below : Order::above;
}

bool complies(const Limit& limit, double value) {
  if (limit.low) {
    const Order order = compare(value, *limit.low);
    if (order == Order::below || (order == Order::equal && !limit.low_itself)) return false;
  }
  if (limit.high) {
    const Order order = compare(value, *limit.high);
    if (order == Order::above || (order == Order::equal && !limit.high_itself)) return false;
  }
  return true;
}

std::size_t category_of(const std::vector<Category>& categories, double value) {
  for (std::size_t i = 0; i < categories.size(); ++i)
    if (compare(value, categories[i].upto) != Order::above) return i;
  return categories.empty() ? 0 : categories.size() - 1;
}

double sub_index(const Breakpoints& row, const std::vector<double>& steps, double concentration) {
  const double x = std::max(0.0, concentration);
  std::size_t i = 0;
  while (i + 1 < row.bounds.size() && x > row.bounds[i]) ++i;  // beyond the last: extrapolated
  const double low = i == 0 ? 0 : row.bounds[i - 1], low_index = i == 0 ? 0 : steps[i - 1];
  return (steps[i] - low_index) / (row.bounds[i] - low) * (x - low) + low_index;
}

Result<Evaluation> evaluate(const Standard& standard, std::span<const Given> given) {
  Evaluation out;
  Values values(standard);
  if (auto taken = values.take(given, out.left_out); !taken) return fail(std::move(taken.error()));
  switch (standard.method) {
    case Method::breakpoints:
      by_breakpoints(standard, values, out);
      break;
    case Method::limits:
      by_limits(standard, values, out);
      break;
    case Method::pollution_index:
      by_pollution_index(standard, values, out);
      break;
    case Method::levels:
      by_levels(standard, values, out);
      break;
    default:
      return fail(std::errc::invalid_argument,
                  standard.id + " is computed from the windows of a day, not from given values");
  }
  if (out.parts.empty()) {
    std::string why;
    for (const Left& one : out.left_out)
      why += (why.empty() ? ": " : "; ") + one.quantity + " (" + one.why + ")";
    std::string all;
    for (const std::string& name : inputs_of(standard)) all += (all.empty() ? "" : ", ") + name;
    return fail(std::errc::invalid_argument, "nothing that " + standard.id + " can judge" +
                                                 (why.empty() ? "; give one of: " + all : why));
  }
  choose_critical(out);
  return out;
}

}  // namespace gerbang::indicator
