// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <gerbang/driver.hpp>
#include <optional>
#include <string>

namespace gerbang::modbus {

[[noreturn]] inline void refuse(const std::string& text) {
  throw driver::Failure(GERBANG_CONFIG, text);
}

inline std::optional<std::string> text_if(const driver::Values& values, const char* name) {
  if (!values.has(name)) return std::nullopt;
  return values.text(name);
}
inline std::optional<std::int64_t> integer_if(const driver::Values& values, const char* name) {
  if (!values.has(name)) return std::nullopt;
  return values.integer(name);
}

}  // namespace gerbang::modbus
