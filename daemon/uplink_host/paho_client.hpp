// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gerbang::host::v1 {
class ConnectOptions;
class Publish;
}  // namespace gerbang::host::v1

namespace gerbang::uplink_host {

// What the library reported since it was asked last. In the order in which it is to be told: up,
// acknowledgements, received, down.
struct Happened {
  struct Up {
    std::uint32_t receive_max = 0, max_packet = 0;  // 0: not said
  };
  struct Down {
    std::string reason;      // empty: the library does not say
    std::uint32_t code = 0;  // of MQTT 5; 0: none
    bool certain = true;     // else a look at the port may tell more
  };
  struct Received {
    std::string topic, payload;
    bool retained = false;
  };
  struct Acked {
    std::uint64_t id = 0;
    std::uint32_t code = 0;
  };
  std::optional<Up> up;
  std::vector<Acked> acked;
  std::vector<Received> received;
  std::optional<Down> down;
};

// One MQTT client for the life of the process, by the Paho library; the only file that knows it.
//
// The library's traps that shape this class (1.2.0 on 1.3.12): its callbacks run with its global
// mutex held, so that any call back into it deadlocks; a connect() from or soon after a callback is
// executed twice; a token may stay silent for ever; destroying a client with work in flight hangs
// or crashes; server certificates are not checked unless one insists. So callbacks only note what
// happened, the caller waits at least a second between attempts, nobody waits for tokens, and the
// process ends by _exit.
//
// Threads: all functions on one thread, which is not the library's.
class PahoClient {
 public:
  // Address, MQTT version and client id are taken from here and stay.
  explicit PahoClient(const host::v1::ConnectOptions& options);
  ~PahoClient();
  PahoClient(const PahoClient&) = delete;
  PahoClient& operator=(const PahoClient&) = delete;

  static std::string library();

  // Readable when take() has something.
  int ready_fd() const;
  Happened take();

  // One attempt; ends in Up or Down. May block for seconds behind a name look-up.
  void connect(const host::v1::ConnectOptions& options);
  // Nothing is acknowledged when there is no connection.
  void publish(const host::v1::Publish& publish);
  // After the end of a connection and a moment for its callbacks: the library has messages which
  // it will send by itself on the next connection, before all that it is told then.
  bool keeps_messages();
  // MQTT DISCONNECT; waits at most two seconds.
  void disconnect();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gerbang::uplink_host
