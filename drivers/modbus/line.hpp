// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "frame.hpp"

namespace gerbang::modbus {

// How one question ended. Times are durations on the monotonic clock.
struct Outcome {
  enum class Kind : std::uint8_t { answer, exception, failure };
  Kind kind = Kind::failure;
  std::uint8_t exception = 0;
  gerbang_reason reason = GERBANG_REASON_NONE;
  std::string why;         // failure, exception: for the log
  Bytes data;              // answer: valid until the next call
  std::size_t strays = 0;  // late answers to earlier questions, thrown away
  // Units of which an answer came that nobody waited for (RTU).
  std::bitset<256> late;
  bool line_lost = false;  // the line has closed itself
  bool sent = true;        // false: it was lost before the question went out
};

// A way to units: one TCP connection or one serial port. Used by one thread.
class Line {
 public:
  using Milliseconds = std::chrono::milliseconds;
  // Raw bytes as they pass; sent is true for those to the device.
  using Tracer = std::function<void(std::uint8_t unit, bool sent, Bytes bytes)>;

  enum class Opening : std::uint8_t { done, under_way, failed };

  virtual ~Line() = default;

  // Begins to open (when closed) or goes on opening, waiting at most so long. On failure the line
  // is closed and `why()` is the reason. Only looking up a host name may take longer.
  virtual Opening open(Milliseconds wait) = 0;
  virtual bool is_open() const = 0;
  virtual void close() = 0;

  // Asks and waits for the answer, at most the time-out and the time that the bytes need. Never
  // returns an answer to anything else.
  virtual Outcome ask(const Question& question) = 0;

  const std::string& why() const { return why_; }
  void set_tracer(Tracer tracer) { tracer_ = std::move(tracer); }

 protected:
  void trace(std::uint8_t unit, bool sent, Bytes bytes) const {
    if (tracer_ && !bytes.empty()) tracer_(unit, sent, bytes);
  }
  std::string why_;

 private:
  Tracer tracer_;
};

struct TcpSettings {
  std::string host;
  std::uint16_t port = 502;
  std::chrono::milliseconds timeout{500};
  std::chrono::milliseconds connect_timeout{3000};
  // So many questions in a row without any answer and the connection itself is suspected; 0: never.
  int silent_questions = 2;
};

struct RtuSettings {
  std::string device;
  int baud = 9600;
  char parity = 'N';  // N, E, O
  int data_bits = 8;
  int stop_bits = 1;
  bool rs485 = false;  // the kernel switches the transmitter
  char rts = '-';      // 'u': RTS up while sending, 'd': down while sending, '-': not used
  std::chrono::milliseconds timeout{500};
};

std::unique_ptr<Line> tcp_line(TcpSettings settings);
std::unique_ptr<Line> rtu_line(RtuSettings settings);

// Baud rates that the serial library can set.
bool is_baud_rate(std::int64_t rate);

}  // namespace gerbang::modbus
