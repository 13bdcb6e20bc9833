// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace gerbang::mqtt {

// MQTT 5, 4.7. Empty: it is a filter; else what is wrong with it.
std::string filter_fault(std::string_view filter);

// Topics that begin with $ are matched only by filters that do too. The filter may be shared
// ($share/NAME/FILTER).
bool matches(std::string_view filter, std::string_view topic);

}  // namespace gerbang::mqtt
