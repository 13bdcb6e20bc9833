// SPDX-License-Identifier: Apache-2.0
#include "scout.hpp"

#include <algorithm>
#include <charconv>

#include "address.hpp"
#include "captured.hpp"

namespace gerbang::modbus {
namespace {

using Error = tl::unexpected<std::string>;

constexpr std::uint16_t kFew = 8;       // registers that a person can look through
constexpr std::uint8_t kNoPath = 10;    // exceptions of a gateway …
constexpr std::uint8_t kNoTarget = 11;  // … that found nobody behind it
constexpr int kAsksThroughNoise = 2;

std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    std::string_view part = text.substr(0, comma);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (!part.empty()) parts.push_back(part);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

std::optional<unsigned> number_of(std::string_view text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::vector<std::uint16_t> values_of(const Question& question, Bytes data) {
  std::vector<std::uint16_t> out;
  for (std::size_t i = 0; i < question.count; ++i)
    out.push_back(holds_bits(question.table)
                      ? static_cast<std::uint16_t>(data[i / 8] >> (i % 8) & 1)
                      : static_cast<std::uint16_t>(data[2 * i] << 8 | data[2 * i + 1]));
  return out;
}

}  // namespace

Expected<std::vector<std::uint8_t>> units_of(std::string_view text, unsigned most) {
  std::vector<std::uint8_t> out;
  const std::string form =
      "; write units like 1-32 or 1,5,40-47, each at most " + std::to_string(most);
  for (std::string_view part : parts_of(text)) {
    const auto dash = part.find('-');
    const auto low = number_of(part.substr(0, dash));
    const auto high = dash == std::string_view::npos ? low : number_of(part.substr(dash + 1));
    if (!low || !high || *low > *high || *high > most)
      return Error("units: \"" + std::string(part) + "\" is none" + form);
    for (unsigned unit = *low; unit <= *high; ++unit)
      if (std::find(out.begin(), out.end(), unit) == out.end())
        out.push_back(static_cast<std::uint8_t>(unit));
  }
  if (out.empty()) return Error("units: none are named" + form);
  return out;
}

Expected<std::vector<int>> bauds_of(std::string_view text) {
  std::vector<int> out;
  for (std::string_view part : parts_of(text)) {
    const auto rate = number_of(part);
    if (!rate || !is_baud_rate(*rate))
      return Error("bauds: \"" + std::string(part) +
                   "\" is not a rate of serial ports; write 9600,19200");
    out.push_back(static_cast<int>(*rate));
  }
  if (out.empty()) return Error("bauds: none are named; write 9600,19200");
  return out;
}

Expected<std::vector<char>> parities_of(std::string_view text) {
  std::vector<char> out;
  for (std::string_view part : parts_of(text)) {
    if (part != "none" && part != "even" && part != "odd")
      return Error("parities: \"" + std::string(part) + "\" is none of none, even, odd");
    out.push_back(part == "even" ? 'E' : part == "odd" ? 'O' : 'N');
  }
  if (out.empty()) return Error("parities: none are named; write none,even,odd");
  return out;
}

const Scout::Block* Scout::block(Table table) const {
  const auto found = std::find_if(blocks_.begin(), blocks_.end(),
                                  [&](const Block& b) { return b.table == table; });
  return found == blocks_.end() ? nullptr : &*found;
}

// Many devices show their holding registers as input registers too.
bool Scout::mirrors(const Block& input) const {
  const Block* holding = block(Table::holding);
  return input.table == Table::input && holding != nullptr && holding->values == input.values;
}

bool Scout::refused(Table table, std::uint16_t count) const {
  return std::any_of(refusals_.begin(), refusals_.end(),
                     [&](const Refusal& r) { return r.table == table && r.count == count; });
}

bool Scout::tried(Table table, std::uint16_t count) const {
  return std::any_of(asked_.begin(), asked_.end(),
                     [&](const Step& s) { return s.table == table && s.count == count; });
}

std::optional<Question> Scout::next() const {
  const auto ask = [this](Table table, std::uint16_t count) {
    return Question{unit_, table, 0, count};
  };
  if (!tried(Table::holding, 1)) return ask(Table::holding, 1);
  if (!found()) {
    // Noise may have hit the only question.
    const bool again = garbled_ > 0 && static_cast<int>(asked_.size()) < kAsksThroughNoise;
    return again ? std::optional(ask(Table::holding, 1)) : std::nullopt;
  }
  if (block(Table::holding) != nullptr && !tried(Table::holding, kFew))
    return ask(Table::holding, kFew);
  if (!tried(Table::input, kFew)) return ask(Table::input, kFew);
  if (refused(Table::input, kFew) && !tried(Table::input, 1)) return ask(Table::input, 1);
  if (!blocks_.empty()) return std::nullopt;
  // No registers at its beginning: perhaps it is a box of contacts.
  for (Table table : {Table::coil, Table::discrete})
    if (!tried(table, kFew)) return ask(table, kFew);
  return std::nullopt;
}

void Scout::take(const Question& question, const Outcome& outcome) {
  asked_.push_back({question.table, question.count});
  if (outcome.kind == Outcome::Kind::answer) {
    auto values = values_of(question, outcome.data);
    const auto known = std::find_if(blocks_.begin(), blocks_.end(),
                                    [&](const Block& b) { return b.table == question.table; });
    if (known == blocks_.end())
      blocks_.push_back({question.table, std::move(values)});
    else
      known->values = std::move(values);
  } else if (outcome.kind == Outcome::Kind::exception) {
    const bool nobody = outcome.exception == kNoPath || outcome.exception == kNoTarget;
    if (!nobody) refusals_.push_back({question.table, question.count, outcome.exception});
  } else if (outcome.reason == GERBANG_REASON_CRC || outcome.reason == GERBANG_REASON_PROTOCOL) {
    ++garbled_;
  }
}

std::string Scout::seen() const {
  std::string out;
  const auto add = [&out](const std::string& text) { out += (out.empty() ? "" : "; ") + text; };
  for (const Block& b : blocks_) {
    if (mirrors(b)) {
      add("the same in input");
      continue;
    }
    std::string text(name_of(b.table));
    text += b.values.size() == 1 ? " 0:" : " 0-" + std::to_string(b.values.size() - 1) + ":";
    for (std::uint16_t value : b.values) text += " " + std::to_string(value);
    add(text);
    if (holds_bits(b.table) || b.values.size() < 2) continue;
    const std::vector<std::uint8_t> first{
        static_cast<std::uint8_t>(b.values[0] >> 8), static_cast<std::uint8_t>(b.values[0]),
        static_cast<std::uint8_t>(b.values[1] >> 8), static_cast<std::uint8_t>(b.values[1])};
    if (const std::string floats = likely_floats(first); !floats.empty())
      add(std::string(name_of(b.table)) + " 0 as float32: " + floats);
  }
  for (const Refusal& r : refusals_)
    if (block(r.table) == nullptr && (r.count == 1 || !refused(r.table, 1)))
      add("refuses " + std::string(name_of(r.table)) + " 0 (" +
          std::string(exception_name(r.exception)) + ")");
  return out;
}

std::string Scout::sensors(const std::string& driver) const {
  const auto sensor = [&](Table table, const char* mark) {
    const std::string line = std::string("\n") + mark;
    const std::string name(name_of(table));
    return mark + std::string("[[sensor]]") + line + "id = \"unit-" + std::to_string(unit_) + "-" +
           name + "-0\"" + line + "driver = \"" + driver + "\"" + line +
           "quantity = \"number\"     # what it measures: ph, turbidity, flow … with its unit and "
           "scale" +
           line + "address = { unit = " + std::to_string(unit_) + ", table = \"" + name +
           "\", register = 0" + (holds_bits(table) ? "" : ", type = \"uint16\", order = \"abcd\"") +
           " }\n";
  };
  std::string out;
  for (const Block& b : blocks_)
    if (!mirrors(b)) out += (out.empty() ? "" : "\n") + sensor(b.table, "");
  if (!out.empty()) return out;
  return "# Unit " + std::to_string(unit_) +
         " answers, but has no register 0: take one from its manual.\n" +
         sensor(Table::holding, "# ");
}

}  // namespace gerbang::modbus
