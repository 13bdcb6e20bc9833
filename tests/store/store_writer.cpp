// SPDX-License-Identifier: Apache-2.0
//
// Writes for ever and prints each number that the store called durable: "r N" for readings 0 … N,
// "m N" for messages 1 … N. Its test kills it.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "observe/log.hpp"
#include "store/fixture.hpp"

namespace gerbang::store::test {
namespace {

void say(const char* what, std::int64_t number) {
  std::string line = std::string(what) + " " + std::to_string(number) + "\n";
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::perror("write");
}

asio::awaitable<void> write_readings(Store& store, std::int64_t next) {
  for (;;) {
    Batch b = batch({});
    for (int i = 0; i < 10; ++i) {
      Reading r = reading(1, next, 0);
      r.raw = Raw::of(next++);
      b.readings.push_back(r);
    }
    auto id = co_await store.append(std::move(b));
    if (!id) co_return;
    say("r", next - 1);
  }
}

asio::awaitable<void> write_messages(Store& store) {
  for (std::uint64_t i = 0;; ++i) {
    Fold f = fold({message("x", 1), message("y", 1)});
    auto last = co_await store.commit(std::move(f));
    if (!last) co_return;
    say("m", *last);
    store.done(0, *last - 1, Outcome::acknowledged, "");
  }
}

int write_for_ever(const char* path) {
  spdlog::set_level(spdlog::level::off);  // its output is for the test
  boost::asio::io_context io{1};
  Options options;
  options.path = path;
  options.commit_interval = std::chrono::milliseconds(1);
  options.board = Board{"machine", "serial"};
  auto store = Store::open(options, io.get_executor());
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().what.c_str());
    return 1;
  }
  std::int64_t next = 0;
  auto count = [&](const StoredReading& r) { next = std::max(next, r.raw.integer + 1); };
  if (!(*store)->declare_uplinks({"a"}) || !(*store)->replay(0, count)) return 1;
  spawn_critical(io.get_executor(), "readings", write_readings(**store, next));
  spawn_critical(io.get_executor(), "messages", write_messages(**store));
  io.run();
  return 1;
}

}  // namespace
}  // namespace gerbang::store::test

int main(int argc, char** argv) {
  return argc == 2 ? gerbang::store::test::write_for_ever(argv[1]) : 64;
}
