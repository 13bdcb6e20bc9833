// SPDX-License-Identifier: Apache-2.0
//
// A standard as data: the tables of config/standards/*.toml after loading. Nothing here knows
// files; values are in the canonical units of config/quantities.toml.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/quantity.hpp"

namespace gerbang::indicator {

// How sure we are of a row. A: checked against official data or the primary text; B: two
// independent secondary sources; C: one; M: from memory, not verified.
enum class Confidence : std::uint8_t { a, b, c, m };
std::string_view name(Confidence confidence);  // "A"

// What is done with the inputs.
enum class Method : std::uint8_t {
  breakpoints,      // piecewise linear index, the worst input decides
  limits,           // each input against its limit
  pollution_index,  // ratios to limits, combined into one number
  levels,           // steps of severity, the worst input decides
  amount,           // what the inputs add up to in the window
  average,          // the mean of the inputs
  count_over,       // how many inputs are at or over the first level
  hours_outside,    // time that any input was outside of its limit
  share_complying,  // of the hours, those in which every judged input complied, in %
  capture,          // good of expected readings, in %
  availability,     // received of expected readings, in %
  calibration_due,  // how many sensors are due
  inventory,        // how many sensors said something that counts
  difference,       // a flow against what the counter of its pipe counted, in % of the latter
};
std::string_view name(Method method);  // "breakpoints"
std::optional<Method> method_of(std::string_view name);
// Those that evaluate() answers from given values.
bool from_values(Method method);

// What of a window goes into the method.
enum class Statistic : std::uint8_t { mean, maximum, minimum, last, delta };
std::optional<Statistic> statistic_of(std::string_view name);

// Over which time: hours that end with an hour ("24h": rolling, again each hour), or local days
// ("1d"; "365d" is the year), again each day.
struct Averaging {
  enum class Unit : std::uint8_t { hour, day };
  Unit unit = Unit::hour;
  unsigned count = 1;
  friend bool operator==(const Averaging&, const Averaging&) = default;
};
std::optional<Averaging> averaging_of(std::string_view text);  // at most 72h, 366d
std::string text(const Averaging& averaging);                  // "24h", "1d"

// A class of results. `upto` is inclusive and judged on the result as it is published.
struct Category {
  std::string name;
  Label label;
  std::string colour;  // "#00cc00", as the authority shows it; or empty
  double upto = std::numeric_limits<double>::infinity();
};

struct Breakpoints {
  std::string quantity, unit;
  std::vector<double> bounds;  // ascending, one for each of Standard::steps
  Confidence tag = Confidence::m;
  std::string note;
};

struct Limit {
  std::string quantity, unit;
  std::optional<double> low, high;             // at least one
  bool low_itself = true, high_itself = true;  // false: the limit itself is a violation ("<")
  std::string relative_to;                     // judged is the difference to this quantity
  Confidence tag = Confidence::m;
  std::string note;
};
// "6.5 to 8.5", "< 3", "at least 4", "within 3 of air_temperature".
std::string text(const Limit& limit);

// A step of severity of one quantity.
struct Level {
  std::string quantity, unit;
  double bound = 0;
  bool itself = true;    // the bound itself belongs to the step
  bool falling = false;  // the step is below the bound
  std::size_t category = 0;
  Confidence tag = Confidence::m;
  std::string note;
};

// Another quantity that does as well, by a factor: % by volume for % of the explosive limit.
struct Conversion {
  std::string from, to;
  double factor = 1;
  Confidence tag = Confidence::m;
  std::string note;
};

// Where an indicator stands in the masterplan and in ISO 37120 and 37122, edition beside number.
struct IsoNumber {
  std::string edition, number;  // "ISO 37120:2018", "8.1"
  std::string quantity;         // only if this one is among the inputs; empty: always
  Confidence tag = Confidence::m;
};
struct Place {
  std::string dimension, sub_dimension;
  Confidence tag = Confidence::m;
  std::vector<IsoNumber> iso;
};

struct Standard {
  std::string id;                    // "river-class-2"
  std::string family;                // "river"
  std::string variant, variant_key;  // "2", "class"; empty: it has none
  bool is_default = true;            // of its family
  std::vector<std::string> aliases;
  Label title;
  std::string version, source, valid_from, note;
  std::string file;   // where it was read
  bool sound = true;  // false: that file has mistakes, or the one it takes its limits from
  Method method = Method::limits;
  Averaging averaging;
  Statistic statistic = Statistic::mean;
  std::string unit;  // of the result; empty: a bare number
  unsigned decimals = 0;
  double factor = 1;  // amount: from the inputs' unit; pollution_index: P of the formula
  std::vector<std::string> quantities;  // of the methods without a table: what may go in
  // Of an amount of events: a quantity that is read all the time by the same device. It is not
  // counted, but while it speaks nothing was overlooked: only then is no event an amount of 0.
  std::string witness;
  std::vector<Category> categories;  // by severity
  std::vector<double> steps;         // breakpoints: the index at each bound
  std::vector<Breakpoints> breakpoints;
  std::vector<Limit> limits;
  std::vector<Level> levels;
  std::vector<Conversion> conversions;
  Place place;
};

// What may be given to it, in the order of its table, helpers such as air_temperature last.
std::vector<std::string> inputs_of(const Standard& standard);

// By id, alias, or family with a variant (empty: the default one). nullptr: none.
const Standard* find(const std::vector<Standard>& all, std::string_view name,
                     std::string_view variant = {});

}  // namespace gerbang::indicator
