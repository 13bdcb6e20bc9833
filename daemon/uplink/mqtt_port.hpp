// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace gerbang::uplink {

namespace asio = boost::asio;

// How to reach a broker and what to say on arrival.
struct Connection {
  std::string name;  // of the uplink, for log lines
  std::string host;
  std::uint16_t port = 1883;
  bool tls = false;
  unsigned mqtt_version = 5;  // 5, or 4 (3.1.1)
  std::string client_id, username, password;
  bool has_password = false;
  std::string ca_file, certificate_file, key_file;  // empty: none; without ca_file the system's
  unsigned keepalive_s = 20;
  unsigned connect_timeout_ms = 10'000;
  std::string will_topic, will_payload, will_content_type;  // retained, QoS 1; empty topic: none
  unsigned will_delay_s = 30;                               // MQTT 5
  std::vector<std::string> subscribe;
  unsigned in_flight = 20;
  bool never_connected = false;  // a failure may then be looked into by a connection of its own
};

struct Publication {
  std::uint64_t id = 0;
  std::string topic, payload, content_type;
  bool retain = false, historical = false;
};

struct Acknowledgement {
  std::uint64_t id = 0;
  unsigned code = 0;  // of MQTT 5
};

// What the library's side reports. Called on the loop thread, never from within a call into the
// port.
class MqttEvents {
 public:
  virtual ~MqttEvents() = default;
  virtual void on_ready() = 0;  // connect() may be called
  virtual void on_up(unsigned receive_max, std::size_t max_packet) = 0;
  virtual void on_acknowledged(std::span<const Acknowledgement> acknowledgements) = 0;
  virtual void on_down(const std::string& reason, unsigned code) = 0;
  virtual void on_received(const std::string& topic, const std::string& payload, bool retained) = 0;
  // on_ready() follows, unless stopped. Empty: of its own will, after a lost connection.
  virtual void on_host_ended(const std::string& how) = 0;
};

// An MQTT client: the host process, or a fake one in tests. All functions on the loop thread.
class MqttPort {
 public:
  virtual ~MqttPort() = default;

  // Serves until stop(); starts the host again whenever it ends.
  virtual asio::awaitable<void> run(MqttEvents& events) = 0;

  // One attempt; answered by on_up or on_down. Only after on_ready.
  virtual void connect(const Connection& connection) = 0;
  // In this order. Handed over with flush().
  virtual void publish(Publication publication) = 0;
  virtual void flush() = 0;
  // Ends the connection by ending the host: the one way out of a library that hangs. No on_down
  // follows.
  virtual void drop() = 0;
  // MQTT DISCONNECT if connected, within a few seconds; then run() returns.
  virtual asio::awaitable<void> stop() = 0;
};

}  // namespace gerbang::uplink
