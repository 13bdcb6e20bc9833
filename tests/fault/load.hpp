// SPDX-License-Identifier: Apache-2.0
//
// A scripted load through the real store and the real pipeline, and what a witness outside of them
// remembers: each reading is numbered by its raw value, each message that was ever handed out is
// kept. After a fault the witness is asked whether the store still tells the same story.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "gerbang/v1/telemetry.pb.h"
#include "pipeline/pipeline.hpp"
#include "store/store.hpp"
#include "support/manual_clock.hpp"
#include "support/run_coro.hpp"

namespace gerbang::test {

using namespace std::chrono_literals;

// What was seen from outside. It outlives every fault.
class Witness {
 public:
  void saw(const Message& message);
  // The store says that readings below this number are durable.
  void stored(std::int64_t readings) { stored_ = std::max(stored_, readings); }
  void committed(store::Sequence last) { last_ = std::max(last_, last); }

  std::int64_t stored() const { return stored_; }
  store::Sequence last() const { return last_; }
  std::size_t messages() const { return bodies_.size(); }
  std::size_t windows() const { return windows_.size(); }
  std::size_t alarms() const { return alarms_.size(); }
  bool knows(store::Sequence sequence) const { return bodies_.count(sequence) != 0; }
  // Numbers in 1 … last that nobody ever saw, and that no Gap excuses.
  std::vector<store::Sequence> holes(store::Sequence last) const;

 private:
  using Window = std::tuple<std::string, std::string, std::int64_t, std::uint32_t>;
  std::map<store::Sequence, std::size_t> bodies_;  // hash of topic and body
  std::set<store::Sequence> announced_;            // by a Gap
  // Id, occurrence, state → its number: said once, whatever was cut in between.
  std::map<std::tuple<std::string, std::uint64_t, int>, store::Sequence> alarms_;
  std::map<Window, std::size_t> windows_;  // sensor, window, start, revision → its content
  std::int64_t stored_ = 0;
  store::Sequence last_ = 0;
};

class Load {
 public:
  Load(std::filesystem::path folder, std::string vfs, unsigned seed);
  ~Load() { crash(); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  store::Options options;
  ManualClock clock;
  Witness witness;
  bool late = true, reloads = true, acknowledges = true;  // what step() may do
  // Asked while waiting: true ends the wait, as nothing more will come.
  std::function<bool()> dead = [] { return false; };

  // False: it could not be opened; why() says so.
  bool start();
  const std::string& why() const { return why_; }
  // As a killed process: what is not durable is gone.
  void crash();
  // The same in order.
  bool stop();

  // A second of the plant's life: readings, windows that close, messages that go out, some of them
  // acknowledged, now and then a reload. False: dead meanwhile.
  bool step();
  // So many readings at once. False: dead meanwhile.
  bool burst(int readings);
  void turn_for(std::chrono::milliseconds time);
  // Everything that was given is durable after it. False: dead meanwhile.
  bool settle();
  // The same, with what was refused.
  bool settle_all();
  // What waits for the first broker.
  std::vector<Message> everything();

  // Fails the test unless the store, freshly started, tells the same story as the witness.
  // Returns how many readings that were given are gone.
  std::int64_t judge();

  std::int64_t given() const { return next_; }
  store::Store& store() { return *store_; }
  pipeline::Pipeline& pipe() { return *pipe_; }

 private:
  bool turn(const std::function<bool()>& done);
  template <class T>
  bool finish(asio::awaitable<T> task, T& value);
  bool finish(asio::awaitable<void> task);
  void look();
  bool drain(int bit, unsigned acknowledge_of_ten);
  bool reload();
  std::vector<store::SeriesSpec> specs() const;
  void number(const std::vector<std::int32_t>& numbers);

  std::mt19937 random_;
  std::vector<pipeline::Sensor> all_, now_;
  std::vector<int> bits_;
  std::int64_t next_ = 0;          // number of the next reading
  std::int64_t begun_ = 0;         // of the first reading of this start
  std::uint64_t stored_then_ = 0;  // Status::stored at this start
  std::string why_;
  std::unique_ptr<boost::asio::io_context> io_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<pipeline::Pipeline> pipe_;
};

}  // namespace gerbang::test
