// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"

namespace gerbang::config {

// One mistake: where, in which key, what is wrong and what to write instead.
struct Diagnostic {
  std::string file;
  unsigned line = 1, column = 1;
  std::string key, what, remedy;
};
using Diagnostics = std::vector<Diagnostic>;

// "FILE:LINE:COLUMN: key: what is wrong; what to write instead"
std::string text(const Diagnostic& diagnostic);

// By file in the order of `files`, then by line and column.
void sort_by_place(Diagnostics& diagnostics, const std::vector<std::string>& files);

}  // namespace gerbang::config
