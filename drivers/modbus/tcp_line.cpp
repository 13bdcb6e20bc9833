// SPDX-License-Identifier: Apache-2.0
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <resolv.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <utility>

#include "line.hpp"
#include "serial/descriptor.hpp"

namespace gerbang::modbus {
namespace {

using serial::Clock;
using serial::Descriptor;
using serial::wait_for;

// Transactions that timed out on this connection: an answer to one of these is late, to any other
// it is a fault.
constexpr std::size_t kRemembered = 64;

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

// A literal address is not looked up. A name is, with 2 s for each name server instead of the usual
// 10, so that a dead resolver does not look like a hung driver.
Expected<Addresses> look_up(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | AI_NUMERICHOST;
  addrinfo* list = nullptr;
  int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (error == EAI_NONAME) {
    if (::res_init() == 0) {
      _res.retrans = 2;
      _res.retry = 1;
    }
    hints.ai_flags = AI_NUMERICSERV;
    error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  }
  if (error != 0)
    return tl::unexpected<std::string>(
        "looking up " + host + ": " +
        (error == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(error)));
  return Addresses(list, &::freeaddrinfo);
}

class TcpLine final : public Line {
 public:
  explicit TcpLine(TcpSettings settings) : settings_(std::move(settings)) {}

  Opening open(Milliseconds wait) override;
  bool is_open() const override { return socket_ && connected_; }
  void close() override;
  Outcome ask(const Question& question) override;

 private:
  bool begin_connect();
  Opening next_address(int error);
  std::string drain(std::uint8_t unit);
  Outcome receive(const Question& question, Clock::time_point deadline);
  Outcome lost(std::string why);
  Outcome broken(Parsed parsed);

  TcpSettings settings_;
  Addresses addresses_{nullptr, &::freeaddrinfo};
  const addrinfo* trying_ = nullptr;
  Clock::time_point deadline_;  // of the connection attempt under way
  Descriptor socket_;
  bool connected_ = false;
  std::uint16_t transaction_ = 0;
  std::deque<std::uint16_t> late_;
  int silent_ = 0;
  std::array<std::uint8_t, 2 * kLongestFrame> buffer_{};
};

void TcpLine::close() {
  socket_.reset();
  connected_ = false;
  trying_ = nullptr;
  late_.clear();
  silent_ = 0;
}

// Starts with the address that is being tried. False: the error is in errno.
bool TcpLine::begin_connect() {
  socket_.reset(::socket(trying_->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_) return false;
  const int on = 1;
  ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  deadline_ = Clock::now() + settings_.connect_timeout;
  return ::connect(socket_.get(), trying_->ai_addr, trying_->ai_addrlen) == 0 ||
         errno == EINPROGRESS;
}

Line::Opening TcpLine::next_address(int error) {
  while ((trying_ = trying_->ai_next) != nullptr) {
    if (begin_connect()) return Opening::under_way;
    error = errno;
  }
  why_ = settings_.host + ":" + std::to_string(settings_.port) + ": " + std::strerror(error);
  close();
  return Opening::failed;
}

Line::Opening TcpLine::open(Milliseconds wait) {
  if (is_open()) return Opening::done;
  if (!socket_) {
    auto found = look_up(settings_.host, settings_.port);
    if (!found) {
      why_ = found.error();
      return Opening::failed;
    }
    addresses_ = std::move(*found);
    trying_ = addresses_.get();
    if (!begin_connect()) return next_address(errno);
  }
  const auto until = std::min(Clock::now() + wait, deadline_);
  if (wait_for(socket_.get(), POLLOUT, until) == 0)
    return Clock::now() < deadline_ ? Opening::under_way : next_address(ETIMEDOUT);
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return next_address(error);
  connected_ = true;
  return Opening::done;
}

Outcome TcpLine::lost(std::string why) {
  close();
  Outcome outcome;
  outcome.reason = GERBANG_REASON_NO_CONNECTION;
  outcome.why = std::move(why);
  outcome.line_lost = true;
  return outcome;
}

// What came without being asked for, or too late, is thrown away before the next question. Text:
// the connection is gone.
std::string TcpLine::drain(std::uint8_t unit) {
  for (;;) {
    const ssize_t n = ::recv(socket_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (n == 0) return "the device has closed the connection";
    if (n < 0) return errno == EAGAIN ? std::string() : std::strerror(errno);
    trace(unit, false, Bytes(buffer_).first(static_cast<std::size_t>(n)));
  }
}

Outcome TcpLine::ask(const Question& question) {
  if (std::string gone = drain(question.unit); !gone.empty()) {
    Outcome outcome = lost(std::move(gone));
    outcome.sent = false;
    return outcome;
  }
  const auto request = tcp_request(question, ++transaction_);
  const ssize_t sent = ::send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(request.size()))
    return lost(sent < 0 ? std::strerror(errno) : "the device takes no more questions");
  trace(question.unit, true, request);
  return receive(question, Clock::now() + std::max(settings_.timeout, question.patience));
}

Outcome TcpLine::receive(const Question& question, Clock::time_point deadline) {
  Outcome outcome;
  std::size_t used = 0;
  for (;;) {
    if (wait_for(socket_.get(), POLLIN, deadline) == 0) break;
    const ssize_t n = ::recv(socket_.get(), buffer_.data() + used, buffer_.size() - used, 0);
    if (n == 0) return lost("the device has closed the connection");
    if (n < 0 && errno == EAGAIN) continue;
    if (n < 0) return lost(std::strerror(errno));
    trace(question.unit, false, Bytes(buffer_).subspan(used, static_cast<std::size_t>(n)));
    used += static_cast<std::size_t>(n);

    Parsed parsed = parse_tcp(question, transaction_, Bytes(buffer_).first(used));
    while (parsed.kind == Parsed::Kind::stray) {
      const auto late = std::find(late_.begin(), late_.end(), parsed.transaction);
      if (late == late_.end()) {
        parsed.why = "an answer to transaction " + std::to_string(parsed.transaction) +
                     ", which was not asked";
        parsed.reason = GERBANG_REASON_PROTOCOL;
        return broken(std::move(parsed));
      }
      late_.erase(late);
      ++outcome.strays;
      std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(parsed.used),
                buffer_.begin() + static_cast<std::ptrdiff_t>(used), buffer_.begin());
      used -= parsed.used;
      parsed = parse_tcp(question, transaction_, Bytes(buffer_).first(used));
    }
    if (parsed.kind == Parsed::Kind::incomplete) continue;
    if (parsed.kind == Parsed::Kind::broken) return broken(std::move(parsed));

    silent_ = 0;
    const bool answer = parsed.kind == Parsed::Kind::answer;
    outcome.kind = answer ? Outcome::Kind::answer : Outcome::Kind::exception;
    outcome.reason = parsed.reason;
    outcome.exception = parsed.exception;
    outcome.why = std::move(parsed.why);
    outcome.data = parsed.data;
    return outcome;
  }

  late_.push_back(transaction_);
  if (late_.size() > kRemembered) late_.pop_front();
  outcome.reason = used == 0 ? GERBANG_REASON_TIMEOUT : GERBANG_REASON_PROTOCOL;
  const auto waited = std::max(settings_.timeout, question.patience);
  outcome.why = used == 0 ? "no answer within " + std::to_string(waited.count()) + " ms"
                          : "half an answer: " + std::to_string(used) + " bytes";
  // The rest of half an answer could be taken for a header; a connection on which nobody answers
  // may be open on our side only.
  if (used != 0 || ++silent_ == settings_.silent_questions) close();
  return outcome;
}

// After bytes that make no sense nothing on this connection can be trusted.
Outcome TcpLine::broken(Parsed parsed) {
  close();
  Outcome outcome;
  outcome.reason = parsed.reason;
  outcome.why = std::move(parsed.why);
  return outcome;
}

}  // namespace

std::unique_ptr<Line> tcp_line(TcpSettings settings) {
  return std::make_unique<TcpLine>(std::move(settings));
}

}  // namespace gerbang::modbus
