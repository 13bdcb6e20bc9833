// SPDX-License-Identifier: Apache-2.0
#include "config/written.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "config/check.hpp"
#include "core/text.hpp"

namespace gerbang::config {
namespace {

constexpr std::string_view kKeepAggregates = "store.keep_aggregates";

// A setting of a sensor, alarm or indicator → the key that it is made of.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kMadeOf = {{
    {"scale", "span"},
    {"offset", "span"},
    {"quality.related", "quality"},
    {"correction", "parameters"},
    {"source", "indicator"},
    {"source", "condition"},
    {"window", "on"},
    {"inputs", "sensors"},
}};

void walk(const Node& table, const std::string& prefix, std::set<std::string>& out) {
  for (const Member& member : table.members) {
    std::string key = member.key;
    if (prefix == kKeepAggregates)
      if (const auto window = parse_duration(key)) key = toml_text(format_duration(*window));
    const std::string full = prefix + "." + key;
    if (member.value.kind == Node::Kind::table)
      walk(member.value, full, out);
    else
      out.insert(full);
  }
}

// `key`, or something below it.
bool holds(const std::set<std::string>& written, const std::string& key) {
  if (written.contains(key)) return true;
  const auto below = written.lower_bound(key + ".");
  return below != written.end() && below->starts_with(key + ".");
}

}  // namespace

std::set<std::string> written_keys(const Document& document) {
  std::set<std::string> out;
  for (const Member& member : document.root.members)
    if (member.value.kind == Node::Kind::table)
      walk(member.value, member.key, out);
    else if (member.value.kind == Node::Kind::array)
      for (const Table& table : section_tables(document, member.key))
        if (table.node() != nullptr) walk(*table.node(), table.prefix(), out);
  return out;
}

bool is_written(const std::set<std::string>& written, const std::string& setting) {
  if (holds(written, setting)) return true;
  for (auto dot = setting.rfind('.'); dot != std::string::npos && dot > 0;
       dot = setting.rfind('.', dot - 1))
    if (written.contains(setting.substr(0, dot))) return true;
  const auto tail = setting.find("].");
  if (tail == std::string::npos) return false;
  const std::string element = setting.substr(0, tail + 2);
  const std::string_view key = std::string_view(setting).substr(tail + 2);
  for (const auto& [made, of] : kMadeOf)
    if ((key == made || key.starts_with(std::string(made) + ".")) &&
        holds(written, element + std::string(of)))
      return true;
  return false;
}

}  // namespace gerbang::config
