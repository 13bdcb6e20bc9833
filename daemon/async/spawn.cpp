// SPDX-License-Identifier: Apache-2.0
#include "async/spawn.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

#include "observe/log.hpp"

namespace gerbang {

void spawn_critical(asio::any_io_executor executor, const char* name, asio::awaitable<void> task) {
  auto ended = [name](std::exception_ptr error) {
    if (!error) return;
    spdlog::critical("task {} died", name);
    std::rethrow_exception(error);
  };
  asio::co_spawn(executor, std::move(task), ended);
}

void spawn_session(asio::any_io_executor executor, const char* name, asio::awaitable<void> task) {
  auto ended = [name](std::exception_ptr error) {
    if (!error) return;
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& e) {
      spdlog::debug("{} ended: {}", name, e.what());
    }
  };
  asio::co_spawn(executor, std::move(task), ended);
}

asio::awaitable<void> sleep_for(std::chrono::nanoseconds d) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(d));
  co_await timer.async_wait(asio::use_awaitable);
}

struct Gate::Timer {
  explicit Timer(asio::any_io_executor executor) : timer(std::move(executor)) {}
  asio::steady_timer timer;
  bool open = false;
};

Gate::Gate(asio::any_io_executor executor) : timer_(new Timer(std::move(executor))) {
  close();
}
Gate::~Gate() {
  delete timer_;
}

void Gate::open() {
  timer_->open = true;
  timer_->timer.cancel();
}

void Gate::close() {
  timer_->open = false;
  timer_->timer.expires_at(asio::steady_timer::time_point::max());
}

bool Gate::is_open() const {
  return timer_->open;
}

asio::awaitable<void> Gate::wait() {
  auto token = asio::as_tuple(asio::use_awaitable);
  while (!timer_->open) {
    auto result = co_await timer_->timer.async_wait(token);
    auto cancelled = co_await asio::this_coro::cancellation_state;
    if (cancelled.cancelled() != asio::cancellation_type::none) co_return;
    (void)result;
  }
}

}  // namespace gerbang
