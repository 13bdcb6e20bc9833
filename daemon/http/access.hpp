// SPDX-License-Identifier: Apache-2.0
//
// Who may ask.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gerbang::http {

// Whether a Host header names this gateway. A page of somebody else's that makes its name resolve
// to us (DNS rebinding) still sends its own name, so names are taken from a list only. An IP
// address cannot be rebound and is always right: we may stand behind a port forwarding.
bool host_allowed(std::string_view host, const std::vector<std::string>& names);

// In a time that depends on the length of `given` only.
bool token_matches(std::string_view given, std::string_view token);

// "Bearer abc" → "abc"; empty: there is no bearer token.
std::string_view bearer(std::string_view authorization);

// Ten wrong tokens in a minute from one address: nothing more is compared for it until the minute
// is over. Remembers the 64 addresses that failed last.
class FailureLimit {
 public:
  // Seconds until the address may try again; 0: now.
  unsigned wait(std::string_view address, std::chrono::nanoseconds now) const;
  void failed(std::string_view address, std::chrono::nanoseconds now);

 private:
  struct Entry {
    std::string address;
    std::chrono::nanoseconds since{0};
    unsigned failures = 0;
  };
  std::array<Entry, 64> entries_;
};

}  // namespace gerbang::http
