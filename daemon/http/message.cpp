// SPDX-License-Identifier: Apache-2.0
#include "http/message.hpp"

#include <algorithm>

#include "http/json.hpp"

namespace gerbang::http {
namespace {

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      int high = hex(text[i + 1]), low = hex(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return std::nullopt;
    out += c;
  }
  if (clean_utf8(out) != out) return std::nullopt;
  return out;
}

bool parse_query(std::string_view query, Parameters& out) {
  while (!query.empty()) {
    std::size_t end = query.find('&');
    std::string_view part = query.substr(0, end);
    query.remove_prefix(end == query.npos ? query.size() : end + 1);
    if (part.empty()) continue;
    std::size_t equals = part.find('=');
    auto name = decode(part.substr(0, equals));
    auto value = decode(equals == part.npos ? std::string_view() : part.substr(equals + 1));
    if (!name || !value || out.size() == kMaxParameters) return false;
    out.emplace_back(std::move(*name), std::move(*value));
  }
  return true;
}

}  // namespace

std::string_view phrase(unsigned status) {
  switch (status) {
    case 200:
      return "OK";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 417:
      return "Expectation Failed";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Error";
  }
}

std::string response_head(const Response& response, Framing framing, std::string_view body_length) {
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + " ";
  out += phrase(response.status);
  out += "\r\n";
  auto add = [&](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  auto has = [&](std::string_view name) {
    return std::any_of(response.headers.begin(), response.headers.end(),
                       [&](const auto& header) { return header.first == name; });
  };
  if (!response.content_type.empty()) add("Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) add(name, value);
  if (!has("Cache-Control")) add("Cache-Control", "no-store");
  if (!has("Content-Security-Policy"))
    add("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  add("X-Content-Type-Options", "nosniff");
  add("Referrer-Policy", "no-referrer");
  add("Cross-Origin-Resource-Policy", "same-origin");
  if (!framing.keep_alive)
    add("Connection", "close");
  else if (framing.http10)
    add("Connection", "keep-alive");
  out += body_length;
  out += "\r\n";
  return out;
}

Response problem(unsigned status, std::string_view detail) {
  Json json;
  json.begin_object()
      .member("type", "about:blank")
      .member("title", phrase(status))
      .member("status", status)
      .member("detail", detail)
      .end_object();
  Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.body = json.take() + "\n";
  return response;
}

std::optional<Target> parse_target(std::string_view text) {
  Target target;
  constexpr std::string_view kScheme = "http://";
  if (text.starts_with(kScheme)) {
    text.remove_prefix(kScheme.size());
    std::size_t slash = text.find_first_of("/?");
    target.authority = text.substr(0, slash);
    if (target.authority.empty()) return std::nullopt;
    text = slash == text.npos ? std::string_view("/") : text.substr(slash);
    if (text[0] == '?') return std::nullopt;
  }
  if (text.empty() || text[0] != '/' || text.find('#') != text.npos) return std::nullopt;
  std::size_t question = text.find('?');
  auto path = decode(text.substr(0, question));
  if (!path) return std::nullopt;
  target.path = std::move(*path);
  if (question != text.npos && !parse_query(text.substr(question + 1), target.parameters))
    return std::nullopt;
  return target;
}

}  // namespace gerbang::http
