// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace gerbang::ctl {

// The gateway's state on one screen, in lines, all of it in one language (ind or eng). status: the
// document of /api/v1/status, with those of alarms and ledger under these names where they are
// known.
std::vector<std::string> status_lines(const boost::json::object& status, std::string_view language);

}  // namespace gerbang::ctl
