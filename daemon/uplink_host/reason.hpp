// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace gerbang::uplink_host {

// Paho names one cause for every failed connection ("TCP/TLS connect failure"); what really
// happened is only in its trace. True for lines that explain_failure can read.
bool is_telling(std::string_view trace_line);

// A sentence for a technician: what the trace of one attempt says, else what Paho's message says.
std::string explain_failure(std::span<const std::string> trace, std::string_view message);

}  // namespace gerbang::uplink_host
