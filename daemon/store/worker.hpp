// SPDX-License-Identifier: Apache-2.0
//
// The store's thread, and the only way to it: work goes over in order, its result comes back to the
// loop. What lies between is lent, never shared.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "async/spawn.hpp"
#include "core/result.hpp"
#include "store/file.hpp"

namespace gerbang::store {

// Threads: call from the loop thread. Results that are under way when it is destroyed are dropped.
class Worker : public std::enable_shared_from_this<Worker> {
 public:
  Worker(std::unique_ptr<File> file, asio::any_io_executor loop);
  // Waits for the work under way; what has not begun is dropped.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // work(File&) there, then back(its result) here.
  template <class F, class B>
  void run(F work, B back);

  // work(File&) there, after all that was run before; nobody hears of it.
  template <class F>
  void then(F work);

  // Runs work(File&) there while the caller waits. T: the Result's value.
  template <class T, class F>
  Result<T> blocking(F work);

  // The same without blocking the loop. arrived(Result<T>&) is called here when the result comes
  // back, before anything that came back later is known.
  template <class T, class F, class A>
  asio::awaitable<Result<T>> hop(F work, A arrived);
  template <class T, class F>
  asio::awaitable<Result<T>> hop(F work);

  // False if the thread owes an answer for longer than that. Asks for one where none is owed.
  bool alive(std::chrono::nanoseconds within);

 private:
  using Steady = std::chrono::steady_clock;

  template <class F>
  static auto consume(F work, File& file);
  void answered();

  asio::any_io_executor loop_;
  Steady::time_point answered_ = Steady::now();
  std::optional<Steady::time_point> asked_;

  asio::io_context jobs_{1};
  asio::executor_work_guard<asio::io_context::executor_type> open_;
  std::unique_ptr<File> file_;  // the thread's
  std::thread thread_;
};

// What the work holds is let go before its result is sent: from then on it is the loop's alone.
template <class F>
auto Worker::consume(F work, File& file) {
  return work(file);
}

template <class F>
void Worker::then(F work) {
  asio::post(jobs_, [this, work = std::move(work)] { work(*file_); });
}

template <class F, class B>
void Worker::run(F work, B back) {
  auto there = [this, work = std::move(work), back = std::move(back),
                weak = weak_from_this()]() mutable {
    auto result = consume(std::move(work), *file_);
    auto here = [result = std::move(result), back = std::move(back),
                 weak = std::move(weak)]() mutable {
      auto self = weak.lock();
      if (!self) return;
      self->answered();
      back(std::move(result));
    };
    asio::post(loop_, std::move(here));
  };
  asio::post(jobs_, std::move(there));
}

template <class T, class F>
Result<T> Worker::blocking(F work) {
  std::promise<Result<T>> promise;
  auto future = promise.get_future();
  asio::post(jobs_, [&] { promise.set_value(work(*file_)); });
  return future.get();
}

template <class T, class F, class A>
asio::awaitable<Result<T>> Worker::hop(F work, A arrived) {
  struct Trip {
    explicit Trip(const asio::any_io_executor& loop) : gate(loop) {}
    std::optional<Result<T>> result;
    Gate gate;
  };
  auto trip = std::make_shared<Trip>(loop_);
  auto back = [trip, arrived = std::move(arrived)](Result<T> result) mutable {
    arrived(result);
    trip->result.emplace(std::move(result));
    trip->gate.open();
  };
  run(std::move(work), std::move(back));
  co_await trip->gate.wait();
  if (!trip->result) co_return fail(std::errc::operation_canceled, "cancelled");
  co_return std::move(*trip->result);
}

template <class T, class F>
asio::awaitable<Result<T>> Worker::hop(F work) {
  auto nothing = [](Result<T>&) {};
  return hop<T>(std::move(work), nothing);
}

}  // namespace gerbang::store
