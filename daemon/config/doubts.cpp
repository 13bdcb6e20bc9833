// SPDX-License-Identifier: Apache-2.0
#include "config/doubts.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "config/options.hpp"
#include "core/text.hpp"

namespace gerbang::config {
namespace {

constexpr std::size_t kMostWays = 12;  // each costs processes

using Candidate = std::optional<OptionValue>;  // nullopt: it is not given

// What an option may turn out to be: each of its choices, else its ends and its default.
std::vector<Candidate> candidates(const OptionSpec& spec) {
  std::vector<Candidate> out;
  OptionValue value;
  value.name = spec.name;
  value.type = spec.type;
  if (spec.type == OptionType::choice) {
    for (const std::string& choice : spec.choices) out.emplace_back(value)->text = choice;
  } else if (spec.type == OptionType::boolean) {
    for (const std::int64_t truth : {0, 1}) out.emplace_back(value)->integer = truth;
  } else if (spec.minimum < spec.maximum) {
    for (const double end : {spec.minimum, spec.maximum})
      if (spec.type == OptionType::number)
        out.emplace_back(value)->number = end;
      else if (std::abs(end) < 9e15)  // exact as an integer
        out.emplace_back(value)->integer = static_cast<std::int64_t>(end);
  }
  if (spec.fallback) {
    auto usual = option_of_text(spec, *spec.fallback);
    if (auto* known = std::get_if<OptionValue>(&usual);
        known != nullptr && std::find(out.begin(), out.end(), *known) == out.end())
      out.emplace_back(std::move(*known));
  } else if (!spec.required) {
    out.emplace_back(std::nullopt);
  }
  // Any text, or any number: no value stands for all others.
  const bool open = spec.type != OptionType::choice && spec.type != OptionType::boolean;
  if (open && spec.required) out.clear();
  return out;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

}  // namespace

Doubts doubts_of(const Driver& driver, const Node* options) {
  Doubts out;
  const auto& specs = driver.schema.options;
  const auto given = [&](const OptionSpec& spec) {
    return options != nullptr && options->get(spec.name) != nullptr;
  };
  const auto held = [&](const OptionSpec& spec) {
    return std::find_if(driver.options.begin(), driver.options.end(),
                        [&](const OptionValue& value) { return value.name == spec.name; });
  };
  std::vector<std::string_view> all, absent;
  for (const OptionSpec& spec : specs) {
    const bool wrong = held(spec) == driver.options.end() && (given(spec) || spec.required);
    if (wrong)
      out.doubtful.push_back(spec.name);
    else if (given(spec))
      out.right.push_back(spec.name);
    all.push_back(spec.name);
    if (!given(spec)) absent.push_back(spec.name);
  }
  // A key that is not known stands for the one that it resembles; else for any that is absent: of
  // those nothing is said.
  std::vector<std::string> unspoken;
  for (const Member& member : options != nullptr ? options->members : std::vector<Member>{}) {
    if (std::any_of(specs.begin(), specs.end(),
                    [&](const OptionSpec& spec) { return spec.name == member.key; }))
      continue;
    out.any = true;
    const auto meant =
        member.key.size() <= 100 ? nearest(lower_case(member.key), all) : std::nullopt;
    if (meant)
      out.doubtful.emplace_back(*meant);
    else
      unspoken.assign(absent.begin(), absent.end());
  }
  out.any = out.any || !out.doubtful.empty();
  std::erase_if(out.right, [&](const std::string& name) {
    return std::find(out.doubtful.begin(), out.doubtful.end(), name) != out.doubtful.end();
  });

  std::vector<std::vector<OptionValue>> ways = {{}};
  for (const OptionSpec& spec : specs) {
    std::vector<Candidate> values;
    if (std::find(out.doubtful.begin(), out.doubtful.end(), spec.name) != out.doubtful.end())
      values = candidates(spec);
    else if (const auto value = held(spec); value != driver.options.end())
      values = {*value};
    else
      values = {std::nullopt};
    if (ways.size() * values.size() > kMostWays) values.clear();
    std::vector<std::vector<OptionValue>> longer;
    for (const auto& way : ways)
      for (const Candidate& value : values) {
        longer.push_back(way);
        if (value) longer.back().push_back(*value);
      }
    ways = std::move(longer);
  }
  out.ways.assign(ways.begin(), ways.end());
  out.doubtful.insert(out.doubtful.end(), unspoken.begin(), unspoken.end());
  return out;
}

}  // namespace gerbang::config
