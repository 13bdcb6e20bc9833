// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <csignal>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "async/spawn.hpp"
#include "core/clock.hpp"
#include "support/broker.hpp"
#include "support/fake_outbox.hpp"
#include "support/run_coro.hpp"
#include "uplink/uplink.hpp"
#include "wire/encode.hpp"

namespace gerbang::test {

// One uplink with a list for its outbox, on a loop that the test turns.
class UplinkRig {
 public:
  UplinkRig() {
    options.name = "regional";
    options.region = "maros";
    options.site = "ipa";
    options.gateway = "gw1";
    options.backlog_rate = 0;
    options.connection.host = "127.0.0.1";
    options.connection.client_id = "gw1-regional";
    options.connection.username = "gw1";
    callbacks.documents = [this] {
      std::vector<uplink::Unsequenced> out;
      out.push_back(state(true, ""));
      return out;
    };
    callbacks.will = [] { return std::optional(state(false, "LOST")); };
    callbacks.farewell = [] { return std::optional(state(false, "STOPPED")); };
  }
  ~UplinkRig() {
    if (link && running) stop();
  }

  static uplink::Unsequenced state(bool online, const std::string& reason) {
    wire::GatewayState state;
    state.online = online;
    state.reason = reason;
    return uplink::Unsequenced(MessageKind::gateway_state, "state", wire::encode(state));
  }

  // A message that names its own number in its content, of at least `bytes`.
  std::int64_t add(const std::string& topic = "aggregate/water/1m", std::size_t bytes = 0,
                   Lane lane = Lane::live, bool retain = false) {
    wire::Gap gap;
    gap.first = outbox.last_sequence() + 1;
    gap.reason.assign(bytes, 'x');
    Message message;
    message.kind = MessageKind::gap;
    message.lane = lane;
    message.topic = topic;
    message.retain = retain;
    message.body = wire::encode(gap);
    auto sequence = outbox.add(std::move(message));
    if (link) link->notify();
    return sequence;
  }
  void add_many(int count, std::size_t bytes = 0) {
    for (int i = 0; i < count; ++i) add("aggregate/water/1m", bytes);
  }

  void use(const Broker& broker) {
    options.connection.port = static_cast<std::uint16_t>(broker.port());
  }

  void start(std::unique_ptr<uplink::MqttPort> port = nullptr) {
    link = std::make_unique<uplink::Uplink>(io.get_executor(), clock, options, outbox, callbacks,
                                            std::move(port));
    spawn_critical(io.get_executor(), "uplink", link->run());
    running = true;
  }
  void stop() {
    running = false;
    run_coro(io, link->stop(), std::chrono::seconds(20));
  }

  // Turns the loop until the condition holds. False: it did not within the time.
  bool until(const std::function<bool()>& condition,
             std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      io.restart();
      io.run_one_for(std::chrono::milliseconds(10));
      io.poll();
    }
    return true;
  }
  void turn(std::chrono::milliseconds time) {
    auto end = std::chrono::steady_clock::now() + time;
    (void)until([&] { return std::chrono::steady_clock::now() >= end; }, time * 2);
  }
  bool until_connected() {
    return until([&] { return link->status().connected; });
  }
  bool until_all_ended(std::chrono::seconds limit = std::chrono::seconds(20)) {
    return until([&] { return outbox.all_ended(); }, limit);
  }

  // SIGKILL for the host process. How many there were: one.
  static int kill_host() {
    int killed = 0;
    for (pid_t child : children("gerbang-uplink-")) {  // as long as the kernel keeps names
      ::kill(child, SIGKILL);
      ++killed;
    }
    return killed;
  }

  boost::asio::io_context io{1};
  SystemClock clock;
  uplink::Options options;
  uplink::Callbacks callbacks;
  FakeOutbox outbox;
  std::unique_ptr<uplink::Uplink> link;
  bool running = false;
};

}  // namespace gerbang::test
