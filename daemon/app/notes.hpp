// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "http/snapshot.hpp"

namespace gerbang::app {

// What happened lately, for the page and the API: each line also goes to the log. Keeps the newest
// kKept lines; older ones are in the journal.
class Notes {
 public:
  static constexpr std::size_t kKept = 40;
  explicit Notes(const Clock& clock) : clock_(clock) {}

  using About = http::Note::About;
  void info(const std::string& text, About about) { add("info", text, std::move(about)); }
  void error(const std::string& text, About about) { add("error", text, std::move(about)); }
  // Only kept: the module that it happened in has logged it.
  void keep(const char* level, const std::string& text, About about);

  std::vector<http::Note> newest_first() const { return {notes_.begin(), notes_.end()}; }

 private:
  void add(const char* level, const std::string& text, About about);

  const Clock& clock_;
  std::deque<http::Note> notes_;
};

}  // namespace gerbang::app
