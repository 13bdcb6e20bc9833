// SPDX-License-Identifier: Apache-2.0
//
// A search for units, without a line: which units, what to ask one, what its answers mean. Reads
// only, and only the beginnings of the tables. Pure.
#pragma once

#include <cstdint>
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

// One unit: asked for its first holding register; if anything comes back, for a little more, so
// that a person can recognise it.
class Scout {
 public:
  explicit Scout(std::uint8_t unit) : unit_(unit) {}

  // The next question; nullopt: enough is known.
  std::optional<Question> next() const;
  void take(const Question& question, const Outcome& outcome);

  std::uint8_t unit() const { return unit_; }
  // It answered, if only by refusing. A gateway that says "nobody there" for it is not an answer.
  bool found() const { return !blocks_.empty() || !refusals_.empty(); }
  // Bytes came that are no frame: something talks, but not at this rate or parity.
  bool garbled() const { return garbled_ > 0 && !found(); }

  // "holding 0-7: 700 278 0 0 0 0 0 0; refuses input 0 (ILLEGAL FUNCTION)".
  std::string seen() const;
  // [[sensor]] tables ready to paste; as comments if no register is known.
  std::string sensors(const std::string& driver) const;

 private:
  struct Block {
    Table table;
    std::vector<std::uint16_t> values;  // from register 0 on
  };
  struct Refusal {
    Table table;
    std::uint16_t count;
    std::uint8_t exception;
  };
  struct Step {
    Table table;
    std::uint16_t count;
  };
  const Block* block(Table table) const;
  bool mirrors(const Block& input) const;
  bool refused(Table table, std::uint16_t count) const;
  bool tried(Table table, std::uint16_t count) const;

  std::uint8_t unit_;
  std::vector<Step> asked_;
  std::vector<Block> blocks_;
  std::vector<Refusal> refusals_;
  int garbled_ = 0;
};

}  // namespace gerbang::modbus
