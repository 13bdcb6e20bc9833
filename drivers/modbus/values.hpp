// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <gerbang/driver.hpp>
#include <optional>
#include <string>

#include "analog/loop.hpp"

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

// The register holds the current of a 4-20 mA loop. Modules tell it in counts; most in µA.
inline std::optional<analog::Loop> loop_of(const driver::Values& address,
                                           const driver::Values& options,
                                           const std::string& where) {
  auto loop = analog::loop_of(address, options, where);
  if (!loop) return loop;
  loop->scale = address.has("loop_scale") ? address.number("loop_scale") : 0.001;
  loop->offset = address.has("loop_offset") ? address.number("loop_offset") : 0;
  if (!(loop->scale != 0)) refuse(where + "loop_scale is 0");
  return loop;
}

}  // namespace gerbang::modbus
