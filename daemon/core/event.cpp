// SPDX-License-Identifier: Apache-2.0
#include "core/event.hpp"

#include <algorithm>
#include <array>

namespace gerbang {

bool valid_event_kind(std::string_view kind) {
  constexpr std::size_t kLongest = 32;
  auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !kind.empty() && kind.size() <= kLongest && plain(kind.front()) &&
         std::all_of(kind.begin(), kind.end(), [&](char c) { return plain(c) || c == '-'; });
}

bool own_event_kind(std::string_view kind) {
  static constexpr std::array<std::string_view, 6> kOwn = {"maintenance", "calibration",   "config",
                                                           "clock-step",  "board-changed", "power"};
  return std::find(kOwn.begin(), kOwn.end(), kind) != kOwn.end();
}

}  // namespace gerbang
