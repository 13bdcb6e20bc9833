// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace gerbang::uplink_host {

// Paho names one cause for most failed connections ("TCP/TLS connect failure"); what really
// happened is only in its trace. True for lines that explain_failure can use.
bool is_telling(std::string_view trace_line);

// A sentence for a technician from the trace of one attempt and the library's own message. nullopt:
// they do not tell; then probe_tcp may.
std::optional<std::string> explain_failure(std::span<const std::string> trace,
                                           std::string_view message);

// What a plain TCP connection to the address meets: "connection refused". Blocks for up to three
// seconds, and for a name look-up.
std::string probe_tcp(const std::string& host, std::uint16_t port);

}  // namespace gerbang::uplink_host
