// SPDX-License-Identifier: Apache-2.0
#include "codec.hpp"

#include <algorithm>
#include <charconv>

namespace gerbang::sdi12 {
namespace {

bool digit(char c) {
  return c >= '0' && c <= '9';
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(' ') - first + 1));
}

char letter_of(Command::Kind kind) {
  switch (kind) {
    case Command::Kind::concurrent:
      return 'C';
    case Command::Kind::continuous:
      return 'R';
    case Command::Kind::verify:
      return 'V';
    case Command::Kind::measure:
      break;
  }
  return 'M';
}

}  // namespace

bool is_address(char c) {
  return c != '\0' && kAddresses.find(c) != std::string_view::npos;
}

std::optional<Command> command_of(std::string_view name) {
  // The list is the definition of what is a command.
  bool known = false;
  for (std::string_view rest = kCommandNames; !rest.empty() && !known;) {
    const auto end = std::min(rest.find('|'), rest.size());
    known = rest.substr(0, end) == name;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (!known) return std::nullopt;
  Command out;
  out.kind = name[0] == 'M'   ? Command::Kind::measure
             : name[0] == 'C' ? Command::Kind::concurrent
             : name[0] == 'R' ? Command::Kind::continuous
                              : Command::Kind::verify;
  out.checked = name.size() > 1 && name[1] == 'C';
  if (digit(name.back())) out.number = name.back() - '0';
  return out;
}

std::string name_of(const Command& command) {
  std::string out(1, letter_of(command.kind));
  if (command.checked) out += 'C';
  if (command.number >= 0) out += static_cast<char>('0' + command.number);
  return out;
}

std::string start_text(char address, const Command& command) {
  return address + name_of(command) + '!';
}

std::string data_text(char address, int number) {
  return {address, 'D', static_cast<char>('0' + number), '!'};
}

std::string crc_of(std::string_view text) {
  unsigned crc = 0;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xA001 : crc >> 1;
  }
  return {static_cast<char>(0x40 | crc >> 12), static_cast<char>(0x40 | (crc >> 6 & 0x3F)),
          static_cast<char>(0x40 | (crc & 0x3F))};
}

Expected<Promise> parse_promise(const Command& command, std::string_view line) {
  const bool concurrent = command.kind == Command::Kind::concurrent;
  const std::size_t size = concurrent ? 6 : 5;
  const std::string_view numbers = line.substr(std::min<std::size_t>(1, line.size()));
  if (line.size() != size || !std::all_of(numbers.begin(), numbers.end(), digit))
    return tl::unexpected("the answer to " + name_of(command) + " is not of the form " +
                          (concurrent ? "atttnn" : "atttn"));
  Promise out;
  std::from_chars(numbers.data(), numbers.data() + 3, out.seconds);
  std::from_chars(numbers.data() + 3, numbers.data() + numbers.size(), out.values);
  return out;
}

Expected<std::vector<double>> parse_values(std::string_view text) {
  std::vector<double> out;
  while (!text.empty()) {
    if (text[0] != '+' && text[0] != '-')
      return tl::unexpected(std::string("a value does not begin with + or -"));
    const auto end = std::min(text.find_first_of("+-", 1), text.size());
    const std::string_view number = text.substr(1, end - 1);
    const auto digits = std::count_if(number.begin(), number.end(), digit);
    const auto marks = std::count(number.begin(), number.end(), '.');
    if (digits < 1 || digits > 7 || marks > 1 ||
        digits + marks != static_cast<std::ptrdiff_t>(number.size()))
      return tl::unexpected(std::string("a value is not 1 to 7 digits with at most one point"));
    double value = 0;
    std::from_chars(number.data(), number.data() + number.size(), value);
    out.push_back(text[0] == '-' ? -value : value);
    text.remove_prefix(end);
  }
  return out;
}

std::optional<std::string_view> without_crc(std::string_view line) {
  if (line.size() < 4) return std::nullopt;
  const std::string_view body = line.substr(0, line.size() - 3);
  if (crc_of(body) != line.substr(body.size())) return std::nullopt;
  return body;
}

std::optional<Identity> parse_identity(std::string_view line) {
  // address, version 2, vendor 8, model 6, firmware 3, up to 13 more
  if (line.size() < 20 || line.size() > 33 || !digit(line[1]) || !digit(line[2]))
    return std::nullopt;
  Identity out;
  out.version = {line[1], '.', line[2]};
  out.vendor = trimmed(line.substr(3, 8));
  out.model = trimmed(line.substr(11, 6));
  out.firmware = trimmed(line.substr(17, 3));
  out.extra = trimmed(line.substr(20));
  return out;
}

std::string text_of(const Identity& identity) {
  std::string out = identity.vendor + " " + identity.model + ", firmware " + identity.firmware;
  if (!identity.extra.empty()) out += ", " + identity.extra;
  return out + ", SDI-12 " + identity.version;
}

std::optional<std::string_view> Lines::take(std::uint8_t byte) {
  const char c = static_cast<char>(byte);
  if (c == '\0' && line_.empty()) return std::nullopt;  // a break
  if (c == '\n') {
    if (!line_.empty() && line_.back() == '\r') line_.pop_back();
    whole_.swap(line_);
    line_.clear();
    if (whole_.empty()) return std::nullopt;
    return whole_;
  }
  if (line_.size() == kLongest) line_.clear();
  line_ += c;
  if (c == '!' && line_ == echo_) {
    line_.clear();
    echo_.clear();  // heard once
  }
  return std::nullopt;
}

bool is_clean(std::string_view line) {
  return std::all_of(line.begin(), line.end(), [](char c) { return c >= 0x20 && c <= 0x7E; });
}

}  // namespace gerbang::sdi12
