// SPDX-License-Identifier: Apache-2.0
//
// Questions and answers as bytes, without a line: Modbus TCP (7-byte header) and RTU (CRC). Nothing
// an answer says about itself is believed until it agrees with the question.
#pragma once

#include <gerbang/driver.h>

#include <array>
#include <bitset>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "point.hpp"

namespace gerbang::modbus {

using Bytes = std::span<const std::uint8_t>;

// The longest frame of either kind.
constexpr std::size_t kLongestFrame = 260;
constexpr std::uint8_t kExceptionBit = 0x80;  // of the function code: the unit refuses

// Two bytes, the high one first.
inline std::uint16_t word(Bytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

struct Question {
  std::uint8_t unit = 0;
  Table table = Table::holding;
  std::uint16_t first = 0;
  std::uint16_t count = 0;
  // So long is waited for its answer, if that is longer than for any. RTU: whatever answers to
  // other questions come before; 0: an answer to another ends it.
  std::chrono::milliseconds patience{};
  // RTU: only an answer counts after which no other one comes.
  bool alone = false;

  // Bytes of data that the answer must hold.
  std::size_t data_size() const { return holds_bits(table) ? (count + 7u) / 8u : 2u * count; }
};

std::array<std::uint8_t, 12> tcp_request(const Question& question, std::uint16_t transaction);
std::array<std::uint8_t, 8> rtu_request(const Question& question);
std::uint16_t crc16(Bytes bytes);

// What the bytes received so far are.
struct Parsed {
  enum class Kind : std::uint8_t {
    incomplete,  // go on reading
    answer,      // `data` holds what was asked for
    exception,   // the unit refuses; `exception` says why
    stray,       // a whole answer to another question (TCP: see transaction); `used` bytes to skip
    broken,      // not an answer to this question and nothing sensible can follow: `reason`, `why`
  };
  Kind kind = Kind::incomplete;
  std::size_t used = 0;     // bytes that the frame took up, from the beginning
  std::size_t missing = 1;  // incomplete: at least so many more bytes are to come
  std::uint16_t transaction = 0;
  std::uint8_t exception = 0;
  Bytes data;
  gerbang_reason reason = GERBANG_REASON_NONE;
  std::string why;
};

Parsed parse_tcp(const Question& question, std::uint16_t transaction, Bytes bytes);

// Finds the answer behind noise, behind an echo of the question (some RS-485 adapters hear
// themselves) and behind the late answer of another unit.
Parsed parse_rtu(const Question& question, Bytes bytes);
// What stands on the line when the time is over and no answer was found: never `incomplete`.
Parsed give_up_rtu(const Question& question, Bytes bytes);

// Units of which a sound answer to a read stands anywhere in the bytes (RTU).
std::bitset<256> units_answering(Bytes bytes);

// "ILLEGAL DATA ADDRESS"; the standard's names.
std::string_view exception_name(std::uint8_t code);

}  // namespace gerbang::modbus
