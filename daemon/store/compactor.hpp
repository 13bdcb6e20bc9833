// SPDX-License-Identifier: Apache-2.0
//
// Brings complete hours to rest: from batches, a row a commit, to chunks, a row an hour and series.
// Runs on the store's thread, in bounded steps between commits.
//
// A pass takes the batches that arrived up to the end of an hour. Batches go in the order in which
// they came, whatever the times in them; a late reading makes a further part of its hour. The few
// batches on both sides of the end are taken in part and stay until the next pass. What is taken is
// one row (AtRest), which moves in the transaction that writes the chunks: so each reading is in a
// batch or in a chunk, never in both or neither, wherever a pass is cut short.
#pragma once

#include <functional>
#include <map>
#include <tuple>
#include <vector>

#include "core/result.hpp"
#include "store/chunks.hpp"
#include "store/history.hpp"
#include "store/sqlite.hpp"

namespace gerbang::store {

class Compactor {
 public:
  Compactor(History& history, Chunks& chunks) : history_(history), chunks_(chunks) {}

  Result<void> prepare(sql::Database& db);
  Result<void> load();  // also forgets the pass under way: it goes on with what is written

  // Runs work in a transaction.
  using Transact = std::function<Result<void>(const std::function<Result<void>()>&)>;
  // At most one bounded piece of work on batches below `before`. False: there is nothing to do now.
  Result<bool> step(BatchId before, const Transact& transact);

  // Readings brought to rest since the start.
  std::uint64_t compacted() const { return compacted_; }

 private:
  enum class Phase { look, collect, write, remove };
  struct Group {
    std::int32_t series = 0;
    bool believed = true;
    std::int64_t hour = 0;
    auto operator<=>(const Group&) const = default;
  };

  static constexpr std::int64_t kAll = INT64_MAX;

  Result<bool> look(BatchId before);
  Result<void> collect();
  Result<void> write();
  Result<void> save();
  void take(const StoredReading& reading);

  History& history_;
  Chunks& chunks_;
  Phase phase_ = Phase::look;
  std::int64_t reached_ms_ = 0;
  BatchId next_batch_ = 0;                                // to be collected
  std::map<Group, std::vector<ChunkReading>> collected_;  // series by series
  std::size_t count_ = 0;                                 // in collected_
  std::int64_t below_ = kAll;                             // series that have room in it
  std::uint64_t written_ = 0, compacted_ = 0;

  sql::Statement select_, update_;
};

}  // namespace gerbang::store
