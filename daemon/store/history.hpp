// SPDX-License-Identifier: Apache-2.0
//
// Readings: packed batches, the clock epochs they were taken under, the segments that find them by
// time, and what of them is at rest in chunks. Runs on the store's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "store/chunks.hpp"
#include "store/group.hpp"
#include "store/series.hpp"
#include "store/sqlite.hpp"

namespace gerbang::store {

// Cumulative, since the stream began.
struct Totals {
  std::uint64_t taken = 0, stored = 0, folded = 0;
  std::uint64_t journal = 0;  // records of the journal, see Batch::journal
};

// The times that occur in a batch or segment; absent: none of that kind.
struct Extent {
  std::optional<std::int64_t> boot_from, boot_to, unix_from, unix_to;
  void add(const Reading& reading);
  void add(const Extent& other);
};

// Which readings of the batches that are still there stand in chunks.
struct AtRest {
  BatchId whole = 0;   // of batches up to here: all
  BatchId partly = 0;  // of those up to here: what is before before_ms
  std::int64_t before_ms = 0;
  // The same, for series below next_series, by the pass that is under way; partly = 0: none is.
  BatchId pass_whole = 0, pass_partly = 0;
  std::int64_t pass_before_ms = 0;
  std::int64_t next_series = 0;

  bool held_before(BatchId batch, std::int64_t time_ms) const {
    return batch <= whole || (batch <= partly && time_ms < before_ms);
  }
  bool in_pass(BatchId batch, std::int64_t time_ms) const {
    return batch <= pass_whole || (batch <= pass_partly && time_ms < pass_before_ms);
  }
  bool holds(BatchId batch, std::int32_t series, std::int64_t time_ms) const {
    return held_before(batch, time_ms) || (series < next_series && in_pass(batch, time_ms));
  }
};

class History {
 public:
  History(const SeriesTable& series, Chunks& chunks, std::chrono::milliseconds keep);

  Result<void> prepare(sql::Database& db);
  // last_batch: the newest number that was ever given, in case its row is gone.
  Result<void> load(BatchId last_batch);
  // Of that only what collect() needs.
  Result<void> load_epochs();

  // ---- within a transaction; after a failure load() again ----

  // Packs what waits, a blob for each run of one epoch, and gives each append its batch. The newest
  // row carries `totals`, which must count what is taken already; stored is counted here. The first
  // row carries `rejected`.
  Result<void> write(std::span<const std::shared_ptr<Append>> appends, Totals& totals,
                     std::string_view rejected);
  // Makes an epoch known that has no batch yet.
  Result<void> learn(const Epoch& epoch);
  // A new stream counts from `totals`.
  Result<void> restart(const Totals& totals);
  // Deletes at most `most` of the oldest batches below `before` that are older than `keep`, and
  // says how many readings went.
  Result<std::uint64_t> expire(BatchId before, BatchId most);
  // Deletes at most `most` of the oldest batches up to `upto`; never the newest of all. False: none
  // is left.
  Result<bool> remove(BatchId upto, BatchId most);
  // Deletes at most `most` of the oldest batches below `before`, however young.
  struct Dropped {
    std::uint64_t batches = 0, readings = 0;
    std::int64_t end_ms = 0;  // UTC; no reading that went is of this time or later
  };
  Result<Dropped> drop_oldest(BatchId before, BatchId most);

  // ---- at any time ----

  BatchId last_batch() const { return last_batch_; }
  // taken and stored as the newest row has them.
  Totals stored_totals() const { return newest_; }
  // UTC of the newest batch of this run with a believable clock; 0: none yet. What "expired" is
  // measured against: the wall clock may be years off.
  std::int64_t now_ms() const { return now_ms_; }
  std::int64_t oldest_ms() const;
  std::uint64_t unreadable() const { return unreadable_ + chunks_.unreadable(); }

  Result<void> replay(BatchId from, const std::function<void(const StoredReading&)>& each);

  // Epochs of these boots above `since` that had no believable time when they were used and have
  // one now; without readings that a device stamped.
  std::vector<Restamped> restamped(const RestampQuery& query) const;
  // True if the clock was believable at some time of this boot.
  bool vouched(const std::string& boot_id) const;

  // ---- for compaction ----

  AtRest at_rest;  // set by it
  // The newest batch whose times are settled: below `before`, and below the first of this boot
  // whose clock is not believable yet. 0: none.
  BatchId settled(BatchId before) const;
  // The believable time that batches up to `upto` reach.
  Result<std::optional<std::int64_t>> reached_ms(BatchId upto);

  // When the readings of a batch arrived, as its epoch says; without device-stamped ones.
  struct Arrival {
    BatchId batch = 0;
    bool believed = false;
    std::optional<std::int64_t> from_ms, to_ms;
  };
  // Calls each(Arrival), oldest first, until it says false.
  Result<void> arrivals(BatchId from, BatchId to, const std::function<bool(const Arrival&)>& each);
  // Calls each(reading) for all of these batches until `most` were given; returns the batch to go
  // on with.
  Result<BatchId> collect(BatchId from, BatchId to, std::size_t most,
                          const std::function<void(const StoredReading&)>& each);

  // One bounded step: the page may be short, or empty, and still have `next`.
  Result<ReadingPage> page(const ReadingQuery& query);

 private:
  struct EpochRow {
    std::int64_t id = 0;
    Epoch epoch;
    // What holds by now: a later synchronised epoch of the same boot tells the time of earlier
    // ones.
    std::int64_t offset_ns = 0;
    ClockTrust trust = ClockTrust::untrusted;
  };
  struct Segment {
    BatchId first = 0, last = 0;
    std::int64_t epoch = 0;
    Extent extent;
    bool written = false;
  };
  struct Range {
    std::int64_t from = INT64_MAX, to = INT64_MIN;  // UTC milliseconds, both included
  };
  struct Scan;

  Result<const EpochRow*> find_or_make(const Epoch& epoch);
  void add_epoch(std::int64_t id, Epoch epoch);
  const EpochRow* epoch(std::int64_t id) const;
  void extend(BatchId id, std::int64_t epoch, const Extent& extent);
  Result<void> write_batch(const EpochRow& epoch, std::span<const Reading> readings, Totals& totals,
                           std::string_view rejected);
  Result<void> write_segments();
  Range range(std::int64_t epoch_id, const Extent& extent) const;
  // Readings of these batches.
  Result<std::uint64_t> count(BatchId first, BatchId upto);
  StoredReading stored(const Reading& reading, BatchId batch, const EpochRow* epoch) const;
  StoredReading stored(const ChunkRow& row) const;
  // False: the body cannot be read; counted and said.
  bool unpack_or_count(BatchId id, std::string_view body, std::vector<Reading>& out);
  Result<void> scan_chunks(Scan& scan);
  Result<void> scan_batches(Scan& scan);
  Result<void> scan_segment(Scan& scan, const Segment& segment, std::int64_t next_from);
  Result<void> scan_batch(Scan& scan, BatchId id);

  const SeriesTable& series_;
  Chunks& chunks_;
  std::chrono::milliseconds keep_;
  std::int64_t segment_ns_;

  std::vector<EpochRow> epochs_;   // by id
  std::vector<Segment> segments_;  // by batch
  BatchId last_batch_ = 0;
  Totals newest_;
  std::int64_t now_ms_ = 0;
  std::uint64_t unreadable_ = 0;

  sql::Statement insert_, newest_row_, tail_, from_, between_, extents_, arrivals_, body_, delete_,
      restart_, last_arrival_, heads_;
  sql::Statement all_epochs_, insert_epoch_, delete_epochs_, all_segments_, insert_segment_,
      delete_segments_;
};

}  // namespace gerbang::store
