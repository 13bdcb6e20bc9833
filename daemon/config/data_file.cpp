// SPDX-License-Identifier: Apache-2.0
#include "config/data_file.hpp"

#include <algorithm>
#include <array>

#include "config/check.hpp"

namespace gerbang::config {
namespace {

constexpr std::array<DataKey, 2> kLabel = {{{"ind"}, {"eng"}}};
constexpr std::array<std::string_view, 4> kTags = {"A", "B", "C", "M"};

bool is_text(const Node& node) {
  return node.kind == Node::Kind::string;
}
bool is_number(const Node& node) {
  return node.kind == Node::Kind::integer || node.kind == Node::Kind::number;
}
bool is_table(const Node& node) {
  return node.kind == Node::Kind::table;
}
bool all_are(const Node& node, bool (*kind)(const Node&)) {
  return node.kind == Node::Kind::array && std::all_of(node.items.begin(), node.items.end(), kind);
}

// What it has to be; nullptr: it is.
const char* expected(const Node& node, DataType type) {
  switch (type) {
    case DataType::text:
      return is_text(node) ? nullptr : "a text";
    case DataType::number:
      return is_number(node) ? nullptr : "a number";
    case DataType::integer:
      return node.kind == Node::Kind::integer ? nullptr : "a whole number";
    case DataType::date:
      return is_text(node) || node.kind == Node::Kind::datetime ? nullptr : "a date";
    case DataType::tag: {
      const bool known = std::find(kTags.begin(), kTags.end(), node.text) != kTags.end();
      return is_text(node) && known ? nullptr : R"("A", "B", "C" or "M")";
    }
    case DataType::texts:
      return all_are(node, is_text) ? nullptr : "a list of texts";
    case DataType::numbers:
      return all_are(node, is_number) ? nullptr : "a list of numbers";
    case DataType::label:
    case DataType::table:
      return is_table(node) ? nullptr : "a table";
    case DataType::rows:
      return all_are(node, is_table) ? nullptr : "a list of tables";
  }
  return nullptr;
}

std::string below(const std::string& prefix, std::string_view key) {
  const bool bare =
      !key.empty() && key.size() <= 60 && std::all_of(key.begin(), key.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
      });
  return (prefix.empty() ? "" : prefix + ".") + (bare ? std::string(key) : in_quotes(key));
}

}  // namespace

std::optional<Node> DataFile::read() {
  std::string why;
  const auto content = read_file(name_, kMaxFileBytes, why);
  if (content) return parse_toml(*content, name_, 0, errors_);
  error(1, 1, "file", "cannot be read: " + why, {});
  return std::nullopt;
}

bool DataFile::check(const Node& table, const std::string& prefix, DataKeys keys,
                     std::span<const std::string> variants) {
  if (!value(table, prefix, DataType::table)) return false;
  bool good = true;
  for (const Member& member : table.members) {
    const std::string full = below(prefix, member.key);
    const auto key = std::find_if(keys.begin(), keys.end(),
                                  [&](const DataKey& one) { return one.name == member.key; });
    if (key == keys.end()) {
      std::vector<std::string_view> known;
      for (const DataKey& one : keys) known.push_back(one.name);
      error(member, full, "unknown key", did_you_mean(member.key, known));
      good = false;
    } else if (key->varies && !variants.empty() && is_table(member.value)) {
      good = check_names(member.value, full, {variants.begin(), variants.end()}) && good;
      for (const Member& one : member.value.members)
        good = value(one.value, below(full, one.key), key->type) && good;
    } else {
      good = value(member.value, full, key->type) && good;
    }
  }
  return good;
}

bool DataFile::check_rows(const Node& root, std::string_view list, DataKeys keys,
                          std::span<const std::string> variants) {
  const Node* rows = root.get(list);
  bool good = true;
  if (rows != nullptr)
    for (const Node& row : rows->items)
      good = check(row, std::string(list), keys, variants) && good;
  return good;
}

bool DataFile::check_names(const Node& table, const std::string& prefix,
                           const std::vector<std::string_view>& known) {
  bool good = true;
  for (const Member& member : table.members) {
    if (std::find(known.begin(), known.end(), member.key) != known.end()) continue;
    error(member, below(prefix, member.key), "unknown key", did_you_mean(member.key, known));
    good = false;
  }
  return good;
}

bool DataFile::value(const Node& node, const std::string& key, DataType type) {
  if (const char* wanted = expected(node, type)) {
    error(node, key, "expected " + std::string(wanted) + ", found " + describe(node));
    return false;
  }
  return type != DataType::label || check(node, key, kLabel);
}

void DataFile::error(const Node& at, std::string key, std::string what, std::string remedy) {
  error(at.line, at.column, std::move(key), std::move(what), std::move(remedy));
}

void DataFile::error(const Member& at, std::string key, std::string what, std::string remedy) {
  error(at.line, at.column, std::move(key), std::move(what), std::move(remedy));
}

void DataFile::error(unsigned line, unsigned column, std::string key, std::string what,
                     std::string remedy) {
  if (remedy.empty()) remedy = remedy_;
  errors_.push_back({name_, line, column, std::move(key), std::move(what), std::move(remedy)});
}

std::string text_of(const Node* node) {
  return node != nullptr && is_text(*node) ? node->text : std::string();
}

std::vector<std::string> texts_of(const Node* node) {
  std::vector<std::string> out;
  if (node != nullptr)
    for (const Node& item : node->items)
      if (is_text(item)) out.push_back(item.text);
  return out;
}

std::optional<double> number_of(const Node* node) {
  if (node == nullptr || !is_number(*node)) return std::nullopt;
  return node->number;
}

std::vector<double> numbers_of(const Node& list) {
  std::vector<double> out;
  for (const Node& item : list.items) out.push_back(number_of(&item).value_or(0));
  return out;
}

}  // namespace gerbang::config
