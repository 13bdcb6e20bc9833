// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace gerbang {

// MQTT's rules for names of topics and for filters. `+` stands for one level, `#` for the rest and
// for the level above it; a first level that begins with `$` is met only by a filter that names it.
bool topic_matches(std::string_view filter, std::string_view topic);

// A filter that a broker takes: not empty, `#` alone in the last level, `+` alone in its level.
bool topic_filter_valid(std::string_view filter);

}  // namespace gerbang
