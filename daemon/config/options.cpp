// SPDX-License-Identifier: Apache-2.0
#include "config/options.hpp"

#include <algorithm>

namespace gerbang::config {
namespace {

std::string bound(OptionType type, double value) {
  return type == OptionType::duration
             ? format_duration(std::chrono::milliseconds(static_cast<std::int64_t>(value)))
             : format_number(value);
}

std::string explained(const OptionSpec& spec) {
  return spec.help.empty() ? std::string() : " (" + spec.help + ")";
}

bool bounded(const OptionSpec& spec) {
  return spec.minimum < spec.maximum;
}

std::optional<Fault> out_of_bounds(const OptionSpec& spec, double value, const std::string& shown) {
  if (!bounded(spec) || (value >= spec.minimum && value <= spec.maximum)) return std::nullopt;
  return Fault{shown + " is outside of " + bound(spec.type, spec.minimum) + " to " +
                   bound(spec.type, spec.maximum),
               "choose a value between them" + explained(spec)};
}

// How a value of this type is written; empty: the fault of its parser says it better.
std::string_view form_of(OptionType type) {
  switch (type) {
    case OptionType::string:
      return "a text in quotes";
    case OptionType::integer:
      return "an integer";
    case OptionType::number:
      return "a finite number";
    case OptionType::boolean:
      return "true or false, without quotes";
    case OptionType::duration:
    case OptionType::choice:
      return {};
  }
  return {};
}

// The declared key as a row of our own table, so that one place parses values and words faults.
Key key_of(const OptionSpec& spec, const std::string& choices, const std::string& bounds) {
  Key key;
  key.name = spec.name;
  key.choices = choices;
  key.bounds = bounds;
  switch (spec.type) {
    case OptionType::string:
      key.type = Type::optional_text;
      break;
    case OptionType::integer:
      key.type = Type::integer;
      break;
    case OptionType::number:
      key.type = Type::number;
      break;
    case OptionType::boolean:
      key.type = Type::boolean;
      break;
    case OptionType::duration:
      key.type = Type::duration;
      break;
    case OptionType::choice:
      key.type = Type::choice;
      break;
  }
  return key;
}

std::variant<OptionValue, Fault> parse(const OptionSpec& spec, const Node& node) {
  std::string choices;
  for (const std::string& choice : spec.choices) choices += (choices.empty() ? "" : "|") + choice;
  // Of a duration here: what is too long to be counted is out of bounds, too.
  const bool duration = spec.type == OptionType::duration;
  const std::string bounds = duration && bounded(spec) ? bound(spec.type, spec.minimum) + ".." +
                                                             bound(spec.type, spec.maximum)
                                                       : "";
  auto parsed = parse_value(key_of(spec, choices, bounds), node);
  if (auto fault = std::get_if<Fault>(&parsed)) {
    if (const auto form = form_of(spec.type); !form.empty())
      fault->remedy = "write " + std::string(form) + explained(spec);
    else if (duration)
      fault->remedy += explained(spec);
    return *fault;
  }
  const Value& value = std::get<Value>(parsed);
  OptionValue out;
  out.name = spec.name;
  out.type = spec.type;
  out.text = value.text;
  out.integer = spec.type == OptionType::boolean ? (value.boolean ? 1 : 0) : value.integer;
  out.number = value.number;
  const bool counts = spec.type == OptionType::integer;
  if (counts || spec.type == OptionType::number)
    if (auto fault = out_of_bounds(spec, counts ? static_cast<double>(value.integer) : value.number,
                                   written(out)))
      return *fault;
  return out;
}

std::optional<OptionValue> default_of(const OptionSpec& spec) {
  if (!spec.fallback) return std::nullopt;
  auto parsed = option_of_text(spec, *spec.fallback);
  if (std::holds_alternative<Fault>(parsed)) return std::nullopt;
  return std::get<OptionValue>(std::move(parsed));
}

std::string unknown_remedy(const std::string& name, const std::vector<OptionSpec>& specs,
                           const std::string& prefix) {
  std::vector<std::string_view> known;
  for (const OptionSpec& spec : specs) known.push_back(spec.name);
  std::string answer = did_you_mean(name, known);
  if (answer.starts_with("did you mean")) return answer;
  // TOML: what stands below [driver.options] belongs to it.
  if (prefix.starts_with("driver") && find_key("driver", name) != nullptr)
    return "it is a key of [[driver]]: write it above [driver.options]";
  if (prefix.starts_with("device") && find_key("device", name) != nullptr)
    return "it is a key of [[device]]: write it outside of address";
  if (prefix.starts_with("device") && find_key("sensor", name) != nullptr)
    return "it is a key of a sensor: write it below [device.override.CHANNEL]";
  if (prefix.starts_with("sensor") && find_key("sensor", name) != nullptr)
    return "it is a key of [[sensor]]: write it outside of address";
  return answer;
}

}  // namespace

std::variant<OptionValue, Fault> option_of_text(const OptionSpec& spec, const std::string& text) {
  const bool is_text = spec.type == OptionType::string || spec.type == OptionType::choice ||
                       spec.type == OptionType::duration;
  Node node;
  Diagnostics ignored;
  // A line end could begin another key.
  const bool one_line = text.find_first_of("\r\n") == std::string::npos;
  auto root = one_line ? parse_toml("x = " + text, "", 0, ignored) : std::nullopt;
  if (root) node = *root->get("x");
  if (!root || (is_text && node.kind != Node::Kind::string)) {
    node.kind = Node::Kind::string;
    node.text = text;
  }
  return parse(spec, node);
}

std::vector<OptionValue> check_options(const std::vector<OptionSpec>& specs, const Node* node,
                                       const Place& at, const std::string& prefix,
                                       const std::string& where, Report& report) {
  std::vector<OptionValue> out;
  const bool table = node != nullptr && node->kind == Node::Kind::table;
  if (node != nullptr && !table) return out;  // reported by check()
  if (table)
    for (const Member& member : node->members)
      if (std::none_of(specs.begin(), specs.end(),
                       [&](const OptionSpec& spec) { return spec.name == member.key; }))
        report.error(report.document().place(member),
                     prefix + "." + (member.key.size() <= 60 ? member.key : in_quotes(member.key)),
                     "unknown key of the " + where, unknown_remedy(member.key, specs, prefix));
  for (const OptionSpec& spec : specs) {
    const Node* given = table ? node->get(spec.name) : nullptr;
    if (given == nullptr) {
      if (auto value = default_of(spec))
        out.push_back(std::move(*value));
      else if (spec.required)
        report.error(at, prefix + "." + spec.name, "is missing, and the " + where + " need it",
                     "add " + spec.name + " = …" + explained(spec));
      continue;
    }
    auto parsed = parse(spec, *given);
    if (auto fault = std::get_if<Fault>(&parsed))
      report.error(*given, prefix + "." + spec.name, fault->what, fault->remedy);
    else
      out.push_back(std::get<OptionValue>(std::move(parsed)));
  }
  return out;
}

std::string identity(const std::vector<OptionSpec>& specs, const OptionValues& values) {
  std::string out;
  for (const OptionSpec& spec : specs) {
    if (!spec.identity) continue;
    const auto value = std::find_if(values.begin(), values.end(),
                                    [&](const OptionValue& v) { return v.name == spec.name; });
    if (value == values.end()) continue;
    out += (out.empty() ? "" : ", ") + spec.name + " = " + written(*value);
  }
  return out;
}

std::string written(const OptionValue& value) {
  switch (value.type) {
    case OptionType::string:
    case OptionType::choice:
      return toml_text(value.text);
    case OptionType::integer:
      return std::to_string(value.integer);
    case OptionType::number:
      return format_number(value.number);
    case OptionType::boolean:
      return value.integer != 0 ? "true" : "false";
    case OptionType::duration:
      return "\"" + format_duration(std::chrono::milliseconds(value.integer)) + "\"";
  }
  return {};
}

}  // namespace gerbang::config
