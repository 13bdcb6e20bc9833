// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace gerbang::test {

// A program that we did not write, in the background. It ends with the object.
class Process {
 public:
  // output: where stdout and stderr go (appended).
  Process(std::vector<std::string> arguments, const std::filesystem::path& output);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  bool running();
  void signal(int number);
  // Sends the signal and waits for the end; SIGKILL after `patience`. The exit status, or -signal.
  int stop(int number = 15, std::chrono::seconds patience = std::chrono::seconds(5));
  pid_t pid() const { return pid_; }

 private:
  bool reap(bool wait);
  pid_t pid_ = -1;
  bool ended_ = false;
  int status_ = 0;
};

// Runs a program to its end; throws with its output when it fails.
void run_program(const std::vector<std::string>& arguments, const std::filesystem::path& folder);

// A TCP port of the loopback address that the kernel says is free.
int free_port();
bool port_open(int port);

// Our own children with this name (of the kernel's: 15 characters).
std::vector<pid_t> children(const std::string& name);

std::string read_file(const std::filesystem::path& file);

}  // namespace gerbang::test
