// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <string>

namespace gerbang {

// The shortest decimal that reads back as the same double.
inline std::string number_text(double number) {
  char text[32];
  auto [end, error] = std::to_chars(text, text + sizeof text, number);
  return std::string(text, end);
}

}  // namespace gerbang
