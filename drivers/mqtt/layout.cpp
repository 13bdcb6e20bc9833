// SPDX-License-Identifier: Apache-2.0
#include "layout.hpp"

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

namespace gerbang::mqtt {
namespace {

constexpr int kFarthest = 4096;  // no radio and few brokers carry more

tl::unexpected<std::string> wrong(std::string_view text, const std::string& why) {
  return tl::unexpected("bytes = \"" + std::string(text) + "\": " + why +
                        "; write for example u16be@0, i8@2, f32le@4, bit@6.0 (type, order, @, "
                        "number of the first byte from 0)");
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

template <class Number>
bool take_number(std::string_view& text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

double real_of(std::uint64_t bits, std::size_t size) {
  if (size == 4) return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  return std::bit_cast<double>(bits);
}

std::int64_t signed_of(std::uint64_t bits, std::size_t size) {
  const auto unused = static_cast<unsigned>(64 - 8 * size);
  return static_cast<std::int64_t>(bits << unused) >> unused;
}

int digit_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

}  // namespace

tl::expected<Layout, std::string> layout_of(std::string_view text) {
  std::string_view rest = text;
  Layout layout;
  if (take(rest, "bit")) {
    layout.kind = Layout::Kind::bit;
  } else {
    if (take(rest, "u"))
      layout.kind = Layout::Kind::unsigned_;
    else if (take(rest, "i"))
      layout.kind = Layout::Kind::signed_;
    else if (take(rest, "f"))
      layout.kind = Layout::Kind::real;
    else
      return wrong(text, "the type is u (unsigned), i (signed), f (IEEE float) or bit");
    unsigned bits = 0;
    if (!take_number(rest, bits)) return wrong(text, "the number of bits is missing");
    const bool real = layout.kind == Layout::Kind::real;
    if (real ? bits != 32 && bits != 64
             : bits != 8 && bits != 16 && bits != 24 && bits != 32 && bits != 64)
      return wrong(text,
                   real ? "floats have 32 or 64 bits" : "integers have 8, 16, 24, 32 or 64 bits");
    layout.size = bits / 8;
    if (take(rest, "le"))
      layout.little = true;
    else if (!take(rest, "be") && layout.size > 1)
      return wrong(text, "the byte order is missing: be (most significant first) or le");
  }
  if (!take(rest, "@")) return wrong(text, "the place is missing: @ and the number of a byte");
  if (!take_number(rest, layout.offset)) return wrong(text, "no number follows @");
  if (layout.kind == Layout::Kind::bit &&
      (!take(rest, ".") || !take_number(rest, layout.bit) || layout.bit > 7))
    return wrong(text, "a bit is byte.bit, and the bit 0 to 7");
  if (!rest.empty()) return wrong(text, "\"" + std::string(rest) + "\" is too much");
  if (layout.offset > kFarthest || layout.offset < -kFarthest)
    return wrong(text, "no message is that long");
  if (layout.offset < 0 && static_cast<std::size_t>(-layout.offset) < layout.size)
    return wrong(text, "it would end behind the last byte");
  return layout;
}

Value decode(const Layout& layout, Bytes bytes) {
  const std::ptrdiff_t length = std::ssize(bytes);
  const std::ptrdiff_t first = layout.offset < 0 ? length + layout.offset : layout.offset;
  if (first < 0 || first + static_cast<std::ptrdiff_t>(layout.size) > length)
    return refused(
        GERBANG_REASON_PROTOCOL,
        "the device sent " + std::to_string(length) + " bytes, but the value ends at " +
            std::to_string(first < 0 ? -layout.offset : first + static_cast<int>(layout.size)));
  const Bytes field = bytes.subspan(static_cast<std::size_t>(first), layout.size);
  if (layout.kind == Layout::Kind::bit) return Found::of(std::int64_t{field[0] >> layout.bit & 1});
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < layout.size; ++i)
    bits = bits << 8 | field[layout.little ? layout.size - 1 - i : i];
  if (layout.kind == Layout::Kind::real) {
    const double value = real_of(bits, layout.size);
    if (!std::isfinite(value)) return refused(GERBANG_REASON_NOT_A_NUMBER, "it sent no number");
    return Found::of(value);
  }
  if (layout.kind == Layout::Kind::signed_) return Found::of(signed_of(bits, layout.size));
  if (bits > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return Found::of(static_cast<double>(bits));
  return Found::of(static_cast<std::int64_t>(bits));
}

tl::expected<std::vector<std::uint8_t>, std::string> base64(std::string_view text) {
  std::size_t padding = 0;
  while (padding < 2 && text.ends_with('=')) {
    text.remove_suffix(1);
    ++padding;
  }
  if (text.size() % 4 == 1 || (padding > 0 && (text.size() + padding) % 4 != 0))
    return tl::unexpected(std::string("its length is wrong for base64"));
  std::vector<std::uint8_t> out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (char c : text) {
    const int digit = digit_of(c);
    if (digit < 0) return tl::unexpected(std::string("a character in it is not base64"));
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out.push_back(static_cast<std::uint8_t>(bits >> held & 0xFF));
  }
  if ((bits & ((1u << held) - 1)) != 0)
    return tl::unexpected(std::string("it ends within a byte: cut off?"));
  return out;
}

}  // namespace gerbang::mqtt
