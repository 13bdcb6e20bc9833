// SPDX-License-Identifier: Apache-2.0
//
// A pipeline with a real store in a temporary folder and a clock that the test moves.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "gerbang/v1/telemetry.pb.h"
#include "pipeline/pipeline.hpp"
#include "store/store.hpp"
#include "support/manual_clock.hpp"
#include "support/quantity.hpp"
#include "support/run_coro.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::test {

constexpr std::int64_t kStart = 1'767'225'600'000;  // the plant's clock at its start
constexpr std::int64_t kMinute = 60'000, kHour = 60 * kMinute;

using namespace std::chrono_literals;

inline pipeline::Sensor sensor(const std::string& id, const std::string& domain = "water",
                               QuantityKind kind = QuantityKind::gauge) {
  pipeline::Sensor s;
  s.id = id;
  s.quantity = quantity_of(id, domain, kind);
  s.interval_ms = 1000;
  return s;
}

// What is shared does not change: it becomes another.
template <class T, class How>
void change(Shared<T>& what, How how) {
  T other = *what;
  how(other);
  what = std::move(other);
}

class Plant {
 public:
  explicit Plant(std::vector<pipeline::Sensor> sensors) : sensors_(std::move(sensors)) {
    options.boot_id = "boot";
    options.timezone = "Asia/Makassar";
    options.zone = {ZoneOffset{0, 8 * 3600}};
    options.commit_interval = 2ms;
  }
  ~Plant() { crash(); }

  pipeline::Options options;
  std::vector<indicator::Plan> indicators;  // their inputs are found by the sensor's id
  std::size_t max_waiting = 1u << 18;
  std::string vfs;    // of SQLite; empty: the system's
  ManualClock clock;  // 2026-01-01T00:00:00Z, 08:00 in Makassar
  std::uint64_t given = 0;

  void start() {
    io = std::make_unique<boost::asio::io_context>(1);
    store::Options store_options;
    store_options.path = dir_ / "gerbang.db";
    store_options.commit_interval = options.commit_interval;
    store_options.max_waiting = max_waiting;
    store_options.clock = &clock;
    store_options.vfs = vfs;
    auto opened = store::Store::open(store_options, io->get_executor());
    ASSERT_TRUE(opened) << opened.error().what;
    store = std::move(*opened);
    number(*store->declare(specs(sensors_)));
    bit_ = store->declare_uplinks({"regional"})->at(0);
    pipe =
        std::make_unique<pipeline::Pipeline>(io->get_executor(), *store, clock, options, sensors_);
    pipe->wanted_by = [this](std::string_view) { return std::uint64_t{1} << bit_; };
    for (indicator::Plan& plan : indicators)
      for (indicator::Input& input : plan.inputs)
        for (const pipeline::Sensor& one : sensors_)
          if (one.id == input.sensor) {
            input.series = one.series;
            input.kind = one.quantity->kind;
            input.interval_ms = one.interval_ms;
          }
    pipe->set_indicators(indicators);
    auto recovered = pipe->recover();
    ASSERT_TRUE(recovered) << recovered.error().what;
  }

  // As a killed process: what is not durable is gone.
  void crash() {
    store.reset();
    pipe.reset();
    io.reset();
  }
  void stop() {
    run_coro(*io, pipe->stop());
    auto stopped = run_coro(*io, store->stop());
    EXPECT_TRUE(stopped) << stopped.error().what;
    crash();
  }

  Reading reading(std::uint32_t index, Raw raw) const {
    Reading r;
    r.sensor = index;
    r.raw = raw;
    r.boot_ns = nanoseconds(clock.boot());
    return r;
  }
  Reading reading(std::uint32_t index, double value) const {
    return reading(index, Raw::of(value));
  }
  Reading missing(std::uint32_t index, Reason reason) const {
    Reading r = reading(index, 0.0);
    r.flag = Flag::missing;
    r.reason = reason;
    return r;
  }

  void take(std::vector<Reading> readings) {
    given += readings.size();
    run_coro(*io, pipe->take(std::move(readings)));
  }
  // Until all that was given is durable and folded, or refused.
  void settle() {
    auto end = std::chrono::steady_clock::now() + 60s;
    io->restart();
    auto stored = [&] {
      store::Status s = store->status();
      std::uint64_t rejected = 0;
      for (const auto& [reason, n] : s.rejected) rejected += n;
      return s.stored + rejected == given && s.waiting_readings == 0;
    };
    while (!stored() && std::chrono::steady_clock::now() < end) io->run_one_for(1ms);
    ASSERT_TRUE(stored());
    io->poll();
    expect_balance();
  }
  void give(std::vector<Reading> readings) {
    take(std::move(readings));
    settle();
  }

  void work() {
    run_coro(*io, pipe->work(), 60s);
    expect_balance();
  }
  // In steps: a process that was not run for long was absent.
  void advance(std::chrono::milliseconds d) {
    while (d > 0ms) {
      auto step = std::min<std::chrono::milliseconds>(d, 5s);
      clock.advance(step);
      work();
      d -= step;
    }
  }
  template <class F>
  bool turn_until(F done) {
    auto end = std::chrono::steady_clock::now() + 10s;
    while (!done() && std::chrono::steady_clock::now() < end) {
      io->restart();
      io->run_one_for(1ms);
    }
    return done();
  }
  void revise() {
    pipe->revise_soon();
    work();
  }

  void expect_balance() {
    store::Status s = store->status();
    pipeline::Pipeline::Underway underway = pipe->underway();
    Counts taken = pipe->taken(), to_fold = pipe->to_fold();
    std::uint64_t rejected = 0, not_folded = 0;
    for (const auto& [reason, n] : s.rejected) rejected += n;
    for (const auto& [reason, n] : s.not_folded) not_folded += n;
    EXPECT_EQ(s.taken, s.stored + rejected + s.waiting_readings);
    EXPECT_EQ(s.stored, s.folded + not_folded + sum(to_fold));
    std::uint64_t stored = 0, folded = 0;
    for (const store::SeriesLedger& one : store->ledger()) {
      const store::Account& account = one.account;
      std::uint64_t refused = account.sum_rejected();
      for (const auto& [reason, counts] : underway.rejected)
        if (auto n = counts.find(one.series); n != counts.end()) refused += n->second;
      EXPECT_EQ(taken[one.series],
                account.stored + refused + one.waiting + underway.readings[one.series])
          << "series " << one.series;
      EXPECT_EQ(account.open(), static_cast<std::int64_t>(to_fold[one.series]))
          << "series " << one.series;
      stored += account.stored;
      folded += account.folded;
    }
    EXPECT_EQ(stored, s.stored) << "the series add up";
    EXPECT_EQ(folded, s.folded);
  }

  void reconfigure(std::vector<pipeline::Sensor> sensors) {
    sensors_ = std::move(sensors);
    auto numbers = run_coro(*io, store->declare_async(specs(sensors_)));
    ASSERT_TRUE(numbers) << numbers.error().what;
    number(*numbers);
    auto done = run_coro(*io, pipe->reconfigure(sensors_));
    ASSERT_TRUE(done);
  }
  // For the next start.
  void configure(std::vector<pipeline::Sensor> sensors) { sensors_ = std::move(sensors); }

  std::vector<Message> messages() {
    std::vector<Message> out;
    store::Pull pull;
    pull.bit = bit_;
    for (;;) {
      auto some = run_coro(*io, store->pull(pull));
      EXPECT_TRUE(some);
      if (!some || some->empty()) return out;
      pull.above = some->back().sequence;
      for (auto& message : *some) out.push_back(std::move(message));
    }
  }
  std::vector<v1::AggregateBatch> batches(const std::string& topic) {
    std::vector<v1::AggregateBatch> out;
    for (const Message& message : messages()) {
      if (message.topic != topic) continue;
      EXPECT_TRUE(out.emplace_back().ParseFromString(message.body));
    }
    return out;
  }
  // All rows of a window length, by start and series.
  std::map<std::pair<std::int64_t, std::int32_t>, Aggregate> rows(std::int64_t window_ms) {
    std::map<std::pair<std::int64_t, std::int32_t>, Aggregate> out;
    store::AggregateQuery query;
    query.window_ms = window_ms;
    query.from_ms = 0;
    query.to_ms = INT64_MAX;
    query.limit = 1'000'000;
    do {
      auto page = run_coro(*io, store->aggregates(query));
      EXPECT_TRUE(page);
      for (const auto& row : page->rows) out[{row.start_ms, row.series}] = row;
      query.after = page->next;
    } while (!query.after.empty());
    return out;
  }
  std::int32_t series(std::size_t index) const { return sensors_[index].series; }

 private:
  static std::vector<store::SeriesSpec> specs(const std::vector<pipeline::Sensor>& sensors) {
    std::vector<store::SeriesSpec> out;
    for (const auto& s : sensors) {
      auto& spec = out.emplace_back();
      spec.sensor = s.id;
      spec.quantity = s.quantity->name;
      spec.unit = s.quantity->unit;
      spec.kind = s.quantity->kind;
      spec.calibration = s.calibration;
    }
    return out;
  }
  void number(const std::vector<std::int32_t>& numbers) {
    for (std::size_t i = 0; i < sensors_.size(); ++i) sensors_[i].series = numbers[i];
  }

  TempDir dir_;
  std::vector<pipeline::Sensor> sensors_;
  int bit_ = 0;

 public:
  std::unique_ptr<boost::asio::io_context> io;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<pipeline::Pipeline> pipe;
};

}  // namespace gerbang::test
