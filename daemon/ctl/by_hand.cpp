// SPDX-License-Identifier: Apache-2.0
#include "ctl/by_hand.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "config/options.hpp"

namespace gerbang::ctl {
namespace {

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool separates(char c) {
  return std::string_view(" \t\r\n,;:-_|").find(c) != std::string_view::npos;
}

auto wrong(std::string what) {
  return fail(std::errc::invalid_argument, std::move(what));
}

using config::in_quotes;

const OptionSpec* find(const std::vector<OptionSpec>& specs, std::string_view name) {
  const auto found = std::find_if(specs.begin(), specs.end(),
                                  [&](const OptionSpec& spec) { return spec.name == name; });
  return found == specs.end() ? nullptr : &*found;
}

struct Pair {
  std::string key, value;
};

Result<std::vector<Pair>> split(const std::vector<std::string>& pairs) {
  std::vector<Pair> out;
  for (const std::string& pair : pairs) {
    const auto equals = pair.find('=');
    if (equals == 0 || equals == std::string::npos)
      return wrong("--option " + in_quotes(pair) + ": write KEY=VALUE");
    Pair one{pair.substr(0, equals), pair.substr(equals + 1)};
    if (std::any_of(out.begin(), out.end(), [&](const Pair& p) { return p.key == one.key; }))
      return wrong("--option " + one.key + " is given twice");
    out.push_back(std::move(one));
  }
  return out;
}

Result<OptionValue> value_of(const OptionSpec& spec, const Pair& pair) {
  auto parsed = config::option_of_text(spec, pair.value);
  if (auto* value = std::get_if<OptionValue>(&parsed)) return std::move(*value);
  const auto& fault = std::get<config::Fault>(parsed);
  return wrong("--option " + pair.key + ": " + fault.what + "; " + fault.remedy);
}

// scale and offset: no driver declares them, because they are the sensor's.
Result<bool> take_scale(const Pair& pair, Given& given) {
  if (pair.key != "scale" && pair.key != "offset") return false;
  OptionSpec spec;
  spec.name = pair.key;
  spec.type = OptionType::number;
  auto value = value_of(spec, pair);
  if (!value) return fail(std::move(value).error());
  (pair.key == "scale" ? given.scale : given.offset) = value->number;
  return true;
}

std::string unknown_key(const DriverSchema& schema, const GivenRules& rules,
                        const std::string& key) {
  std::vector<std::string_view> known;
  for (const OptionSpec& spec : schema.options) known.push_back(spec.name);
  if (rules.address)
    for (const OptionSpec& spec : schema.address)
      if (std::find(known.begin(), known.end(), spec.name) == known.end())
        known.push_back(spec.name);
  if (rules.scale) known.insert(known.end(), {"scale", "offset"});
  return "--option " + key + ": driver " + schema.name + " has no such key; " +
         config::did_you_mean(key, known);
}

}  // namespace

Result<std::string> bytes_of_hex(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (separates(text[i])) {
      ++i;
      continue;
    }
    if (i + 1 < text.size() && (text[i] == '0' || text[i] == '\\') &&
        (text[i + 1] == 'x' || text[i + 1] == 'X'))
      i += 2;
    const std::size_t begin = i;
    while (i < text.size() && digit(text[i]) >= 0) ++i;
    const std::string at = "character " + std::to_string(i + 1);
    const bool more_hex = i < text.size() && text[i] == '\\';  // \x42\x4d
    if (i < text.size() && !separates(text[i]) && !more_hex)
      return wrong(at + ", " + in_quotes(text.substr(i, 1)) + ", is no hex digit");
    if ((i - begin) % 2 != 0 || i == begin)
      return wrong("character " + std::to_string(begin + 1) + ": " +
                   in_quotes(text.substr(begin, i - begin)) +
                   " has an odd number of digits; write two a byte, such as 0A");
    for (std::size_t k = begin; k < i; k += 2)
      out += static_cast<char>(digit(text[k]) * 16 + digit(text[k + 1]));
  }
  if (out.empty()) return wrong("there are no bytes in it");
  return out;
}

Result<std::string> bytes_of_text(std::string_view text) {
  constexpr std::array<std::pair<char, char>, 5> kEscapes{
      {{'r', '\r'}, {'n', '\n'}, {'t', '\t'}, {'\\', '\\'}, {'0', '\0'}}};
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    const std::string at = "character " + std::to_string(i + 1);
    const char kind = ++i < text.size() ? text[i] : ' ';
    if (kind == 'x') {
      if (i + 2 >= text.size() || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0)
        return wrong(at + ": \\x needs two hex digits, such as \\x02");
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
      continue;
    }
    const auto known = std::find_if(kEscapes.begin(), kEscapes.end(),
                                    [&](const auto& escape) { return escape.first == kind; });
    if (known == kEscapes.end())
      return wrong(at + ": a backslash begins \\r \\n \\t \\0 \\\\ or \\x02; nothing else");
    out += known->second;
  }
  if (out.empty()) return wrong("there are no characters in it");
  return out;
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (!out.empty()) out += ' ';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 0xF];
  }
  return out;
}

std::string exact(double number) {
  constexpr double kMany = 1e18, kSmall = 1e-6, kFloatCounts = 1 << 24;
  const double size = std::abs(number);
  const bool plain = size == 0 || (size >= kSmall && size < kMany);
  const auto format = plain ? std::chars_format::fixed : std::chars_format::general;
  std::array<char, 64> text;
  char* const end = text.data() + text.size();
  const auto narrow = static_cast<float>(size < kFloatCounts ? number : 0);
  const bool fits = static_cast<double>(narrow) == number;
  return {text.data(), (fits ? std::to_chars(text.data(), end, narrow, format)
                             : std::to_chars(text.data(), end, number, format))
                           .ptr};
}

double without_noise(double computed) {
  std::array<char, 40> text;
  std::snprintf(text.data(), text.size(), "%.15g", computed);
  return std::strtod(text.data(), nullptr);
}

Result<Given> given_options(const DriverSchema& schema, const std::vector<std::string>& pairs,
                            const GivenRules& rules) {
  Given given;
  auto typed = split(pairs);
  if (!typed) return fail(std::move(typed).error());
  std::vector<OptionValue> options, addresses;
  std::vector<std::string> said;
  for (const Pair& pair : *typed) {
    const OptionSpec* option = find(schema.options, pair.key);
    const OptionSpec* address = rules.address ? find(schema.address, pair.key) : nullptr;
    if (option == nullptr && address == nullptr) {
      auto taken = rules.scale ? take_scale(pair, given) : Result<bool>(false);
      if (!taken) return fail(std::move(taken).error());
      if (!*taken) return wrong(unknown_key(schema, rules, pair.key));
      continue;
    }
    auto value = value_of(option != nullptr ? *option : *address, pair);
    // An address may allow what the option for all of them does not.
    if (!value && option != nullptr && address != nullptr) value = value_of(*address, pair);
    if (!value) return fail(std::move(value).error());
    said.push_back(pair.key);
    (option != nullptr ? options : addresses).push_back(std::move(*value));
  }
  for (const OptionSpec& spec : schema.options) {
    if (!spec.fallback || std::find(said.begin(), said.end(), spec.name) != said.end()) continue;
    auto value = config::option_of_text(spec, *spec.fallback);
    if (auto* known = std::get_if<OptionValue>(&value)) options.push_back(std::move(*known));
  }
  options.insert(options.end(), addresses.begin(), addresses.end());
  options.insert(options.end(), rules.extra.begin(), rules.extra.end());
  given.options = OptionValues(std::move(options));
  return given;
}

Named named(std::string_view line) {
  const auto space = line.find(' ');
  if (space == std::string_view::npos) return {std::string(line), {}};
  return {std::string(line.substr(0, space)), std::string(line.substr(space + 1))};
}

std::string without_origin(std::string text) {
  for (std::string_view origin : {"decode: ", "scan: "})
    if (text.starts_with(origin)) text.erase(0, origin.size());
  return text;
}

}  // namespace gerbang::ctl
