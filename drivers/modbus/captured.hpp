// SPDX-License-Identifier: Apache-2.0
//
// Captured bytes, for people: which Modbus frames are in them, or why there are none. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "frame.hpp"

namespace gerbang::modbus {

struct Captured {
  enum class Kind : std::uint8_t { question, answer, exception, other };
  Kind kind = Kind::other;
  bool tcp = false;  // with a Modbus TCP header, else RTU with a checksum
  std::uint8_t unit = 0;
  std::uint8_t function = 0;   // without the exception bit
  std::uint8_t exception = 0;  // Kind::exception
  std::uint16_t first = 0;     // question: the first register or bit, as on the line
  std::uint16_t count = 0;     // question: how many
  Bytes data;                  // answer: of the bytes that were given

  // Of a question or an answer.
  Table table() const { return static_cast<Table>(function); }
};

struct Capture {
  std::vector<Captured> frames;  // in order; at least one
  std::size_t skipped = 0;       // bytes between them that belong to no sound frame
};

// Error: no sound frame is in it, and what is wrong with it.
Expected<Capture> read_capture(Bytes bytes);

// "unit 8 is asked for 2 input registers from 99 on (30100 in manuals)".
std::string text_of(const Captured& frame);

// Two registers at the beginning of `data` as float32 in each order that gives a likely number:
// "abcd 10, badc 0.5"; empty if none does.
std::string likely_floats(Bytes data);

}  // namespace gerbang::modbus
