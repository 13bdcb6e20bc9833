// SPDX-License-Identifier: Apache-2.0
#include "uplink_host/reason.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <optional>
#include <system_error>

namespace gerbang::uplink_host {
namespace {

constexpr int kProbeMs = 3000;
constexpr std::string_view kRefusedUs =
    "the broker refused us in TLS; check certificate_file and key_file";

std::string_view after(std::string_view line, std::string_view mark) {
  auto at = line.find(mark);
  return at == line.npos ? std::string_view() : line.substr(at + mark.size());
}

// The text between two marks; empty: the line has them not.
std::string_view between(std::string_view line, std::string_view first, std::string_view second) {
  auto rest = after(line, first);
  auto end = rest.find(second);
  return end == rest.npos ? std::string_view() : rest.substr(0, end);
}

bool has(std::string_view line, std::string_view mark) {
  return line.find(mark) != line.npos;
}

std::string lower_first(std::string_view text) {
  std::string out(text);
  if (out.size() > 1 && out[0] >= 'A' && out[0] <= 'Z' && out[1] >= 'a')
    out[0] = static_cast<char>(out[0] - 'A' + 'a');
  return out;
}

// An alert that we sent: what is wrong with the broker's certificate.
std::string our_alert(std::string_view alert, Way way) {
  if (alert == "certificate expired") return "the broker's certificate has expired";
  if (alert == "unknown CA")
    return way.ca_file ? "the broker's certificate is not signed by an authority in ca_file"
                       : "the broker's certificate is not signed by an authority that this machine "
                         "knows; name the broker's own authority in ca_file";
  if (alert == "bad certificate")
    return "the broker's certificate is not valid yet or damaged; is our clock right?";
  if (alert == "protocol version") return "the broker speaks an outdated TLS version";
  return "TLS with the broker failed: " + std::string(alert);
}

// What a line says for certain.
std::optional<std::string> certain(std::string_view line, Way way = {}) {
  if (has(line, "SSL_CTX_load_verify_locations"))
    return "ca_file holds no certificates that can be used";
  if (has(line, "SSL_CTX_use_certificate_chain_file"))
    return "certificate_file holds no certificate that can be used";
  if (has(line, "SSL_CTX_use_PrivateKey_file"))
    return "key_file holds no key that fits the certificate";
  if (auto alert = after(line, "SSL alert write:fatal:"); !alert.empty())
    return our_alert(alert, way);
  if (auto alert = after(line, "SSL alert read:fatal:"); !alert.empty())
    return std::string(kRefusedUs) + (alert == "unknown" ? "" : " (" + std::string(alert) + ")");
  if (auto name = between(line, "getaddrinfo failed for addr ", " with rc "); !name.empty()) {
    int code = std::atoi(std::string(after(line, " with rc ")).c_str());
    return "host name " + std::string(name) + ": " + lower_first(gai_strerror(code));
  }
  return std::nullopt;
}

std::string_view other_host(std::string_view line) {
  return between(line, "X509_check_host for hostname ", " failed");
}
// The name did not fit; whether the address does is the next line: 1 if so.
std::string_view address_check(std::string_view line) {
  return after(line, "X509_check_ip_asc is ");
}
bool tls_error(std::string_view line) {
  return has(line, "SSLSocket error");
}
// In TLS 1.3 a client certificate is judged after the handshake, and the verdict may be lost to the
// reset that follows it.
bool after_handshake(std::string_view line) {
  return tls_error(line) && !has(line, "in SSL_connect");
}
std::string_view socket_error(std::string_view line) {
  return tls_error(line) ? std::string_view() : between(line, "Socket error ", "(");
}

// Whether what listens takes the first record of a TLS handshake for one, or closes on it. nullopt:
// it says nothing within kProbeMs.
std::optional<bool> answers_in_tls(int fd) {
  // A ClientHello without a body: whoever speaks TLS answers with an alert.
  constexpr std::array<unsigned char, 9> kHello{0x16, 3, 1, 0, 4, 1, 0, 0, 0};
  constexpr unsigned char kAlert = 0x15, kHandshake = 0x16;
  if (send(fd, kHello.data(), kHello.size(), MSG_NOSIGNAL) != std::ssize(kHello))
    return std::nullopt;
  pollfd ready{fd, POLLIN, 0};
  if (poll(&ready, 1, kProbeMs) != 1) return std::nullopt;
  unsigned char first = 0;
  return recv(fd, &first, 1, 0) == 1 && (first == kAlert || first == kHandshake);
}

}  // namespace

bool is_telling(std::string_view line) {
  return certain(line) || !other_host(line).empty() || !address_check(line).empty() ||
         tls_error(line) || !socket_error(line).empty();
}

Explanation explain_failure(std::span<const std::string> trace, std::string_view message, Way way) {
  std::string_view name;
  for (const std::string& line : trace) {
    if (auto found = certain(line, way)) return {std::move(*found)};
    if (auto unfit = other_host(line); !unfit.empty()) name = unfit;
    if (auto fits = address_check(line); !fits.empty() && fits[0] != '1')
      return {"the broker's certificate is for another host name than " + std::string(name)};
  }
  if (message == "TCP connect timeout") return {"no answer from the broker"};
  if (message == "TCP connect completion failure")
    return {"the connection was closed before the broker answered; is it an MQTT broker?", false};
  for (const std::string& line : trace)
    if (after_handshake(line))
      return {std::string(kRefusedUs), false};
    else if (tls_error(line))
      return {"TLS with the broker failed", false};
  for (const std::string& line : trace)
    if (auto error = socket_error(line); !error.empty()) return {lower_first(error)};
  if (message.empty() || message == "TCP/TLS connect failure") return {"", false};
  return {lower_first(message)};
}

std::string probe(const std::string& host, std::uint16_t port, bool tls,
                  const std::string& otherwise) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  int failed = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (failed != 0) return "host name " + host + ": " + lower_first(gai_strerror(failed));
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, &freeaddrinfo);
  int error = EHOSTUNREACH;
  for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
    int fd = socket(each->ai_family, each->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) continue;
    error = connect(fd, each->ai_addr, each->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      pollfd done{fd, POLLOUT, 0};
      socklen_t length = sizeof error;
      if (poll(&done, 1, kProbeMs) != 1)
        error = ETIMEDOUT;
      else
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    }
    const std::optional<bool> speaks_tls = error == 0 ? answers_in_tls(fd) : std::nullopt;
    close(fd);
    if (error == 0 && speaks_tls && *speaks_tls != tls)
      return tls ? "the broker does not seem to speak TLS on this port; give the port where it "
                   "does (usually 8883)"
                 : "the broker wants TLS on this port; write mqtts://";
    if (error == 0)
      return otherwise.empty() ? "the connection failed, although the broker's port is open"
                               : otherwise;
  }
  return error == ETIMEDOUT ? "no answer from the broker"
                            : lower_first(std::generic_category().message(error));
}

}  // namespace gerbang::uplink_host
