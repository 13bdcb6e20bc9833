// SPDX-License-Identifier: Apache-2.0
#include "scout.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

#include "address.hpp"
#include "captured.hpp"

namespace gerbang::modbus {
namespace {

using Error = tl::unexpected<std::string>;

constexpr std::uint16_t kBlock = 8;   // registers that most devices give at once
constexpr std::uint16_t kAhead = 32;  // registers that a person can look through
constexpr std::uint8_t kNoFunction = 1;
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

using Values = std::map<std::uint16_t, std::uint16_t>;  // by number

Values values_of(const Question& question, Bytes data) {
  Values out;
  for (std::uint16_t i = 0; i < question.count; ++i)
    out[static_cast<std::uint16_t>(question.first + i)] =
        holds_bits(question.table) ? static_cast<std::uint16_t>(data[i / 8] >> (i % 8) & 1)
                                   : word(data, 2u * i);
  return out;
}

std::string range_text(unsigned first, unsigned last) {
  return std::to_string(first) + (last > first ? "-" + std::to_string(last) : "");
}

// "0-3, 8, 10-11"
std::string ranges_of(const Values& values) {
  std::string out;
  for (auto at = values.begin(); at != values.end();) {
    const unsigned first = at->first;
    unsigned last = first;
    for (++at; at != values.end() && at->first == last + 1; ++at) ++last;
    out += (out.empty() ? "" : ", ") + range_text(first, last);
  }
  return out;
}

// By the first of two registers: the likely float32 that they make. Two that both hold something
// come before those of which one is 0, and even numbers before odd ones; none is used twice.
std::map<std::uint16_t, std::string> floats_of(const Values& values) {
  std::map<std::uint16_t, std::string> out;
  const auto find = [&](bool both, unsigned odd) {
    for (const auto& [number, high] : values) {
      const auto next = values.find(static_cast<std::uint16_t>(number + 1));
      if (next == values.end() || (high != 0 && next->second != 0) != both) continue;
      if (!both && number % 2 != odd) continue;
      const auto taken = out.lower_bound(static_cast<std::uint16_t>(number == 0 ? 0 : number - 1));
      if (taken != out.end() && taken->first <= next->first) continue;
      const std::array<std::uint8_t, 4> bytes{
          static_cast<std::uint8_t>(high >> 8), static_cast<std::uint8_t>(high),
          static_cast<std::uint8_t>(next->second >> 8), static_cast<std::uint8_t>(next->second)};
      if (std::string text = likely_floats(bytes); !text.empty()) out[number] = std::move(text);
    }
  };
  find(true, 0);
  find(false, 0);
  find(false, 1);
  return out;
}

// A line for each register, or for all that follow each other and hold the same.
std::string lines_of(Table table, const Values& values) {
  std::string out;
  const auto floats =
      holds_bits(table) ? std::map<std::uint16_t, std::string>() : floats_of(values);
  for (auto at = values.begin(); at != values.end();) {
    const auto first = at;
    unsigned last = first->first;
    for (++at; at != values.end() && at->first == last + 1 && at->second == first->second &&
               !floats.contains(first->first) && !floats.contains(at->first);
         ++at)
      ++last;
    std::array<char, 80> text{};
    std::snprintf(text.data(), text.size(), "# %-8s %5s  0x%04X  %5u",
                  std::string(name_of(table)).c_str(), range_text(first->first, last).c_str(),
                  unsigned{first->second}, unsigned{first->second});
    out += text.data();
    if (const auto likely = floats.find(first->first); likely != floats.end())
      out += "  float32 with " + std::to_string(last + 1) + ": " + likely->second;
    out += '\n';
  }
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

Scout::Seen& Scout::of(Table table) {
  const auto known =
      std::find_if(seen_.begin(), seen_.end(), [&](const Seen& s) { return s.table == table; });
  if (known != seen_.end()) return *known;
  return seen_.emplace_back(Seen{table, {}});
}

const Scout::Seen* Scout::find(Table table) const {
  const auto known =
      std::find_if(seen_.begin(), seen_.end(), [&](const Seen& s) { return s.table == table; });
  return known == seen_.end() ? nullptr : &*known;
}

// Many devices show their holding registers as input registers too.
bool Scout::mirrors(const Seen& input) const {
  const Seen* holding = find(Table::holding);
  return input.table == Table::input && holding != nullptr && holding->values == input.values;
}

bool Scout::has_values() const {
  return std::any_of(seen_.begin(), seen_.end(), [](const Seen& s) { return !s.values.empty(); });
}

std::optional<Question> Scout::next() const {
  return to_ask_.empty() ? std::nullopt : std::optional(to_ask_.front());
}

void Scout::plan() {
  for (Table table : {Table::holding, Table::input}) {
    const Seen* known = find(table);
    if (known != nullptr && known->exception == kNoFunction) continue;
    for (std::uint16_t first = 0; first < kAhead; first += kBlock)
      to_ask_.push_back({unit_, table, first, kBlock});
  }
}

void Scout::take_refusal(const Question& question, std::uint8_t exception) {
  Seen& seen = of(question.table);
  if (seen.exception == 0) seen.exception = exception;
  seen.refused = static_cast<std::uint16_t>(question.first + question.count - 1);
  if (exception == kNoFunction) {
    std::erase_if(to_ask_, [&](const Question& q) { return q.table == question.table; });
    return;
  }
  // One of them may be missing, or it gives one at a time; bits are there or are not.
  if (question.count == 1 || holds_bits(question.table)) return;
  for (std::uint16_t i = question.count; i-- > 0;)
    to_ask_.push_front({unit_, question.table, static_cast<std::uint16_t>(question.first + i), 1});
}

void Scout::take_failure(const Question& question, gerbang_reason reason) {
  if (reason == GERBANG_REASON_CRC || reason == GERBANG_REASON_PROTOCOL) {
    ++garbled_;
    // Noise may have hit the only question.
    if (!found() && garbled_ < kAsksThroughNoise) to_ask_.push_back(question);
  }
  // What it answers from here on may belong to the question before.
  if (found()) to_ask_.clear();
}

void Scout::take(const Question& question, const Outcome& outcome) {
  const bool known = found();
  const bool nobody = outcome.exception == kNoPath || outcome.exception == kNoTarget;
  to_ask_.pop_front();
  if (outcome.kind == Outcome::Kind::failure || nobody) {
    take_failure(question, outcome.reason);
  } else {
    if (outcome.kind == Outcome::Kind::exception)
      take_refusal(question, outcome.exception);
    else
      for (const auto& [number, value] : values_of(question, outcome.data))
        of(question.table).values[number] = value;
  }
  if (look_ == Look::presence || !found()) return;
  if (!known) plan();
  // No registers at its beginning: perhaps it is a box of contacts.
  if (!to_ask_.empty() || has_values() || std::exchange(bits_asked_, true)) return;
  for (Table table : {Table::coil, Table::discrete}) to_ask_.push_back({unit_, table, 0, kBlock});
}

std::string Scout::seen() const {
  std::string out;
  const auto add = [&out](const std::string& text) { out += (out.empty() ? "" : "; ") + text; };
  for (const Seen& s : seen_)
    if (!s.values.empty())
      add(mirrors(s) ? "the same in input"
                     : std::string(name_of(s.table)) + " " + ranges_of(s.values));
  for (const Seen& s : seen_)
    if (s.values.empty())
      add("refuses " + std::string(name_of(s.table)) + " " + range_text(0, s.refused) + " (" +
          std::string(exception_name(s.exception)) + ")");
  return out;
}

std::string Scout::registers() const {
  std::string out;
  for (const Seen& s : seen_)
    if (!mirrors(s)) out += lines_of(s.table, s.values);
  return out;
}

std::string Scout::sensors(const std::string& driver) const {
  const auto sensor = [&](Table table, std::uint16_t number, const char* mark) {
    const std::string line = std::string("\n") + mark;
    const std::string name(name_of(table)), first = std::to_string(number);
    return mark + std::string("[[sensor]]") + line + "id = \"unit-" + std::to_string(unit_) + "-" +
           name + "-" + first + "\"" + line + "driver = \"" + driver + "\"" + line +
           "quantity = \"number\"     # what it measures: ph, turbidity, flow … with its unit and "
           "scale" +
           line + "address = { unit = " + std::to_string(unit_) + ", table = \"" + name +
           "\", register = " + first +
           (holds_bits(table) ? "" : ", type = \"uint16\", order = \"abcd\"") + " }\n";
  };
  std::string out;
  for (const Seen& s : seen_)
    if (!s.values.empty() && !mirrors(s))
      out += (out.empty() ? "" : "\n") + sensor(s.table, s.values.begin()->first, "");
  if (!out.empty())
    return out + "# What unit " + std::to_string(unit_) +
           " held when it was found: register, hex, uint16, likely float32\n" + registers();
  return "# Unit " + std::to_string(unit_) +
         " answers, but gives none of its first registers: take one from its manual.\n" +
         sensor(Table::holding, 0, "# ");
}

}  // namespace gerbang::modbus
