// SPDX-License-Identifier: Apache-2.0
//
// The journal's bytes: a header, then a ring of records. Pure.
//
//   header  magic version:u8 stream:text boot id:text crc:u32, padded to kJournalHeader
//   record  magic:u32 bytes:u32 number:u64 offset_ns:u64 trust:u8 rejected readings padding crc:u32
//
// The checksum of a record begins with that of the header: what another store or another boot left
// in the file is no record of this one.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/reading.hpp"
#include "store/types.hpp"

namespace gerbang::store {

inline constexpr std::size_t kJournalHeader = 256;
inline constexpr std::size_t kMostInRecord = 4096;  // readings

// Whose readings these are.
struct JournalHeader {
  std::string stream;   // of the store
  std::string boot_id;  // whose boot times the records have

  friend bool operator==(const JournalHeader&, const JournalHeader&) = default;
};
std::string encode(const JournalHeader& header);
std::optional<JournalHeader> decode_journal_header(std::string_view bytes);
// What the checksums of records begin with.
std::uint32_t journal_seed(const JournalHeader& header);

// Readings that were taken together, and what was refused of them. Numbered 1, 2, 3 … in the life
// of a store. batch.journal is the number.
std::string encode_record(std::uint32_t seed, std::uint64_t number, const Epoch& epoch,
                          std::span<const Reading> readings, const Reasons& rejected);

struct JournalScan {
  std::vector<Batch> records;  // with a number above what was asked for, by number
  std::uint64_t newest = 0;    // the highest number of any record
  std::uint64_t damaged = 0;   // records that should be there and cannot be read
};
// Finds the records in the bytes behind a header, whatever else is there.
JournalScan scan_journal(std::string_view ring, const JournalHeader& header, std::uint64_t after);

// Where records stand in the ring. A record's place is free again when it was released.
class JournalRing {
 public:
  // Records wrap around before `soft` where they can, so that few pages are ever touched.
  JournalRing(std::size_t capacity, std::size_t soft) : capacity_(capacity), soft_(soft) {}

  // The offset for the next record; nullopt: there is no room.
  std::optional<std::size_t> place(std::uint64_t number, std::size_t bytes);
  // Records up to this one are in the database.
  void release(std::uint64_t upto);
  std::size_t used() const { return used_; }
  std::size_t capacity() const { return capacity_; }

 private:
  struct Span {
    std::uint64_t number;
    std::size_t from, to;
  };
  std::optional<std::size_t> find(std::size_t bytes) const;

  std::size_t capacity_, soft_, used_ = 0;
  std::deque<Span> held_;  // by number
};

}  // namespace gerbang::store
