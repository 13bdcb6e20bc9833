// SPDX-License-Identifier: Apache-2.0
#include "uplink_host/reason.hpp"

#include <netdb.h>

#include <cstdlib>
#include <optional>

namespace gerbang::uplink_host {
namespace {

// The text between `after` and `before`, if the line has both.
std::optional<std::string_view> between(std::string_view line, std::string_view after,
                                        std::string_view before) {
  auto begin = line.find(after);
  if (begin == line.npos) return std::nullopt;
  begin += after.size();
  auto end = line.find(before, begin);
  if (end == line.npos) return std::nullopt;
  return line.substr(begin, end - begin);
}

std::string_view after(std::string_view line, std::string_view mark) {
  auto at = line.find(mark);
  return at == line.npos ? std::string_view() : line.substr(at + mark.size());
}

std::string lower_first(std::string_view text) {
  std::string out(text);
  if (out.size() > 1 && out[0] >= 'A' && out[0] <= 'Z' && out[1] >= 'a')
    out[0] = static_cast<char>(out[0] - 'A' + 'a');
  return out;
}

// An alert that we sent: what is wrong with the broker's certificate.
std::string our_alert(std::string_view alert) {
  if (alert == "certificate expired") return "the broker's certificate has expired";
  if (alert == "unknown CA")
    return "the broker's certificate is not signed by an authority in ca_file";
  if (alert == "bad certificate")
    return "the broker's certificate is not valid; is it from the future, or our clock wrong?";
  if (alert == "protocol version") return "the broker speaks an outdated TLS version";
  return "TLS with the broker failed: " + std::string(alert);
}

std::optional<std::string> explain(std::string_view line) {
  if (auto name = between(line, "X509_check_host for hostname ", " failed"))
    return "the broker's certificate is for another host name than " + std::string(*name);
  if (line.find("SSL_CTX_load_verify_locations") != line.npos)
    return "ca_file holds no certificates that can be used";
  if (line.find("SSL_CTX_use_certificate_chain_file") != line.npos)
    return "certificate_file holds no certificate that can be used";
  if (line.find("SSL_CTX_use_PrivateKey_file") != line.npos)
    return "key_file holds no key that fits the certificate";
  if (auto alert = after(line, "SSL alert write:fatal:"); !alert.empty()) return our_alert(alert);
  if (auto alert = after(line, "SSL alert read:fatal:"); !alert.empty())
    return "the broker refused our side of TLS: " + std::string(alert);
  if (auto name = between(line, "getaddrinfo failed for addr ", " with rc ")) {
    int code = std::atoi(std::string(after(line, " with rc ")).c_str());
    return "host name " + std::string(*name) + ": " + lower_first(gai_strerror(code));
  }
  if (auto error = between(line, "Socket error ", "(")) return lower_first(*error);
  return std::nullopt;
}

}  // namespace

bool is_telling(std::string_view trace_line) {
  return explain(trace_line).has_value();
}

std::string explain_failure(std::span<const std::string> trace, std::string_view message) {
  // The first telling line is the cause, those after it are consequences; but a look-up of the name
  // may fail for one address family and succeed for the other.
  std::optional<std::string> look_up;
  for (const std::string& line : trace) {
    auto found = explain(line);
    if (!found) continue;
    if (line.find("getaddrinfo") == line.npos) return *found;
    look_up = found;
  }
  if (look_up) return *look_up;
  if (message == "TCP connect timeout") return "no answer from the broker";
  if (message == "TCP connect completion failure")
    return "the connection was closed before the broker answered; is the other side an MQTT "
           "broker, "
           "and does it want TLS?";
  if (message.empty()) return "the connection failed";
  return lower_first(message);
}

}  // namespace gerbang::uplink_host
