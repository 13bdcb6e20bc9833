// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "alarm/life.hpp"

namespace gerbang::alarm {

constexpr std::int64_t kUtc = 1'767'225'600'000;

// That many milliseconds after the beginning of the test, by a clock that is right.
inline Moment at(std::int64_t ms) {
  return Moment{ms, kUtc + ms, ClockTrust::trusted};
}

}  // namespace gerbang::alarm
