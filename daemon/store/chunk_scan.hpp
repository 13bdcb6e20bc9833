// SPDX-License-Identifier: Apache-2.0
//
// Readings at rest in the order of their keys: the chunks of one hour are unpacked together and
// merged, hour after hour.
#pragma once

#include <vector>

#include "store/chunks.hpp"

namespace gerbang::store {

// Valid until a chunk is written or deleted.
class ChunkScan {
 public:
  ChunkScan(Chunks& chunks, Chunks::Query query);

  // See Chunks::scan.
  Result<ReadingKey> next(std::size_t limit, std::vector<ChunkRow>& out);

  std::size_t bytes() const { return bytes_; }  // that it keeps, about
  std::uint64_t take_unreadable() { return std::exchange(unreadable_, 0); }

 private:
  struct Cursor {
    Cursor(std::int64_t number, ChunkReader r) : series(number), reader(std::move(r)) {}
    std::int64_t series;
    ChunkReader reader;
    ChunkRow row;
    ReadingKey before;  // of the last reading
  };

  Result<void> open_hour();
  bool advance(Cursor& cursor);
  bool later(std::size_t a, std::size_t b) const;
  void push(std::size_t cursor);
  static void apply(const ChunkRow& verdict, std::vector<ChunkRow>& out);
  std::size_t pop();

  Chunks& chunks_;
  Chunks::Query query_;
  std::int64_t hour_;  // to be opened next
  std::vector<Cursor> cursors_;
  std::vector<std::size_t> heap_;  // cursors with a row, the smallest key on top
  std::size_t steps_ = 0, bytes_ = 0;
  std::uint64_t unreadable_ = 0;
};

}  // namespace gerbang::store
