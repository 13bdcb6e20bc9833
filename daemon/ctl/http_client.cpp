// SPDX-License-Identifier: Apache-2.0
#include "ctl/http_client.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/url/parse.hpp>
#include <optional>

namespace gerbang::ctl {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

constexpr std::uint64_t kMaxBody = 64u << 20;

struct Call {
  std::string target;
  std::optional<std::string> body;  // nullopt: GET
};

// Runs the loop until the operation reported, or the limit passed.
bool turn(asio::io_context& io, const std::optional<error_code>& done,
          std::chrono::steady_clock::time_point end) {
  io.restart();
  while (!done && std::chrono::steady_clock::now() < end) io.run_one_until(end);
  return done.has_value();
}

template <class Stream>
Result<HttpAnswer> exchange(asio::io_context& io, Stream& stream, const std::string& host,
                            const std::string& token, const Call& call,
                            std::chrono::steady_clock::time_point end) {
  http::request<http::string_body> request(call.body ? http::verb::post : http::verb::get,
                                           call.target, 11);
  if (call.body) {
    request.set(http::field::content_type, "application/json");
    request.body() = *call.body;
    request.prepare_payload();
  }
  request.set(http::field::host, host);
  request.set(http::field::user_agent, "gerbangctl");
  request.set(http::field::connection, "close");
  if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);

  std::optional<error_code> written, read;
  http::async_write(stream, request, [&](error_code e, std::size_t) { written = e; });
  if (!turn(io, written, end)) return fail(std::errc::timed_out, "no answer in time");
  if (*written) return fail(*written, written->message());

  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kMaxBody);
  http::async_read(stream, buffer, parser, [&](error_code e, std::size_t) { read = e; });
  if (!turn(io, read, end)) return fail(std::errc::timed_out, "no answer in time");
  if (*read) return fail(*read, read->message());
  HttpAnswer answer;
  answer.status = parser.get().result_int();
  answer.body = std::move(parser.get().body());
  return answer;
}

Result<HttpAnswer> over_tcp(const Endpoint& endpoint, const Call& call,
                            std::chrono::steady_clock::time_point end) {
  if (!is_endpoint(endpoint.url))
    return fail(std::errc::invalid_argument, "not an address; write http://HOST:PORT");
  auto url = boost::urls::parse_uri(endpoint.url);
  std::string port = url->has_port() ? std::string(url->port()) : "80";
  asio::io_context io;
  asio::ip::tcp::resolver resolver(io);
  error_code unresolved;
  auto places = resolver.resolve(std::string(url->host_address()), port, unresolved);
  if (unresolved) return fail(unresolved, unresolved.message());
  asio::ip::tcp::socket socket(io);
  std::optional<error_code> connected;
  asio::async_connect(socket, places,
                      [&](error_code e, const asio::ip::tcp::endpoint&) { connected = e; });
  if (!turn(io, connected, end)) return fail(std::errc::timed_out, "no connection in time");
  if (*connected) return fail(*connected, connected->message());
  return exchange(io, socket, std::string(url->encoded_host_and_port()), endpoint.token, call, end);
}

Result<HttpAnswer> over_socket(const Endpoint& endpoint, const Call& call,
                               std::chrono::steady_clock::time_point end) {
  asio::io_context io;
  asio::local::stream_protocol::socket socket(io);
  error_code error;
  socket.connect(asio::local::stream_protocol::endpoint(endpoint.url), error);
  if (error) return fail(error, error.message());
  return exchange(io, socket, "localhost", endpoint.token, call, end);
}

Result<HttpAnswer> ask(const Endpoint& endpoint, const Call& call,
                       std::chrono::milliseconds limit) {
  auto end = std::chrono::steady_clock::now() + limit;
  auto answer = endpoint.url.starts_with('/') ? over_socket(endpoint, call, end)
                                              : over_tcp(endpoint, call, end);
  if (!answer) return fail(std::move(answer.error()).within(endpoint.url));
  return answer;
}

}  // namespace

bool is_endpoint(const std::string& text) {
  if (text.starts_with('/')) return true;
  auto url = boost::urls::parse_uri(text);
  return url && url->scheme() == "http" && !url->host().empty();
}

Result<HttpAnswer> http_get(const Endpoint& endpoint, const std::string& target,
                            std::chrono::milliseconds limit) {
  return ask(endpoint, Call{target, std::nullopt}, limit);
}

Result<HttpAnswer> http_post(const Endpoint& endpoint, const std::string& target,
                             const std::string& body, std::chrono::milliseconds limit) {
  return ask(endpoint, Call{target, body}, limit);
}

}  // namespace gerbang::ctl
