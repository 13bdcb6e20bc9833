// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gerbang::mqtt {

struct BrokerSettings {
  std::string host = "127.0.0.1";
  std::uint16_t port = 1883;
  bool v5 = true;  // else 3.1.1
  bool tls = false;
  std::string ca_file, certificate_file, key_file;
  std::string username, password_file;
  std::string client_id;
  std::chrono::seconds keepalive{20};
  std::chrono::seconds connect_timeout{10};
  std::chrono::seconds keep_session{0};  // how long the broker collects while we are away
  std::vector<std::string> filters;
  friend bool operator==(const BrokerSettings&, const BrokerSettings&) = default;
};

// What the library reported since it was asked last, in the order in which it is to be told.
struct Happened {
  struct Received {
    std::string topic, payload;
    bool retained = false;
    std::vector<std::uint32_t> filters;  // positions; empty: the broker does not say
    std::chrono::nanoseconds arrived{};  // CLOCK_BOOTTIME
  };
  struct Subscribed {
    std::uint32_t filter = 0;
    std::string refusal;  // empty: it holds
  };
  bool up = false;
  std::vector<Subscribed> subscribed;
  std::vector<Received> received;
  std::uint64_t dropped = 0;        // messages for which there was no room
  std::optional<std::string> down;  // why
};

// One subscription to a broker, by the Paho C library; the only file of the driver that knows it.
//
// The library's traps that shape it (1.3.12): callbacks hold its global mutex, so they only note
// what happened; a client that is destroyed with work in flight hangs or crashes, so a client lives
// as long as the process, and an instance of the driver that is opened again gets the same one; a
// connect() right after a loss is executed twice, so there is a second between attempts; a name
// look-up blocks every other call, so nothing else is called while it connects.
//
// Threads: all functions on one thread, which is not the library's.
class Client {
 public:
  // The process's client with these settings, made on first use.
  static Client& shared(const BrokerSettings& settings);
  // No instance uses it now: it disconnects and forgets what comes.
  void release();

  int ready_fd() const;  // readable when take() has something
  Happened take();
  // One attempt; ends in `up` or `down`. False: not yet, call again a second later. Only allowed
  // when it is down.
  bool connect();
  // Asks for a filter again that was refused.
  void subscribe(std::uint32_t filter);
  // The library has gone silent about an attempt: this object is left to itself and the next
  // shared() makes a new one.
  void abandon();

  class Impl;

 private:
  explicit Client(const BrokerSettings& settings);
  BrokerSettings settings_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gerbang::mqtt
