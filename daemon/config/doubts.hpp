// SPDX-License-Identifier: Apache-2.0
//
// A line with a wrong option can be asked all the same, for what is wrong whatever that option will
// be: once with each value that it may turn out to have. Pure.
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"
#include "config/node.hpp"

namespace gerbang::config {

struct Doubts {
  bool any = false;                   // a wrong value, or a key that is not known
  std::vector<std::string> doubtful;  // the options that it leaves open
  std::vector<std::string> right;     // those that are written, and rightly
  // The line's options with values in place of the doubtful ones. Without doubts the one way that
  // is written; empty: it cannot be asked, since nobody can say what would stand there, or there
  // are more than 12 ways.
  std::vector<OptionValues> ways;
};

// `driver` as built, its schema known; `options`: the table as written, or null.
Doubts doubts_of(const Driver& driver, const Node* options);

}  // namespace gerbang::config
