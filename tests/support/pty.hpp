// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace gerbang::test {

// The far end of a serial line. `path` is a link to a pseudo-terminal, like those in
// /dev/serial/by-id: unplug() takes the terminal away, plug() brings another one under the same
// link.
class Pty {
 public:
  using Bytes = std::vector<std::uint8_t>;

  explicit Pty(std::string path, bool plugged = true) : path_(std::move(path)) {
    if (plugged) plug();
  }
  ~Pty() { unplug(); }
  Pty(const Pty&) = delete;
  Pty& operator=(const Pty&) = delete;

  void plug() {
    char name[128] = {};
    termios raw{};
    ::cfmakeraw(&raw);
    if (::openpty(&master_, &keep_, name, &raw, nullptr) != 0)
      throw std::runtime_error("openpty failed");
    ::fcntl(master_, F_SETFL, O_NONBLOCK);
    std::filesystem::remove(path_);
    std::filesystem::create_symlink(name, path_);
  }
  void unplug() {
    if (master_ < 0) return;
    ::close(keep_);
    ::close(master_);
    master_ = -1;
    std::filesystem::remove(path_);
  }

  // Sends without waiting: what does not fit into the line is lost. How much fitted.
  std::size_t send(const Bytes& bytes) const {
    const ssize_t n = ::write(master_, bytes.data(), bytes.size());
    return n < 0 ? 0 : static_cast<std::size_t>(n);
  }
  // What the other side has written, waiting at most so long for its first byte.
  Bytes receive(std::chrono::milliseconds wait = std::chrono::milliseconds(0)) const {
    pollfd entry{master_, POLLIN, 0};
    if (::poll(&entry, 1, static_cast<int>(wait.count())) <= 0) return {};
    Bytes bytes(4096);
    const ssize_t n = ::read(master_, bytes.data(), bytes.size());
    bytes.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return bytes;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int master_ = -1;
  int keep_ = -1;  // so that the terminal is not hung up before the other side opens it
};

// "42 4d 00 1C" → bytes.
inline Pty::Bytes from_hex(const std::string& text) {
  Pty::Bytes bytes;
  std::string digits;
  for (char c : text)
    if (c != ' ') digits += c;
  if (digits.size() % 2 != 0) throw std::runtime_error("half a byte in " + text);
  for (std::size_t at = 0; at < digits.size(); at += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(digits.substr(at, 2), nullptr, 16)));
  return bytes;
}

}  // namespace gerbang::test
