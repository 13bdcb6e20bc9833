// SPDX-License-Identifier: Apache-2.0
#include "store/history.hpp"

#include <algorithm>

#include "observe/log.hpp"
#include "store/bytes.hpp"
#include "store/check.hpp"
#include "store/pack.hpp"

namespace gerbang::store {
namespace {

constexpr std::int64_t kSegmentBatches = 4096;

std::int64_t to_ms(std::int64_t ns) {
  std::int64_t ms = ns / 1'000'000;
  return ns % 1'000'000 < 0 ? ms - 1 : ms;
}

void widen(std::optional<std::int64_t>& from, std::optional<std::int64_t>& to,
           std::optional<std::int64_t> other_from, std::optional<std::int64_t> other_to) {
  if (!other_from || !other_to) return;
  from = from ? std::min(*from, *other_from) : *other_from;
  to = to ? std::max(*to, *other_to) : *other_to;
}

Extent extent_at(const sql::Row& row, int column) {
  return Extent{row.maybe(column), row.maybe(column + 1), row.maybe(column + 2),
                row.maybe(column + 3)};
}

}  // namespace

void Extent::add(const Reading& r) {
  if (r.unix_ns != 0)
    widen(unix_from, unix_to, r.unix_ns, r.unix_ns);
  else
    widen(boot_from, boot_to, r.boot_ns, r.boot_ns);
}

void Extent::add(const Extent& other) {
  widen(boot_from, boot_to, other.boot_from, other.boot_to);
  widen(unix_from, unix_to, other.unix_from, other.unix_to);
}

// An hour, or less where little is kept: retention deletes whole segments.
History::History(const SeriesTable& series, Chunks& chunks, std::chrono::milliseconds keep)
    : series_(series),
      chunks_(chunks),
      keep_(keep),
      segment_ns_(std::clamp<std::int64_t>(keep.count() / 16, 1'000, 3'600'000) * 1'000'000) {}

Result<void> History::prepare(sql::Database& db) {
  STORE_TRY(db.prepare(insert_, "INSERT INTO reading VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  STORE_TRY(db.prepare(newest_row_,
                       "SELECT id, taken, stored, journal FROM reading ORDER BY id DESC LIMIT 1"));
  STORE_TRY(db.prepare(tail_,
                       "SELECT id, epoch, boot_from_ns, boot_to_ns, unix_from_ns, unix_to_ns"
                       " FROM reading WHERE id > ? ORDER BY id"));
  STORE_TRY(
      db.prepare(from_, "SELECT id, epoch, body FROM reading WHERE id >= ? ORDER BY id LIMIT ?"));
  STORE_TRY(db.prepare(extents_,
                       "SELECT id, boot_from_ns, boot_to_ns, unix_from_ns, unix_to_ns"
                       " FROM reading WHERE id BETWEEN ? AND ? ORDER BY id"));
  STORE_TRY(db.prepare(between_,
                       "SELECT id, epoch, body FROM reading WHERE id BETWEEN ? AND ? ORDER BY id"));
  STORE_TRY(db.prepare(arrivals_,
                       "SELECT id, epoch, boot_from_ns, boot_to_ns FROM reading"
                       " WHERE id BETWEEN ? AND ? ORDER BY id"));
  STORE_TRY(db.prepare(last_arrival_,
                       "SELECT boot_to_ns FROM reading WHERE id BETWEEN ? AND ?"
                       " AND boot_to_ns IS NOT NULL ORDER BY id DESC LIMIT 1"));
  STORE_TRY(db.prepare(heads_, "SELECT substr(body, 1, 12) FROM reading WHERE id BETWEEN ? AND ?"));
  STORE_TRY(db.prepare(body_, "SELECT epoch, body FROM reading WHERE id = ?"));
  STORE_TRY(db.prepare(delete_, "DELETE FROM reading WHERE id BETWEEN ? AND ?"));
  STORE_TRY(db.prepare(restart_,
                       "UPDATE reading SET taken = ?, stored = ?"
                       " WHERE id = (SELECT max(id) FROM reading)"));
  STORE_TRY(db.prepare(all_epochs_, "SELECT id, boot_id, offset_ns, trust FROM epoch ORDER BY id"));
  STORE_TRY(db.prepare(insert_epoch_, "INSERT INTO epoch VALUES (?, ?, ?, ?)"));
  STORE_TRY(db.prepare(delete_epochs_, "DELETE FROM epoch WHERE id < ?"));
  STORE_TRY(db.prepare(all_segments_,
                       "SELECT first_batch, last_batch, epoch, boot_from_ns, boot_to_ns,"
                       " unix_from_ns, unix_to_ns FROM segment ORDER BY first_batch"));
  STORE_TRY(db.prepare(insert_segment_, "INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?, ?)"));
  STORE_TRY(db.prepare(delete_segments_, "DELETE FROM segment WHERE last_batch <= ?"));
  return {};
}

Result<void> History::load_epochs() {
  epochs_.clear();
  auto take_epoch = [&](const sql::Row& row) {
    auto trust = std::clamp<std::int64_t>(row.integer(3), 1, 3);
    Epoch e{std::string(row.text(1)), row.integer(2), static_cast<ClockTrust>(trust)};
    add_epoch(row.integer(0), std::move(e));
    return true;
  };
  return all_epochs_.rows(take_epoch);
}

Result<void> History::load(BatchId last_batch) {
  STORE_TRY(load_epochs());
  segments_.clear();
  newest_ = Totals();
  last_batch_ = last_batch;
  auto take_segment = [&](const sql::Row& row) {
    segments_.push_back(
        Segment{row.integer(0), row.integer(1), row.integer(2), extent_at(row, 3), true});
    return true;
  };
  STORE_TRY(all_segments_.rows(take_segment));
  auto take_tail = [&](const sql::Row& row) {
    extend(row.integer(0), row.integer(1), extent_at(row, 2));
    return true;
  };
  STORE_TRY(tail_.rows(take_tail, segments_.empty() ? 0 : segments_.back().last));
  auto take_newest = [&](const sql::Row& row) {
    last_batch_ = std::max(last_batch_, row.integer(0));
    newest_.taken = static_cast<std::uint64_t>(row.integer(1));
    newest_.stored = static_cast<std::uint64_t>(row.integer(2));
    newest_.journal = static_cast<std::uint64_t>(row.integer(3));
    return false;
  };
  return newest_row_.rows(take_newest);
}

void History::add_epoch(std::int64_t id, Epoch epoch) {
  EpochRow row{id, std::move(epoch), 0, ClockTrust::untrusted};
  row.offset_ns = row.epoch.offset_ns;
  row.trust = row.epoch.trust;
  if (row.trust == ClockTrust::trusted) {
    for (auto it = epochs_.rbegin(); it != epochs_.rend(); ++it) {
      if (it->trust != ClockTrust::untrusted || it->epoch.boot_id != row.epoch.boot_id) continue;
      it->offset_ns = row.offset_ns;
      it->trust = ClockTrust::estimated;
    }
  }
  epochs_.push_back(std::move(row));
}

const History::EpochRow* History::epoch(std::int64_t id) const {
  auto it =
      std::lower_bound(epochs_.begin(), epochs_.end(), id,
                       [](const EpochRow& row, std::int64_t wanted) { return row.id < wanted; });
  return it != epochs_.end() && it->id == id ? &*it : nullptr;
}

Result<const History::EpochRow*> History::find_or_make(const Epoch& epoch) {
  // Only the newest is taken again: then the numbers of epochs are in the order of batches.
  if (epochs_.empty() || !(epochs_.back().epoch == epoch)) {
    std::int64_t id = epochs_.empty() ? 1 : epochs_.back().id + 1;
    STORE_TRY(insert_epoch_.run(id, epoch.boot_id, epoch.offset_ns, epoch.trust));
    add_epoch(id, epoch);
  }
  return &epochs_.back();
}

Result<void> History::learn(const Epoch& epoch) {
  auto row = find_or_make(epoch);
  if (!row) return fail(std::move(row.error()));
  return {};
}

std::vector<Restamped> History::restamped(const RestampQuery& query) const {
  std::vector<Restamped> out;
  for (const EpochRow& row : epochs_) {
    const bool same_boot = row.epoch.boot_id == query.trusted.boot_id;
    const bool asked = same_boot || std::find(query.boots.begin(), query.boots.end(),
                                              row.epoch.boot_id) != query.boots.end();
    if (row.id <= query.since || row.trust != ClockTrust::estimated || !asked) continue;
    Extent extent;
    for (const Segment& s : segments_)
      if (s.epoch == row.id) extent.add(s.extent);
    if (!extent.boot_from || !extent.boot_to) continue;
    Restamped& one = out.emplace_back();
    one.epoch = row.id;
    one.same_boot = same_boot;
    one.was_from_ms = to_ms(wrapping::plus(*extent.boot_from, row.epoch.offset_ns));
    one.was_to_ms = to_ms(wrapping::plus(*extent.boot_to, row.epoch.offset_ns)) + 1;
    one.from_ms = to_ms(wrapping::plus(*extent.boot_from, row.offset_ns));
    one.to_ms = to_ms(wrapping::plus(*extent.boot_to, row.offset_ns)) + 1;
  }
  return out;
}

bool History::vouched(const std::string& boot_id) const {
  return std::any_of(epochs_.begin(), epochs_.end(), [&](const EpochRow& row) {
    return row.epoch.boot_id == boot_id && row.epoch.trust == ClockTrust::trusted;
  });
}

void History::extend(BatchId id, std::int64_t epoch, const Extent& extent) {
  bool begin = true;
  if (!segments_.empty() && !segments_.back().written) {
    const Segment& s = segments_.back();
    begin = s.epoch != epoch || id - s.first >= kSegmentBatches ||
            (s.extent.boot_from && extent.boot_to &&
             wrapping::minus(*extent.boot_to, *s.extent.boot_from) >= segment_ns_);
  }
  if (begin) segments_.push_back(Segment{id, id, epoch, extent, false});
  segments_.back().last = id;
  segments_.back().extent.add(extent);
}

Result<void> History::write(std::span<const std::shared_ptr<Append>> appends, Totals& totals,
                            std::string_view rejected) {
  std::vector<Reading> readings;
  for (std::size_t i = 0; i < appends.size();) {
    // As many as share an epoch and fit into one blob; an append is never split.
    const Epoch& epoch = appends[i]->batch.epoch;
    readings.clear();
    std::size_t next = i;
    while (next < appends.size() && appends[next]->batch.epoch == epoch &&
           (next == i || readings.size() + appends[next]->batch.readings.size() <= kMaxPacked)) {
      const auto& more = appends[next++]->batch.readings;
      readings.insert(readings.end(), more.begin(), more.end());
    }
    auto row = find_or_make(epoch);
    STORE_TRY(row);
    STORE_TRY(write_batch(**row, readings, totals, std::exchange(rejected, {})));
    for (; i < next; ++i) appends[i]->id = last_batch_;
  }
  return write_segments();
}

Result<void> History::write_batch(const EpochRow& epoch, std::span<const Reading> readings,
                                  Totals& totals, std::string_view rejected) {
  Extent extent;
  for (const auto& r : readings) extent.add(r);
  std::string body = pack(readings);
  BatchId id = last_batch_ + 1;
  totals.stored += readings_in(readings);
  STORE_TRY(insert_.run(id, epoch.id, totals.taken, totals.stored, extent.boot_from, extent.boot_to,
                        extent.unix_from, extent.unix_to, sql::Blob{body}, totals.journal,
                        sql::Blob{rejected}));
  last_batch_ = id;
  extend(id, epoch.id, extent);
  if (epoch.trust != ClockTrust::untrusted && extent.boot_to)
    now_ms_ = to_ms(wrapping::plus(*extent.boot_to, epoch.offset_ns));
  return {};
}

Result<void> History::write_segments() {
  for (std::size_t i = 0; i + 1 < segments_.size(); ++i) {
    Segment& s = segments_[i];
    if (s.written) continue;
    const Extent& e = s.extent;
    STORE_TRY(insert_segment_.run(s.first, s.last, s.epoch, e.boot_from, e.boot_to, e.unix_from,
                                  e.unix_to));
    s.written = true;
  }
  return {};
}

History::Range History::range(std::int64_t epoch_id, const Extent& extent) const {
  Range range;
  const EpochRow* row = epoch(epoch_id);
  std::int64_t offset = row != nullptr ? row->offset_ns : 0;
  if (extent.boot_from && extent.boot_to) {
    range.from = to_ms(wrapping::plus(*extent.boot_from, offset));
    range.to = to_ms(wrapping::plus(*extent.boot_to, offset));
  }
  if (extent.unix_from && extent.unix_to) {
    range.from = std::min(range.from, to_ms(*extent.unix_from));
    range.to = std::max(range.to, to_ms(*extent.unix_to));
  }
  return range;
}

std::int64_t History::oldest_ms() const {
  if (segments_.empty()) return 0;
  std::int64_t from = range(segments_.front().epoch, segments_.front().extent).from;
  return from == INT64_MAX ? 0 : from;
}

Result<void> History::restart(const Totals& totals) {
  newest_ = totals;
  return restart_.run(totals.taken, totals.stored);
}

// A segment whose clock was never believable goes with the next one that is expired for sure.
Result<std::uint64_t> History::expire(BatchId before, BatchId most) {
  if (now_ms_ == 0 || segments_.empty()) return 0;
  std::int64_t limit = now_ms_ - keep_.count();
  BatchId upto = 0;
  for (const Segment& s : segments_) {
    if (!s.written) break;
    const EpochRow* row = epoch(s.epoch);
    if (row == nullptr || row->trust == ClockTrust::untrusted) continue;
    if (range(s.epoch, s.extent).to >= limit) break;
    upto = s.last;
  }
  BatchId first = segments_.front().first;
  upto = std::min({upto, before - 1, first + most - 1, last_batch_ - 1});
  if (upto < first) return 0;
  auto readings = count(std::max(first, at_rest.whole + 1), upto);
  STORE_TRY(readings);
  STORE_TRY(remove(upto, most));
  return readings;
}

Result<std::uint64_t> History::count(BatchId first, BatchId upto) {
  std::uint64_t readings = 0;
  auto add = [&](const sql::Row& row) {
    readings += packed_count(row.blob(0));
    return true;
  };
  STORE_TRY(heads_.rows(add, first, upto));
  return readings;
}

Result<History::Dropped> History::drop_oldest(BatchId before, BatchId most) {
  Dropped out;
  if (segments_.empty()) return out;
  BatchId first = segments_.front().first;
  BatchId upto = std::min({before - 1, first + most - 1, last_batch_ - 1});
  if (upto < first) return out;
  for (const Segment& s : segments_)
    if (s.first <= upto) out.end_ms = std::max(out.end_ms, range(s.epoch, s.extent).to + 1);
  auto readings = count(std::max(first, at_rest.whole + 1), upto);
  STORE_TRY(readings);
  out.readings = *readings;
  out.batches = static_cast<std::uint64_t>(upto - first + 1);
  STORE_TRY(remove(upto, most));
  return out;
}

Result<bool> History::remove(BatchId upto, BatchId most) {
  if (segments_.empty()) return false;
  BatchId first = segments_.front().first;
  BatchId end = std::min(upto, last_batch_ - 1);
  if (end < first) return false;
  upto = std::min(end, first + most - 1);
  STORE_TRY(delete_.run(first, upto));
  STORE_TRY(delete_segments_.run(upto));
  std::erase_if(segments_, [&](const Segment& s) { return s.last <= upto; });
  if (segments_.empty()) return false;
  segments_.front().first = std::max(segments_.front().first, upto + 1);
  // Epochs are numbered in the order of batches; the newest is compared with the next one.
  std::int64_t oldest = std::min(segments_.front().epoch, epochs_.back().id);
  if (epochs_.front().id < oldest) {
    STORE_TRY(delete_epochs_.run(oldest));
    std::erase_if(epochs_, [&](const EpochRow& row) { return row.id < oldest; });
  }
  return upto < end;
}

StoredReading History::stored(const Reading& r, BatchId batch, const EpochRow* epoch) const {
  StoredReading out;
  out.series = static_cast<std::int32_t>(r.sensor);
  out.batch = batch;
  bool device = r.unix_ns != 0;
  std::int64_t offset = epoch != nullptr ? epoch->offset_ns : 0;
  out.boot_ns = device ? 0 : r.boot_ns;
  out.time_ms = to_ms(device ? r.unix_ns : wrapping::plus(r.boot_ns, offset));
  out.flag = r.flag;
  out.reason = r.reason;
  out.clock = epoch != nullptr ? epoch->trust : ClockTrust::untrusted;
  out.raw = r.raw;
  out.verdict = r.verdict;
  if (r.flag != Flag::missing && !r.verdict)
    out.value = series_.calibration(out.series, batch).apply(r.raw.value());
  return out;
}

StoredReading History::stored(const ChunkRow& row) const {
  StoredReading out;
  out.series = static_cast<std::int32_t>(row.key.series);
  out.batch = row.key.batch;
  out.time_ms = row.key.time;
  out.flag = row.reading.flag;
  out.reason = row.reading.reason;
  out.clock = row.reading.clock;
  out.raw = row.reading.raw;
  if (out.flag != Flag::missing)
    out.value = series_.calibration(out.series, out.batch).apply(out.raw.value());
  return out;
}

bool History::unpack_or_count(BatchId id, std::string_view body, std::vector<Reading>& out) {
  auto unpacked = unpack(body, out);
  if (unpacked) return true;
  if (++unreadable_ == 1)
    spdlog::error("store: batch {} is left out: {}; later ones are counted", id,
                  unpacked.error().what);
  return false;
}

Result<void> History::replay(BatchId from, const std::function<void(const StoredReading&)>& each) {
  std::vector<Reading> readings;
  auto take = [&](const sql::Row& row) {
    BatchId id = row.integer(0);
    const EpochRow* of = epoch(row.integer(1));
    if (!unpack_or_count(id, row.blob(2), readings)) return true;
    for (const auto& r : readings) {
      StoredReading one = stored(r, id, of);
      if (of != nullptr) one.boot_id = &of->epoch.boot_id;
      each(one);
    }
    return true;
  };
  return from_.rows(take, from, -1);
}

// ---- for compaction -----------------------------------------------------------------------------

BatchId History::settled(BatchId before) const {
  if (epochs_.empty()) return 0;
  const std::string& boot = epochs_.back().epoch.boot_id;
  for (const Segment& s : segments_) {
    const EpochRow* row = epoch(s.epoch);
    if (row != nullptr && row->trust == ClockTrust::untrusted && row->epoch.boot_id == boot)
      return std::min(before, s.first) - 1;
  }
  return std::min(before - 1, last_batch_);
}

Result<std::optional<std::int64_t>> History::reached_ms(BatchId upto) {
  std::optional<std::int64_t> out;
  for (auto s = segments_.rbegin(); s != segments_.rend() && !out; ++s) {
    const EpochRow* row = epoch(s->epoch);
    if (s->first > upto || row == nullptr || row->trust == ClockTrust::untrusted) continue;
    auto take = [&](const sql::Row& found) {
      out = to_ms(wrapping::plus(found.integer(0), row->offset_ns));
      return false;
    };
    STORE_TRY(last_arrival_.rows(take, s->first, std::min(s->last, upto)));
  }
  return out;
}

Result<void> History::arrivals(BatchId from, BatchId to,
                               const std::function<bool(const Arrival&)>& each) {
  auto take = [&](const sql::Row& row) {
    Arrival arrival;
    arrival.batch = row.integer(0);
    const EpochRow* of = epoch(row.integer(1));
    arrival.believed = of != nullptr && of->trust != ClockTrust::untrusted;
    std::int64_t offset = of != nullptr ? of->offset_ns : 0;
    if (auto ns = row.maybe(2)) arrival.from_ms = to_ms(wrapping::plus(*ns, offset));
    if (auto ns = row.maybe(3)) arrival.to_ms = to_ms(wrapping::plus(*ns, offset));
    return each(arrival);
  };
  return arrivals_.rows(take, from, to);
}

Result<BatchId> History::collect(BatchId from, BatchId to, std::size_t most,
                                 const std::function<void(const StoredReading&)>& each) {
  std::vector<Reading> readings;
  std::size_t given = 0;
  BatchId next = to + 1;
  auto take = [&](const sql::Row& row) {
    BatchId id = row.integer(0);
    if (given >= most) {
      next = id;
      return false;
    }
    const EpochRow* of = epoch(row.integer(1));
    if (!unpack_or_count(id, row.blob(2), readings)) return true;
    for (const auto& r : readings) each(stored(r, id, of));
    given += readings.size();
    return true;
  };
  STORE_TRY(between_.rows(take, from, to));
  return next;
}

}  // namespace gerbang::store
