// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "modbus/frame.hpp"
#include "scripted_server.hpp"

namespace gerbang::test {

// Units on a serial line that do what the test says. `path` is a link to the pseudo-terminal, like
// those in /dev/serial/by-id; unplug() takes the terminal away, plug() brings another one under the
// same link.
class ScriptedRtu {
 public:
  using Bytes = ScriptedServer::Bytes;
  using Question = ScriptedServer::Question;
  using Reply = ScriptedServer::Reply;
  using Script = ScriptedServer::Script;

  static Bytes with_crc(Bytes frame) {
    const std::uint16_t crc = modbus::crc16(frame);
    frame.push_back(static_cast<std::uint8_t>(crc & 0xFF));
    frame.push_back(static_cast<std::uint8_t>(crc >> 8));
    return frame;
  }
  static Bytes right(const Question& q) { return with_crc(q.body()); }
  static std::vector<Reply> answer(const Question& q) { return {{{}, right(q), Reply::keep}}; }

  ScriptedRtu(std::string path, Script script)
      : path_(std::move(path)), script_(std::move(script)) {
    plug();
  }
  ~ScriptedRtu() { unplug(); }

  void plug() {
    int slave = -1;
    char name[128] = {};
    termios raw{};
    ::cfmakeraw(&raw);
    if (::openpty(&master_, &slave, name, &raw, nullptr) != 0) std::abort();
    std::filesystem::remove(path_);
    std::filesystem::create_symlink(name, path_);
    keep_ = slave;  // so that the terminal is not hung up before the driver opens it
    stop_ = false;
    thread_ = std::thread([this] { run(); });
  }
  void unplug() {
    if (master_ < 0) return;
    stop_ = true;
    thread_.join();
    ::close(keep_);
    ::close(master_);
    master_ = -1;
    std::filesystem::remove(path_);
  }
  // Bytes that nobody asked for.
  void send(const Bytes& bytes) { (void)!::write(master_, bytes.data(), bytes.size()); }

 private:
  void run() {
    Bytes in;
    while (!stop_) {
      pollfd entry{master_, POLLIN, 0};
      if (::poll(&entry, 1, 2) <= 0) continue;
      std::uint8_t buffer[256];
      const ssize_t n = ::read(master_, buffer, sizeof buffer);
      if (n <= 0) continue;
      in.insert(in.end(), buffer, buffer + n);
      for (; in.size() >= 8; in.erase(in.begin(), in.begin() + 8)) {
        auto word = [&](std::size_t at) {
          return static_cast<std::uint16_t>(in[at] << 8 | in[at + 1]);
        };
        const Question q{number_++, 0, 0, in[0], in[1], word(2), word(4)};
        for (const Reply& reply : script_(q)) {
          std::this_thread::sleep_for(reply.after);
          send(reply.bytes);
        }
      }
    }
  }

  std::string path_;
  Script script_;
  int master_ = -1, keep_ = -1, number_ = 0;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace gerbang::test
