// SPDX-License-Identifier: Apache-2.0
//
// What goes into the store and comes out of it, as plain values.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "core/aggregate.hpp"
#include "core/clock.hpp"
#include "core/counts.hpp"
#include "core/message.hpp"
#include "core/quantity.hpp"
#include "core/reading.hpp"
#include "store/ledger.hpp"

namespace gerbang::store {

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

// What tells one machine from another, as fingerprints. Empty: not readable here, so not compared.
struct Board {
  std::string machine;  // of the installation
  std::string serial;   // of the hardware

  friend bool operator==(const Board&, const Board&) = default;
};

// A file system, in bytes. available: to us.
struct Volume {
  std::uint64_t size = 0, available = 0;
};

// Messages that will never come: what the receiver lacks of first … last.
struct Lost {
  std::string stream;
  Sequence first = 0, last = 0;
  std::string reason;
  std::uint64_t count = 0;  // that were dropped
};

struct Options {
  std::filesystem::path path;
  std::chrono::milliseconds commit_interval{1000};
  std::uint64_t max_size = 2ull << 30;
  std::uint64_t min_free = 256ull << 20;
  std::chrono::milliseconds keep_readings{std::chrono::hours(24 * 30)};
  std::map<std::int64_t, std::chrono::milliseconds> keep_aggregates;  // window_ms → how long
  std::size_t max_waiting =
      1u << 18;  // readings that may wait for a commit before append says busy
  // Where what waits for a commit also stands, for a killed process; empty: nowhere. See
  // journal.hpp.
  std::filesystem::path journal;
  std::string boot_id;  // of the readings that are recorded there
  // The body of the message that announces what was dropped. Pure: called on the store's thread.
  // Empty: nothing is announced.
  std::function<std::string(const Lost&)> gap_body;
  // How long a start may look at the structure of a file that was not closed.
  std::chrono::milliseconds check_budget{3000};
  // For tests.
  std::function<std::optional<Volume>()> volume;  // empty: the file system of `path`
  std::optional<Board> board;                     // which machine this is; nullopt: ask the machine
  std::string vfs;                                // a registered SQLite VFS; empty: the system's
  const Clock* clock = nullptr;                   // nullptr: the machine's
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

struct SeriesName {
  std::string sensor, quantity, unit;
};

// What one commit interval brought. Reading::sensor is a series number here. Never mixes epochs.
struct Batch {
  Epoch epoch;
  std::vector<Reading> readings;  // and verdicts of readings that were taken before
  Reasons rejected{};             // what was taken with them and refused
  std::uint64_t journal = 0;      // the newest record of the journal that is in here; 0: none
};

// A stored reading on its way out, calibrated with what was in force when it was taken.
struct StoredReading {
  std::int32_t series = 0;
  BatchId batch = 0;
  std::int64_t time_ms = 0;  // UTC; computed from the epoch
  std::int64_t boot_ns = 0;  // 0 when device-stamped, and of readings at rest
  Flag flag = Flag::missing;
  Reason reason = Reason::none;
  ClockTrust clock = ClockTrust::untrusted;
  Raw raw;
  double value = 0;  // in the quantity's unit; meaningless when flag is missing
  // See Reading::verdict; replay() alone gives them, and pages what they say.
  bool verdict = false;
  // The boot of boot_ns; replay() alone gives it, for the length of the call.
  const std::string* boot_id = nullptr;
};

// The readings of a clock epoch whose time became known after they were taken. UTC milliseconds,
// [from, to).
struct Restamped {
  std::int64_t epoch = 0;
  std::int64_t was_from_ms = 0, was_to_ms = 0;  // as they were stamped when they were taken
  std::int64_t from_ms = 0, to_ms = 0;          // as they are stamped now
  bool same_boot = true;                        // as the epoch that is trusted now
};

// Which epochs are asked for, and what is written down with the asking.
struct RestampQuery {
  Epoch trusted;                   // holds now; its boot is asked for
  std::vector<std::string> boots;  // others whose windows were not put right yet
  std::int64_t since = 0;          // epochs up to this one are done
  // An item as of Store::put(), in one transaction with the epoch: what a process that is killed
  // from here on has left to do.
  std::string key, value;
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

// Something that happened. What the body says is the wire's business.
struct EventRow {
  std::int64_t number = 0;  // 0: a new one; else that row is replaced
  std::int64_t time_ms = 0;
  std::string kind, sensor;
  std::string boot_id;  // while nobody vouches for time_ms: the boot that boot_ns counts in
  std::int64_t boot_ns = 0;
  std::string body;
};
struct EventQuery {
  std::string kind, sensor;                             // empty: all
  std::int64_t from_ms = INT64_MIN, to_ms = INT64_MAX;  // [from, to)
  std::size_t limit = 100;
  std::string after;
};
struct EventPage {
  std::vector<EventRow> events;  // newest first
  std::string next;
};

// What closing windows produces; one transaction. Also what else has to be durable together:
// events with their messages, alarms with their state.
struct Fold {
  std::vector<Aggregate> aggregates;  // inserted, or replaced by a higher revision
  std::vector<NewMessage> messages;   // get their sequence numbers in this order
  BatchId replay_from = 0;            // oldest batch with a reading of an open window
  Counts folded;                      // ledger: readings that are now folded
  Reasons not_folded;                 // ledger: readings that never will be
  Counts unfolded;                    // ledger: readings that were folded and will be folded again
  bool restamped = false;             // replay_from may be lower than before
  std::map<std::string, std::string> items;  // as Store::put, in this transaction
  std::vector<EventRow> events;
  bool urgent = false;  // does not wait for the commit interval
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
  std::int64_t oldest_waiting_ms = 0;            // made_ms of the oldest waiting message, 0 if none
  Sequence acknowledged_sequence = 0;            // every message up to here is done
  std::map<std::string, std::uint64_t> reasons;  // "refused/too_large", "dropped/…" → messages
};

struct Identity {
  std::string stream;           // 16 hex digits
  std::string previous_stream;  // empty: none
  Sequence last_sequence = 0;
  BatchId last_batch = 0;
  BatchId replay_from = 0;
};

// How readings that wait for a commit are kept over the death of the process.
struct JournalStatus {
  bool on = false;
  std::string trouble;          // why it is off or does not hold all that waits; empty: it does
  std::uint64_t bytes = 0;      // of what waits
  std::uint64_t restored = 0;   // readings of a killed process that this one stored at its start
  std::uint64_t damaged = 0;    // records that could not be read then
  std::uint64_t foreign = 0;    // readings that were another store's and were left out
  std::uint64_t uncovered = 0;  // readings since the start that a kill could have cost
};

// Of one series, since the stream began.
struct SeriesLedger {
  std::int32_t series = 0;  // 0: readings of no known sensor
  SeriesName name;
  Account account;            // also what was refused and waits for a commit
  std::uint64_t waiting = 0;  // readings that wait for a commit
};

// Counters only, never a query. Safe to call from the loop thread at any time.
struct Status {
  std::uint64_t bytes = 0, cap = 0;
  bool degraded = false;  // readings cannot be made durable now
  bool damaged = false;   // a damaged file was set aside
  std::string trouble;    // why degraded or damaged
  std::int64_t oldest_reading_ms = 0;
  // Readings and rows older than this had to make room before their time; 0: none had.
  std::int64_t complete_from_ms = 0;
  std::uint64_t commits = 0;
  double commit_seconds_sum = 0, commit_seconds_max = 0, last_commit_seconds = 0;
  std::int64_t last_commit_boot_ns = 0;
  std::uint64_t waiting_readings = 0;
  // Ledger, since the stream began: taken = stored + rejected + waiting; stored = folded + to fold
  // + not folded.
  std::uint64_t taken = 0, stored = 0, folded = 0;
  std::map<std::string, std::uint64_t> rejected, not_folded;
  // Messages that waited for uplinks which are no longer configured: uplink → dropped(removed).
  std::map<std::string, std::uint64_t> removed;
  // Met since the start: batches and chunks whose checksum or content is wrong, left out.
  // What was brought over from files that were set aside: "readings", "aggregates", "messages".
  // Outside of the ledger.
  std::map<std::string, std::uint64_t> salvaged;
  std::uint64_t reopened = 0;  // times that the file was opened again after an I/O error
  std::uint64_t unreadable_batches = 0;
  std::uint64_t compacted = 0;                   // readings brought to rest since the start
  bool upkeep = false;                           // expiry or compaction has more to do now
  std::map<std::string, std::uint64_t> expired;  // by age: "readings", "aggregates" → how many
  JournalStatus journal;
};

}  // namespace gerbang::store

template <>
struct std::is_error_code_enum<gerbang::store::errc> : std::true_type {};
