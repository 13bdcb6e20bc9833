// SPDX-License-Identifier: Apache-2.0
//
// The declared table applied to a document: what can be said of a key without knowing other keys.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/files.hpp"
#include "config/keys.hpp"
#include "core/text.hpp"

namespace gerbang::config {

// What is wrong with a value, and what to write instead.
struct Fault {
  std::string what, remedy;
};

// A value of one key, by its type: text (text, id, choice, path, secret, label given as text),
// integer (integer; duration in ms; size in bytes), number (number, amount), boolean, lists.
struct Value {
  std::string text;
  std::int64_t integer = 0;
  double number = 0;
  bool boolean = false;
  bool is_number = false;  // amount: written as a number, else as text with a unit
  std::vector<std::string> texts;
  std::vector<std::int64_t> integers;  // durations, ms
  std::vector<double> numbers;         // pair
};
std::variant<Value, Fault> parse_value(const Key& key, const Node& node);
// The value of Key::fallback; nullopt: it has none. For types that are one TOML value.
std::optional<Value> fallback_value(const Key& key);

bool valid_id(std::string_view text);

// What unknown keys and unknown names are answered with: the nearest of those known, or all of
// them.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known);

// "what is wrong; what to write instead" of an Error's text: its two halves. Without a semicolon
// the second is empty.
std::pair<std::string, std::string> halves(const std::string& text);

// Collects diagnostics of one document.
class Report {
 public:
  Report(const Document& document, Diagnostics& errors, Diagnostics& warnings)
      : document_(document), errors_(errors), warnings_(warnings) {}

  void error(const Place& at, std::string key, std::string what, std::string remedy) {
    errors_.push_back(
        {at.file, at.line, at.column, std::move(key), std::move(what), std::move(remedy)});
  }
  void error(const Node& at, std::string key, std::string what, std::string remedy) {
    error(document_.place(at), std::move(key), std::move(what), std::move(remedy));
  }
  void warning(const Place& at, std::string key, std::string what, std::string remedy) {
    warnings_.push_back(
        {at.file, at.line, at.column, std::move(key), std::move(what), std::move(remedy)});
  }
  const Document& document() const { return document_; }
  std::size_t errors() const { return errors_.size(); }

 private:
  const Document& document_;
  Diagnostics& errors_;
  Diagnostics& warnings_;
};

// Reports unknown keys, wrong types, values out of bounds and missing keys of the whole document.
void check(Report& report);
// The same for one table that stands elsewhere: its keys are those of `section` except `without`
// ("id|driver"), and nothing is required. `prefix` names it for people.
void check_parts(Report& report, std::string_view section, std::string_view without,
                 const Node& node, const std::string& prefix);

// Typed access to the keys of one table. What check() has reported reads as absent.
class Table {
 public:
  // `node` may be null: all keys are absent. `prefix` is the full name for people:
  // "sensor[raw-ph]".
  Table(const Document& document, std::string_view section, const Node* node, std::string prefix);

  // nullopt: absent (and without a default), or wrong.
  std::optional<Value> value(std::string_view name) const;
  std::optional<Value> given(std::string_view name) const;  // without the default
  bool has(std::string_view name) const { return node(name) != nullptr; }
  const Node* node(std::string_view name) const { return node_ ? node_->get(name) : nullptr; }
  const Node* node() const { return node_; }  // nullptr: no such table
  Table table(std::string_view name) const;

  // Of the value; of the table if the key is absent.
  Place place(std::string_view name) const;
  Place place() const { return place_; }
  std::string key(std::string_view name) const;
  const std::string& prefix() const { return prefix_; }

 private:
  const Document& document_;
  std::string_view section_;
  const Node* node_;
  std::string prefix_;
  Place place_;
};

// The table of a section, and those of a repeated one (at most Section::at_most; check() reports
// more).
Table section_table(const Document& document, std::string_view section);
std::vector<Table> section_tables(const Document& document, std::string_view section);

}  // namespace gerbang::config
