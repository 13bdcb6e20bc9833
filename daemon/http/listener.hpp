// SPDX-License-Identifier: Apache-2.0
//
// Where connections come from: TCP and a unix socket, one type for both. Loop thread only.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "core/result.hpp"

namespace gerbang::http {

namespace asio = boost::asio;
using Protocol = asio::generic::stream_protocol;
using Acceptor = asio::basic_socket_acceptor<Protocol>;
using Socket = Protocol::socket;

// Binds "127.0.0.1:8080" or "[::1]:8080" (port 0: any free one) and listens. The message names the
// address and the cause.
Result<std::shared_ptr<Acceptor>> listen_tcp(const asio::any_io_executor& executor,
                                             const std::string& where);

// Binds a unix socket of mode 0660. A socket that nobody answers on is replaced; any other file
// there is an error. Whoever closes the listener removes the file.
Result<std::shared_ptr<Acceptor>> listen_control(const asio::any_io_executor& executor,
                                                 const std::string& path);

// Of an IP endpoint; 0 and empty for others.
std::uint16_t port_of(const Protocol::endpoint& endpoint);
std::string address_of(const Protocol::endpoint& endpoint);

}  // namespace gerbang::http
