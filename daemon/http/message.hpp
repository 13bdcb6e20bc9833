// SPDX-License-Identifier: Apache-2.0
//
// A request and a response without a connection.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gerbang::http {

enum class Method { get, head, post, other };

// Over TCP anybody on the network may ask; the unix socket is for the group of the daemon.
enum class Origin { tcp, control };

struct Request {
  Method method = Method::get;
  std::string target = "/";  // origin or absolute form, as received
  std::optional<std::string> host;
  bool many_hosts = false;  // more than one Host header
  bool http10 = false;      // may come without Host
  std::string authorization;
  std::string if_none_match;
  Origin origin = Origin::tcp;
  std::string body;
};

struct Response {
  unsigned status = 200;
  std::string content_type;  // empty: no body
  std::string body;
  std::string_view fixed;  // instead of body: an embedded file, which is not copied
  std::vector<std::pair<std::string, std::string>> headers;

  std::string_view content() const { return fixed.empty() ? std::string_view(body) : fixed; }
};

// "Not Found"
std::string_view phrase(unsigned status);

// How an answer is framed on its connection.
struct Framing {
  Framing() = default;
  bool http10 = false;
  bool head_only = false;
  bool keep_alive = false;
};

// The head of a response, to its empty line. `body_length` is the header that tells how the body
// ends, with its line break, or empty.
std::string response_head(const Response& response, Framing framing, std::string_view body_length);

// An error as an RFC 9457 problem document. `detail` says what is wrong and what to do.
Response problem(unsigned status, std::string_view detail);

// The query of a target, percent-decoded, in order. '+' stays '+': no value of ours holds a
// space, and RFC 3339 offsets do hold a plus.
using Parameters = std::vector<std::pair<std::string, std::string>>;

struct Target {
  std::string authority;  // of the absolute form, else empty
  std::string path;       // percent-decoded
  Parameters parameters;
};

inline constexpr std::size_t kMaxTarget = 4096;  // 200 sensors of 15 letters in one query
inline constexpr std::size_t kMaxParameters = 256;

// nullopt: not a target (no leading slash, broken percent escape, control character, invalid
// UTF-8, too many parameters).
std::optional<Target> parse_target(std::string_view text);

}  // namespace gerbang::http
