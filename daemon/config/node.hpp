// SPDX-License-Identifier: Apache-2.0
//
// What a TOML file says, without the TOML library: a tree whose every node knows its place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.hpp"

namespace gerbang::config {

struct Member;

struct Node {
  enum class Kind : std::uint8_t { table, array, string, integer, number, boolean, datetime };

  Kind kind = Kind::table;
  std::uint32_t file = 0;  // index in Files::names
  std::uint32_t line = 1, column = 1;
  bool boolean = false;
  std::int64_t integer = 0;
  double number = 0;
  std::string text;             // of a date: "2026-01-31"
  std::vector<Node> items;      // array
  std::vector<Member> members;  // table, in the order of the file

  // nullptr: no such key, or not a table.
  const Member* find(std::string_view key) const;
  const Node* get(std::string_view key) const;
};

struct Member {
  std::string key;
  std::uint32_t file = 0, line = 1, column = 1;  // of the key
  Node value;
};

// In quotes, without control characters, at most 60 bytes: what a person wrote, safe on a terminal.
std::string in_quotes(std::string_view text);
// "a table", "the text \"5\"", "the integer 5": for sentences.
std::string describe(const Node& node);
// A text, number or boolean as it is written in TOML; empty for others.
std::string written(const Node& node);
// As a TOML string.
std::string toml_text(std::string_view text);
// Shortest text that reads back as the same number.
std::string format_number(double value);

// Parses one file's text. nullopt with one diagnostic if it is not TOML, too large or nested too
// deeply. `name` stands in the diagnostic, `file` in the nodes. Defined in load.cpp, the only user
// of toml++.
std::optional<Node> parse_toml(std::string_view content, const std::string& name,
                               std::uint32_t file, Diagnostics& errors);

// The whole content of a regular file; nullopt with `why` otherwise. Never blocks on a pipe.
std::optional<std::string> read_file(const std::string& path, std::size_t limit, std::string& why);

// A configuration is far smaller; a file beyond this is not one.
inline constexpr std::size_t kMaxFileBytes = 1u << 20;

}  // namespace gerbang::config
