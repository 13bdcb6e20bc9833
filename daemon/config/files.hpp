// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/node.hpp"

namespace gerbang::config {

// The main file and what it includes, merged. Tables merge key by key, lists of tables ([[sensor]])
// are joined in the order of the files, and the same key twice is an error that names both places.
struct Document {
  Node root;                       // without `include`
  std::vector<std::string> names;  // by Node::file
  bool complete = true;  // false: a file is missing or is not TOML, so that what refers to
                         // other files cannot be judged

  Place place(const Node& node) const { return {names[node.file], node.line, node.column}; }
  Place place(const Member& key) const { return {names[key.file], key.line, key.column}; }
};

// `include` patterns are relative to the main file, may have * ? [] in the file name only, are read
// in byte order of the names, once each, and one level deep. A name without wildcards has to exist;
// a pattern that matches nothing is fine, but its folder has to exist (a warning).
Document read_document(const std::filesystem::path& path, Diagnostics& errors,
                       Diagnostics& warnings);

}  // namespace gerbang::config
