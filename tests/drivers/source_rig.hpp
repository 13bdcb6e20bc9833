// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <map>
#include <string>
#include <vector>

#include "source/drivers.hpp"

namespace gerbang::source::test {

using namespace std::chrono_literals;

// Keeps what it is given; stands still while held.
class Keeper final : public Sink {
 public:
  explicit Keeper(asio::any_io_executor executor) : room(executor) { room.open(); }

  asio::awaitable<void> take(std::vector<Reading> more) override {
    if (!room.is_open()) co_await room.wait();
    readings.insert(readings.end(), more.begin(), more.end());
  }
  void on_event(Event event) override { events.push_back(std::move(event)); }
  void on_rejected(std::string_view reason, std::uint64_t count) override {
    rejected[std::string(reason)] += count;
  }

  std::vector<Reading> of(std::uint32_t sensor) const {
    std::vector<Reading> out;
    for (const Reading& reading : readings)
      if (reading.sensor == sensor) out.push_back(reading);
    return out;
  }
  std::size_t missing(std::uint32_t sensor, Reason reason) const {
    std::size_t n = 0;
    for (const Reading& reading : of(sensor))
      n += reading.flag == Flag::missing && reading.reason == reason;
    return n;
  }
  // The longest time between two readings of a sensor that the driver stamped after `from`.
  std::chrono::nanoseconds longest_gap(std::uint32_t sensor, BootTime from) const {
    std::chrono::nanoseconds longest{};
    std::int64_t before = nanoseconds(from);
    for (const Reading& reading : of(sensor)) {
      if (reading.boot_ns <= nanoseconds(from)) continue;
      longest = std::max(longest, std::chrono::nanoseconds(reading.boot_ns - before));
      before = reading.boot_ns;
    }
    return longest;
  }

  Gate room;
  std::vector<Reading> readings;
  std::vector<Event> events;
  std::map<std::string, std::uint64_t> rejected;
};

// How long a host may be silent; a sanitizer slows its start down.
#ifdef GERBANG_SANITIZED
inline constexpr std::chrono::milliseconds kPatience = 2500ms;
#else
inline constexpr std::chrono::milliseconds kPatience = 700ms;
#endif

// A loop with a sink, and drivers whose deadlines are short.
struct Rig {
  explicit Rig(std::string host)
      : keeper(io.get_executor()), environment(io.get_executor(), keeper, clock, std::move(host)) {
    environment.random = [] { return 1.0; };
    Limits& limits = environment.limits;
    limits.hello = kPatience;
    limits.heartbeat = kPatience;
    limits.tick = 50ms;
    limits.stop = 300ms;
    limits.restart.first_wait = 20ms;
    limits.restart.longest_wait = 100ms;
  }
  ~Rig() {
    for (auto& supervisor : running) supervisor->request_stop();
    until([this] { return all_stopped(); }, 5s);
  }

  std::shared_ptr<Supervisor> run(DriverSpec spec) {
    auto supervisor = std::make_shared<Supervisor>(environment, std::move(spec));
    spawn_critical(io.get_executor(), "driver", supervisor->run());
    running.push_back(supervisor);
    return supervisor;
  }

  // Turns the loop until this holds; false after the limit.
  template <class Predicate>
  bool until(Predicate holds, std::chrono::nanoseconds limit = 10s) {
    auto end = std::chrono::steady_clock::now() + limit;
    io.restart();
    while (!holds() && std::chrono::steady_clock::now() < end) io.run_one_for(5ms);
    return holds();
  }
  void turn(std::chrono::nanoseconds time) {
    until([] { return false; }, time);
  }
  bool all_stopped() const {
    for (auto& supervisor : running)
      if (supervisor->status().state != DriverState::stopped) return false;
    return true;
  }

  asio::io_context io{1};
  SystemClock clock;
  Keeper keeper;
  Environment environment;
  std::vector<std::shared_ptr<Supervisor>> running;
};

inline bool exists(pid_t pid) {
  return ::kill(pid, 0) == 0 || errno != ESRCH;
}

}  // namespace gerbang::source::test
