// SPDX-License-Identifier: Apache-2.0
#include "http/listener.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace gerbang::http {
namespace {

using boost::system::error_code;

// Where a listener stands. Names are not resolved: that would block the loop.
Result<Protocol::endpoint> parse_listen(const std::string& text) {
  auto bad = [&](const std::string& why) {
    return fail(std::errc::invalid_argument,
                "[http] listen \"" + text + "\": " + why + "; write 127.0.0.1:8080 or [::1]:8080");
  };
  std::size_t colon = text.rfind(':');
  if (colon == text.npos) return bad("no port");
  std::string host = text.substr(0, colon);
  unsigned port = 0;
  const char* end = text.data() + text.size();
  auto [stop, wrong] = std::from_chars(text.data() + colon + 1, end, port);
  if (wrong != std::errc{} || stop != end || port > 65'535) return bad("not a port");
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  error_code error;
  auto address = asio::ip::make_address(host, error);
  if (error) return bad("not an IP address");
  return Protocol::endpoint(asio::ip::tcp::endpoint(address, static_cast<std::uint16_t>(port)));
}

}  // namespace

Result<std::shared_ptr<Acceptor>> listen_tcp(const asio::any_io_executor& executor,
                                             const std::string& where) {
  auto endpoint = parse_listen(where);
  if (!endpoint) return fail(std::move(endpoint.error()));
  auto acceptor = std::make_shared<Acceptor>(executor);
  error_code error;
  acceptor->open(endpoint->protocol(), error);
  if (!error) acceptor->set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor->bind(*endpoint, error);
  if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
  if (error) return fail(error, "[http] listen " + where + ": " + error.message());
  return acceptor;
}

Result<std::shared_ptr<Acceptor>> listen_control(const asio::any_io_executor& executor,
                                                 const std::string& path) {
  auto bad = [&](error_code error) {
    return fail(error, "control socket " + path + ": " + error.message());
  };
  sockaddr_un address{};
  if (path.size() >= sizeof address.sun_path)
    return bad(make_error_code(boost::system::errc::filename_too_long));
  Protocol::endpoint endpoint{asio::local::stream_protocol::endpoint(path)};
  auto acceptor = std::make_shared<Acceptor>(executor);
  error_code error;
  acceptor->open(endpoint.protocol(), error);
  if (error) return bad(error);
  // A socket that nobody answers on is a left-over of a daemon that was killed.
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0) {
    if (!S_ISSOCK(info.st_mode)) return bad(make_error_code(boost::system::errc::file_exists));
    Socket probe(executor);
    probe.connect(endpoint, error);
    if (!error) return bad(asio::error::address_in_use);
    ::unlink(path.c_str());
  }
  // Before bind: the file never exists with wider rights.
  ::fchmod(acceptor->native_handle(), 0660);
  acceptor->bind(endpoint, error);
  if (error) return bad(error);
  if (::chmod(path.c_str(), 0660) != 0) error = error_code(errno, boost::system::system_category());
  if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
  if (!error) return acceptor;
  ::unlink(path.c_str());
  return bad(error);
}

std::uint16_t port_of(const Protocol::endpoint& endpoint) {
  sockaddr_storage storage{};
  std::memcpy(&storage, endpoint.data(), std::min(endpoint.size(), sizeof storage));
  if (storage.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in&>(storage).sin_port);
  if (storage.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<sockaddr_in6&>(storage).sin6_port);
  return 0;
}

std::string address_of(const Protocol::endpoint& endpoint) {
  sockaddr_storage storage{};
  std::memcpy(&storage, endpoint.data(), std::min(endpoint.size(), sizeof storage));
  char text[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET)
    inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in&>(storage).sin_addr, text, sizeof text);
  else if (storage.ss_family == AF_INET6)
    inet_ntop(AF_INET6, &reinterpret_cast<sockaddr_in6&>(storage).sin6_addr, text, sizeof text);
  return text;
}

}  // namespace gerbang::http
