// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/object.hpp>
#include <string>

namespace gerbang::ctl {

// The two equations of a ledger's readings, as /api/v1/ledger has them, in two lines. A missing
// reading that says the same as the one before it is stored once a window and named for what it is:
// nothing was refused. Pure.
std::string ledger_text(const std::string& title, const boost::json::object& readings);

}  // namespace gerbang::ctl
