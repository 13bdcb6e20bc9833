// SPDX-License-Identifier: Apache-2.0
//
// The only place that calls co_spawn with a handler. A task is a named coroutine function; it takes
// what it needs by value, or by reference to objects that the composition root owns. The traps of
// GCC 12 are in CONTRIBUTING.md.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>

namespace gerbang {

namespace asio = boost::asio;

// A task that the program cannot live without. An exception that leaves it leaves
// io_context::run(), and main ends with an error. `name` must be a literal.
void spawn_critical(asio::any_io_executor executor, const char* name, asio::awaitable<void> task);

// One session of many (an HTTP connection, a driver's run): an exception is logged and forgotten.
void spawn_session(asio::any_io_executor executor, const char* name, asio::awaitable<void> task);

// Completes after d (monotonic clock). Cancelled: throws operation_aborted.
asio::awaitable<void> sleep_for(std::chrono::nanoseconds d);

// A flag that coroutines of one thread wait for. After open() every wait() completes at once.
class Gate {
 public:
  explicit Gate(asio::any_io_executor executor);
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  void open();
  void close();
  bool is_open() const;
  asio::awaitable<void> wait();

 private:
  struct Timer;
  Timer* timer_;
};

}  // namespace gerbang
