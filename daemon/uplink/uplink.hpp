// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/message.hpp"
#include "uplink/mqtt_port.hpp"
#include "uplink/outbox.hpp"
#include "wire/envelope.hpp"

namespace gerbang::uplink {

struct Options {
  std::string name;
  int bit = 0;            // the uplink's number in the store
  Connection connection;  // address and identity; the will is filled in from Callbacks
  wire::Format format = wire::Format::protobuf;
  std::string root = "gerbang/v1";
  std::string region, site, gateway;  // ROOT/REGION/SITE/GATEWAY/topic
  unsigned in_flight = 20;
  unsigned backlog_rate = 200;  // messages a second; 0: no limit
  std::chrono::milliseconds republish{std::chrono::minutes(5)};
};

// True if an uplink with these filters (below the gateway; none: everything) carries the topic.
// `state` and `gap` always go.
bool carries(const std::vector<std::string>& filters, std::string_view topic);

// A message outside the proof (sequence 0), always retained: state, description.
struct Unsequenced {
  MessageKind kind = MessageKind::gateway_state;
  std::string topic;  // below the gateway
  std::string body;   // protobuf without Source

  Unsequenced(MessageKind k, std::string t, std::string b)
      : kind(k), topic(std::move(t)), body(std::move(b)) {}
};

// What the composition root knows and an uplink does not. Called on the loop thread; any may be
// empty.
struct Callbacks {
  std::function<std::vector<Unsequenced>()> documents;    // on connect, on change, every 5 min
  std::function<std::optional<Unsequenced>()> will;       // online=false, LOST
  std::function<std::optional<Unsequenced>()> farewell;   // online=false, STOPPED
  std::function<void(const std::string& topic)> told;     // the broker has this document
  std::function<void(const std::string& topic)> cleared;  // the retained topic is empty now
  std::function<void()> link_changed;                     // connected, or not any more
};

struct Refused {
  std::int64_t sequence = 0;  // 0: a document
  std::int64_t at_ms = 0;     // UTC
  std::string topic, reason;
};

struct Status {
  std::string name;
  bool connected = false;
  std::int64_t since_ms = 0;  // UTC, when `connected` last changed
  std::string reason;         // why not connected
  std::uint64_t connections = 0, sent = 0, acknowledged = 0, unheard = 0, refused = 0, late = 0;
  std::uint64_t host_restarts = 0;
  std::uint64_t volatile_sent = 0, volatile_missed = 0;  // say_now(): handed over; not connected
  std::size_t in_flight = 0;
  std::deque<Refused> refused_last;  // the newest 20
};

// Brings what waits in the outbox to one broker, at least once, and tells the outbox so.
//
// Threads: the loop thread. Outbox and clock outlive run(); the Uplink outlives run(), which ends
// with stop().
class Uplink {
 public:
  // port: null for the real host process.
  Uplink(asio::any_io_executor executor, const Clock& clock, Options options, Outbox& outbox,
         Callbacks callbacks, std::unique_ptr<MqttPort> port = nullptr);
  ~Uplink();
  Uplink(const Uplink&) = delete;
  Uplink& operator=(const Uplink&) = delete;

  // Serves until stop(). A broker that is away, a host that dies: neither ends it.
  asio::awaitable<void> run();

  // Waits for what is in flight (at most 3 s), publishes the farewell (at most 2 s), disconnects
  // (at most 3 s). run() has returned then.
  asio::awaitable<void> stop();

  void notify();     // the outbox has new messages
  void republish();  // documents changed
  // Outside of the proof, not retained, marked volatile; nothing keeps it. Of what waits on a topic
  // only the newest goes.
  void say_now(Unsequenced what);
  void clear(std::string topic);  // empty this retained topic (below the gateway), when connected

  Status status() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gerbang::uplink
