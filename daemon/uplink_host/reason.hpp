// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gerbang::uplink_host {

// Paho names one cause for most failed connections ("TCP/TLS connect failure"); what really
// happened is only in its trace. True for lines that explain_failure can use.
bool is_telling(std::string_view trace_line);

// How the connection was tried.
struct Way {
  bool tls = false;
  bool ca_file = false;  // the configuration names one; else the system's authorities were used
};

struct Explanation {
  std::string text;     // a sentence for a technician; empty: nothing is known
  bool certain = true;  // else probe() may know more
};

// From the trace of one attempt and the library's own message.
Explanation explain_failure(std::span<const std::string> trace, std::string_view message, Way way);

// What a new TCP connection to the address meets: "connection refused", a port that speaks TLS when
// we do not, or the other way round. `otherwise`: what is said if that explains nothing; empty: the
// failure had no explanation. Blocks for up to six seconds, and for a name look-up.
std::string probe(const std::string& host, std::uint16_t port, bool tls,
                  const std::string& otherwise);

}  // namespace gerbang::uplink_host
