// SPDX-License-Identifier: Apache-2.0
//
// The one declared table of configuration keys. The loader checks files against it, and the
// reference (config/README.md) and the commented default file (config/gerbang.toml) are rendered
// from it. A new key is one more row here and its use in build.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace gerbang::config {

enum class Type : std::uint8_t {
  text,           // not empty, no control characters
  optional_text,  // may be empty
  id,             // [a-z0-9][a-z0-9-]{0,62}
  choice,         // one of `choices`
  integer,
  number,  // an integer will do
  boolean,
  duration,   // "10s"
  size,       // "64MiB"
  path,       // relative to the file that has it
  secret,     // path, or "credential:NAME"
  texts,      // list of text
  durations,  // list of durations
  amount,     // a number in the quantity's unit, or "0.2 mg/L"
  pair,       // list of two different numbers
  numbers,    // list of numbers
  label,      // one text, or a table of languages (section of that path)
  table,      // section of that path
};

// A table, or a list of tables. `path` is that of its keys: "sensor", "sensor.range".
struct Section {
  std::string_view path = {};
  bool repeated = false;          // [[path]]
  unsigned at_most = 0;           // of a repeated one
  bool open = false;              // its keys are declared elsewhere (drivers) or are data
  std::string_view doc = {};      // what it is for
  std::string_view example = {};  // lines of an open one, for the default file
  // Of an open one whose keys are names: each value is a table of this section, in which nothing is
  // required and `without` ("id|driver") has no place.
  std::string_view each = {}, without = {};
};

struct Key {
  std::string_view section = {}, name = {};
  Type type = Type::text;
  bool required = false;
  std::string_view fallback = {};  // as written in TOML; empty: none
  std::string_view bounds = {};    // "LOW..HIGH", each as written but without quotes
  std::string_view choices = {};   // "ind|eng"
  std::string_view example = {};   // what the default file shows; empty: the fallback
  std::string_view since = "0.1";
  std::string_view doc = {};  // one sentence; ends without a full stop
};

std::span<const Section> sections();
std::span<const Key> keys();

const Section* find_section(std::string_view path);
const Key* find_key(std::string_view section, std::string_view name);

// For the reference: "duration", "list of texts".
std::string_view name(Type type);

}  // namespace gerbang::config
