// SPDX-License-Identifier: Apache-2.0
#include "ipc/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
extern "C" {  // glibc 2.36 forgot it in this header
#include <sys/pidfd.h>
}

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>

#include "async/spawn.hpp"
#include "ipc/frame.hpp"

namespace gerbang::ipc {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kReadBuffer = 64u << 10;
constexpr std::size_t kQueueBound = 16u << 20;
constexpr std::size_t kQueueKept = 16u << 10;  // capacity that an idle queue may keep
constexpr int kHostSocket = 3;

std::error_code last_error() {
  return std::error_code(errno, std::generic_category());
}

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// What posix_spawn is told, released at the end of the scope.
struct SpawnPlan {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;

  explicit SpawnPlan(int socket) {
    posix_spawn_file_actions_init(&files);
    // First, because the socket may itself be 0, 1 or 2 in a program that was started without them.
    posix_spawn_file_actions_adddup2(&files, socket, kHostSocket);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    // A library that prints must not end up in what our own stdout is for.
    if (::fcntl(STDERR_FILENO, F_GETFD) >= 0)
      posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files, kHostSocket + 1);

    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnPlan() {
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
};

// Our environment with `more` added or put in place of what has the same name.
std::vector<std::string> environment_with(const std::vector<std::string>& more) {
  auto name_of = [](std::string_view entry) { return entry.substr(0, entry.find('=')); };
  std::vector<std::string> out = more;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    bool replaced = false;
    for (const std::string& other : more) replaced |= name_of(other) == name_of(*entry);
    if (!replaced) out.emplace_back(*entry);
  }
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// nullopt: it still runs.
std::optional<Exit> reap(int pidfd) {
  auto look = [pidfd](siginfo_t& info, int options) {
    info = siginfo_t{};
    return ::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG | options);
  };
  siginfo_t info;
  if (look(info, WNOWAIT) == 0 && info.si_pid == 0) return std::nullopt;
  // While it is a zombie nobody else can have its number: what it started goes with it.
  if (info.si_pid > 0) ::kill(-info.si_pid, SIGKILL);
  if (look(info, 0) != 0) return Exit(false, -1);  // somebody else has waited for it
  return Exit(info.si_code != CLD_EXITED, info.si_status);
}

}  // namespace

std::string Exit::text() const {
  if (!signalled) return "ended with " + std::to_string(code);
  std::string out = "killed by signal " + std::to_string(code);
  if (const char* name = ::sigabbrev_np(code)) out.append(" (SIG").append(name).append(")");
  return out;
}

struct Child::State {
  State(asio::any_io_executor executor, pid_t p)
      : pid(p), process(executor), socket(executor), work(executor), ended(executor) {}
  ~State();

  pid_t pid;
  asio::posix::stream_descriptor process;  // pidfd
  asio::local::stream_protocol::socket socket;
  std::optional<Exit> exit;

  FrameReader frames;
  std::array<char, kReadBuffer> buffer;
  bool end_of_stream = false;

  std::string pending, writing;  // frames: queued, and under way
  bool no_writing = false;       // the peer is gone, or the Child
  Gate work;                     // something is queued
  Gate ended;                    // exit is set

  static asio::awaitable<void> watch(std::shared_ptr<State> self);
  static asio::awaitable<void> write(std::shared_ptr<State> self);
  static asio::awaitable<Result<std::string>> read(std::shared_ptr<State> self);
  static asio::awaitable<Exit> wait(std::shared_ptr<State> self);

  void signal(int number) {
    if (!exit) ::pidfd_send_signal(process.native_handle(), number, nullptr, 0);
  }
};

// Only when the loop goes away before the process does; otherwise watch() has reaped it.
Child::State::~State() {
  if (exit || !process.is_open()) return;
  signal(SIGKILL);
  auto deadline = std::chrono::steady_clock::now() + 2s;  // for a process stuck in the kernel
  while (!reap(process.native_handle()) && std::chrono::steady_clock::now() < deadline) {
    pollfd ends{process.native_handle(), POLLIN, 0};
    ::poll(&ends, 1, 10);
  }
}

asio::awaitable<void> Child::State::watch(std::shared_ptr<State> self) {
  auto token = asio::as_tuple(asio::use_awaitable);
  while (!self->exit) {
    auto waited = co_await self->process.async_wait(asio::posix::descriptor_base::wait_read, token);
    if (std::get<0>(waited)) co_return;
    self->exit = reap(self->process.native_handle());
    if (!self->exit) co_await sleep_for(10ms);  // dead, but a debugger still holds it
  }
  // What it sent before it ended can still be read, and then the stream ends, even if a process
  // that left its group holds the other end.
  boost::system::error_code ignored;
  self->socket.shutdown(asio::socket_base::shutdown_both, ignored);
  self->process.close(ignored);
  self->no_writing = true;
  self->work.open();
  self->ended.open();
}

asio::awaitable<void> Child::State::write(std::shared_ptr<State> self) {
  auto token = asio::as_tuple(asio::use_awaitable);
  while (!self->no_writing) {
    if (self->pending.empty()) {
      self->work.close();
      co_await self->work.wait();
      continue;
    }
    std::swap(self->pending, self->writing);
    auto written = co_await asio::async_write(self->socket, asio::buffer(self->writing), token);
    if (std::get<0>(written)) self->no_writing = true;
    self->writing.clear();
    if (self->writing.capacity() > kQueueKept) self->writing.shrink_to_fit();
  }
  self->pending = std::string();
}

asio::awaitable<Result<std::string>> Child::State::read(std::shared_ptr<State> self) {
  auto token = asio::as_tuple(asio::use_awaitable);
  for (;;) {
    // Before a frame is taken: the result of a cancelled coroutine is thrown away.
    auto cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none)
      co_return fail(std::errc::operation_canceled, "reading was cancelled");
    auto frame = self->frames.next();
    if (!frame) co_return fail(std::move(frame).error());
    if (*frame) co_return std::string(**frame);
    if (self->end_of_stream)
      co_return fail(std::errc::connection_reset, self->frames.waiting() > 0
                                                      ? "the stream ended inside a frame"
                                                      : "the stream ended");
    auto space = asio::buffer(self->buffer);
    auto got = co_await self->socket.async_read_some(space, token);
    if (std::size_t n = std::get<1>(got); n > 0)
      self->frames.feed(std::string_view(self->buffer.data(), n));
    else
      self->end_of_stream =
          std::get<0>(got) != asio::error::operation_aborted || !self->socket.is_open();
  }
}

asio::awaitable<Exit> Child::State::wait(std::shared_ptr<State> self) {
  while (!self->exit) {
    co_await self->ended.wait();
    auto cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none)
      throw boost::system::system_error(asio::error::operation_aborted);
  }
  co_return *self->exit;
}

Result<std::unique_ptr<Child>> Child::spawn(asio::any_io_executor executor, ChildOptions options) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    return fail(last_error(), "no socket pair for " + options.program);
  Descriptor ours(pair[0]), theirs(pair[1]);

  std::vector<std::string> words = {options.program};
  for (std::string& argument : options.arguments) words.push_back(std::move(argument));
  std::vector<std::string> environment = environment_with(options.environment);
  auto argv = pointers(words);
  auto envp = pointers(environment);
  SpawnPlan plan(theirs.get());
  pid_t pid = 0;
  if (int error = ::posix_spawn(&pid, options.program.c_str(), &plan.files, &plan.attributes,
                                argv.data(), envp.data()))
    return fail(static_cast<std::errc>(error),
                "cannot start " + options.program + ": " + std::strerror(error));

  Descriptor process(::pidfd_open(pid, 0));
  if (process.get() < 0) {
    auto error = last_error();
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return fail(error, "cannot watch " + options.program + ": " + error.message());
  }
  auto state = std::make_shared<State>(executor, pid);
  state->process.assign(process.release());
  state->socket.assign(asio::local::stream_protocol(), ours.release());
  spawn_session(executor, "child exit", State::watch(state));
  spawn_session(executor, "child writer", State::write(state));
  return std::unique_ptr<Child>(new Child(std::move(state)));
}

Child::Child(std::shared_ptr<State> state) : state_(std::move(state)) {}

Child::~Child() {
  state_->signal(SIGKILL);
  state_->no_writing = true;
  state_->work.open();
  boost::system::error_code ignored;
  state_->socket.close(ignored);
}

asio::awaitable<Result<std::string>> Child::read() {
  return State::read(state_);
}

bool Child::send(std::string_view payload) {
  State& state = *state_;
  if (state.no_writing || payload.size() > kMaxFrame) return false;
  if (unsent() + payload.size() > kQueueBound) return false;
  append_frame(state.pending, payload);
  state.work.open();
  return true;
}

std::size_t Child::unsent() const {
  return state_->pending.size() + state_->writing.size();
}

asio::awaitable<Exit> Child::exited() {
  return State::wait(state_);
}

void Child::kill(int signal) {
  state_->signal(signal);
}

pid_t Child::pid() const {
  return state_->pid;
}

}  // namespace gerbang::ipc
