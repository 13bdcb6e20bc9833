// SPDX-License-Identifier: Apache-2.0
//
// The readings of one series in one hour as one blob, in columns, each compressed by itself:
//
//   version:u8 count:varint first_ms:zigzag interval_ms:zigzag first_batch:zigzag
//   times    {step to the reading before, less interval_ms:zigzag}…   one less than there are
//   readings batches  {step:zigzag}…                                         the same marks
//   {flag:u8, reason:u8, clock:u8, length:varint}… forms    {form:u8, length:varint}… whole {step
//   to the last of its form:zigzag}…                 integers, and decimals × 10^n singles  four
//   planes of bytes: the steps of the bits of float32, highest byte first doubles  eight planes:
//   XOR with the float64 before crc:u32  CRC-32 (zlib) of all before
//
// A column begins with its length × 2, and 1 more if it is a zstd frame; planes without values are
// not there. Times are UTC milliseconds: the precision of everything that goes out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/reading.hpp"
#include "core/result.hpp"
#include "store/bytes.hpp"
#include "store/types.hpp"

namespace gerbang::store {

inline constexpr std::size_t kMaxChunk = 65'536;  // readings in one

struct ChunkReading {
  std::int64_t time_ms = 0;
  BatchId batch = 0;  // that brought it: the calibration of then holds
  Raw raw;            // meaningless when flag is missing
  Flag flag = Flag::missing;
  Reason reason = Reason::none;
  ClockTrust clock = ClockTrust::untrusted;
  bool verdict = false;  // see Reading::verdict
};

// By time, then batch; 1 … kMaxChunk of them.
std::string encode_chunk(std::span<const ChunkReading> readings);

// Gives the readings of a chunk one after the other. Keeps its own copy of what it needs.
class ChunkReader {
 public:
  // errc::damaged for anything that is no chunk; never reads outside of `blob`, and allocates in
  // proportion to what a chunk can hold.
  static Result<ChunkReader> open(std::string_view blob);

  std::size_t count() const { return count_; }
  std::size_t bytes() const { return data_.size(); }  // in memory
  // The next reading, or false: that was all. errc::damaged: the content is not what encode_chunk
  // writes, which a checksum of somebody else's making can hide until here.
  Result<bool> next(ChunkReading& out);

 private:
  ChunkReader() = default;
  bool read(ChunkReading& out);
  bool value(ChunkReading& out);

  std::vector<char> data_;  // columns, not compressed
  ByteReader times_{{}}, batches_{{}}, marks_{{}}, forms_{{}}, whole_{{}};
  const char* singles_ = nullptr;  // first of the planes
  const char* doubles_ = nullptr;
  std::size_t single_count_ = 0, double_count_ = 0, single_ = 0, double_ = 0;

  std::size_t count_ = 0, index_ = 0;
  std::int64_t interval_ = 0;
  ChunkReading last_;
  std::uint64_t mark_left_ = 0, form_left_ = 0;
  std::uint8_t form_ = 0;
  std::vector<std::int64_t> steps_;  // the last whole number of each form
  std::uint32_t last_single_ = 0;
  std::uint64_t last_double_ = 0;
};

// All of it, or nothing.
Result<std::vector<ChunkReading>> decode_chunk(std::string_view blob);

}  // namespace gerbang::store
