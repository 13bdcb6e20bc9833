// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <modbus/modbus.h>
#include <sys/file.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "line.hpp"
#include "serial/descriptor.hpp"

namespace gerbang::modbus {
namespace {

using serial::Clock;
using serial::wait_for;

using namespace std::chrono_literals;
using Microseconds = std::chrono::microseconds;

// After a fault the line must have been silent for so long before the next question; never shorter,
// because USB adapters deliver what they received in steps of up to 16 ms.
constexpr auto kSilence = 20ms;
// A line that is never silent (noise, another master) is asked all the same.
constexpr auto kLongestDrain = 500ms;
// So much later than a late one the own answer comes, if both come to one question.
constexpr auto kTogether = 100ms;

class RtuLine final : public Line {
 public:
  explicit RtuLine(RtuSettings settings) : settings_(std::move(settings)) {
    // Start, data, parity and stop bits of one character on the line.
    const int bits =
        1 + settings_.data_bits + (settings_.parity == 'N' ? 0 : 1) + settings_.stop_bits;
    character_ = Microseconds(1'000'000LL * bits / settings_.baud + 1);
    // 3.5 characters; above 19,200 baud the standard fixes it.
    gap_ = settings_.baud > 19'200 ? Microseconds(1750) : character_ * 7 / 2;
  }
  ~RtuLine() override { close(); }

  Opening open(Milliseconds wait) override;
  bool is_open() const override { return port_ != nullptr; }
  void close() override;
  Outcome ask(const Question& question) override {
    late_.reset();
    Outcome outcome = exchange(question);
    outcome.late = late_;
    return outcome;
  }

 private:
  Outcome exchange(const Question& question);
  void overhear();
  bool another(const Question& question, std::size_t begin, std::size_t used);
  Outcome lost(std::string why);
  Outcome finish(const Question& question, Parsed parsed, std::size_t used);
  void drain(std::uint8_t unit);
  int descriptor() const { return ::modbus_get_socket(port_.get()); }

  RtuSettings settings_;
  Microseconds character_, gap_;
  std::unique_ptr<modbus_t, decltype(&::modbus_free)> port_{nullptr, &::modbus_free};
  Clock::time_point last_byte_;
  std::bitset<256> late_;  // of this question's outcome
  std::array<std::uint8_t, 3 * kLongestFrame> buffer_{};
};

void RtuLine::close() {
  if (port_) ::modbus_close(port_.get());
  port_.reset();
}

Line::Opening RtuLine::open(Milliseconds) {
  if (is_open()) return Opening::done;
  auto fail = [this] {
    why_ = settings_.device + ": " + ::modbus_strerror(errno);
    close();
    return Opening::failed;
  };
  port_.reset(::modbus_new_rtu(settings_.device.c_str(), settings_.baud, settings_.parity,
                               settings_.data_bits, settings_.stop_bits));
  if (!port_) return fail();
  if (::modbus_connect(port_.get()) != 0) return fail();
  // Two programs on one line garble each other. The lock ends with the process, whatever happens.
  if (::flock(descriptor(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    why_ = settings_.device + ": is in use by another program";
    close();
    return Opening::failed;
  }
  if (settings_.rs485 && ::modbus_rtu_set_serial_mode(port_.get(), MODBUS_RTU_RS485) != 0)
    return fail();
  if (settings_.rts != '-' &&
      ::modbus_rtu_set_rts(port_.get(),
                           settings_.rts == 'u' ? MODBUS_RTU_RTS_UP : MODBUS_RTU_RTS_DOWN) != 0)
    return fail();
  last_byte_ = Clock::now();
  return Opening::done;
}

Outcome RtuLine::lost(std::string why) {
  close();
  Outcome outcome;
  outcome.reason = GERBANG_REASON_NO_CONNECTION;
  outcome.why = settings_.device + ": " + std::move(why);
  outcome.line_lost = true;
  return outcome;
}

// Reads and forgets until the line is silent.
void RtuLine::drain(std::uint8_t unit) {
  const auto silence = std::max<Clock::duration>(kSilence, gap_);
  const auto end = Clock::now() + kLongestDrain;
  while (Clock::now() < end) {
    const auto until = std::min<Clock::time_point>(Clock::now() + silence, end);
    if ((wait_for(descriptor(), POLLIN, until) & POLLIN) == 0) return;
    const ssize_t n = ::read(descriptor(), buffer_.data(), buffer_.size());
    if (n <= 0) return;
    trace(unit, false, Bytes(buffer_).first(static_cast<std::size_t>(n)));
  }
}

// What came since the last question is nobody's, but it tells who answers late.
void RtuLine::overhear() {
  std::size_t used = 0;
  while ((wait_for(descriptor(), POLLIN, Clock::now()) & POLLIN) != 0) {
    const ssize_t n = ::read(descriptor(), buffer_.data() + used, buffer_.size() - used);
    if (n <= 0) return;
    used += static_cast<std::size_t>(n);
    late_ |= units_answering(Bytes(buffer_).first(used));
    if (used == buffer_.size()) used = 0;
  }
}

// Whether another answer of the unit follows.
bool RtuLine::another(const Question& question, std::size_t begin, std::size_t used) {
  const auto until =
      Clock::now() + kTogether + character_ * static_cast<long>(question.data_size() + 5);
  while (used < buffer_.size() && (wait_for(descriptor(), POLLIN, until) & POLLIN) != 0) {
    const ssize_t n = ::read(descriptor(), buffer_.data() + used, buffer_.size() - used);
    if (n <= 0) break;
    trace(question.unit, false, Bytes(buffer_).subspan(used, static_cast<std::size_t>(n)));
    used += static_cast<std::size_t>(n);
  }
  return units_answering(Bytes(buffer_).first(used).subspan(begin)).test(question.unit);
}

Outcome RtuLine::exchange(const Question& question) {
  std::this_thread::sleep_until(last_byte_ + gap_);
  overhear();
  ::modbus_flush(port_.get());
  const auto request = rtu_request(question);
  const int length = static_cast<int>(request.size()) - 2;  // the library adds the checksum
  if (::modbus_send_raw_request(port_.get(), request.data(), length) < 0)
    return lost(::modbus_strerror(errno));
  trace(question.unit, true, request);

  const std::size_t answer = question.data_size() + 5;
  const auto on_the_wire = character_ * static_cast<long>(request.size() + answer);
  const auto deadline = Clock::now() + std::max(settings_.timeout, question.patience) + on_the_wire;
  std::size_t used = 0;
  for (;;) {
    const short events = wait_for(descriptor(), POLLIN, deadline);
    if (events == 0)
      return finish(question, give_up_rtu(question, Bytes(buffer_).first(used)), used);
    if ((events & POLLIN) == 0) return lost("the port is gone");
    const ssize_t n = ::read(descriptor(), buffer_.data() + used, buffer_.size() - used);
    if (n < 0 && errno == EAGAIN) continue;
    if (n <= 0) return lost(n == 0 ? "the port is gone" : std::strerror(errno));
    trace(question.unit, false, Bytes(buffer_).subspan(used, static_cast<std::size_t>(n)));
    used += static_cast<std::size_t>(n);

    Parsed parsed = parse_rtu(question, Bytes(buffer_).first(used));
    if (parsed.kind != Parsed::Kind::incomplete) return finish(question, std::move(parsed), used);
    // Not woken for every character: nothing can be complete before the missing ones are here.
    const auto rest = Clock::now() + character_ * static_cast<long>(parsed.missing - 1);
    std::this_thread::sleep_until(std::min<Clock::time_point>(rest, deadline));
  }
}

Outcome RtuLine::finish(const Question& question, Parsed parsed, std::size_t used) {
  const bool found = parsed.kind != Parsed::Kind::broken;
  if (question.patience > 0ms)
    late_ |= units_answering(Bytes(buffer_).first(found ? parsed.used - 1 : used));
  if (found && question.alone && another(question, parsed.used, used)) {
    late_.set(question.unit);
    parsed = {};
    parsed.kind = Parsed::Kind::broken;
    parsed.reason = GERBANG_REASON_PROTOCOL;
    parsed.why = "two answers to one question: one of them is late";
  }
  Outcome outcome;
  outcome.reason = parsed.reason;
  outcome.why = std::move(parsed.why);
  outcome.exception = parsed.exception;
  if (parsed.kind == Parsed::Kind::broken) {
    if (parsed.reason == GERBANG_REASON_TIMEOUT)
      outcome.why += " within " +
                     std::to_string(std::max(settings_.timeout, question.patience).count()) + " ms";
    drain(question.unit);
  } else {
    outcome.kind =
        parsed.kind == Parsed::Kind::answer ? Outcome::Kind::answer : Outcome::Kind::exception;
    outcome.data = parsed.data;
  }
  last_byte_ = Clock::now();
  return outcome;
}

}  // namespace

std::unique_ptr<Line> rtu_line(RtuSettings settings) {
  return std::make_unique<RtuLine>(std::move(settings));
}

}  // namespace gerbang::modbus
