// SPDX-License-Identifier: Apache-2.0
//
// A real process is killed while it writes; what it had called durable must be there.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>
#include <set>
#include <sstream>

#include "store/fixture.hpp"

namespace gerbang::store::test {
namespace {

class StoreKill : public StoreTest {
 protected:
  StoreKill() { options.board = Board{"machine", "serial"}; }

  // Starts the writer, kills it `after` its first line, returns all that it printed.
  std::string write_and_kill(std::chrono::milliseconds after) {
    int pipe_fds[2];
    EXPECT_EQ(::pipe2(pipe_fds, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDOUT_FILENO);
    std::string program = GERBANG_BINARY_DIR "/bin/store_writer", path = options.path;
    char* arguments[] = {program.data(), path.data(), nullptr};
    pid_t pid = 0;
    EXPECT_EQ(posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    ::close(pipe_fds[1]);

    std::string out;
    char buffer[4096];
    auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    bool killed = false;
    for (;;) {
      auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          deadline - std::chrono::steady_clock::now());
      pollfd wait{pipe_fds[0], POLLIN, 0};
      if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) == 0) {
        EXPECT_FALSE(out.empty()) << "the writer wrote nothing";
        if (!killed) ::kill(pid, SIGKILL);
        killed = true;
        deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        continue;
      }
      ssize_t n = ::read(pipe_fds[0], buffer, sizeof buffer);
      if (n <= 0) break;  // its end: what stood in the pipe was said before the kill
      if (out.empty()) deadline = std::chrono::steady_clock::now() + after;
      out.append(buffer, static_cast<std::size_t>(n));
    }
    ::close(pipe_fds[0]);
    int status = 0;
    ::waitpid(pid, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself";
    return out;
  }
};

TEST_F(StoreKill, EverythingThatWasCalledDurableIsThereAfterSigkill) {
  std::mt19937 random(1);
  std::int64_t readings = -1, messages = 0;
  for (int kill = 0; kill < 5; ++kill) {
    std::istringstream said(write_and_kill(std::chrono::milliseconds(20 + random() % 150)));
    std::string what;
    for (std::int64_t number = 0; said >> what >> number;)
      (what == "r" ? readings : messages) = number;

    open();
    ASSERT_TRUE(store);
    EXPECT_EQ(store->status().trouble, "");
    std::int64_t next = 0;
    for (const auto& r : replay()) ASSERT_EQ(r.raw.integer, next++) << "kill " << kill;
    EXPECT_GT(next, readings);
    EXPECT_LE(next, readings + 1 + 10) << "at most the batch that was not answered";
    Sequence last = store->identity().last_sequence;
    EXPECT_GE(last, messages);
    EXPECT_LE(last, messages + 2);
    std::set<Sequence> waiting;
    for (const auto& m : pull(0, {}, 0, 1'000'000)) waiting.insert(m.sequence);
    for (Sequence s = 2; s <= last; s += 2)
      ASSERT_EQ(waiting.count(s), 1u) << "message " << s << " was never acknowledged";
    UplinkCounts c = store->uplink_counts(0);
    EXPECT_EQ(c.made, static_cast<std::uint64_t>(last));
    EXPECT_EQ(c.waiting, waiting.size());
    EXPECT_EQ(store->status().taken, static_cast<std::uint64_t>(next));
    crash();
  }
  EXPECT_GT(messages, 0);
}

}  // namespace
}  // namespace gerbang::store::test
