// SPDX-License-Identifier: Apache-2.0
//
// The only file that knows UDUNITS-2. Three of its habits are kept out: it converts between any two
// dimensionless units (ppb to % relative humidity), between a unit and its reciprocal (s to Hz),
// and logarithmic units, none of which is a straight line or the same quantity.
#include "config/units.hpp"

#include <udunits2.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "config/data_file.hpp"

namespace gerbang::config {
namespace {

struct FreeUnit {
  void operator()(ut_unit* unit) const { ut_free(unit); }
};
struct FreeSystem {
  void operator()(ut_system* system) const { ut_free_system(system); }
};
struct FreeConverter {
  void operator()(cv_converter* converter) const { cv_free(converter); }
};
using Unit = std::unique_ptr<ut_unit, FreeUnit>;
using Converter = std::unique_ptr<cv_converter, FreeConverter>;

constexpr std::string_view kReinstall =
    "this file belongs to the installation: install the package again, or set GERBANG_DATA";
constexpr std::array<DataKey, 4> kFile = {
    {{"version"}, {"source"}, {"valid_from", DataType::date}, {"unit", DataType::rows}}};
constexpr std::array<DataKey, 3> kRow = {{{"name"}, {"is"}, {"spellings", DataType::texts}}};

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// UDUNITS multiplies factors up in floating point: 3.600000000000001 is 3.6.
double tidy(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.12g", value);
  const double rounded = std::strtod(text.data(), nullptr);
  return std::abs(rounded - value) <= 1e-14 * std::abs(value) ? rounded : value;
}

}  // namespace

struct Units::Impl {
  std::unique_ptr<ut_system, FreeSystem> system;
  std::map<std::string, std::string, std::less<>> spellings;  // as written → for UDUNITS

  Unit parse(std::string_view text) const {
    if (!system || text.size() > 64) return nullptr;
    // The parser of UDUNITS ignores a bracket that closes nothing.
    int open = 0;
    for (char c : text)
      if ((open += c == '(' ? 1 : c == ')' ? -1 : 0) < 0) return nullptr;
    if (open != 0) return nullptr;
    const auto known = spellings.find(text);
    std::string definition = known != spellings.end() ? known->second : std::string(text);
    return Unit(ut_parse(system.get(), definition.c_str(), UT_UTF8));
  }

  // nullopt: not convertible by a straight line.
  std::optional<Linear> convert(const ut_unit& from, const ut_unit& to) const {
    if (ut_are_convertible(&from, &to) == 0) return std::nullopt;
    // ut_get_converter takes non-const pointers by its old signature and changes nothing.
    const Converter line(ut_get_converter(const_cast<ut_unit*>(&from), const_cast<ut_unit*>(&to)));
    if (!line) return std::nullopt;
    const double zero = cv_convert_double(line.get(), 0);
    const double slope = cv_convert_double(line.get(), 1) - zero;
    if (!std::isfinite(zero) || !std::isfinite(slope) || slope == 0) return std::nullopt;
    for (double x : {2.0, -3.0, 1000.0}) {
      const double there = cv_convert_double(line.get(), x);
      if (!(std::abs(there - (zero + slope * x)) <= 1e-9 * (std::abs(there) + std::abs(zero))))
        return std::nullopt;
    }
    return Linear{tidy(slope), tidy(zero)};
  }
};

Units::Units() : impl_(std::make_unique<Impl>()) {
  ut_set_error_message_handler(ut_ignore);
  impl_->system.reset(ut_read_xml(nullptr));
}
Units::~Units() = default;
Units::Units(Units&&) noexcept = default;
Units& Units::operator=(Units&&) noexcept = default;

void Units::add(const Node& root, const std::string& file, Diagnostics& errors) {
  auto error = [&](const Node& at, std::string what) {
    errors.push_back({file, at.line, at.column, "unit", std::move(what), std::string(kReinstall)});
  };
  if (!impl_->system) {
    error(root, "the unit database of UDUNITS-2 cannot be read (package libudunits2-data)");
    return;
  }
  DataFile data(file, kReinstall, errors);
  data.check(root, "", kFile);
  data.check_rows(root, "unit", kRow);
  const Node* list = root.get("unit");
  if (list == nullptr) return error(root, "no [[unit]] here");
  for (const Node& row : list->items) {
    const Node* name = row.get("name");
    const Node* is = row.get("is");
    const Node* spellings = row.get("spellings");
    if (name == nullptr || name->kind != Node::Kind::string) {
      error(row, "a unit without a name");
      continue;
    }
    std::string definition = name->text;
    if (is != nullptr) {
      definition = is->text;
    } else {
      // A new base unit converts into nothing but itself and its own multiples.
      const Unit base(ut_new_base_unit(impl_->system.get()));
      if (!base || ut_map_name_to_unit(name->text.c_str(), UT_ASCII, base.get()) != UT_SUCCESS) {
        error(*name, in_quotes(name->text) + " cannot be a new base unit");
        continue;
      }
    }
    if (!impl_->parse(definition)) {
      error(is != nullptr ? *is : *name, in_quotes(definition) + " is not a unit");
      continue;
    }
    impl_->spellings.insert_or_assign(name->text, definition);
    if (spellings == nullptr) continue;
    for (const Node& spelling : spellings->items)
      impl_->spellings.insert_or_assign(spelling.text, definition);
  }
}

bool Units::known(std::string_view unit) const {
  return impl_->parse(trim(unit)) != nullptr;
}

Result<Linear> Units::convert(std::string_view written, const QuantityRow& row) const {
  const std::string_view unit = trim(written);
  const Quantity& quantity = *row.quantity;
  if (unit == quantity.unit) return Linear{};
  const std::string own = quantity.unit.empty() ? "without a unit" : "in " + quantity.unit;
  const std::string begin = quantity.name + " is " + own + ", and " + in_quotes(unit);
  const std::string write =
      quantity.unit.empty() ? "leave the unit away" : "write " + in_quotes(quantity.unit);

  const Unit to = impl_->parse(quantity.unit);
  if (!to)
    return fail(std::errc::invalid_argument, begin + " cannot be compared with it; " + write);
  const Unit from = impl_->parse(unit);
  if (ut_is_dimensionless(to.get()) != 0) {
    // Every ratio would convert into every other: only what the quantity itself lists is meant.
    const auto& accepted = row.spellings;
    if (std::find(accepted.begin(), accepted.end(), unit) == accepted.end()) {
      std::string list;
      for (const std::string& spelling : accepted)
        if (!spelling.empty()) list += (list.empty() ? "" : ", ") + in_quotes(spelling);
      return fail(std::errc::invalid_argument,
                  begin + " is not among the spellings that it accepts; " +
                      (quantity.unit.empty() ? write : "write one of " + list));
    }
  }
  if (!from)
    return fail(std::errc::invalid_argument, begin + " is not a unit that is known; " + write +
                                                 " or another unit of the same kind");
  if (auto line = impl_->convert(*from, *to)) return *line;

  const Unit concentration = impl_->parse("kg/m3");
  const bool mass = ut_are_convertible(to.get(), concentration.get()) != 0;
  if (mass && ut_is_dimensionless(from.get()) != 0) {
    if (!row.share.empty())
      return fail(
          std::errc::invalid_argument,
          begin +
              " is a share of the air: how many µg/m³ that makes depends on the gas, its "
              "temperature and pressure, so it is a correction and not a unit; use quantity "
              "= \"" +
              row.share + "\", which keeps the share as it was measured");
    if (quantity.domain != "water")
      return fail(std::errc::invalid_argument,
                  begin + " is a share and not a mass in a volume; " + write);
    return fail(std::errc::invalid_argument,
                begin +
                    " is a share and not a mass in a volume; if the manual means milligrams in a "
                    "litre, write \"mg/L\"");
  }
  // A letter alone is the coulomb, the farad …
  const std::string degrees = "°" + std::string(unit);
  if (const Unit meant = impl_->parse(degrees); meant && impl_->convert(*meant, *to))
    return fail(std::errc::invalid_argument,
                begin + " measures something else; did you mean " + in_quotes(degrees) + "?");
  return fail(std::errc::invalid_argument,
              begin + " measures something else: there is no conversion; " + write +
                  " or a unit that converts into it, or another quantity");
}

}  // namespace gerbang::config
