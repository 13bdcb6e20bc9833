// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "http/maintenance.hpp"
#include "http/queries.hpp"
#include "http/snapshot.hpp"

namespace gerbang::http {

// What stands between the daemon and a hostile or broken client. Tests make the times shorter.
struct Limits {
  std::size_t connections = 16;             // over TCP
  std::size_t connections_per_address = 8;  // a browser opens six
  std::size_t control_connections = 4;      // over the unix socket, a budget of its own
  std::size_t streams = 4;                  // server-sent events
  std::size_t queries = 4;                  // history requests at the same time
  std::size_t requests_per_connection = 100;
  std::size_t header_bytes = 8 * 1024;
  std::size_t body_bytes = 1024;
  std::chrono::milliseconds request{5'000};  // from its first byte allowed to its last
  std::chrono::milliseconds write{5'000};    // each write
  std::chrono::milliseconds idle{15'000};    // between two requests
  std::chrono::milliseconds tick{200};       // streams: at most one newest value a sensor a tick
  std::chrono::milliseconds heartbeat{15'000};
};

struct Options {
  std::string listen = "127.0.0.1:8080";  // "[::1]:8080"; port 0: any free one; empty: no TCP
  std::string control;                    // path of the unix socket; empty: none
  std::string token;                      // empty: anonymous reading over TCP
  std::vector<std::string> names;         // that Host may carry, besides the machine's own
  // People work on a sensor, which is known. Only ever called for the control socket.
  std::function<void(const MaintenanceCall&)> maintain;
  Limits limits;
};

// The status page and the API: one router behind two listeners, TCP (GET and HEAD) and a unix
// socket of mode 0660 (no token). Loop thread only.
//
// A connection above the limits takes the place of the oldest one that has not yet sent a complete
// request; if there is none it is closed at once.
class Server {
 public:
  // `snapshot` is called for each request, and for streams at most once a tick however many there
  // are. `version` is a number that changes with every reading and every change of state: while it
  // stands still streams do not ask for a snapshot; it may be empty. `queries` must outlive the
  // loop's last turn.
  Server(asio::any_io_executor executor, Options options, std::function<Snapshot()> snapshot,
         std::function<std::uint64_t()> version, Queries& queries);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds both listeners and starts to accept. The message names the address and the cause.
  Result<void> run();

  // Closes listeners and connections; what they were doing ends with the next turns of the loop.
  void stop();

  // The TCP port, once run() succeeded; 0: no TCP.
  std::uint16_t port() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace gerbang::http
