// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "codec.hpp"

namespace gerbang::particulate {

struct Captured {
  std::optional<Event> event;  // the first measurement
  std::string why;             // there is none
  std::size_t more = 0;        // measurements after it
  std::size_t broken = 0;      // frames with a wrong checksum
};

// The first measurement in captured bytes, or why there is none, for people. Pure.
Captured decode_captured(Bytes bytes, std::optional<Model> model);

}  // namespace gerbang::particulate
