// SPDX-License-Identifier: Apache-2.0
//
// Readings at rest: one row for each (hour, series, part). Runs on the store's thread.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/result.hpp"
#include "store/chunk.hpp"
#include "store/reading_key.hpp"
#include "store/sqlite.hpp"

namespace gerbang::store {

// The UTC hour a reading is filed under; times outside of 1970 … 3883 go to the ends.
std::int64_t hour_of(std::int64_t time_ms);

// Where a chunk stands. Hours of a clock that was never believable stand apart: they are expired by
// when they were passed, not by what they say of themselves.
struct ChunkPlace {
  std::int64_t hour = 0;
  std::int32_t series = 0;
  int part = 0;
  bool believed = true;

  std::int64_t id() const;
  static ChunkPlace of(std::int64_t id);
};

struct ChunkRow {
  ReadingKey key;
  ChunkReading reading;
};

class ChunkScan;

class Chunks {
 public:
  Chunks();
  ~Chunks();
  Result<void> prepare(sql::Database& db);
  void load();  // forgets what it remembered of the rows

  // ---- within a transaction; after a failure load() again ----

  // Adds readings of one hour and series (by time, then batch) as its next part. Parts above
  // kMostParts are merged. passed_ms: a believable time that is not before them; of use where
  // place.believed is false.
  Result<void> put(ChunkPlace place, std::vector<ChunkReading> readings, std::int64_t passed_ms);

  // Deletes at most `most` of the oldest chunks that end before `limit_ms`.
  struct Expired {
    std::uint64_t readings = 0;
    bool more = false;
  };
  Result<Expired> expire(std::int64_t limit_ms, int most);

  // ---- at any time ----

  // Start of the oldest hour of a believable clock; 0: there is none.
  Result<std::int64_t> oldest_ms();
  std::uint64_t unreadable() const { return unreadable_; }

  struct Query {
    std::vector<std::int32_t> wanted;  // sorted; empty: all
    std::int64_t low = 0, to = 0;      // of time, [low, to)
    ReadingKey after;                  // keys above this
    bool operator==(const Query&) const = default;
  };
  // Some of the smallest keys, at least one if there are any, at most `limit`. Returns the key up
  // to which nothing is left out. One bounded step; asking on from there is cheap, because what was
  // unpacked is kept for a while.
  Result<ReadingKey> scan(const Query& query, std::size_t limit, std::vector<ChunkRow>& out);
  // Lets go of what was kept for queries that are not asked on.
  void forget_scans();

  // For ChunkScan.
  Result<std::optional<std::int64_t>> next_hour(std::int64_t from);
  Result<void> each_of(std::int64_t hour, const std::vector<std::int32_t>& wanted,
                       const std::function<void(ChunkPlace, ChunkReader)>& each);

  static constexpr std::size_t kMostParts = 4;

 private:
  struct Kept {
    Query query;  // that it can answer next
    std::unique_ptr<ChunkScan> scan;
  };
  Result<void> each_between(std::int64_t first, std::int64_t last,
                            const std::vector<std::int32_t>& wanted,
                            const std::function<void(ChunkPlace, ChunkReader)>& each);
  // Takes the readings of small parts out of the table, if there are too many of them.
  Result<void> merge(ChunkPlace place, std::vector<ChunkReading>& readings,
                     std::vector<std::int64_t>& ids);
  void count_unreadable(std::int64_t id, const Error& why);

  std::uint64_t unreadable_ = 0;
  std::int64_t passed_expiry_ = INT64_MIN;  // where expiry of unbelieved hours goes on
  std::vector<Kept> scans_;                 // the newest last
  sql::Statement insert_, parts_, body_, delete_, next_, ids_, expired_, passed_;
};

}  // namespace gerbang::store
