// SPDX-License-Identifier: Apache-2.0
#include "ipc/child.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "async/spawn.hpp"
#include "ipc/frame.hpp"
#include "support/run_coro.hpp"

namespace gerbang::ipc {
namespace {

using namespace std::chrono_literals;
using namespace boost::asio::experimental::awaitable_operators;

std::unique_ptr<Child> start(asio::io_context& io, std::vector<std::string> arguments) {
  auto child = Child::spawn(io.get_executor(),
                            ChildOptions(GERBANG_BINARY_DIR "/bin/child_helper", arguments));
  if (!child) throw std::runtime_error(child.error().what);
  return std::move(*child);
}

std::string read(asio::io_context& io, Child& child) {
  auto frame = test::run_coro(io, child.read());
  return frame ? *frame : "error: " + frame.error().what;
}

Exit exited(asio::io_context& io, Child& child) {
  return test::run_coro(io, child.exited());
}

bool exists(pid_t pid) {
  return ::kill(pid, 0) == 0 || errno != ESRCH;
}

// Neither gone nor a zombie that its new parent has not looked at yet.
bool running(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, state;
  return file >> number >> name >> state && state != "Z";
}

long open_descriptors() {
  long n = 0;
  for ([[maybe_unused]] auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++n;
  return n;
}

TEST(Child, EchoesFramesOfEverySizeInOrder) {
  asio::io_context io(1);
  auto child = start(io, {"echo"});
  std::vector<std::size_t> sizes = {0, 1, 65535, 65536, 65537, 1u << 20, kMaxFrame};
  for (std::size_t size : sizes)
    ASSERT_TRUE(child->send(std::string(size, static_cast<char>('a' + size % 26))));
  for (std::size_t size : sizes)
    EXPECT_EQ(read(io, *child), std::string(size, static_cast<char>('a' + size % 26)));
  EXPECT_EQ(child->unsent(), 0u);
}

TEST(Child, InheritsNothingOfTheParent) {
  int extra = ::open("/dev/null", O_RDONLY);  // on purpose without O_CLOEXEC
  int high = ::fcntl(extra, F_DUPFD, 200);
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  auto pipe_before = ::signal(SIGPIPE, SIG_IGN);
  ::setenv("GERBANG_TEST_VARIABLE", "ours", 1);

  asio::io_context io(1);
  ChildOptions options(GERBANG_BINARY_DIR "/bin/child_helper", {"inherited"});
  options.environment = {"GERBANG_TEST_VARIABLE=theirs"};
  auto child = Child::spawn(io.get_executor(), options);
  ASSERT_TRUE(child);
  EXPECT_EQ(read(io, **child), "0 1 2 3 USR1 free PIPE default own group theirs");

  ::unsetenv("GERBANG_TEST_VARIABLE");
  ::signal(SIGPIPE, pipe_before);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(high);
  ::close(extra);
}

TEST(Child, SaysWhatCouldNotBeStarted) {
  asio::io_context io(1);
  auto child = Child::spawn(io.get_executor(), ChildOptions("/nonexistent/program", {}));
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().code, std::errc::no_such_file_or_directory);
  EXPECT_EQ(child.error().what, "cannot start /nonexistent/program: No such file or directory");
}

TEST(Child, TellsHowItEndedToEveryWaiterAndAfterwards) {
  asio::io_context io(1);
  auto child = start(io, {"exit", "78"});
  auto both = test::run_coro(io, child->exited() && child->exited());
  EXPECT_EQ(std::get<0>(both).text(), "ended with 78");
  EXPECT_EQ(std::get<1>(both).text(), "ended with 78");
  EXPECT_EQ(exited(io, *child).code, 78);
  EXPECT_FALSE(child->send("too late"));
  EXPECT_EQ(read(io, *child), "error: the stream ended");
}

TEST(Child, NamesTheSignalThatKilledIt) {
  asio::io_context io(1);
  auto child = start(io, {"abort"});
  EXPECT_EQ(exited(io, *child).text(), "killed by signal 9 (SIGKILL)");
  EXPECT_EQ(Exit(true, SIGSEGV).text(), "killed by signal 11 (SIGSEGV)");
}

TEST(Child, DeliversWhatWasSentBeforeTheEnd) {
  asio::io_context io(1);
  auto child = start(io, {"last-words"});
  EXPECT_EQ(exited(io, *child).code, 0);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(read(io, *child), "word " + std::to_string(i));
  EXPECT_EQ(read(io, *child), "error: the stream ended");
}

TEST(Child, WhatItLeftBehindIsKilledWithIt) {
  asio::io_context io(1);
  auto child = start(io, {"leaves-a-child"});
  pid_t left = std::stoi(read(io, *child));
  exited(io, *child);
  auto deadline = std::chrono::steady_clock::now() + 1s;
  while (running(left) && std::chrono::steady_clock::now() < deadline)
    test::run_coro(io, sleep_for(10ms));
  EXPECT_FALSE(running(left));
}

TEST(Child, StreamEndsWithTheProcessEvenIfSomebodyElseHoldsTheSocket) {
  asio::io_context io(1);
  auto child = start(io, {"leaves-a-child", "in its own session"});
  pid_t left = std::stoi(read(io, *child));
  EXPECT_EQ(read(io, *child), "error: the stream ended");
  EXPECT_TRUE(running(left));
}

TEST(Child, BrokenFramingIsAnErrorAndHalfAFrameToo) {
  asio::io_context io(1);
  auto garbage = start(io, {"garbage"});
  EXPECT_EQ(read(io, *garbage), "good");
  auto frame = test::run_coro(io, garbage->read());
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().code, std::errc::message_size);

  auto half = start(io, {"half"});
  EXPECT_EQ(read(io, *half), "good");
  EXPECT_EQ(read(io, *half), "error: the stream ended inside a frame");
}

TEST(Child, OneThatIgnoresSigtermIsEndedBySigkill) {
  asio::io_context io(1);
  auto child = start(io, {"ignore-term"});
  ASSERT_EQ(read(io, *child), "deaf");
  child->kill(SIGTERM);
  auto outcome = test::run_coro(io, child->exited() || sleep_for(200ms));
  EXPECT_EQ(outcome.index(), 1u);
  child->kill(SIGKILL);
  EXPECT_EQ(exited(io, *child).text(), "killed by signal 9 (SIGKILL)");
  child->kill(SIGKILL);  // nobody is there any more
}

TEST(Child, AFloodStandsStillWhileNobodyReadsAndLosesNothing) {
  asio::io_context io(1);
  auto child = start(io, {"flood"});
  test::run_coro(io, sleep_for(300ms));  // the socket's buffer is full long before
  for (long i = 0; i < 20000; ++i) {
    auto frame = test::run_coro(io, child->read());
    ASSERT_TRUE(frame);
    long number = 0;
    std::memcpy(&number, frame->data(), sizeof number);
    ASSERT_EQ(number, i);
  }
}

TEST(Child, CancelledReadsLoseNoFrame) {
  asio::io_context io(1);
  auto child = start(io, {"flood"});
  long next = 0;
  int cancelled = 0;
  for (int i = 0; i < 5000; ++i) {
    auto outcome = test::run_coro(io, child->read() || sleep_for(i % 3 * 5us));
    if (outcome.index() == 1) {
      ++cancelled;
      continue;
    }
    long number = 0;
    ASSERT_TRUE(std::get<0>(outcome));
    std::memcpy(&number, std::get<0>(outcome)->data(), sizeof number);
    ASSERT_EQ(number, next++);
  }
  EXPECT_GT(next, 0);
}

TEST(Child, TheSendQueueIsBounded) {
  asio::io_context io(1);
  auto child = start(io, {"sleep"});
  std::string payload(1u << 20, 'x');
  int taken = 0;
  while (taken < 100 && child->send(payload)) ++taken;
  EXPECT_EQ(taken, 15);  // 16 MiB with the frames' heads
  EXPECT_LE(child->unsent(), 16u << 20);
  EXPECT_FALSE(child->send(std::string(kMaxFrame + 1, 'x')));
  EXPECT_EQ(read(io, *child), "here");
  child->kill(SIGKILL);
  exited(io, *child);
  EXPECT_FALSE(child->send("x"));
}

asio::awaitable<void> wait_for_both(Child& child, bool& read_ended, bool& exit_seen) {
  auto frame = co_await child.read();
  while (frame) frame = co_await child.read();
  read_ended = true;
  (void)co_await child.exited();
  exit_seen = true;
}

TEST(Child, DestroyingOneThatRunsKillsAndReapsIt) {
  asio::io_context io(1);
  auto child = start(io, {"ignore-term"});
  ASSERT_EQ(read(io, *child), "deaf");
  pid_t pid = child->pid();
  child->send(std::string(1u << 20, 'x'));  // a write under way
  child.reset();
  auto deadline = std::chrono::steady_clock::now() + 5s;
  while (exists(pid) && std::chrono::steady_clock::now() < deadline) io.run_one_for(10ms);
  EXPECT_FALSE(exists(pid));
}

TEST(Child, AReaderUnderWaySeesTheEndWhenTheChildIsDestroyed) {
  asio::io_context io(1);
  auto child = start(io, {"sleep"});
  Child* running = child.get();
  auto frame = test::run_coro(io, child->read());
  ASSERT_TRUE(frame);
  bool done = false;
  asio::co_spawn(io, running->read(), [&](std::exception_ptr, Result<std::string> result) {
    EXPECT_FALSE(result);
    done = true;
  });
  bool reaped = false;
  asio::co_spawn(io, running->exited(), [&](std::exception_ptr, Exit end) {
    EXPECT_TRUE(end.signalled);
    reaped = true;
  });
  io.restart();
  io.run_for(50ms);
  child.reset();
  io.run_for(5s);
  EXPECT_TRUE(done);
  EXPECT_TRUE(reaped);
}

TEST(Child, ALoopThatGoesAwayFirstLeavesNoProcessBehind) {
  pid_t pid = 0;
  bool read_ended = false, exit_seen = false;
  {
    asio::io_context io(1);
    auto child = start(io, {"ignore-term"});
    pid = child->pid();
    asio::co_spawn(io, wait_for_both(*child, read_ended, exit_seen), asio::detached);
    io.run_for(100ms);
    child.reset();
  }
  EXPECT_FALSE(exists(pid));
}

TEST(Child, TwoHundredSpawnsLeaveNoDescriptorAndNoZombie) {
  asio::io_context io(1);
  auto one = start(io, {"echo"});
  exited(io, *start(io, {"exit", "0"}));
  long before = open_descriptors();
  for (int i = 0; i < 200; ++i) {
    auto child = start(io, {i % 2 == 0 ? "sleep" : "garbage"});
    if (i % 4 == 0) continue;  // destroyed before it could say anything
    ASSERT_TRUE(test::run_coro(io, child->read()));
  }
  auto deadline = std::chrono::steady_clock::now() + 10s;
  while (open_descriptors() > before && std::chrono::steady_clock::now() < deadline)
    io.run_one_for(10ms);
  EXPECT_EQ(open_descriptors(), before);
  one.reset();
  io.restart();
  io.run_for(2s);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(HostProgram, IsFoundBesideTheRunningOneOrNamesWhereItLooked) {
  auto found = host_program("child_helper");
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, std::filesystem::canonical(GERBANG_BINARY_DIR "/bin/child_helper"));
  ::setenv("GERBANG_LIBEXEC", "/opt/nowhere", 1);
  auto missing = host_program("gerbang-no-such-host");
  ::unsetenv("GERBANG_LIBEXEC");
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().what.find("gerbang-no-such-host"), std::string::npos);
  EXPECT_NE(missing.error().what.find("/opt/nowhere"), std::string::npos);
}

}  // namespace
}  // namespace gerbang::ipc
