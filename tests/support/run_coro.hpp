// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace gerbang::test {

// Runs one awaitable on a loop until it is done and returns its value. Fails the test after
// `limit`: a hanging coroutine is a defect, not a slow test.
template <class T>
T run_coro(boost::asio::io_context& io, boost::asio::awaitable<T> task,
           std::chrono::seconds limit = std::chrono::seconds(30)) {
  std::exception_ptr error;
  bool finished = false;
  io.restart();
  auto turn_until_done = [&] {
    auto end = std::chrono::steady_clock::now() + limit;
    while (!finished && std::chrono::steady_clock::now() < end)
      io.run_one_for(std::chrono::milliseconds(50));
    if (!finished) throw std::runtime_error("coroutine did not finish in time");
    if (error) std::rethrow_exception(error);
  };
  if constexpr (std::is_void_v<T>) {
    boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr e) {
      error = e;
      finished = true;
    });
    turn_until_done();
  } else {
    std::optional<T> value;
    boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr e, T result) {
      error = e;
      if (!e) value.emplace(std::move(result));
      finished = true;
    });
    turn_until_done();
    return std::move(*value);
  }
}

}  // namespace gerbang::test
