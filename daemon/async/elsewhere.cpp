// SPDX-License-Identifier: Apache-2.0
#include "async/elsewhere.hpp"

#include <boost/asio/post.hpp>
#include <future>
#include <system_error>

namespace gerbang {
namespace {

// Opens the gate on the loop, however the work ends.
struct Tell {
  Tell(asio::any_io_executor l, Gate& g) : loop(std::move(l)), over(g) {}
  ~Tell() {
    asio::post(loop, [&gate = over] { gate.open(); });
  }
  Tell(const Tell&) = delete;
  Tell& operator=(const Tell&) = delete;
  asio::any_io_executor loop;
  Gate& over;
};

}  // namespace

asio::awaitable<void> elsewhere(asio::any_io_executor loop, std::function<void()> work) {
  Gate over(loop);
  auto job = [&] {
    Tell tell(loop, over);
    work();
  };
  std::future<void> result;
  try {
    result = std::async(std::launch::async, job);
  } catch (const std::system_error&) {  // no more threads: rather here than not at all
    work();
    co_return;
  }
  co_await over.wait();
  result.get();
}

}  // namespace gerbang
