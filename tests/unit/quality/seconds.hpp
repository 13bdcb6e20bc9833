// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace gerbang::quality {

constexpr std::int64_t kSecond = 1'000'000'000;  // ns

}  // namespace gerbang::quality
