// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "codec.hpp"

namespace gerbang::particulate {

struct Captured {
  std::optional<Event> event;  // a measurement
  std::string why;             // there is none
};

// The first measurement in captured bytes, or why there is none, for people. Pure.
Captured decode_captured(Bytes bytes, std::optional<Model> model);

}  // namespace gerbang::particulate
