// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "store/types.hpp"

namespace gerbang::store {

namespace asio = boost::asio;

// Of the database files that this build makes.
int schema_version();

// The gateway's only durable state.
//
// Threads: call from the loop thread. The work runs on the store's own thread and the caller
// resumes where it was. Nothing else may open the database file. Functions marked "blocking" are
// for before the loop runs and after it ended. Destroy it before the loop's io_context.
//
// When the disk cannot be written, what was given is kept in memory and tried again; callers wait,
// status() says why, and append says busy at Options::max_waiting.
class Store {
 public:
  // Blocking. Opens or creates the file, takes its lock and applies migrations.
  static Result<std::unique_ptr<Store>> open(const Options& options, asio::any_io_executor loop);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  const Identity& identity() const;  // last_sequence and last_batch follow the commits

  // Blocking. Numbers of the given series, in their order; new ones and changed calibrations are
  // stored and hold from the next batch on.
  Result<std::vector<std::int32_t>> declare(const std::vector<SeriesSpec>& series);
  // The same on the loop, for a reload: readings appended before the call have the calibration of
  // before, those appended after it completed the new one.
  asio::awaitable<Result<std::vector<std::int32_t>>> declare_async(std::vector<SeriesSpec> series);

  // Blocking. The bit numbers of the configured uplinks, in their order. An uplink that is no
  // longer configured loses its bit, and what waited for it is counted as dropped(removed). At
  // most 32.
  Result<std::vector<int>> declare_uplinks(const std::vector<std::string>& names);
  // The same on the loop, for a reload.
  asio::awaitable<Result<std::vector<int>>> declare_uplinks_async(std::vector<std::string> names);

  // Blocking. Calls `each` with every reading of batches >= from, in order of batch; from the
  // store's thread, while the caller waits.
  Result<void> replay(BatchId from, const std::function<void(const StoredReading&)>& each);

  // Writes what was just taken into the journal, from where the next start stores it if this
  // process dies before a commit has. Call it for each reading before anybody is shown it; the
  // number belongs to the batch that will bring the readings, and batches come in the order of
  // their numbers. 0: there is no room or no journal; that is counted in the status.
  std::uint64_t record(const Epoch& epoch, std::span<const Reading> readings,
                       const Reasons& rejected);
  // What open() found in the journal and could not store; append it first. Usually empty.
  std::vector<Batch> take_unsaved();

  // Completes when the readings are on disk. errc::busy: nothing was taken. A batch without
  // readings completes at once; what it says was rejected is durable with the next commit.
  asio::awaitable<Result<BatchId>> append(Batch batch);

  // Counts readings that were taken and refused without a batch. Durable with the next commit.
  void reject(const std::string& reason, std::uint64_t count, std::int32_t series = 0);

  // Completes when aggregates, messages and the replay point are on disk, all or nothing. Returns
  // the sequence number of the last message (0: none were given).
  asio::awaitable<Result<Sequence>> commit(Fold fold);

  // The next messages that wait for an uplink; empty: none. A message whose outcome was reported is
  // not returned, even before that is durable.
  asio::awaitable<Result<std::vector<Message>>> pull(Pull what);

  // Clears the uplink's bit; durable with the next commit; the row goes when no bit is left.
  void done(int bit, Sequence sequence, Outcome outcome, const std::string& reason);

  UplinkCounts uplink_counts(int bit) const;

  // Calls `notify` on the loop thread after each commit that made messages, and when the store can
  // be read again.
  void on_messages(std::function<void()> notify);
  // Calls `changed` on the loop thread when a damaged file has given place to a new one while it
  // was in use: identity() is another then, series and bits of uplinks are the same. Messages that
  // were pulled before are of the stream before: forget them, and report nothing of them.
  void on_stream(std::function<void()> changed);

  asio::awaitable<Result<ReadingPage>> readings(ReadingQuery query);
  asio::awaitable<Result<AggregatePage>> aggregates(AggregateQuery query);

  asio::awaitable<Result<EventPage>> events(EventQuery query);
  // Those of a boot for whose time nobody vouched when they were stored; at most 1,000.
  asio::awaitable<Result<std::vector<EventRow>>> doubtful_events(std::string boot_id);

  // Blocking versions for start-up: what rates are of, and open coarse windows.
  Result<ReadingPage> readings_now(const ReadingQuery& query);
  Result<AggregatePage> aggregates_now(const AggregateQuery& query);

  // Small values that must survive: retained topics that we filled, alarm state. Durable with the
  // next commit. get is blocking, for start-up.
  void put(const std::string& key, const std::string& value);
  Result<std::optional<std::string>> get(const std::string& key);

  Status status() const;
  // Status::degraded, without the rest.
  bool degraded() const;
  // Status::complete_from_ms, likewise.
  std::int64_t complete_from_ms() const;

  // The ledger by series, every declared one. Beside it: readings that wait for a commit, and those
  // whose fold does.
  std::vector<SeriesLedger> ledger() const;
  Counts waiting() const;
  Counts closing() const;
  // Blocking, once after replay(): what of the stored readings the fold found open. Settles what
  // the store cannot know of itself after an upgrade or damage.
  Result<void> reconcile(const Counts& to_fold);

  // Writes down that an epoch with a believable clock holds, and says which epochs got a time by
  // it, or by one before it in another boot that is asked for.
  asio::awaitable<Result<std::vector<Restamped>>> restamp(RestampQuery query);
  // Blocking: whether the clock was believable at some time of this boot.
  Result<bool> vouched(const std::string& boot_id);

  // True if the store's thread answered within the last `within` (watchdog).
  bool alive(std::chrono::nanoseconds within) const;

  // Stops taking work, commits what waits, checkpoints, closes. After this only the destructor and
  // status() may be called.
  asio::awaitable<Result<void>> stop();

 private:
  class Impl;
  explicit Store(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace gerbang::store
