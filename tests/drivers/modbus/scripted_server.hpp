// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace gerbang::test {

// A Modbus TCP server that does what the test says with each question, right or wrong: answers can
// be late, foreign, cut off, or a closed connection. One connection at a time.
class ScriptedServer {
 public:
  using Bytes = std::vector<std::uint8_t>;

  struct Question {
    int number = 0;  // 0, 1, 2 … over all connections
    int connection = 0;
    std::uint16_t transaction = 0;
    std::uint8_t unit = 0, function = 0;
    std::uint16_t first = 0, count = 0;

    // The right answer: register r of unit u holds 100 u + r (its low 16 bits).
    Bytes body() const {
      if (function <= 2) {  // coils and discrete inputs: eight to a byte, all off
        const int bytes = (count + 7) / 8;
        Bytes out{unit, function, static_cast<std::uint8_t>(bytes)};
        out.resize(out.size() + static_cast<std::size_t>(bytes));
        return out;
      }
      Bytes out{unit, function, static_cast<std::uint8_t>(2 * count)};
      for (int r = first; r < first + count; ++r) {
        const int value = 100 * unit + r;
        out.push_back(static_cast<std::uint8_t>(value >> 8 & 0xFF));
        out.push_back(static_cast<std::uint8_t>(value & 0xFF));
      }
      return out;
    }
    Bytes refusal(std::uint8_t code) const {
      return {unit, static_cast<std::uint8_t>(function | 0x80), code};
    }
    Bytes frame(const Bytes& body) const { return frame(transaction, body); }
    static Bytes frame(int transaction, const Bytes& body) {
      Bytes out{static_cast<std::uint8_t>(transaction >> 8 & 0xFF),
                static_cast<std::uint8_t>(transaction & 0xFF),
                0,
                0,
                static_cast<std::uint8_t>(body.size() >> 8),
                static_cast<std::uint8_t>(body.size() & 0xFF)};
      out.insert(out.end(), body.begin(), body.end());
      return out;
    }
    Bytes right() const { return frame(body()); }
  };
  struct Reply {
    std::chrono::milliseconds after{0};
    Bytes bytes;
    enum { keep, close, reset } then = keep;
  };
  using Script = std::function<std::vector<Reply>(const Question&)>;

  static std::vector<Reply> answer(const Question& q) { return {{{}, q.right(), Reply::keep}}; }

  explicit ScriptedServer(Script script, int port = 0) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 5) != 0) std::abort();
    ::getsockname(listener_, generic, &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~ScriptedServer() {
    stop_ = true;
    thread_.join();
    ::close(listener_);
  }
  int port() const { return port_; }
  int connections() const { return connections_; }
  std::vector<Question> questions() {
    const std::lock_guard lock(mutex_);
    return questions_;
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Due {
    Clock::time_point at;
    Reply reply;
  };

  static bool readable(int fd) {
    pollfd entry{fd, POLLIN, 0};
    return ::poll(&entry, 1, 2) > 0;
  }
  void run() {
    while (!stop_) {
      if (!readable(listener_)) continue;
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      ++connections_;
      serve(fd);
      ::close(fd);
    }
  }
  void serve(int fd) {
    Bytes in;
    std::vector<Due> waiting;
    while (!stop_) {
      for (std::size_t i = 0; i < waiting.size();) {
        if (waiting[i].at > Clock::now()) {
          ++i;
          continue;
        }
        const Reply reply = waiting[i].reply;
        waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(i));
        if (!reply.bytes.empty())
          (void)::send(fd, reply.bytes.data(), reply.bytes.size(), MSG_NOSIGNAL);
        if (reply.then == Reply::reset) {
          const linger hard{1, 0};
          ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        }
        if (reply.then != Reply::keep) return;
      }
      if (!readable(fd)) continue;
      std::uint8_t buffer[512];
      const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
      if (n <= 0) return;
      in.insert(in.end(), buffer, buffer + n);
      for (; in.size() >= 12; in.erase(in.begin(), in.begin() + 12)) {
        auto word = [&](std::size_t at) {
          return static_cast<std::uint16_t>(in[at] << 8 | in[at + 1]);
        };
        Question q{number_++, connections_ - 1, word(0), in[6], in[7], word(8), word(10)};
        {
          const std::lock_guard lock(mutex_);
          questions_.push_back(q);
        }
        for (Reply& reply : script_(q)) waiting.push_back({Clock::now() + reply.after, reply});
      }
    }
  }

  Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<int> connections_{0};
  int number_ = 0;
  std::mutex mutex_;
  std::vector<Question> questions_;
  std::thread thread_;
};

}  // namespace gerbang::test
