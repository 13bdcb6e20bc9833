// SPDX-License-Identifier: Apache-2.0
//
// Formats with control characters or fixed places: Toledo continuous, Yaohua, Rinstrum auto A.
#include <algorithm>
#include <string>

#include "formats.hpp"

namespace gerbang::weighbridge {
namespace {

constexpr std::uint8_t kStx = 0x02, kEtx = 0x03;

bool digit(std::uint8_t c) {
  return c >= '0' && c <= '9';
}

// A bit 7 in a frame of ASCII is nearly always a parity bit that the port took for data.
std::string eighth_bit(Bytes bytes) {
  for (const std::uint8_t c : bytes)
    if (c > 0x7F) return "; bytes above 7F: does the line have 7 data bits and parity?";
  return {};
}

// Six places: spaces, then digits.
std::optional<std::int64_t> six_digits(Bytes field) {
  const auto number = parse_decimal(text_of(field));
  for (const std::uint8_t c : field)
    if (!digit(c) && c != ' ') return std::nullopt;
  if (!number) return std::nullopt;
  return number->digits;
}

std::optional<Unit> toledo_unit(std::uint8_t b, std::uint8_t c) {
  switch (c & 7) {
    case 0:
      return (b & 0x10) != 0 ? Unit::kilogram : Unit::pound;
    case 1:
      return Unit::gram;
    case 2:
      return Unit::tonne;
    default:
      return std::nullopt;
  }
}

// A whole body of 17 bytes, from STX to CR.
Parsed toledo_body(Bytes f, std::size_t size) {
  const std::uint8_t a = f[1], b = f[2], c = f[3];
  if ((b & 0x40) != 0)
    return refused(size, GERBANG_REASON_WARM_UP,
                   "the indicator has not taken its zero since it was switched on");
  if ((b & 0x04) != 0) return (b & 0x02) != 0 ? below_range(size) : above_range(size);
  if ((c & 0x10) != 0)
    return refused(size, GERBANG_REASON_PROTOCOL,
                   "the indicator shows ten times the resolution; switch that off");
  const auto unit = toledo_unit(b, c);
  if (!unit)
    return refused(size, GERBANG_REASON_CONVERSION,
                   "the unit is none of kg, g, t and lb; change it at the indicator");
  const auto digits = six_digits(f.subspan(4, 6));
  const auto tare = six_digits(f.subspan(10, 6));
  if (!digits || !tare) return broken(GERBANG_REASON_PROTOCOL, "weight or tare is no number");

  const int decimals = (a & 7) - 2;
  Weight out;
  const auto shown = in_kilograms({(b & 0x02) != 0 ? -*digits : *digits, decimals}, *unit);
  const auto taken_off = in_kilograms({*tare, decimals}, *unit);
  if (!shown || !taken_off) return broken(GERBANG_REASON_CONVERSION, "the weight is too large");
  out.shown = *shown;
  out.basis = (b & 0x01) != 0 ? Basis::net : Basis::gross;
  out.motion = (b & 0x08) != 0 ? Motion::moving : Motion::at_rest;
  if (out.basis == Basis::net) out.tare = *taken_off;
  return taken(size, out);
}

}  // namespace

Parsed parse_toledo(const Dialect& dialect, Bytes bytes, bool end) {
  constexpr std::size_t kBody = 17;
  if (bytes[0] != kStx) return noise();
  // Status bytes have bit 5 and not bit 7; the first and the last of them not bit 6 either.
  for (std::size_t i = 1; i < std::min<std::size_t>(bytes.size(), 4); ++i) {
    const int mask = i == 1 ? 0xE0 : 0xA0;
    if ((bytes[i] & mask) != 0x20)
      return broken(GERBANG_REASON_PROTOCOL,
                    "a status byte is wrong" + eighth_bit(bytes.subspan(i, 1)));
  }
  for (std::size_t i = 4; i < std::min(bytes.size(), kBody - 1); ++i)
    if (!digit(bytes[i]) && bytes[i] != ' ')
      return broken(GERBANG_REASON_PROTOCOL,
                    "weight or tare is no number" + eighth_bit(bytes.subspan(i, 1)));
  if (bytes.size() < kBody) return incomplete();
  if (bytes[kBody - 1] != kCr)
    return broken(GERBANG_REASON_PROTOCOL, "no carriage return after weight and tare");
  if (dialect.checksum == Dialect::Checksum::never) return toledo_body(bytes, kBody);

  // What follows is the checksum, or the next frame. A checksum may be STX as well; then the next
  // frame's STX stands behind it, which is no status byte.
  const bool either = dialect.checksum == Dialect::Checksum::either;
  if (bytes.size() == kBody) return end && either ? toledo_body(bytes, kBody) : incomplete();
  const std::uint8_t next = bytes[kBody];
  if (either && next == kStx) {
    const std::size_t after = kBody + 1;
    if (bytes.size() == after && !end) return incomplete();
    if (bytes.size() > after && bytes[after] != kStx) return toledo_body(bytes, kBody);
  }
  unsigned sum = 0;
  for (const std::uint8_t c : bytes.first(kBody)) sum += c;
  if (((sum + next) & 0x7F) != 0 || next > 0x7F)
    return broken(GERBANG_REASON_CRC,
                  "the checksum is wrong" + eighth_bit(bytes.subspan(kBody, 1)));
  return toledo_body(bytes, kBody + 1);
}

Parsed parse_yaohua_a9(const Dialect& dialect, Bytes bytes) {
  constexpr std::size_t kSize = 12;
  if (bytes[0] != kStx) return noise();
  for (std::size_t i = 1; i < std::min<std::size_t>(bytes.size(), 9); ++i) {
    const std::uint8_t c = bytes[i];
    const bool good = i == 1 ? c == '+' || c == '-' : i == 8 ? c >= '0' && c <= '4' : digit(c);
    if (!good)
      return broken(GERBANG_REASON_PROTOCOL,
                    "sign, digits or places are wrong" + eighth_bit(bytes.subspan(i, 1)));
  }
  if (bytes.size() < kSize) return incomplete();
  if (bytes[kSize - 1] != kEtx) return broken(GERBANG_REASON_PROTOCOL, "no ETX after the checksum");
  unsigned all = 0;
  for (const std::uint8_t c : bytes.subspan(1, 8)) all ^= c;
  // A nibble is sent as a hexadecimal digit, or as 30 plus its value: both agree up to 9.
  auto is = [](std::uint8_t c, unsigned nibble, bool plain) {
    return c == (nibble < 10 || plain ? 0x30 + nibble : 'A' + nibble - 10);
  };
  const unsigned high = all >> 4, low = all & 15;
  const bool hex = is(bytes[9], high, false) && is(bytes[10], low, false);
  const bool plain = is(bytes[9], high, true) && is(bytes[10], low, true);
  if (!hex && !plain) return broken(GERBANG_REASON_CRC, "the checksum is wrong");

  const auto digits = parse_decimal(text_of(bytes.subspan(1, 7)));
  if (!digits) return broken(GERBANG_REASON_PROTOCOL, "the weight is no number");
  const auto kg = in_kilograms({digits->digits, bytes[8] - '0'}, dialect.unit);
  if (!kg) return broken(GERBANG_REASON_CONVERSION, "the weight is too large");
  Weight out;
  out.shown = *kg;
  return taken(kSize, out);
}

Parsed parse_yaohua_equals(const Dialect& dialect, Bytes bytes, bool end) {
  constexpr std::size_t kShortest = 5, kLongest = 10;  // characters after the sign of equality
  if (bytes[0] != '=') return noise();
  std::size_t size = 1;
  auto belongs = [](std::uint8_t c) {
    return digit(c) || c == '.' || c == '-' || c == '+' || c == ' ';
  };
  while (size < bytes.size() && belongs(bytes[size])) ++size;
  std::size_t last = size;  // some end each frame like a line
  while (last < bytes.size() && (bytes[last] == kCr || bytes[last] == kLf)) ++last;
  if (size - 1 > kLongest || last - size > 2)
    return broken(GERBANG_REASON_PROTOCOL, "too many characters after the equals sign");
  if (last == bytes.size() && !end) return incomplete();
  if (last < bytes.size() && bytes[last] != '=')
    return broken(GERBANG_REASON_PROTOCOL,
                  "not a digit after the equals sign" + eighth_bit(bytes.subspan(last, 1)));
  std::string text(text_of(bytes.subspan(1, size - 1)));
  std::reverse(text.begin(), text.end());
  const auto number = parse_decimal(text);
  if (text.size() < kShortest || !number)
    return broken(GERBANG_REASON_PROTOCOL, "what follows the equals sign is no number");
  const auto kg = in_kilograms(*number, dialect.unit);
  if (!kg) return broken(GERBANG_REASON_CONVERSION, "the weight is too large");
  Weight out;
  out.shown = *kg;
  return taken(last, out);
}

Parsed parse_rinstrum_a(const Dialect& dialect, Bytes bytes) {
  constexpr std::size_t kSize = 11;
  if (bytes[0] != kStx) return noise();
  for (std::size_t i = 1; i < std::min<std::size_t>(bytes.size(), 9); ++i) {
    const std::uint8_t c = bytes[i];
    const bool sign = c == ' ' || c == '-' || c == '+';
    if (i == 1 ? !sign : !digit(c) && c != '.' && c != ',' && c != ' ')
      return broken(GERBANG_REASON_PROTOCOL,
                    "sign or weight is wrong" + eighth_bit(bytes.subspan(i, 1)));
  }
  if (bytes.size() < kSize) return incomplete();
  if (bytes[kSize - 1] != kEtx) return broken(GERBANG_REASON_PROTOCOL, "no ETX after the status");
  Weight out;
  switch (bytes[9]) {
    case 'G':
    case 'N':
      out.basis = bytes[9] == 'G' ? Basis::gross : Basis::net;
      out.motion = Motion::at_rest;
      break;
    case 'M':
      out.motion = Motion::moving;
      break;
    case 'U':
      return below_range(kSize);
    case 'O':
      return above_range(kSize);
    case 'E':
      return refused(kSize, GERBANG_REASON_DEVICE_FAULT, "the indicator says: error");
    default:
      return broken(GERBANG_REASON_PROTOCOL, "the status is none of G, N, M, U, O, E");
  }
  const auto number = parse_decimal(text_of(bytes.subspan(1, 8)));
  if (!number) return broken(GERBANG_REASON_PROTOCOL, "the weight is no number");
  const auto kg = in_kilograms(*number, dialect.unit);
  if (!kg) return broken(GERBANG_REASON_CONVERSION, "the weight is too large");
  out.shown = *kg;
  return taken(kSize, out);
}

}  // namespace gerbang::weighbridge
