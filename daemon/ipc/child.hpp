// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace gerbang::ipc {

namespace asio = boost::asio;

// How a process ended. text(): "ended with 78", "killed by signal 11 (SIGSEGV)".
struct Exit {
  bool signalled = false;
  int code = 0;  // exit status, or the signal's number

  Exit() {}  // Asio makes one where a coroutine fails
  Exit(bool s, int c) : signalled(s), code(c) {}
  std::string text() const;
};

struct ChildOptions {
  std::string program;
  std::vector<std::string> arguments;    // without argv[0]
  std::vector<std::string> environment;  // "NAME=value", beside the daemon's own

  ChildOptions(std::string p, std::vector<std::string> a)
      : program(std::move(p)), arguments(std::move(a)) {}
};

// A host process with one socket, its descriptor 3, over which frames pass. One implementation for
// driver hosts and uplink hosts. All functions on the loop thread. Destroying a Child that still
// runs kills it with SIGKILL and reaps it. When it has ended, what is left of its process group is
// killed too: nobody keeps the serial port that its successor needs.
class Child {
 public:
  // posix_spawn in a process group of its own (Ctrl-C reaches the daemon alone), with the signals
  // of a fresh process and no descriptor but 3, /dev/null as 0, and our stderr as 1 and 2. Takes
  // milliseconds.
  static Result<std::unique_ptr<Child>> spawn(asio::any_io_executor executor, ChildOptions options);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // The next frame's payload. Fails with errc::connection_reset at the end of the stream, after all
  // that was sent before it, and with errc::message_size when the peer breaks the framing. One
  // reader at a time; cancelling loses no frame. Not reading is how back-pressure is made.
  asio::awaitable<Result<std::string>> read();

  // Queues one frame and writes in the background. The queue is bounded (16 MiB): false and nothing
  // queued when it is full, the peer is gone, or the payload is longer than kMaxFrame.
  bool send(std::string_view payload);
  std::size_t unsent() const;

  // Completes when the process has ended; any number of waiters, also afterwards.
  asio::awaitable<Exit> exited();

  void kill(int signal);
  pid_t pid() const;

 private:
  struct State;
  explicit Child(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // shared with the coroutines under way
};

// The path of one of our programs: beside the running one, else in the install directory, else the
// environment variable GERBANG_LIBEXEC. Error: what was looked for and where.
Result<std::string> host_program(std::string_view name);

}  // namespace gerbang::ipc
