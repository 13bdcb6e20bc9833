// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "async/spawn.hpp"
#include "store/store.hpp"
#include "support/manual_clock.hpp"
#include "support/run_coro.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::store::test {

using gerbang::test::ManualClock;
using gerbang::test::run_coro;
using gerbang::test::TempDir;

inline constexpr std::int64_t kStartMs = 1'767'225'600'000;  // 2026-01-01T00:00:00Z
inline constexpr std::int64_t kSecond = 1'000'000'000;       // ns

// UTC = kStartMs + boot time.
inline Epoch epoch(ClockTrust trust = ClockTrust::trusted, std::string boot = "boot-1") {
  return Epoch{std::move(boot), kStartMs * 1'000'000, trust};
}
inline Reading reading(std::int32_t series, std::int64_t boot_ns, double value) {
  Reading r;
  r.sensor = static_cast<std::uint32_t>(series);
  r.flag = Flag::good;
  r.raw = Raw::of(value);
  r.boot_ns = boot_ns;
  return r;
}
inline Batch batch(std::vector<Reading> readings, Epoch e = epoch()) {
  return Batch{std::move(e), std::move(readings)};
}
inline SeriesSpec series(std::string sensor, double scale = 1) {
  SeriesSpec s;
  s.sensor = std::move(sensor);
  s.quantity = "turbidity";
  s.unit = "NTU";
  s.calibration.scale = scale;
  return s;
}
inline NewMessage message(std::string topic, std::uint64_t uplinks, std::string body = "body",
                          Lane lane = Lane::live) {
  NewMessage m;
  m.topic = std::move(topic);
  m.lane = lane;
  m.uplinks = uplinks;
  m.body = std::move(body);
  m.made_ms = kStartMs;
  m.retainable = true;
  return m;
}
inline Fold fold(std::vector<NewMessage> messages) {
  Fold f;
  f.messages = std::move(messages);
  return f;
}
inline Aggregate aggregate(std::int32_t number, std::int64_t window_ms, std::int64_t start_ms,
                           double mean = 1, std::uint32_t revision = 0) {
  Aggregate a;
  a.series = number;
  a.window_ms = window_ms;
  a.start_ms = start_ms;
  a.end_ms = start_ms + window_ms;
  a.received = a.good = 60;
  a.expected = 60;
  for (int i = 0; i < 60; ++i) a.statistics.add(mean);
  a.revision = revision;
  return a;
}

// A store in a folder of its own. Commits come fast: these tests are about what, not when.
class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    options.path = dir / "gerbang.db";
    options.commit_interval = std::chrono::milliseconds(5);
    options.board = Board{"machine-a", "serial-a"};
    options.clock = &clock;
  }

  // The store's thread must not outlive what a derived fixture put beneath it.
  void TearDown() override { store.reset(); }

  void open() {
    auto opened = Store::open(options, io.get_executor());
    ASSERT_TRUE(opened) << opened.error().what;
    store = std::move(*opened);
  }
  // Ends like a killed process: nothing is completed.
  void crash() { store.reset(); }
  void stop() {
    auto stopped = run(store->stop());
    ASSERT_TRUE(stopped) << stopped.error().what;
    store.reset();
  }
  void reopen() {
    stop();
    open();
  }

  template <class T>
  T run(asio::awaitable<T> task) {
    return run_coro(io, std::move(task));
  }
  // Turns the loop until `done` holds.
  template <class F>
  bool turn_until(F done) {
    io.restart();
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!done() && std::chrono::steady_clock::now() < end) {
      io.restart();
      io.run_one_for(std::chrono::milliseconds(20));
    }
    return done();
  }
  // Everything that was given is durable after it.
  void flush() {
    auto before = store->status().commits;
    store->put("flush", std::to_string(before));
    ASSERT_TRUE(turn_until([&] { return store->status().commits > before; }));
  }

  BatchId append(Batch b) {
    auto id = run(store->append(std::move(b)));
    EXPECT_TRUE(id) << id.error().what;
    return id ? *id : 0;
  }
  Sequence commit(Fold f) {
    auto last = run(store->commit(std::move(f)));
    EXPECT_TRUE(last) << last.error().what;
    return last ? *last : -1;
  }
  std::vector<Message> pull(int bit, std::optional<Lane> lane = {}, Sequence above = 0,
                            std::size_t limit = 1000) {
    Pull what;
    what.bit = bit;
    what.lane = lane;
    what.above = above;
    what.limit = limit;
    auto messages = run(store->pull(what));
    EXPECT_TRUE(messages) << messages.error().what;
    return messages ? *messages : std::vector<Message>();
  }
  static std::vector<Sequence> sequences(const std::vector<Message>& messages) {
    std::vector<Sequence> out;
    for (const auto& m : messages) out.push_back(m.sequence);
    return out;
  }
  std::vector<StoredReading> replay(BatchId from = 0) {
    std::vector<StoredReading> out;
    auto replayed = store->replay(from, [&](const StoredReading& r) { out.push_back(r); });
    EXPECT_TRUE(replayed);
    return out;
  }
  std::vector<StoredReading> readings(std::int64_t from_ms, std::int64_t to_ms,
                                      std::vector<std::int32_t> numbers = {},
                                      std::size_t page_size = 10'000) {
    std::vector<StoredReading> out;
    ReadingQuery query;
    query.series = std::move(numbers);
    query.from_ms = from_ms;
    query.to_ms = to_ms;
    query.limit = page_size;
    do {
      auto page = run(store->readings(query));
      EXPECT_TRUE(page) << page.error().what;
      if (!page) break;
      EXPECT_LE(page->readings.size(), page_size);
      out.insert(out.end(), page->readings.begin(), page->readings.end());
      query.after = page->next;
    } while (!query.after.empty());
    return out;
  }

  TempDir dir;
  ManualClock clock;
  boost::asio::io_context io;
  Options options;
  std::unique_ptr<Store> store;
};

}  // namespace gerbang::store::test
