// SPDX-License-Identifier: Apache-2.0
#include "frame.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace gerbang::modbus {
namespace {

constexpr std::size_t kHeader = 7;        // MBAP: transaction, protocol, length, unit
constexpr std::size_t kRtuException = 5;  // unit, function, code, CRC

std::uint8_t high(std::uint16_t word) {
  return static_cast<std::uint8_t>(word >> 8);
}
std::uint8_t low(std::uint16_t word) {
  return static_cast<std::uint8_t>(word & 0xFF);
}
std::uint8_t function_of(const Question& question) {
  return static_cast<std::uint8_t>(question.table);
}

constexpr std::uint16_t kFirstCrc = 0xFFFF;
std::uint16_t add_to_crc(std::uint16_t crc, std::uint8_t byte) {
  crc = static_cast<std::uint16_t>(crc ^ byte);
  for (int i = 0; i < 8; ++i)
    crc = static_cast<std::uint16_t>((crc & 1) != 0 ? (crc >> 1) ^ 0xA001 : crc >> 1);
  return crc;
}

// The shortest whole RTU frame that stands at the beginning; its checksum makes the remainder 0.
std::optional<Bytes> sound_frame(Bytes bytes) {
  std::uint16_t crc = kFirstCrc;
  for (std::size_t i = 0; i < std::min(bytes.size(), kLongestFrame); ++i) {
    crc = add_to_crc(crc, bytes[i]);
    if (crc == 0 && i + 1 >= kRtuException) return bytes.first(i + 1);
  }
  return std::nullopt;
}

bool crc_fits(Bytes frame) {
  const std::uint16_t crc = crc16(frame.first(frame.size() - 2));
  return frame[frame.size() - 2] == low(crc) && frame[frame.size() - 1] == high(crc);
}

Parsed broken(gerbang_reason reason, std::string why) {
  Parsed parsed;
  parsed.kind = Parsed::Kind::broken;
  parsed.reason = reason;
  parsed.why = std::move(why);
  return parsed;
}
Parsed protocol(std::string why) {
  return broken(GERBANG_REASON_PROTOCOL, std::move(why));
}

Parsed incomplete(std::size_t missing) {
  Parsed parsed;
  parsed.missing = missing;
  return parsed;
}

// The part that both kinds share: from the function code to the last data byte.
Parsed parse_pdu(const Question& question, Bytes pdu) {
  const std::uint8_t function = function_of(question);
  if (pdu[0] == (function | kExceptionBit)) {
    if (pdu.size() != 2) return protocol("an exception of the wrong length");
    Parsed parsed;
    parsed.kind = Parsed::Kind::exception;
    parsed.exception = pdu[1];
    parsed.reason = GERBANG_REASON_EXCEPTION;
    parsed.why = exception_name(pdu[1]);
    return parsed;
  }
  if (pdu[0] != function)
    return protocol("an answer to function code " + std::to_string(pdu[0]) + ", asked was " +
                    std::to_string(function));
  if (pdu.size() < 2) return protocol("an answer that is only a function code");
  const std::size_t expected = question.data_size(), held = pdu.size() - 2;
  if (pdu[1] != held)
    return protocol("an answer that announces " + std::to_string(pdu[1]) +
                    " bytes of data and holds " + std::to_string(held));
  if (held != expected)
    return protocol("an answer with " + std::to_string(held) + " bytes of data, expected were " +
                    std::to_string(expected));
  Parsed parsed;
  parsed.kind = Parsed::Kind::answer;
  parsed.data = pdu.subspan(2);
  return parsed;
}

// An answer or exception of exactly the expected length at the beginning of `bytes`, CRC included.
Parsed match_rtu(const Question& question, Bytes bytes) {
  if (bytes.size() >= 2 && bytes[0] == question.unit) {
    const bool refuses = bytes[1] == (function_of(question) | kExceptionBit);
    const std::size_t size = refuses ? kRtuException : question.data_size() + 5;
    if (refuses || bytes[1] == function_of(question)) {
      if (bytes.size() < size) return incomplete(size - bytes.size());
      if (const Bytes frame = bytes.first(size); crc_fits(frame)) {
        Parsed parsed = parse_pdu(question, frame.subspan(1, size - 3));
        parsed.used = size;
        return parsed;
      }
    }
  }
  return broken(GERBANG_REASON_CRC, {});
}

// The length that a frame of the asked unit announces itself; out of reach if it is not one.
std::size_t own_size(const Question& question, Bytes bytes) {
  if (bytes.size() >= 3 && bytes[0] == question.unit) {
    if (bytes[1] == (function_of(question) | kExceptionBit)) return kRtuException;
    if (bytes[1] == function_of(question)) return std::size_t{bytes[2]} + 5;
  }
  return SIZE_MAX;
}

bool starts_alike(Bytes bytes, Bytes other) {
  const std::size_t same = std::min(bytes.size(), other.size());
  return std::equal(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(same),
                    other.begin());
}

bool found(const Parsed& parsed) {
  return parsed.kind == Parsed::Kind::answer || parsed.kind == Parsed::Kind::exception;
}

}  // namespace

std::uint16_t crc16(Bytes bytes) {
  std::uint16_t crc = kFirstCrc;
  for (std::uint8_t byte : bytes) crc = add_to_crc(crc, byte);
  return crc;
}

std::array<std::uint8_t, 12> tcp_request(const Question& q, std::uint16_t transaction) {
  return {high(transaction),
          low(transaction),
          0,
          0,
          0,
          6,
          q.unit,
          function_of(q),
          high(q.first),
          low(q.first),
          high(q.count),
          low(q.count)};
}

std::array<std::uint8_t, 8> rtu_request(const Question& q) {
  std::array<std::uint8_t, 8> frame{q.unit,       function_of(q), high(q.first),
                                    low(q.first), high(q.count),  low(q.count)};
  const std::uint16_t crc = crc16(Bytes(frame).first(6));
  frame[6] = low(crc);
  frame[7] = high(crc);
  return frame;
}

Parsed parse_tcp(const Question& question, std::uint16_t transaction, Bytes bytes) {
  if (bytes.size() >= 4 && word(bytes, 2) != 0) return protocol("bytes that are no Modbus header");
  if (bytes.size() < kHeader + 1) return incomplete(kHeader + 1 - bytes.size());
  const std::size_t length = word(bytes, 4);  // counts from the unit on
  if (length < 3 || length > kLongestFrame - 6)
    return protocol("a header with an impossible length of " + std::to_string(length));
  const std::size_t size = 6 + length;
  if (bytes.size() < size) return incomplete(size - bytes.size());

  Parsed parsed;
  if (word(bytes, 0) != transaction) {
    parsed.kind = Parsed::Kind::stray;
  } else if (bytes[6] != question.unit) {
    parsed = protocol("an answer of unit " + std::to_string(bytes[6]));
  } else {
    parsed = parse_pdu(question, bytes.subspan(kHeader, length - 1));
  }
  parsed.transaction = word(bytes, 0);
  parsed.used = size;
  return parsed;
}

Parsed parse_rtu(const Question& question, Bytes bytes) {
  Parsed first = match_rtu(question, bytes);
  if (found(first)) return first;

  const auto echo = rtu_request(question);
  if (starts_alike(bytes, echo)) {
    if (bytes.size() < echo.size())
      return incomplete(std::min(first.missing, echo.size() - bytes.size()));
    Parsed behind = parse_rtu(question, bytes.subspan(echo.size()));
    behind.used += echo.size();
    return behind;
  }

  // Anywhere behind noise or another unit's answer, as long as the checksum holds.
  for (std::size_t at = 1; at < bytes.size(); ++at) {
    Parsed later = match_rtu(question, bytes.subspan(at));
    if (!found(later)) continue;
    later.used += at;
    return later;
  }
  if (bytes.size() > 2 * kLongestFrame) return protocol("noise without end");
  if (question.patience.count() > 0) return incomplete(1);
  if (first.kind == Parsed::Kind::incomplete) {
    // Shorter than expected and yet whole?
    if (bytes.size() >= own_size(question, bytes)) return give_up_rtu(question, bytes);
    return first;
  }
  // A whole frame of this unit will not get better.
  if (own_size(question, bytes) <= bytes.size()) return give_up_rtu(question, bytes);
  return incomplete(1);
}

std::bitset<256> units_answering(Bytes bytes) {
  std::bitset<256> units;
  for (std::size_t at = 0; at + kRtuException <= bytes.size(); ++at) {
    const Bytes here = bytes.subspan(at);
    const int function = here[1] & ~kExceptionBit;
    const bool refuses = (here[1] & kExceptionBit) != 0;
    const std::size_t size = refuses ? kRtuException : std::size_t{here[2]} + 5;
    if (function < 1 || function > 4 || here.size() < size) continue;
    if (crc_fits(here.first(size))) units.set(here[0]);
  }
  return units;
}

Parsed give_up_rtu(const Question& question, Bytes bytes) {
  const auto echo = rtu_request(question);
  if (bytes.size() >= echo.size() && starts_alike(bytes, echo)) {
    if (bytes.size() == echo.size())
      return broken(GERBANG_REASON_TIMEOUT, "no answer, only the echo of the question");
    return give_up_rtu(question, bytes.subspan(echo.size()));
  }
  if (bytes.empty()) return broken(GERBANG_REASON_TIMEOUT, "no answer");
  Parsed parsed = match_rtu(question, bytes);
  if (found(parsed) || parsed.reason == GERBANG_REASON_PROTOCOL) return parsed;
  // Whole and sound, but another answer: of another unit, or late and to another question.
  if (const auto frame = sound_frame(bytes)) {
    if (bytes[0] != question.unit) return protocol("an answer of unit " + std::to_string(bytes[0]));
    return parse_pdu(question, frame->subspan(1, frame->size() - 3));
  }
  if (parsed.kind == Parsed::Kind::incomplete)
    return protocol("half an answer: " + std::to_string(bytes.size()) + " bytes, " +
                    std::to_string(parsed.missing) + " are missing");
  return broken(GERBANG_REASON_CRC,
                bytes[0] == question.unit ? "wrong checksum" : "noise instead of an answer");
}

std::string_view exception_name(std::uint8_t code) {
  switch (code) {
    case 1:
      return "ILLEGAL FUNCTION";
    case 2:
      return "ILLEGAL DATA ADDRESS";
    case 3:
      return "ILLEGAL DATA VALUE";
    case 4:
      return "SERVER DEVICE FAILURE";
    case 5:
      return "ACKNOWLEDGE";
    case 6:
      return "SERVER DEVICE BUSY";
    case 7:
      return "NEGATIVE ACKNOWLEDGE";
    case 8:
      return "MEMORY PARITY ERROR";
    case 10:
      return "GATEWAY PATH UNAVAILABLE";
    case 11:
      return "GATEWAY TARGET DEVICE FAILED TO RESPOND";
    default:
      return "an exception that the standard does not name";
  }
}

}  // namespace gerbang::modbus
