// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "http/server.hpp"
#include "support/http_example.hpp"

namespace gerbang::test {

// History of `rows` readings, one a second from the query's start, of the first sensor asked for.
class CountingQueries final : public http::Queries {
 public:
  std::size_t rows = 0;
  std::size_t largest_page = 0;  // that was ever asked for
  std::size_t fail_after = SIZE_MAX;
  std::size_t pages = 0;

  http::asio::awaitable<Result<http::ReadingPage>> readings(http::ReadingQuery query) override {
    largest_page = std::max(largest_page, query.limit);
    if (!query.sensors.empty() && query.sensors[0] == "nobody")
      co_return fail(std::errc::no_such_file_or_directory, "sensor nobody has no history");
    if (pages++ >= fail_after) co_return fail(std::errc::io_error, "the store does not answer");
    http::ReadingPage page;
    http::SeriesRef series;
    series.sensor = query.sensors.empty() ? "raw-ph" : query.sensors[0];
    series.unit = "NTU";
    page.series.push_back(series);
    std::size_t at = query.after.empty() ? 0 : std::stoul(query.after);
    for (; at < rows && page.rows.size() < query.limit; ++at) {
      http::ReadingRow row;
      row.time_ms = query.from_ms + static_cast<std::int64_t>(at) * 1'000;
      row.value = static_cast<double>(at) / 4;
      row.flag = Flag::good;
      row.clock = ClockTrust::trusted;
      page.rows.push_back(row);
    }
    if (at < rows) page.next = std::to_string(at);
    co_return page;
  }

  http::asio::awaitable<Result<http::AggregatePage>> aggregates(http::AggregateQuery) override {
    http::AggregatePage page;
    co_return page;
  }

  http::asio::awaitable<Result<http::EventPage>> events(http::EventQuery) override {
    http::EventPage page;
    co_return page;
  }
};

// A real server on a free port, on a thread of its own. What it shows may be changed with with().
class HttpServer {
 public:
  explicit HttpServer(http::Options options) : snapshot_(example_snapshot()) {
    start_ = std::chrono::steady_clock::now();
    if (options.listen == http::Options().listen) options.listen = "127.0.0.1:0";
    server_ = std::make_unique<http::Server>(
        io_.get_executor(), std::move(options), [this] { return show(); },
        [this] { return version_; }, queries_);
    if (auto running = server_->run(); !running) throw std::runtime_error(running.error().what);
    thread_ = std::thread([this] { io_.run(); });
  }
  ~HttpServer() {
    with([this](http::Snapshot&) { server_->stop(); });
    work_.reset();
    thread_.join();
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Time goes on, so that ages do; frozen, it does not.
  void freeze() {
    with([this](http::Snapshot&) { frozen_ = true; });
  }

  // After n more snapshots every connection that needs one breaks off.
  void break_after(int n) {
    with([this, n](http::Snapshot&) { snapshots_left_ = n; });
  }

  std::uint16_t port() const { return server_->port(); }

  // Runs `change` on the loop and waits for it.
  void with(std::function<void(http::Snapshot&)> change) {
    std::promise<void> done;
    boost::asio::post(io_, [&] {
      change(snapshot_);
      ++version_;
      done.set_value();
    });
    done.get_future().wait();
  }

  void set(std::size_t CountingQueries::*what, std::size_t value) {
    with([&](http::Snapshot&) { queries_.*what = value; });
  }
  std::size_t get(std::size_t CountingQueries::*what) {
    std::size_t value = 0;
    with([&](http::Snapshot&) { value = queries_.*what; });
    return value;
  }

 private:
  http::Snapshot show() {
    if (snapshots_left_ == 0) throw std::runtime_error("no more snapshots");
    if (snapshots_left_ > 0) --snapshots_left_;
    http::Snapshot now = snapshot_;
    if (frozen_) return now;
    auto since = std::chrono::steady_clock::now() - start_;
    now.now_ms += std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
    now.boot_ns += std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
    return now;
  }

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      io_.get_executor()};
  CountingQueries queries_;
  http::Snapshot snapshot_;
  std::uint64_t version_ = 1;
  bool frozen_ = false;
  int snapshots_left_ = -1;  // negative: no end
  std::chrono::steady_clock::time_point start_;
  std::unique_ptr<http::Server> server_;
  std::thread thread_;
};

}  // namespace gerbang::test
