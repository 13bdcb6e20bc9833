// SPDX-License-Identifier: Apache-2.0
//
// What the files of the data folder have in common: which keys their tables may have, and of which
// type. A misspelt key is a mistake and no absence: an absent limit judges nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.hpp"

namespace gerbang::config {

enum class DataType : std::uint8_t {
  text,
  number,
  integer,
  date,  // a date, or a text such as "2023"
  tag,   // how sure: "A", "B", "C" or "M"
  texts,
  numbers,
  label,  // { ind = "…", eng = "…" }
  table,
  rows,  // [[name]]
};

struct DataKey {
  std::string_view name;
  DataType type = DataType::text;
  bool varies = false;  // may be a table with a value for each variant
};
using DataKeys = std::span<const DataKey>;

class DataFile {
 public:
  // `remedy`: what is advised where no word comes near.
  DataFile(std::string name, std::string_view remedy, Diagnostics& errors)
      : name_(std::move(name)), remedy_(remedy), errors_(errors) {}

  // nullopt: it cannot be read or is not TOML, which has been said.
  std::optional<Node> read();

  // Unknown keys, and values of another type, each at its own place. False: there was one.
  // `prefix` names the table for people; empty: it is the whole file.
  bool check(const Node& table, const std::string& prefix, DataKeys keys,
             std::span<const std::string> variants = {});
  // The same for each table of a list.
  bool check_rows(const Node& root, std::string_view list, DataKeys keys,
                  std::span<const std::string> variants = {});
  // Names of tables that nothing would ask for.
  bool check_names(const Node& table, const std::string& prefix,
                   const std::vector<std::string_view>& known);

  void error(const Node& at, std::string key, std::string what, std::string remedy = {});
  void error(const Member& at, std::string key, std::string what, std::string remedy = {});
  const std::string& name() const { return name_; }

 private:
  void error(unsigned line, unsigned column, std::string key, std::string what, std::string remedy);
  bool value(const Node& node, const std::string& key, DataType type);

  std::string name_;
  std::string_view remedy_;
  Diagnostics& errors_;
};

// Empty, nullopt: absent, or of another type.
std::string text_of(const Node* node);
std::vector<std::string> texts_of(const Node* node);
std::optional<double> number_of(const Node* node);
std::vector<double> numbers_of(const Node& list);  // 0 where there is none

}  // namespace gerbang::config
