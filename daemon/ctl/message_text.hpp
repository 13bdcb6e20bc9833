// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gerbang::ctl {

std::string utc(std::int64_t ms);  // "2026-01-01T00:00:00Z"

// What a message says, in lines for a person. `suffix`: its topic below the gateway. language:
// "ind" or "eng", of the texts that the message brings. A kind that is not known is shown as it is.
std::vector<std::string> message_lines(std::string_view suffix, const boost::json::object& message,
                                       std::string_view language);

}  // namespace gerbang::ctl
