// SPDX-License-Identifier: Apache-2.0
//
// The formats in which indicators send weights without being asked. Pure: bytes to a weight, or the
// reason why there is none.
#pragma once

#include <gerbang/driver.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "weight.hpp"

namespace gerbang::weighbridge {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint8_t kCr = 0x0D, kLf = 0x0A;

enum class Format : std::uint8_t {
  toledo,         // STX, status, weight, tare, CR, checksum perhaps
  aandd,          // ST,+00012.345 kg
  st_gs,          // ST,GS,+0001234kg
  cas_22,         // ST,GS,<id><lamp>,   12340 kg
  yaohua_a9,      // STX, sign, digits, decimals, XOR, ETX
  yaohua_equals,  // =0.043210, read backwards
  a12e,           // wn0003.17kg
  mt_sics,        // S S     45000.0 kg
  rinstrum_a,     // STX, sign, weight, status, ETX
};
inline constexpr std::array kFormats{Format::toledo, Format::aandd,     Format::st_gs,
                                     Format::cas_22, Format::yaohua_a9, Format::yaohua_equals,
                                     Format::a12e,   Format::mt_sics,   Format::rinstrum_a};
// As in the option `format`; after the first they stand in the order above.
constexpr const char* kFormatChoices =
    "auto|toledo|and|st-gs|cas-22|yaohua-a9|yaohua-equals|a12e|mt-sics|rinstrum-a";
std::string_view name_of(Format format);
std::optional<Format> format_of(std::string_view name);  // nothing for "auto" and unknown ones

// No frame is longer. What has not become one by then is thrown away.
constexpr std::size_t kLongestFrame = 128;

struct Dialect {
  // Of formats that do not say it: Yaohua, Rinstrum.
  Unit unit = Unit::kilogram;
  // Toledo: whether frames end in a checksum. `either`: a frame with a wrong one is refused, one
  // without is taken.
  enum class Checksum : std::uint8_t { either, always, never };
  Checksum checksum = Checksum::either;
};

// What an indicator says instead of a weight.
enum class Refusal : std::uint8_t { none, above_range, below_range, other };

// What stands at the beginning of the bytes.
struct Parsed {
  enum class Kind : std::uint8_t {
    noise,       // no frame begins here
    incomplete,  // may become one
    broken,      // looks like one, but it is damaged: `reason`, `why`
    refused,     // a whole frame of `size` bytes that says that there is no weight: likewise
    weight,      // a whole frame of `size` bytes
  };
  Kind kind = Kind::noise;
  std::size_t size = 1;
  Weight weight;
  gerbang_reason reason = GERBANG_REASON_NONE;
  std::string why;
  Refusal refusal = Refusal::none;
};

// `end`: nothing follows these bytes (a captured frame). Else a frame that can only be told by what
// follows it is incomplete until that has come.
Parsed parse(Format format, const Dialect& dialect, Bytes bytes, bool end);

// Formats whose frames carry nothing that tells a lost character: a Decoder compares lengths.
constexpr bool has_checksum(Format format) {
  return format == Format::yaohua_a9 || format == Format::toledo;
}
// Whether frames say that the platform is at rest.
constexpr bool tells_motion(Format format) {
  return format != Format::yaohua_a9 && format != Format::yaohua_equals && format != Format::a12e;
}

// For the parsers.
Parsed noise();
Parsed incomplete();
Parsed broken(gerbang_reason reason, std::string why);
Parsed refused(std::size_t size, gerbang_reason reason, std::string why);
Parsed above_range(std::size_t size);
Parsed below_range(std::size_t size);
Parsed taken(std::size_t size, const Weight& weight);
std::string_view text_of(Bytes bytes);

Parsed parse_toledo(const Dialect& dialect, Bytes bytes, bool end);
Parsed parse_aandd(Bytes bytes);
Parsed parse_st_gs(Bytes bytes);
Parsed parse_cas_22(Bytes bytes);
Parsed parse_a12e(Bytes bytes);
Parsed parse_mt_sics(Bytes bytes);
Parsed parse_yaohua_a9(const Dialect& dialect, Bytes bytes);
Parsed parse_yaohua_equals(const Dialect& dialect, Bytes bytes, bool end);
Parsed parse_rinstrum_a(const Dialect& dialect, Bytes bytes);

}  // namespace gerbang::weighbridge
