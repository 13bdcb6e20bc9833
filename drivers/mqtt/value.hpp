// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gerbang/driver.h>

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

namespace gerbang::mqtt {

// A number as the device sent it, before scale and offset.
struct Found {
  bool is_integer = false;
  std::int64_t integer = 0;
  double number = 0;

  static Found of(std::int64_t count) { return {true, count, 0}; }
  static Found of(double value) { return {false, 0, value}; }
  friend bool operator==(const Found&, const Found&) = default;
};

// Why there is none: for the reading, and as a sentence for the log.
struct Refusal {
  gerbang_reason reason = GERBANG_REASON_PROTOCOL;
  std::string why;
};

using Value = tl::expected<Found, Refusal>;

inline tl::unexpected<Refusal> refused(gerbang_reason reason, std::string why) {
  return tl::unexpected(Refusal{reason, std::move(why)});
}

}  // namespace gerbang::mqtt
