// SPDX-License-Identifier: Apache-2.0
//
// Messages a second through the whole uplink (outbox, machine, frames, host process, Paho) against
// a bare Paho loop with the same window, messages and broker, in turns.
//
//     uplink_bench [messages] [bytes] [in_flight]
#include <mqtt/async_client.h>
#include <sys/resource.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "integration/uplink/rig.hpp"

namespace gerbang::test {
namespace {

struct Cost {
  double per_second = 0, cpu_us = 0;  // of this process and, once they ended, its children
};

double cpu_seconds() {
  double total = 0;
  for (int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage used{};
    getrusage(who, &used);
    total += static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
             static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  }
  return total;
}

// Nothing but the library: publish, wait for a place in the window, publish.
class BareLoop final : public mqtt::iaction_listener {
 public:
  Cost run(int port, int messages, std::size_t bytes, int window) {
    mqtt::create_options create(MQTTVERSION_5);
    auto* client =
        new mqtt::async_client("tcp://127.0.0.1:" + std::to_string(port), "bare", create);
    mqtt::connect_options options;
    options.set_mqtt_version(MQTTVERSION_5);
    options.set_clean_start(true);
    options.set_max_inflight(window + 10);
    client->connect(options)->wait();
    const std::string payload(bytes, 'x');
    double cpu = cpu_seconds();
    auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < messages; ++i) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return in_flight_ < window; });
        ++in_flight_;
      }
      client->publish(mqtt::message::create("bare", payload, 1, false), nullptr, *this);
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return in_flight_ == 0; });
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    Cost cost;
    cost.per_second = messages / took.count();
    cost.cpu_us = (cpu_seconds() - cpu) / messages * 1e6;
    lock.unlock();
    client->disconnect()->wait();
    return cost;  // the client stays: destroying one is not safe
  }

  void on_success(const mqtt::token&) override {
    std::lock_guard lock(mutex_);
    --in_flight_;
    changed_.notify_one();
  }
  void on_failure(const mqtt::token&) override { std::abort(); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int in_flight_ = 0;
};

Cost whole(const Broker& broker, int messages, std::size_t bytes, unsigned window) {
  UplinkRig rig;
  rig.use(broker);
  rig.options.in_flight = window;
  rig.start();
  if (!rig.until_connected()) std::abort();
  rig.turn(std::chrono::milliseconds(100));
  double cpu = cpu_seconds();
  auto begin = std::chrono::steady_clock::now();
  rig.add_many(messages, bytes);
  auto end = begin + std::chrono::seconds(120);
  while (!rig.outbox.all_ended() && std::chrono::steady_clock::now() < end) {
    rig.io.restart();
    rig.io.run_one_for(std::chrono::milliseconds(10));
  }
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  rig.stop();  // so that the host's time counts
  Cost cost;
  cost.per_second = messages / took.count();
  cost.cpu_us = (cpu_seconds() - cpu) / messages * 1e6;
  return cost;
}

}  // namespace
}  // namespace gerbang::test

int main(int argc, char** argv) {
  using namespace gerbang::test;
  int messages = argc > 1 ? std::atoi(argv[1]) : 50'000;
  auto bytes = static_cast<std::size_t>(argc > 2 ? std::atoi(argv[2]) : 200);
  auto window = static_cast<unsigned>(argc > 3 ? std::atoi(argv[3]) : 20);
  Broker broker;
  for (int turn = 0; turn < 3; ++turn) {
    BareLoop bare;
    auto floor = bare.run(broker.port(), messages, bytes, static_cast<int>(window));
    auto ours = whole(broker, messages, bytes, window);
    std::printf("bare %.0f/s %.1f us CPU   whole %.0f/s %.1f us CPU   ratio %.2f\n",
                floor.per_second, floor.cpu_us, ours.per_second, ours.cpu_us,
                ours.per_second / floor.per_second);
  }
}
