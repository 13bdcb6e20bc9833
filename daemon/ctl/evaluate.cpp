// SPDX-License-Identifier: Apache-2.0
#include "indicator/evaluate.hpp"

#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <sstream>
#include <vector>

#include "config/standards.hpp"
#include "core/number_text.hpp"
#include "ctl/commands.hpp"
#include "ctl/table.hpp"
#include "ctl/tables.hpp"

namespace gerbang::ctl {
namespace {

namespace json = boost::json;
using indicator::Evaluation;
using indicator::Standard;

// In lines that fit a terminal; words stay whole.
int refuse(const std::string& why) {
  constexpr std::size_t kWidth = 78;
  std::istringstream words("gerbangctl: " + why);
  std::string text;
  std::size_t column = 0;
  for (std::string word; words >> word;) {
    const bool fits = column == 0 || column + 1 + word.size() <= kWidth;
    const std::string before = column == 0 ? "" : fits ? " " : "\n  ";
    column = fits ? column + before.size() + word.size() : 2 + word.size();
    text += before + word;
  }
  std::fprintf(stderr, "%s\n", text.c_str());
  return kData;
}

// "; there are: 1, 2, 3, 4"
std::string there_are(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "; there are: " : ", ") + name;
  return out;
}

std::string no_variant(const std::vector<Standard>& all, const Standard& of,
                       const std::string& variant) {
  std::vector<std::string> variants;
  for (const Standard& one : all)
    if (one.family == of.family && !one.variant.empty()) variants.push_back(one.variant);
  if (variants.empty()) return of.id + " has no variants; leave out --class and --average";
  return of.family + " has no variant " + config::in_quotes(variant) + there_are(variants);
}

std::string no_standard(const std::vector<Standard>& all, const std::string& name) {
  const std::string why = "there is no standard " + config::in_quotes(name);
  const std::string near = config::suggest_standard(all, name);
  if (near.starts_with("did you mean")) return why + "; " + near;
  std::vector<std::string> ids;
  for (const Standard& one : all) ids.push_back(one.id);
  return why + there_are(ids);
}

Result<indicator::Given> parse(const std::string& text, const config::Catalogue& catalogue) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return fail(std::errc::invalid_argument,
                text + " is not QUANTITY=VALUE; write it such as pm2_5=77.44");
  indicator::Given out;
  out.quantity = text.substr(0, equals);
  const std::string value = text.substr(equals + 1);
  if (value == "null") return out;
  double number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  std::string unit(end, static_cast<std::size_t>(value.data() + value.size() - end));
  if (error != std::errc{} || unit.starts_with(','))
    return fail(std::errc::invalid_argument, text + ": " + config::in_quotes(value) +
                                                 " is not a number; write one such as 3.5, with "
                                                 "its unit if it is another: \"200 ug/L\"");
  unit.erase(0, std::min(unit.find_first_not_of(' '), unit.size()));
  out.value = number;
  const config::QuantityRow* row = catalogue.find(out.quantity);
  if (unit.empty() || row == nullptr) return out;
  const auto line = catalogue.units.convert(unit, *row);
  if (!line) return fail(Error(line.error()).within(text));
  out.value = number * line->slope + line->intercept;
  return out;
}

// 78 and not 7.8E1: both are JSON, one is read by people too.
json::value json_number(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15) return static_cast<std::int64_t>(value);
  return value;
}

json::object json_of(const Standard& standard, const Evaluation& e) {
  const indicator::Category& category = standard.categories[e.category];
  json::object out{{"standard", standard.id},
                   {"version", standard.version},
                   {"value", json_number(e.value)},
                   {"exact", e.exact},
                   {"unit", standard.unit},
                   {"category", category.name},
                   {"category_number", e.category + 1},
                   {"label", {{"ind", category.label.ind}, {"eng", category.label.eng}}},
                   {"critical", json::array(e.critical.begin(), e.critical.end())},
                   {"tag", indicator::name(e.tag)}};
  json::array inputs, left;
  for (const indicator::Part& part : e.parts) {
    json::object o{{"quantity", part.quantity},
                   {"value", json_number(part.value)},
                   {"unit", part.unit},
                   {"category", standard.categories[part.category].name},
                   {"critical", part.critical},
                   {"rule", part.rule},
                   {"tag", indicator::name(part.tag)}};
    if (part.score) o["score"] = *part.score;
    inputs.push_back(std::move(o));
  }
  for (const indicator::Left& one : e.left_out)
    left.push_back({{"quantity", one.quantity}, {"why", one.why}});
  out["inputs"] = std::move(inputs);
  out["left_out"] = std::move(left);
  return out;
}

std::string fixed(double value, unsigned decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", static_cast<int>(decimals), value);
  return text;
}

void print(const Standard& standard, const Evaluation& e, bool ind) {
  const indicator::Category& category = standard.categories[e.category];
  std::string critical;
  for (const std::string& name : e.critical) critical += (critical.empty() ? "" : ",") + name;
  std::printf("%s %s%s%s  %s\n", ind ? "nilai   " : "value   ",
              fixed(e.value, standard.decimals).c_str(), standard.unit.empty() ? "" : " ",
              standard.unit.c_str(), standard.id.c_str());
  std::printf("%s %s (%s)\n", ind ? "kategori" : "category", category.name.c_str(),
              (ind ? category.label.ind : category.label.eng).c_str());
  std::printf("%s %s\n\n", ind ? "kritis  " : "critical",
              critical.empty() ? "-" : critical.c_str());
  Table table;
  for (const indicator::Part& part : e.parts) {
    const Label& label = standard.categories[part.category].label;
    table.add({(part.critical ? "* " : "  ") + part.quantity,
               number_text(part.value) + " " + part.unit,
               part.score ? fixed(*part.score, 4) : part.rule, ind ? label.ind : label.eng,
               std::string(indicator::name(part.tag))});
  }
  for (const indicator::Left& one : e.left_out)
    table.add({"  " + one.quantity, ind ? "tidak dinilai" : "left out", one.why});
  table.print();
  std::printf("\n%s\n%s: %s\n", (ind ? standard.title.ind : standard.title.eng).c_str(),
              ind ? "sumber" : "source", standard.version.c_str());
}

}  // namespace

int evaluate(const Common& common, const EvaluateOptions& options) {
  const Tables tables = read_tables();
  const auto& all = tables.standards;
  const Standard* standard = indicator::find(all, options.standard, options.variant);
  if (!usable(tables, standard)) return kConfig;
  if (standard == nullptr) {
    if (const Standard* family = indicator::find(all, options.standard))
      return refuse(no_variant(all, *family, options.variant));
    return refuse(no_standard(all, options.standard));
  }
  std::vector<indicator::Given> given;
  for (const std::string& text : options.values) {
    auto one = parse(text, tables.catalogue);
    if (!one) return refuse(one.error().what);
    given.push_back(std::move(*one));
  }
  const auto evaluation = indicator::evaluate(*standard, given);
  if (!evaluation) return refuse(evaluation.error().what);
  if (common.json)
    std::puts(json::serialize(json_of(*standard, *evaluation)).c_str());
  else
    print(*standard, *evaluation, common.language == "ind");
  return kOk;
}

}  // namespace gerbang::ctl
