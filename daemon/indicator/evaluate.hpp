// SPDX-License-Identifier: Apache-2.0
//
// What a standard says of given values. The same code answers `gerbangctl evaluate` and makes the
// indicators of a running gateway. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "indicator/standard.hpp"

namespace gerbang::indicator {

// A value in the canonical unit of its quantity. Without a value it is left out, as an authority
// leaves out a pollutant that it has no index for.
struct Given {
  std::string quantity;
  std::optional<double> value;
};

// What one input contributed.
struct Part {
  std::string quantity, unit;
  double value = 0;             // as judged: after a conversion, never clamped
  std::optional<double> score;  // sub-index before rounding, or ratio to the limit
  std::size_t category = 0;
  bool critical = false;
  Confidence tag = Confidence::m;
  std::string rule;  // "< 3"
};

struct Left {
  std::string quantity, why;
};

struct Evaluation {
  double value = 0;  // as published: an index is rounded half up
  double exact = 0;  // before that
  std::size_t category = 0;
  std::vector<std::string> critical;  // in the order of the table; ties are all in it
  std::vector<Part> parts;
  std::vector<Left> left_out;
  Confidence tag = Confidence::a;  // the least sure of the rows used
};

// Fails with a sentence: an unknown quantity, one that is given twice, a value that is no number,
// or nothing that can be judged.
Result<Evaluation> evaluate(const Standard& standard, std::span<const Given> given);

// Half up, as the authority rounds. A value that is only short of the half by the noise of binary
// fractions counts as the half.
double round_half_up(double value);

// How a value stands to a bound, where a difference of binary noise is none: 0.1 + 0.2 is 0.3.
enum class Order { below, equal, above };
Order compare(double value, double bound);
bool complies(const Limit& limit, double value);
// The first category whose upper bound the value does not exceed.
std::size_t category_of(const std::vector<Category>& categories, double value);
// The sub-index, exact. A negative concentration counts as 0.
double sub_index(const Breakpoints& row, const std::vector<double>& steps, double concentration);

}  // namespace gerbang::indicator
