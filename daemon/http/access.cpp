// SPDX-License-Identifier: Apache-2.0
#include "http/access.hpp"

#include <arpa/inet.h>

#include <algorithm>

#include "core/letters.hpp"

namespace gerbang::http {
namespace {

constexpr unsigned kFailures = 10;
constexpr std::chrono::nanoseconds kPeriod = std::chrono::minutes(1);

bool is_address(int family, const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(family, text.c_str(), bytes.data()) == 1;
}

bool is_port(std::string_view text) {
  return text.size() <= 5 && text.find_first_not_of("0123456789") == text.npos;
}

}  // namespace

bool host_allowed(std::string_view host, const std::vector<std::string>& names) {
  if (host.starts_with('[')) {
    std::size_t end = host.find(']');
    if (end == host.npos) return false;
    std::string_view rest = host.substr(end + 1);
    if (!rest.empty() && (rest[0] != ':' || !is_port(rest.substr(1)))) return false;
    return is_address(AF_INET6, std::string(host.substr(1, end - 1)));
  }
  std::size_t colon = host.find(':');
  if (colon != host.npos && !is_port(host.substr(colon + 1))) return false;
  std::string name = lower(host.substr(0, colon));
  if (name.ends_with('.')) name.pop_back();
  if (name == "localhost" || name.ends_with(".localhost") || is_address(AF_INET, name)) return true;
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& ours) { return lower(ours) == name; });
}

bool token_matches(std::string_view given, std::string_view token) {
  // volatile: the compiler may not leave the loop at the first difference.
  volatile unsigned difference = given.size() == token.size() && !token.empty() ? 0u : 1u;
  for (std::size_t i = 0; i < given.size(); ++i) {
    auto a = static_cast<unsigned char>(given[i]);
    auto b = static_cast<unsigned char>(token.empty() ? '\0' : token[i % token.size()]);
    difference = difference | static_cast<unsigned>(a ^ b);
  }
  return difference == 0;
}

std::string_view bearer(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size()) return {};
  if (lower(authorization.substr(0, kScheme.size())) != kScheme) return {};
  std::string_view token = authorization.substr(kScheme.size());
  token.remove_prefix(std::min(token.find_first_not_of(' '), token.size()));
  return token;
}

unsigned FailureLimit::wait(std::string_view address, std::chrono::nanoseconds now) const {
  for (const Entry& entry : entries_) {
    if (entry.address != address || entry.failures < kFailures) continue;
    auto left = kPeriod - (now - entry.since);
    if (left > left.zero())
      return static_cast<unsigned>(std::chrono::ceil<std::chrono::seconds>(left).count());
  }
  return 0;
}

void FailureLimit::failed(std::string_view address, std::chrono::nanoseconds now) {
  auto found = std::find_if(entries_.begin(), entries_.end(),
                            [&](const Entry& entry) { return entry.address == address; });
  if (found == entries_.end())
    found = std::min_element(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
      return a.failures == 0 ? b.failures != 0 : b.failures != 0 && a.since < b.since;
    });
  if (found->address != address || now - found->since >= kPeriod) {
    found->address = address;
    found->since = now;
    found->failures = 0;
  }
  ++found->failures;
}

}  // namespace gerbang::http
