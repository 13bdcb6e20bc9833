// SPDX-License-Identifier: Apache-2.0
#include "app/notes.hpp"

#include <string_view>

#include "observe/log.hpp"

namespace gerbang::app {

void Notes::add(const char* level, const std::string& text) {
  std::string_view l(level);
  if (l == "error")
    spdlog::error("{}", text);
  else if (l == "warning")
    spdlog::warn("{}", text);
  else
    spdlog::info("{}", text);
  keep(level, text);
}

void Notes::keep(const char* level, const std::string& text) {
  http::Note note;
  note.time_ms = unix_ms(clock_.wall());
  note.level = level;
  note.text = text;
  notes_.push_front(std::move(note));
  if (notes_.size() > kKept) notes_.pop_back();
}

}  // namespace gerbang::app
