// SPDX-License-Identifier: Apache-2.0
//
// The readings of one commit as one blob, in columns: time once for each poll, series and flags as
// runs, each value in the shortest form that gives back the same bits.
//
//   version:u8 count:varint
//   times    unit:u8 unit:u8 {length*2 + device:varint, delta:zigzag}…     delta to the last of its
//   kind series   {first - last before:zigzag, length:varint}…                  +1 within a run
//   flags    {flag:u8 (+ 64: a verdict), reason:u8, length:varint}…
//   forms    {form:u8, length:varint}…
//   values   in order, by form
//   crc:u32  CRC-32 (zlib) of all before
//
// A device-stamped reading keeps its own time only; a missing one and a verdict have no value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/reading.hpp"
#include "core/result.hpp"

namespace gerbang::store {

inline constexpr std::size_t kMaxPacked = 65'536;  // readings in one blob

// Reading::sensor is the series. At most kMaxPacked readings; order is kept.
std::string pack(std::span<const Reading> readings);

// Fails (errc::damaged) on anything that pack did not write; never reads outside of `blob`, and
// allocates at most kMaxPacked readings. `out` is replaced, and empty after a failure.
Result<void> unpack(std::string_view blob, std::vector<Reading>& out);

// How many readings a blob says that it holds, from its first bytes; 0 if it is none.
std::uint64_t packed_count(std::string_view head);

}  // namespace gerbang::store
