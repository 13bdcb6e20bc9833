// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ctl/audit.hpp"

namespace gerbang::ctl {

// What an audit of the topics that `filter` means found, in lines for a person; the verdict is the
// last. language: ind or eng.
std::vector<std::string> report_lines(const Audit::Report& report, const std::string& filter,
                                      std::string_view language);

}  // namespace gerbang::ctl
