// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

namespace gerbang::ranging {

struct Fill {
  double percent;    // 0 to 100
  bool implausible;  // the surface is more than 5 % below the bottom or above the rim
};

// How full a bin or tank is whose surface is so far from a sensor above it. `empty` and `full` are
// the distances of the bottom and of the rim; empty > full.
constexpr Fill fill_of(double distance, double empty, double full) {
  const double percent = (empty - distance) / (empty - full) * 100;
  return {std::clamp(percent, 0.0, 100.0), percent < -5 || percent > 105};
}

}  // namespace gerbang::ranging
