// SPDX-License-Identifier: Apache-2.0
#include "app/notes.hpp"

#include <string_view>

#include "observe/log.hpp"

namespace gerbang::app {

void Notes::add(const char* level, const std::string& text, About about) {
  if (std::string_view(level) == "error")
    spdlog::error("{}", text);
  else
    spdlog::info("{}", text);
  keep(level, text, std::move(about));
}

void Notes::keep(const char* level, const std::string& text, About about) {
  http::Note note;
  note.time_ms = unix_ms(clock_.wall());
  note.level = level;
  note.text = text;
  note.about = std::move(about);
  notes_.push_front(std::move(note));
  if (notes_.size() > kKept) notes_.pop_back();
}

}  // namespace gerbang::app
