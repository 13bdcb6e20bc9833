// SPDX-License-Identifier: Apache-2.0
//
// What the tests of ipc::Child start: one behaviour by name, frames on descriptor 3.
#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "ipc/frame.hpp"

namespace {

constexpr int kSocket = 3;

bool write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = ::write(kSocket, bytes.data(), bytes.size());
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool send(std::string_view payload) {
  std::string frame;
  gerbang::ipc::append_frame(frame, payload);
  return write_all(frame);
}

int echo() {
  gerbang::ipc::FrameReader frames;
  char buffer[65536];
  for (;;) {
    ssize_t n = ::read(kSocket, buffer, sizeof buffer);
    if (n <= 0) return 0;
    frames.feed(std::string_view(buffer, static_cast<std::size_t>(n)));
    for (;;) {
      auto frame = frames.next();
      if (!frame) return 2;
      if (!*frame) break;
      if (!send(**frame)) return 0;
    }
  }
}

// "0 1 2 3", and what the signals look like.
std::string what_it_inherited() {
  std::string out;
  DIR* folder = ::opendir("/proc/self/fd");
  while (dirent* entry = ::readdir(folder)) {
    int fd = std::atoi(entry->d_name);
    if (entry->d_name[0] == '.' || fd == ::dirfd(folder)) continue;
    out += std::to_string(fd) + " ";
  }
  ::closedir(folder);
  sigset_t mask;
  ::sigprocmask(SIG_SETMASK, nullptr, &mask);
  struct sigaction pipe {};
  ::sigaction(SIGPIPE, nullptr, &pipe);
  out += ::sigismember(&mask, SIGUSR1) == 1 ? "USR1 blocked " : "USR1 free ";
  out += pipe.sa_handler == SIG_DFL ? "PIPE default " : "PIPE changed ";
  out += ::getpgrp() == ::getpid() ? "own group " : "our group ";
  const char* variable = std::getenv("GERBANG_TEST_VARIABLE");
  return out + (variable == nullptr ? "unset" : variable);
}

}  // namespace

int main(int argc, char** argv) {
  std::string mode = argc > 1 ? argv[1] : "";
  ::alarm(60);  // whatever a test forgets
  if (mode == "echo") return echo();
  if (mode == "inherited") return send(what_it_inherited()) ? 0 : 1;
  if (mode == "exit") return std::atoi(argv[2]);
  if (mode == "abort") ::raise(SIGKILL);
  if (mode == "last-words") {
    std::string all;  // at once: the socket holds few small writes
    for (int i = 0; i < 1000; ++i) gerbang::ipc::append_frame(all, "word " + std::to_string(i));
    return write_all(all) ? 0 : 1;
  }
  if (mode == "leaves-a-child") {
    pid_t left = ::fork();
    if (left == 0) {
      if (argc > 2) ::setsid();  // beyond our reach
      ::close(STDOUT_FILENO);
      ::close(STDERR_FILENO);
      ::sleep(2);
      ::_exit(0);
    }
    while (argc > 2 && ::getsid(left) != left) ::usleep(1000);  // until it is beyond our reach
    send(std::to_string(left));
    return 0;
  }
  if (mode == "ignore-term") {
    ::signal(SIGTERM, SIG_IGN);
    send("deaf");
    for (;;) ::pause();
  }
  if (mode == "sleep") {
    send("here");
    for (;;) ::pause();
  }
  if (mode == "garbage") {
    send("good");
    write_all("\xff\xff\xff\xff this is no frame");
    for (;;) ::pause();
  }
  if (mode == "half") {
    send("good");
    write_all(std::string_view("\x10\x00\x00\x00half", 8));
    return 0;
  }
  if (mode == "flood") {
    std::string payload(1000, 'x');
    for (long i = 0;; ++i) {
      std::memcpy(payload.data(), &i, sizeof i);
      if (!send(payload)) return 0;
    }
  }
  return 64;
}
