// SPDX-License-Identifier: Apache-2.0
#include "driver_host/text.hpp"

#include <cstdint>
#include <cstring>
#include <string_view>

namespace gerbang::driver_host {
namespace {

constexpr std::size_t kReadAhead = 64u << 10;

unsigned at(std::string_view text, std::size_t i) {
  return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
}

// Bytes of the well-formed UTF-8 sequence at i (Unicode 15, table 3-7), 0 if there is none.
std::size_t sequence_length(std::string_view text, std::size_t i) {
  auto tail = [&](std::size_t k) { return (at(text, i + k) & 0xC0u) == 0x80u; };
  unsigned first = at(text, i), second = at(text, i + 1);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !tail(1)) return 0;
  if (first < 0xE0) return 2;
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) || !tail(2)) return 0;
  if (first < 0xF0) return 3;
  if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F) || !tail(3)) return 0;
  return 4;
}

std::string clean(const char* text, std::size_t limit, bool keep_lines) {
  if (text == nullptr) return {};
  const std::size_t longest = limit + kReadAhead;
  std::string_view in(text, strnlen(text, longest));
  std::string out;
  std::size_t i = 0;
  while (i < in.size()) {
    std::size_t n = sequence_length(in, i);
    std::string_view piece = n > 0 ? in.substr(i, n) : std::string_view("?");
    if (out.size() + piece.size() > limit) break;
    bool control = n == 1 && (at(in, i) < 0x20 || at(in, i) == 0x7F);
    if (keep_lines && in[i] == '\n') control = false;
    if (control) piece = " ";
    out += piece;
    i += n > 0 ? n : 1;
  }
  if (i < in.size()) {
    bool more = in.size() == longest;
    out += " … (" + std::string(more ? "over " : "") + std::to_string(in.size()) + " bytes)";
  }
  return out;
}

}  // namespace

std::string clean_text(const char* text, std::size_t limit) {
  return clean(text, limit, false);
}

std::string clean_lines(const char* text, std::size_t limit) {
  return clean(text, limit, true);
}

}  // namespace gerbang::driver_host
