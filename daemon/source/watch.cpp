// SPDX-License-Identifier: Apache-2.0
#include "source/watch.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <memory>
#include <utility>

#include "async/spawn.hpp"
#include "source/conversation.hpp"

namespace gerbang::source {
namespace {

using namespace std::chrono_literals;
using namespace boost::asio::experimental::awaitable_operators;

constexpr std::chrono::nanoseconds kLook = 100ms, kRest = 2s, kStop = 2s;

struct Watching {
  bool over = false;
  std::size_t running = 0;
};

// Until the end is near; the host then has a moment to release its line.
asio::awaitable<void> until_over(const Watching& all, ipc::Child& child) {
  while (!all.over) co_await sleep_for(kLook);
  child.send(encode_stop());
  (void)co_await (child.exited() || sleep_for(kStop));
}

asio::awaitable<void> attend(const Watching& all, Watched& line, ipc::Child& child) {
  Conversation talk;
  talk.request = encode_configure(line.spec, static_cast<bool>(line.listener.trace), false);
  talk.on_frame = [&line](HostFrame& frame) {
    if (auto* trouble = std::get_if<Trouble>(&frame); trouble != nullptr && line.trouble)
      line.trouble(trouble->text);
    tell_of(line.spec, line.listener, frame);
    return false;
  };
  (void)co_await (converse(talk, child) || until_over(all, child));
  if (!all.over && talk.failed && line.trouble) line.trouble(talk.failed->what);
}

asio::awaitable<void> keep_running(Watching& all, Watched& line, std::string host) {
  const auto executor = co_await asio::this_coro::executor;
  std::vector<std::string> arguments{"--driver", line.spec.plugin_path};
  while (!all.over) {
    ipc::ChildOptions options(host, arguments);
    auto child = ipc::Child::spawn(executor, std::move(options));
    if (child)
      co_await attend(all, line, **child);
    else if (line.trouble)
      line.trouble(child.error().what);
    for (auto left = kRest; left > 0ns && !all.over; left -= kLook) co_await sleep_for(kLook);
  }
  --all.running;
}

asio::awaitable<void> steps(Watching& all, const std::function<bool()>& step) {
  while (step()) co_await sleep_for(kLook);
  all.over = true;
}

}  // namespace

void watch(const std::string& host, std::vector<Watched>& lines,
           const std::function<bool()>& step) {
  asio::io_context io(1);
  Watching all;
  for (Watched& line : lines) {
    ++all.running;
    spawn_critical(io.get_executor(), "watched driver", keep_running(all, line, host));
  }
  spawn_critical(io.get_executor(), "steps", steps(all, step));
  while (!all.over || all.running > 0) io.run_one();
}

}  // namespace gerbang::source
