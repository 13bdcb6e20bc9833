// SPDX-License-Identifier: Apache-2.0
//
// Formats that are lines of text: A&D, ST/GS, CAS, A12E, MT-SICS.
#include <algorithm>
#include <initializer_list>
#include <string>

#include "formats.hpp"

namespace gerbang::weighbridge {
namespace {

bool printable(std::uint8_t c) {
  return c >= 0x20 && c <= 0x7E;
}

// The first characters, or as many of them as there are.
bool begins(std::string_view text, std::string_view head) {
  const std::size_t n = std::min(text.size(), head.size());
  return text.substr(0, n) == head.substr(0, n);
}
bool begins_any(std::string_view text, std::initializer_list<std::string_view> heads) {
  return std::any_of(heads.begin(), heads.end(), [&](auto head) { return begins(text, head); });
}

// A line up to its CR or LF; `parse` gets it without.
template <class Parse>
Parsed line(Bytes bytes, Parse&& parse) {
  const auto end = std::find_if_not(bytes.begin(), bytes.end(), printable);
  if (end == bytes.end()) return incomplete();
  if (*end > 0x7F)
    return broken(GERBANG_REASON_PROTOCOL,
                  "bytes above 7F: does the line have 7 data bits and parity?");
  if (*end != kCr && *end != kLf)
    return broken(GERBANG_REASON_PROTOCOL, "a control character within a line");
  const auto size = static_cast<std::size_t>(end - bytes.begin());
  return parse(text_of(bytes.first(size)), size + 1);
}

// "+0001234kg": a number and its unit.
Parsed weight_and_unit(std::string_view text, std::size_t size, Weight out) {
  const auto last = text.find_last_of("0123456789.,");
  const auto number =
      last == std::string_view::npos ? std::nullopt : parse_decimal(text.substr(0, last + 1));
  if (!number) return broken(GERBANG_REASON_PROTOCOL, "the weight is no number");
  const auto unit = parse_unit(text.substr(last + 1));
  if (!unit) return broken(GERBANG_REASON_CONVERSION, "the unit is none of kg, g, t and lb");
  const auto kg = in_kilograms(*number, *unit);
  if (!kg) return broken(GERBANG_REASON_CONVERSION, "the weight is too large");
  out.shown = *kg;
  return taken(size, out);
}

std::optional<Basis> basis_of(std::string_view letters) {
  if (letters == "GS") return Basis::gross;
  if (letters == "NT") return Basis::net;
  if (letters == "TR") return Basis::tare;
  return std::nullopt;
}

}  // namespace

Parsed parse_aandd(Bytes bytes) {
  if (!begins_any(text_of(bytes), {"ST,", "US,", "OL,", "QT,"})) return noise();
  return line(bytes, [](std::string_view text, std::size_t size) {
    if (text.size() < 4) return broken(GERBANG_REASON_PROTOCOL, "the line is too short");
    if (text[0] == 'O') return above_range(size);
    if (text[0] == 'Q')
      return refused(size, GERBANG_REASON_CONVERSION, "the indicator counts pieces; set it to kg");
    Weight out;
    out.motion = text[0] == 'S' ? Motion::at_rest : Motion::moving;
    return weight_and_unit(text.substr(3), size, out);
  });
}

Parsed parse_st_gs(Bytes bytes) {
  if (!begins_any(text_of(bytes), {"ST,", "US,", "OL,"})) return noise();
  return line(bytes, [](std::string_view text, std::size_t size) {
    if (text.size() < 7 || text[5] != ',')
      return broken(GERBANG_REASON_PROTOCOL, "not of the form ST,GS,+0001234kg");
    const auto basis = basis_of(text.substr(3, 2));
    if (!basis) return broken(GERBANG_REASON_PROTOCOL, "the second word is none of GS, NT, TR");
    if (text[0] == 'O') return above_range(size);
    Weight out;
    out.basis = *basis;
    out.motion = text[0] == 'S' ? Motion::at_rest : Motion::moving;
    return weight_and_unit(text.substr(6), size, out);
  });
}

// The places are fixed, because identity and lamps are binary and may be a CR.
Parsed parse_cas_22(Bytes bytes) {
  constexpr std::size_t kSize = 22;
  const std::string_view text = text_of(bytes);
  if (!begins_any(text, {"ST,", "US,", "OL,"})) return noise();
  for (std::size_t i = 3; i < std::min(bytes.size(), kSize); ++i) {
    const std::uint8_t c = bytes[i];
    const bool binary = i == 6 || i == 7;
    const bool good = i == 5 || i == 8 ? c == ','
                      : i == 20        ? c == kCr
                      : i == 21        ? c == kLf
                                       : printable(c);
    if (!binary && !good)
      return broken(GERBANG_REASON_PROTOCOL, "a character stands where none of 22 may");
  }
  if (bytes.size() < kSize) return incomplete();
  const auto basis = basis_of(text.substr(3, 2));
  if (!basis || *basis == Basis::tare)
    return broken(GERBANG_REASON_PROTOCOL, "the second word is neither GS nor NT");
  if (text[0] == 'O') return above_range(kSize);
  Weight out;
  out.basis = *basis;
  out.motion = text[0] == 'S' ? Motion::at_rest : Motion::moving;
  return weight_and_unit(text.substr(9, 11), kSize, out);
}

Parsed parse_a12e(Bytes bytes) {
  if (!begins_any(text_of(bytes), {"wn", "ww"})) return noise();
  return line(bytes, [](std::string_view text, std::size_t size) {
    if (text.size() < 4) return broken(GERBANG_REASON_PROTOCOL, "the line is too short");
    Weight out;
    out.basis = text[1] == 'n' ? Basis::net : Basis::gross;
    return weight_and_unit(text.substr(2), size, out);
  });
}

Parsed parse_mt_sics(Bytes bytes) {
  const std::string_view head = text_of(bytes);
  if (!begins_any(head, {"S S", "S D", "S +", "S -", "S I", "ES\r", "EL\r", "ET\r"}))
    return noise();
  return line(bytes, [](std::string_view text, std::size_t size) {
    if (text[0] == 'E')
      return refused(size, GERBANG_REASON_PROTOCOL, "the indicator does not know the request");
    if (text.size() < 3) return broken(GERBANG_REASON_PROTOCOL, "the line is too short");
    if (text[2] == '+') return above_range(size);
    if (text[2] == '-') return below_range(size);
    if (text[2] == 'I')
      return refused(size, GERBANG_REASON_DEVICE_FAULT, "the indicator cannot weigh just now");
    if (text.size() < 6 || text[3] != ' ')
      return broken(GERBANG_REASON_PROTOCOL, "not of the form S S     45000.0 kg");
    Weight out;
    out.motion = text[2] == 'S' ? Motion::at_rest : Motion::moving;
    return weight_and_unit(text.substr(3), size, out);
  });
}

}  // namespace gerbang::weighbridge
