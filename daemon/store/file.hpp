// SPDX-License-Identifier: Apache-2.0
//
// The database as the store's thread sees it: one group in, one transaction. Blocking, one thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "store/aggregates.hpp"
#include "store/compactor.hpp"
#include "store/group.hpp"
#include "store/history.hpp"
#include "store/outbox.hpp"
#include "store/schema.hpp"
#include "store/series.hpp"
#include "store/state.hpp"

namespace gerbang::store {

// What the loop thread is told after each commit.
struct Snapshot {
  Identity identity;
  std::map<int, UplinkCounts> uplinks;
  Totals totals;
  std::map<std::string, std::uint64_t> rejected, not_folded, removed, expired;
  std::uint64_t bytes = 0;
  std::int64_t oldest_reading_ms = 0;
  std::uint64_t unreadable_batches = 0, compacted = 0;
  double seconds = 0;  // that the commit took
};

// What a piece of upkeep did.
struct Upkeep {
  bool more = false;              // there is more to do now
  std::optional<Snapshot> after;  // if it changed something
};

class File {
 public:
  // A file that is damaged or of a newer schema is set aside and a new one begun; see aside().
  static Result<std::unique_ptr<File>> open(const Options& options, const Board& board,
                                            WallTime now);

  // All of the group, or nothing: after an error the group is as before and may be given again.
  Result<Snapshot> commit(const Group& group);
  // Brings the log back into the database when it is long. After a commit, when nobody waits.
  Result<void> tidy();

  // One bounded piece of what is done when nobody waits: expiry, and bringing hours to rest.
  Result<Upkeep> upkeep(BootTime now);

  Result<std::vector<std::int32_t>> declare(const std::vector<SeriesSpec>& specs);
  Result<std::vector<int>> declare_uplinks(const std::vector<std::string>& names);

  Result<void> replay(BatchId from, const std::function<void(const StoredReading&)>& each);
  Result<std::vector<Message>> pull(const Pull& what);
  Result<ReadingPage> readings(const ReadingQuery& query);
  Result<AggregatePage> aggregates(const AggregateQuery& query);
  Result<std::optional<std::string>> item(const std::string& key);

  Result<Snapshot> snapshot();
  // A sentence about the file that was set aside, or empty.
  const std::string& aside() const { return aside_; }

  // Checkpoints and closes. After this only the destructor.
  Result<void> close();

 private:
  // The connection and all that is prepared on it or read from it.
  struct Open {
    Open(sql::Database database, const Options& options)
        : db(std::move(database)),
          history(series, chunks, options.keep_readings),
          aggregates(options.keep_aggregates),
          compactor(history, chunks) {}
    Result<void> prepare();
    Result<void> load();

    sql::Database db;  // first, so that it goes last
    State state;
    SeriesTable series;
    Chunks chunks;
    History history;
    Aggregates aggregates;
    Outbox outbox;
    Compactor compactor;
    bool loaded = false;
  };

  File(const Options& options, FileLock lock);
  Result<void> begin(const Board& board, WallTime now);
  Result<void> open_existing();
  Result<void> check_board(const Board& board);
  Result<void> ready();
  Result<void> write(const Group& group);
  Result<bool> keep_up(BootTime now);
  Result<bool> expire();
  // Runs `work` in a transaction; after a failure what is cached is read again.
  Result<void> transact(const std::function<Result<void>()>& work);

  Options options_;
  FileLock lock_;
  std::string aside_;
  std::unique_ptr<Open> open_;
  BootTime last_expiry_{}, last_look_{};
};

}  // namespace gerbang::store
