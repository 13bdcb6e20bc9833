// SPDX-License-Identifier: Apache-2.0
#include "captured.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <optional>
#include <utility>

#include "address.hpp"
#include "codec.hpp"

namespace gerbang::modbus {
namespace {

constexpr std::size_t kLeader = 6;  // MBAP without the unit
constexpr std::size_t kCrc = 2;

bool reads(std::uint8_t function) {
  return function >= 1 && function <= 4;
}
bool holds_bits(std::uint8_t function) {
  return function == 1 || function == 2;
}

std::array<std::uint8_t, 2> checksum(Bytes bytes) {
  const std::uint16_t crc = crc16(bytes);
  return {static_cast<std::uint8_t>(crc & 0xFF), static_cast<std::uint8_t>(crc >> 8)};
}

bool sound(Bytes frame) {
  if (frame.size() < 4) return false;
  const auto crc = checksum(frame.first(frame.size() - kCrc));
  return frame[frame.size() - 2] == crc[0] && frame[frame.size() - 1] == crc[1];
}

// How long the part from the unit to the last byte before a checksum may be, by what it says
// itself: an answer first, then a question.
std::vector<std::size_t> lengths(Bytes body) {
  if (body.size() < 3) return {};
  const std::uint8_t function = body[1];
  if ((function & kExceptionBit) != 0) return {3};
  if (reads(function)) {
    const std::size_t answer = 3u + body[2];
    if (!holds_bits(function) && body[2] % 2 != 0) return {6};  // half a register: no answer
    return {answer, 6};
  }
  if (function == 5 || function == 6) return {6};
  if ((function == 15 || function == 16) && body.size() >= 7) return {7u + body[6], 6};
  if (function == 15 || function == 16) return {6};
  return {};
}

Captured explain(Bytes body, bool tcp) {
  Captured frame;
  frame.tcp = tcp;
  frame.unit = body[0];
  frame.function = static_cast<std::uint8_t>(body[1] & ~kExceptionBit);
  if ((body[1] & kExceptionBit) != 0) {
    frame.kind = Captured::Kind::exception;
    frame.exception = body[2];
  } else if (reads(frame.function) && body.size() == 3u + body[2]) {
    frame.kind = Captured::Kind::answer;
    frame.data = body.subspan(3);
  } else if (body.size() == 6) {
    frame.kind = reads(frame.function) ? Captured::Kind::question : Captured::Kind::other;
    frame.first = word(body, 2);
    frame.count = word(body, 4);
  }
  return frame;
}

struct Match {
  Captured frame;
  std::size_t size = 0;
};

std::optional<Match> rtu_at(Bytes bytes) {
  for (std::size_t length : lengths(bytes)) {
    const std::size_t size = length + kCrc;
    if (bytes.size() < size || !sound(bytes.first(size))) continue;
    return Match{explain(bytes.first(length), false), size};
  }
  return std::nullopt;
}

// Without a checksum everything that the header says must fit.
std::optional<Match> tcp_at(Bytes bytes) {
  if (bytes.size() < kLeader + 3 || word(bytes, 2) != 0) return std::nullopt;
  const std::size_t length = word(bytes, 4);
  if (bytes.size() < kLeader + length) return std::nullopt;
  const Bytes body = bytes.subspan(kLeader, length);
  for (std::size_t possible : lengths(body))
    if (possible == length) return Match{explain(body, true), kLeader + length};
  return std::nullopt;
}

// The bits of an answer with three bytes look like a question: if an answer to it follows, it is
// one.
void settle(std::vector<Captured>& frames, std::size_t i) {
  Captured& frame = frames[i];
  if (frame.kind != Captured::Kind::answer || !holds_bits(frame.function) || frame.data.size() != 3)
    return;
  if (i + 1 >= frames.size()) return;
  const Captured& next = frames[i + 1];
  const std::uint16_t count = word(frame.data, 1);
  if (next.unit != frame.unit || next.function != frame.function ||
      next.kind != Captured::Kind::answer || next.data.size() != (count + 7u) / 8u)
    return;
  frame.kind = Captured::Kind::question;
  frame.first = static_cast<std::uint16_t>(3u << 8 | frame.data[0]);
  frame.count = count;
  frame.data = {};
}

std::string hex(Bytes bytes) {
  std::string out;
  for (std::uint8_t byte : bytes) {
    std::array<char, 4> two{};
    std::snprintf(two.data(), two.size(), "%02X", byte);
    out += (out.empty() ? "" : " ") + std::string(two.data());
  }
  return out;
}

// What may have happened to an RTU frame whose checksum does not fit.
std::string crc_hint(Bytes bytes) {
  const auto all = checksum(bytes);
  const auto last = bytes.last(kCrc);
  const auto needed = checksum(bytes.first(bytes.size() - kCrc));
  for (std::size_t length : lengths(bytes)) {
    if (length == bytes.size())
      return "; the checksum seems to be missing: append " + hex(all) + " if it is";
    if (length + kCrc == bytes.size() && last[0] == needed[1] && last[1] == needed[0])
      return "; its two bytes are swapped";
  }
  const auto possible = lengths(bytes);
  if (!possible.empty() && possible.front() + kCrc > bytes.size())
    return "; or the end is missing: by its third byte the answer has " +
           std::to_string(possible.front() + kCrc) + " bytes, here are " +
           std::to_string(bytes.size());
  return "; a bit was flipped on the line, or the bytes are of another baud rate, parity or "
         "protocol";
}

// Of a frame from the unit to the last byte before a checksum that fits, or behind a header that
// does: what it says itself does not.
std::string contradiction(Bytes body) {
  if (!reads(body[1]) || body.size() < 3)
    return "a frame of function code " + std::to_string(body[1] & ~kExceptionBit) +
           " cannot have " + std::to_string(body.size()) + " bytes without header and checksum";
  const std::size_t held = body.size() - 3;
  if (body[2] == held)
    return "an answer with " + std::to_string(held) + " bytes of data ends within a register";
  return "it is an answer that announces " + std::to_string(body[2]) + " bytes of data and holds " +
         std::to_string(held);
}

std::string refusal(Bytes bytes) {
  if (bytes.size() < 4)
    return std::to_string(bytes.size()) + " bytes are too few for a Modbus frame";
  if (sound(bytes))
    return "the checksum (CRC) fits, but " + contradiction(bytes.first(bytes.size() - kCrc));
  // A header of Modbus TCP that does not fit the rest, where RTU makes no sense: it would have no
  // data.
  if (bytes.size() >= kLeader + 3 && word(bytes, 2) == 0 &&
      !lengths(bytes.subspan(kLeader)).empty()) {
    const Bytes body = bytes.subspan(kLeader);
    if (word(bytes, 4) == body.size())
      return "a Modbus TCP header that fits, but " + contradiction(body);
    return "a Modbus TCP header that announces " + std::to_string(word(bytes, 4)) +
           " bytes behind it; here are " + std::to_string(body.size());
  }
  const auto needed = checksum(bytes.first(bytes.size() - kCrc));
  return "neither Modbus TCP (no header that fits) nor RTU: the checksum (CRC) is " +
         hex(bytes.last(kCrc)) + ", these bytes need " + hex(needed) + crc_hint(bytes);
}

std::string things(std::uint8_t function, unsigned count) {
  static constexpr std::array<const char*, 5> kNames{"", "coil", "discrete input",
                                                     "holding register", "input register"};
  return std::to_string(count) + " " + kNames.at(function) + (count == 1 ? "" : "s");
}

// As manuals write it, with the digit of the table.
std::string manual(std::uint8_t function, std::uint16_t first) {
  static constexpr std::array<unsigned, 5> kDigit{0, 0, 1, 4, 3};
  const unsigned digit = kDigit.at(function);
  const unsigned number = first + 1u;
  return std::to_string(digit * (number > 9999 ? 100'000u : 10'000u) + number);
}

std::string what_to_do(std::uint8_t exception) {
  switch (exception) {
    case 1:
      return ": the unit does not know this function; try the other table (holding or input)";
    case 2:
      return ": the unit has no such register; the line counts from 0, most manuals from 1";
    case 3:
      return ": the unit refuses so many registers at once";
    case 4:
      return ": the unit itself has a fault";
    case 5:
    case 6:
      return ": the unit is busy; ask again later";
    case 10:
    case 11:
      return ": the gateway answers for a unit that it does not reach: address or wiring?";
    default:
      return {};
  }
}

}  // namespace

Expected<Capture> read_capture(Bytes bytes) {
  Capture capture;
  for (std::size_t at = 0; at < bytes.size();) {
    const Bytes rest = bytes.subspan(at);
    auto match = rtu_at(rest);
    const bool behind_tcp = capture.frames.empty() || capture.frames.back().tcp;
    if (!match && capture.skipped == 0 && behind_tcp) match = tcp_at(rest);
    // Functions whose length we do not know: the rest is one frame or none.
    if (!match && at == 0 && lengths(rest).empty() && sound(rest))
      match = Match{explain(rest.first(rest.size() - kCrc), false), rest.size()};
    if (!match) {
      ++capture.skipped;
      ++at;
      continue;
    }
    capture.frames.push_back(match->frame);
    at += match->size;
  }
  if (capture.frames.empty()) return tl::unexpected<std::string>(refusal(bytes));
  for (std::size_t i = 0; i < capture.frames.size(); ++i) settle(capture.frames, i);
  return capture;
}

std::string text_of(const Captured& frame) {
  const std::string unit = "unit " + std::to_string(frame.unit);
  switch (frame.kind) {
    case Captured::Kind::question:
      return unit + " is asked for " + things(frame.function, frame.count) + " from " +
             std::to_string(frame.first) + " on (" + manual(frame.function, frame.first) +
             " in manuals)";
    case Captured::Kind::answer:
      if (frame.data.empty()) return unit + " answers without any value";
      return unit + " answers with " +
             (holds_bits(frame.function)
                  ? std::to_string(frame.data.size()) + " bytes of bits"
                  : things(frame.function, static_cast<unsigned>(frame.data.size() / 2))) +
             (frame.tcp ? " (TCP)" : " (RTU)");
    case Captured::Kind::exception:
      return unit + " refuses function code " + std::to_string(frame.function) + ": exception " +
             std::to_string(frame.exception) + ", " + std::string(exception_name(frame.exception)) +
             what_to_do(frame.exception);
    case Captured::Kind::other:
      break;
  }
  if (frame.function == 6)
    return unit + ": function code 6 writes " + std::to_string(frame.count) + " into register " +
           std::to_string(frame.first) + "; this driver reads only";
  return unit + ": function code " + std::to_string(frame.function) +
         " reads no values; this driver knows 1 to 4";
}

std::string likely_floats(Bytes data) {
  static constexpr std::array<std::pair<const char*, Order>, 4> kOrders{
      {{"abcd", Order::abcd}, {"cdab", Order::cdab}, {"badc", Order::badc}, {"dcba", Order::dcba}}};
  std::string out;
  if (data.size() < 4) return out;
  for (const auto& [name, order] : kOrders) {
    const Value value = decode({1, Table::holding, 0, Type::float32, order, -1}, 0, data.first(4));
    const double size = std::fabs(value.number);
    if (value.kind != Value::Kind::number || size < 1e-2 || size > 1e7) continue;
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%s%s %.6g", out.empty() ? "" : ", ", name,
                  value.number);
    out += text.data();
  }
  return out;
}

}  // namespace gerbang::modbus
