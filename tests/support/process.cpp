// SPDX-License-Identifier: Apache-2.0
#include "support/process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace gerbang::test {
namespace {

pid_t start(const std::vector<std::string>& arguments, const std::filesystem::path& output) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  posix_spawn_file_actions_addclosefrom_np(&files, 3);
  std::vector<std::string> words = arguments;
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  // Where Debian has mosquitto; the PATH of an ordinary user ends before it.
  static const bool there = [] {
    const char* path = std::getenv("PATH");
    return ::setenv("PATH", (std::string(path ? path : "/usr/bin:/bin") + ":/usr/sbin").c_str(),
                    1) == 0;
  }();
  (void)there;
  pid_t pid = -1;
  int error = posix_spawnp(&pid, argv[0], &files, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) throw std::runtime_error("cannot start " + arguments[0]);
  return pid;
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

}  // namespace

Process::Process(std::vector<std::string> arguments, const std::filesystem::path& output)
    : pid_(start(arguments, output)) {}

Process::~Process() {
  stop(SIGKILL);
}

bool Process::reap(bool wait) {
  if (!ended_) ended_ = waitpid(pid_, &status_, wait ? 0 : WNOHANG) == pid_;
  return ended_;
}

bool Process::running() {
  return !reap(false);
}

void Process::signal(int number) {
  if (!ended_) ::kill(pid_, number);
}

int Process::stop(int number, std::chrono::seconds patience) {
  signal(number);
  if (number == SIGKILL) reap(true);
  for (auto end = std::chrono::steady_clock::now() + patience; !reap(false);) {
    if (std::chrono::steady_clock::now() > end) {
      signal(SIGKILL);
      reap(true);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_);
}

void run_program(const std::vector<std::string>& arguments, const std::filesystem::path& folder) {
  auto output = folder / "run.log";
  pid_t pid = start(arguments, output);
  int status = 0;
  waitpid(pid, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw std::runtime_error(arguments[0] + " failed: " + read_file(output));
}

int free_port() {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  bool good = bind(fd, generic, length) == 0 && getsockname(fd, generic, &length) == 0;
  close(fd);
  if (!good) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

bool port_open(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(port);
  bool open = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return open;
}

std::vector<pid_t> children(const std::string& name) {
  std::vector<pid_t> out;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    // "PID (NAME) STATE PPID …"
    std::string stat = read_file(entry.path() / "stat");
    auto open = stat.find('('), close = stat.rfind(')');
    if (close == std::string::npos || stat.substr(open + 1, close - open - 1) != name) continue;
    if (std::stoi(stat.substr(close + 4)) == getpid()) out.push_back(std::stoi(pid));
  }
  return out;
}

std::string read_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace gerbang::test
