// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

namespace gerbang::app {

// Which configuration in a row a store has seen, counted from 1; the same one again, also after a
// restart, is no other. `hash` is that of config::Config. Kept in the store as text.
struct Revision {
  std::uint32_t number = 1;
  std::string hash;

  std::string text() const { return std::to_string(number) + " " + hash; }
};

// kept: text() of the newest before; nullopt or damaged: there is none.
inline Revision revision_of(const std::string& hash, const std::optional<std::string>& kept) {
  Revision out;
  out.hash = hash;
  if (!kept) return out;
  std::uint32_t number = 0;
  const char* last = kept->data() + kept->size();
  const auto [end, error] = std::from_chars(kept->data(), last, number);
  if (error != std::errc() || end == last || *end != ' ') return out;
  out.number = std::string(end + 1, last) == hash ? number : number + 1;
  return out;
}

}  // namespace gerbang::app
