// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/aggregate.hpp"
#include "core/message.hpp"
#include "core/quantity.hpp"
#include "core/reading.hpp"
#include "core/result.hpp"

namespace gerbang::store {

namespace asio = boost::asio;

using BatchId = std::int64_t;   // 1, 2, 3 … in the order of commits
using Sequence = std::int64_t;  // 1, 2, 3 … within the stream

enum class errc {
  busy = 1,  // the memory queue is at its bound; nothing was taken, try again later
  locked,    // another process has the file open
  foreign,   // the file belongs to another program (application_id)
  newer,     // made by a newer Gerbang
  damaged,
  full,
  io,
  stopped,
};
const std::error_category& category();
inline std::error_code make_error_code(errc e) {
  return {static_cast<int>(e), category()};
}

struct Options {
  std::filesystem::path path;
  std::chrono::milliseconds commit_interval{1000};
  std::uint64_t max_size = 2ull << 30;
  std::uint64_t min_free = 256ull << 20;
  std::chrono::milliseconds keep_readings{std::chrono::hours(24 * 30)};
  std::map<std::int64_t, std::chrono::milliseconds> keep_aggregates;  // window_ms → how long
  std::size_t max_waiting =
      1u << 18;  // readings that may wait for a commit before append says busy
};

// The relation between boot time and UTC that a batch was taken under. UTC ns = boot ns +
// offset_ns.
struct Epoch {
  std::string boot_id;
  std::int64_t offset_ns = 0;
  ClockTrust trust = ClockTrust::untrusted;

  friend bool operator==(const Epoch&, const Epoch&) = default;
};

// A series is a sensor with a quantity and its canonical unit; it keeps its number for ever.
struct SeriesSpec {
  std::string sensor, quantity, unit;
  std::string formerly;  // a removed sensor's id whose history goes on here, or empty
  QuantityKind kind = QuantityKind::gauge;
  Calibration calibration;
};

// What one commit interval brought. Reading::sensor is a series number here. Never mixes epochs.
struct Batch {
  Epoch epoch;
  std::vector<Reading> readings;
};

// A stored reading on its way out, calibrated with what was in force when it was taken.
struct StoredReading {
  std::int32_t series = 0;
  BatchId batch = 0;
  std::int64_t time_ms = 0;  // UTC; computed from the epoch
  std::int64_t boot_ns = 0;  // 0 when device-stamped
  Flag flag = Flag::missing;
  Reason reason = Reason::none;
  ClockTrust clock = ClockTrust::untrusted;
  Raw raw;
  double value = 0;  // in the quantity's unit; meaningless when flag is missing
};

struct ReadingQuery {
  std::vector<std::int32_t> series;     // empty: all
  std::int64_t from_ms = 0, to_ms = 0;  // [from, to)
  std::size_t limit = 10'000;
  std::string after;  // `next` of the page before, or empty
};
struct ReadingPage {
  std::vector<StoredReading> readings;  // by time, then series
  std::string next;                     // empty: that was all
};
struct AggregateQuery {
  std::vector<std::int32_t> series;  // empty: all
  std::int64_t window_ms = 0;
  std::int64_t from_ms = 0, to_ms = 0;  // start_ms in [from, to)
  std::size_t limit = 10'000;
  std::string after;
};
struct AggregatePage {
  std::vector<Aggregate> rows;  // by start, then series; newest revision only
  std::string next;
};

// What closing windows produces; one transaction.
struct Fold {
  std::vector<Aggregate> aggregates;                // inserted, or replaced by a higher revision
  std::vector<NewMessage> messages;                 // get their sequence numbers in this order
  BatchId replay_from = 0;                          // oldest batch with a reading of an open window
  std::uint64_t folded = 0;                         // ledger: readings that are now folded
  std::map<std::string, std::uint64_t> not_folded;  // ledger: reason → readings
};

// Which messages an uplink asks for next, in order of sequence.
struct Pull {
  int bit = 0;                       // the uplink's number, from add_uplink
  std::optional<Lane> lane;          // nullopt: all lanes
  Sequence above = 0;                // sequence > above
  Sequence below = INT64_MAX;        // sequence < below
  std::size_t limit = 32;            // messages
  std::size_t max_bytes = 1u << 20;  // of bodies; at least one message is returned
};

enum class Outcome { acknowledged, refused, dropped };

struct UplinkCounts {
  std::uint64_t made = 0, acknowledged = 0, refused = 0, dropped = 0, filtered = 0;
  std::uint64_t waiting = 0;
  std::int64_t oldest_waiting_ms = 0;  // made_ms of the oldest waiting message, 0 if none
  Sequence acknowledged_sequence = 0;  // every message up to here is done
};

struct Identity {
  std::string stream;           // 16 hex digits
  std::string previous_stream;  // empty: none
  Sequence last_sequence = 0;
  BatchId last_batch = 0;
  BatchId replay_from = 0;
};

// Counters only, never a query. Safe to call from the loop thread at any time.
struct Status {
  std::uint64_t bytes = 0, cap = 0;
  bool degraded = false;  // readings cannot be made durable now
  bool damaged = false;   // a damaged file was set aside
  std::string trouble;    // why degraded or damaged
  std::int64_t oldest_reading_ms = 0;
  std::uint64_t commits = 0;
  double commit_seconds_sum = 0, commit_seconds_max = 0, last_commit_seconds = 0;
  std::int64_t last_commit_boot_ns = 0;
  std::uint64_t waiting_readings = 0;
  // Ledger, since the stream began: taken = stored + rejected + waiting; stored = folded + to fold
  // + not folded.
  std::uint64_t taken = 0, stored = 0, folded = 0;
  std::map<std::string, std::uint64_t> rejected, not_folded;
};

// The gateway's only durable state.
//
// Threads: call from the loop thread. The work runs on the store's own thread and the caller
// resumes where it was. Nothing else may open the database file. Functions marked "blocking" are
// for before the loop runs and after it ended.
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
  // The same on the loop, for a reload.
  asio::awaitable<Result<std::vector<std::int32_t>>> declare_async(std::vector<SeriesSpec> series);

  // Blocking. The bit numbers of the configured uplinks, in their order. An uplink that is no
  // longer configured loses its bit, and what waited for it is counted as dropped(removed). At
  // most 32.
  Result<std::vector<int>> declare_uplinks(const std::vector<std::string>& names);

  // Blocking. Calls `each` with every reading of batches >= from, in order of batch.
  Result<void> replay(BatchId from, const std::function<void(const StoredReading&)>& each);

  // Completes when the readings are on disk. errc::busy: nothing was taken.
  asio::awaitable<Result<BatchId>> append(Batch batch);

  // Counts readings that were taken and refused before they reached append (reason: "repeated",
  // "unknown_sensor", …). Durable with the next commit.
  void reject(const std::string& reason, std::uint64_t count);

  // Completes when aggregates, messages and the replay point are on disk, all or nothing. Returns
  // the sequence number of the last message (0: none were given).
  asio::awaitable<Result<Sequence>> commit(Fold fold);

  // The next messages that wait for an uplink. A message whose outcome was reported is not
  // returned, even before that is durable.
  asio::awaitable<Result<std::vector<Message>>> pull(Pull what);

  // Clears the uplink's bit; durable with the next commit; the row goes when no bit is left.
  void done(int bit, Sequence sequence, Outcome outcome, const std::string& reason);

  UplinkCounts uplink_counts(int bit) const;

  // Calls `notify` on the loop thread after each commit that made messages.
  void on_messages(std::function<void()> notify);

  asio::awaitable<Result<ReadingPage>> readings(ReadingQuery query);
  asio::awaitable<Result<AggregatePage>> aggregates(AggregateQuery query);

  // Blocking version for start-up (rebuilding open coarse windows).
  Result<AggregatePage> aggregates_now(const AggregateQuery& query);

  // Small values that must survive: retained topics that we filled, alarm state. Durable with the
  // next commit. get is blocking, for start-up.
  void put(const std::string& key, const std::string& value);
  Result<std::optional<std::string>> get(const std::string& key);

  Status status() const;

  // True if the store's thread answered within the last `within` (watchdog).
  bool alive(std::chrono::nanoseconds within) const;

  // Stops taking work, commits what waits, checkpoints, closes. After this only the destructor and
  // status() may be called.
  asio::awaitable<Result<void>> stop();

 private:
  class Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gerbang::store

template <>
struct std::is_error_code_enum<gerbang::store::errc> : std::true_type {};
