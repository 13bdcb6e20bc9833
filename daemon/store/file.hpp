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
#include "store/events.hpp"
#include "store/group.hpp"
#include "store/heritage.hpp"
#include "store/history.hpp"
#include "store/ledger_table.hpp"
#include "store/outbox.hpp"
#include "store/room.hpp"
#include "store/salvage.hpp"
#include "store/schema.hpp"
#include "store/series.hpp"
#include "store/state.hpp"

namespace gerbang::store {

// What the loop thread is told after each commit.
struct Snapshot {
  Identity identity;
  std::map<int, UplinkCounts> uplinks;
  Totals totals;
  std::shared_ptr<const Ledger> ledger = std::make_shared<const Ledger>();
  std::shared_ptr<const std::vector<SeriesName>> series;  // by number, from 1
  std::map<std::string, std::uint64_t> removed, expired, salvaged;
  bool needs_reconciling = false;
  std::uint64_t bytes = 0;
  std::int64_t oldest_reading_ms = 0, complete_from_ms = 0;
  std::uint64_t unreadable_batches = 0, compacted = 0;
  std::uint64_t reopened = 0;
  std::string aside;    // a sentence about the file that was set aside since the start, or empty
  std::string heir_of;  // the stream whose numbers of series, batches and records go on here
  double seconds = 0;   // that the commit took
};

// What a piece of upkeep did.
struct Upkeep {
  bool more = false;              // there is more to do now
  std::optional<Snapshot> after;  // if it changed something
};

// Pages that a transaction with this group may need.
std::uint64_t pages_for(const Group& group, std::uint64_t page_size);

class File {
 public:
  // A file that is damaged or of a newer schema is set aside and a new one begun; see aside().
  static Result<std::unique_ptr<File>> open(const Options& options, const Board& board,
                                            WallTime now);

  // All of the group, or nothing. After an error it is to be given again before any other: it may
  // already be in the file, which is found out when the file can be read again. A file that proves
  // to be damaged is set aside and a new one begun: the stream changes, and what the group says of
  // messages is void.
  Result<Snapshot> commit(const Group& group);
  // Brings the log back into the database when it is long. After a commit, when nobody waits.
  Result<void> tidy();

  // One bounded piece of what is done when nobody waits: expiry, and bringing hours to rest.
  Result<Upkeep> upkeep(BootTime now);

  Result<std::vector<std::int32_t>> declare(const std::vector<SeriesSpec>& specs);
  Result<std::vector<int>> declare_uplinks(const std::vector<std::string>& names);

  Result<void> reconcile(const Counts& to_fold);
  // Writes down that `trusted` holds, and says which epochs have a time now.
  Result<std::vector<Restamped>> restamp(const RestampQuery& query);
  Result<bool> vouched(const std::string& boot_id);
  Result<void> replay(BatchId from, const std::function<void(const StoredReading&)>& each);
  Result<std::vector<Message>> pull(const Pull& what);
  Result<ReadingPage> readings(const ReadingQuery& query);
  Result<AggregatePage> aggregates(const AggregateQuery& query);
  Result<EventPage> events(const EventQuery& query);
  Result<std::vector<EventRow>> doubtful_events(const std::string& boot_id);
  Result<std::optional<std::string>> item(const std::string& key);

  Result<Snapshot> snapshot();
  // Checkpoints and closes. After this only the destructor.
  Result<void> close();

 private:
  // The connection and all that is prepared on it or read from it.
  struct Open {
    Open(sql::Database database, const Options& options)
        : db(std::move(database)),
          history(series, chunks, options.keep_readings),
          aggregates(options.keep_aggregates),
          events(options.max_size, longest_kept(options)),
          compactor(history, chunks) {}
    Result<void> prepare();
    Result<void> load();
    Result<void> load_items();
    static std::chrono::milliseconds longest_kept(const Options& options);

    sql::Database db;  // first, so that it goes last
    State state;
    LedgerTable ledger;
    SeriesTable series;
    Chunks chunks;
    History history;
    Aggregates aggregates;
    Events events;
    Outbox outbox;
    Compactor compactor;
    bool loaded = false;
    sql::Statement page_count, free_count;
    std::uint64_t page_size = 0, max_pages = 0;
    std::int64_t complete_from_ms = 0;
    std::string heir_of;
    bool unfolded_gone = false;  // readings that open windows need after a restart
  };

  using Work = std::function<Result<void>()>;

  File(const Options& options, FileLock lock);
  Result<void> begin(const Board& board, WallTime now);
  Result<void> open_existing();
  Result<void> check_structure();
  Result<void> check_board(const Board& board);
  Result<void> ready();
  BatchId settled() const;
  void remember();  // the file is as it should be
  template <class T>
  Result<T> noted(Result<T> answer);
  Result<void> write(const Group& group);
  Result<bool> keep_up(BootTime now);
  Result<bool> expire();

  // room (file_room.cpp)
  struct Pages {
    std::uint64_t allowed = 0, used = 0, free = 0;
    const char* reason = "";  // what limits `allowed`
  };
  Result<Pages> pages();
  Usage usage();
  // Within a transaction: makes room for `need` pages as long as there is something to give up.
  Result<void> make_room(std::uint64_t need);
  Result<bool> give_up_history(const char* reason);
  Result<bool> give_up_messages(const char* reason);
  Result<bool> give_up_unfolded();
  Result<void> forget_unfolded_gone();
  // After SQLite found the disk full: what can be done, then `again`.
  Result<void> on_full_disk(const Group& group, const Work& again);
  bool space_again();
  bool at_the_cap();
  void keep_ballast(BootTime now);
  // Runs `work` in a transaction; after a failure what is cached is read again.
  Result<void> transact(const Work& work);

  // errors (file_heal.cpp)
  // What tells a file that has a group from one that has not.
  struct Mark {
    BatchId batch = 0;
    Sequence sequence = 0;
    std::uint64_t taken = 0, folded = 0, journal = 0;
    bool operator==(const Mark&) const = default;
  };
  struct Doubt {
    std::uint64_t group = 0;
    Mark before;
    std::optional<bool> stored;  // known since the file was opened again
  };
  Mark mark() const;
  // transact, and what can be done after an error: room on a full disk, opening the file again,
  // beginning a new one.
  Result<void> heal(const Group& group, const Work& work);
  Result<void> reopen();

  // damage (file_damage.cpp)
  Result<void> begin_anew(const Error& why, WallTime at);
  Result<void> replace(const Error& why, WallTime at, Heritage heritage);
  Result<void> succeed();
  Heritage heritage_of_running() const;
  Result<bool> salvage();

  Options options_;
  FileLock lock_;
  Board board_;
  std::string aside_, stream_;
  Mark mark_;                             // when the file was last known to be as it should
  std::shared_ptr<const Ledger> ledger_;  // then
  BatchId replay_from_ = 0;               // then
  Sequence first_waiting_ = 1;            // then
  std::optional<Doubt> doubt_;
  std::optional<Error> damage_;  // that a query met
  std::uint64_t reopened_ = 0;
  std::uint64_t replaced_for_ = 0;  // the group at which damage was found last
  bool closed_ = false;
  bool unclean_ = false;  // the file was not closed when it was opened
  std::unique_ptr<Salvage> salvage_;
  // Of a file that is set aside and has no successor yet.
  struct Successor {
    Heritage heritage;
    std::filesystem::path from;
  };
  std::unique_ptr<Successor> successor_;
  std::map<int, std::string> uplinks_;   // as declared last
  std::shared_ptr<SeriesTable> series_;  // likewise
  std::unique_ptr<Open> open_;
  BootTime last_expiry_{}, last_look_{};
  Ballast ballast_;
  std::optional<BootTime> last_ballast_;
  bool disk_full_ = false;  // it was: until there is free space again the file does not grow
};

}  // namespace gerbang::store
