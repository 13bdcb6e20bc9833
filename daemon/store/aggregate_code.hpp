// SPDX-License-Identifier: Apache-2.0
//
// What an aggregate's row keeps beside its key (window, start, series) and revision.
#pragma once

#include <string>
#include <string_view>

#include "core/aggregate.hpp"
#include "core/result.hpp"

namespace gerbang::store {

std::string encode(const Aggregate& aggregate);

// Fills all but window_ms, series and revision; end_ms is kept relative to start_ms, which must be
// set. errc::damaged for anything that encode did not write.
Result<void> decode(std::string_view body, Aggregate& aggregate);

}  // namespace gerbang::store
