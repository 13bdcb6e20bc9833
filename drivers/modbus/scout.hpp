// SPDX-License-Identifier: Apache-2.0
//
// A search for units, without a line: which units, what to ask one, what its answers mean. Reads
// only, and only the beginnings of the tables. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "line.hpp"

namespace gerbang::modbus {

// "40,1-32": in the order given, each once. Error: what is wrong with the text.
Expected<std::vector<std::uint8_t>> units_of(std::string_view text, unsigned most);
// "9600,19200" and "none,even,odd", in the order given.
Expected<std::vector<int>> bauds_of(std::string_view text);
Expected<std::vector<char>> parities_of(std::string_view text);

// One unit: asked for its first holding register; if anything comes back and nobody knows what it
// is, for what its first holding and input registers hold.
class Scout {
 public:
  enum class Look : std::uint8_t {
    presence,   // it is known what it is
    registers,  // at most 75 questions more, each a block or one register of 0 to 31
  };
  explicit Scout(std::uint8_t unit, Look look = Look::registers) : unit_(unit), look_(look) {}

  // The next question; nullopt: enough is known.
  std::optional<Question> next() const;
  // What came of the question that next() gave.
  void take(const Question& question, const Outcome& outcome);

  std::uint8_t unit() const { return unit_; }
  // It answered, if only by refusing. A gateway that says "nobody there" for it is not an answer.
  bool found() const { return !seen_.empty(); }
  // Bytes came that are no frame: something talks, but not at this rate or parity.
  bool garbled() const { return garbled_ > 0 && !found(); }

  // "holding 0-31; refuses input 0 (ILLEGAL FUNCTION)".
  std::string seen() const;
  // [[sensor]] tables ready to paste, as comments if no register is known; below them, as comments,
  // what each register held: hex, uint16, and float32 with the next one where that is likely.
  std::string sensors(const std::string& driver) const;

 private:
  struct Seen {
    Table table;
    std::map<std::uint16_t, std::uint16_t> values;
    std::uint8_t exception = 0;  // the first one; 0: it refused nothing
    std::uint16_t refused = 0;   // the last register that it refused
  };
  Seen& of(Table table);
  const Seen* find(Table table) const;
  bool mirrors(const Seen& input) const;
  bool has_values() const;
  void plan();
  void take_refusal(const Question& question, std::uint8_t exception);
  void take_failure(const Question& question, gerbang_reason reason);
  std::string registers() const;

  std::uint8_t unit_;
  Look look_;
  std::deque<Question> to_ask_{{unit_, Table::holding, 0, 1}};
  std::vector<Seen> seen_;
  bool bits_asked_ = false;
  int garbled_ = 0;
};

}  // namespace gerbang::modbus
