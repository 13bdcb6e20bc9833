// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <deque>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "async/spawn.hpp"
#include "uplink/mqtt_port.hpp"

namespace gerbang::test {

// A broker and a line in one object, as an uplink sees them. The test says what goes wrong.
class FakeMqtt final : public uplink::MqttPort {
 public:
  explicit FakeMqtt(boost::asio::any_io_executor executor) : stopped_(executor), work_(executor) {}

  // ---- what the test sets -----------------------------------------------------------------------
  unsigned receive_max = 0;
  std::size_t max_packet = 0;
  bool refuse = false;                                        // connections
  bool silent = false;                                        // no acknowledgement comes back
  bool shuffle = false;                                       // they come in any order
  double lose = 0;                                            // share of them that is lost
  std::size_t drop_after = 0;                                 // publications; 0: never
  std::function<unsigned(const uplink::Publication&)> judge;  // code of each; empty: success

  // ---- what it saw ------------------------------------------------------------------------------
  std::vector<uplink::Publication> published;
  std::vector<uplink::Connection> connections;
  std::size_t most_in_flight = 0, drops = 0;
  bool connected = false, disconnected_cleanly = false;

  void lose_link() {
    if (!connected) return;
    connected = false;
    in_flight_.clear();
    happenings_.emplace_back([](uplink::MqttEvents& e) { e.on_down("the test cut the line", 0); });
    work_.open();
  }
  void die() {
    connected = false;
    in_flight_.clear();
    happenings_.emplace_back([](uplink::MqttEvents& e) { e.on_host_ended("died"); });
    happenings_.emplace_back([](uplink::MqttEvents& e) { e.on_ready(); });
    work_.open();
  }

  // ---- MqttPort ---------------------------------------------------------------------------------
  boost::asio::awaitable<void> run(uplink::MqttEvents& events) override {
    events.on_ready();
    while (!stopped_.is_open()) {
      co_await work_.wait();
      work_.close();
      // Each in a turn of its own, as frames are.
      while (!happenings_.empty()) {
        auto happening = std::move(happenings_.front());
        happenings_.pop_front();
        happening(events);
        co_await sleep_for(std::chrono::nanoseconds(0));
      }
      acknowledge(events);
    }
  }
  void connect(const uplink::Connection& connection) override {
    connections.push_back(connection);
    since_connect_ = 0;
    happenings_.emplace_back([this](uplink::MqttEvents& e) {
      connected = !refuse;
      if (connected)
        e.on_up(receive_max, max_packet);
      else
        e.on_down("connection refused", 0);
    });
    work_.open();
  }
  void publish(uplink::Publication publication) override {
    if (!connected) return;
    published.push_back(publication);
    in_flight_.push_back(std::move(publication));
    most_in_flight = std::max(most_in_flight, in_flight_.size());
    if (drop_after != 0 && ++since_connect_ >= drop_after) lose_link();
  }
  void flush() override { work_.open(); }
  void drop() override {
    ++drops;
    die();
  }
  boost::asio::awaitable<void> stop() override {
    disconnected_cleanly = connected;
    connected = false;
    stopped_.open();
    work_.open();
    co_return;
  }

 private:
  void acknowledge(uplink::MqttEvents& events) {
    if (silent || !connected || in_flight_.empty()) return;
    if (shuffle) std::shuffle(in_flight_.begin(), in_flight_.end(), random_);
    std::vector<uplink::Acknowledgement> codes;
    for (const uplink::Publication& each : std::exchange(in_flight_, {})) {
      if (std::uniform_real_distribution<>(0, 1)(random_) < lose) continue;
      uplink::Acknowledgement code;
      code.id = each.id;
      code.code = judge ? judge(each) : 0;
      codes.push_back(code);
    }
    if (!codes.empty()) events.on_acknowledged(codes);
  }

  Gate stopped_, work_;
  std::deque<std::function<void(uplink::MqttEvents&)>> happenings_;
  std::vector<uplink::Publication> in_flight_;
  std::size_t since_connect_ = 0;
  std::mt19937 random_{7};
};

}  // namespace gerbang::test
