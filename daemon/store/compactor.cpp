// SPDX-License-Identifier: Apache-2.0
#include "store/compactor.hpp"

#include <algorithm>

#include "store/check.hpp"

namespace gerbang::store {
namespace {

constexpr std::int64_t kHour = 3'600'000;
constexpr std::int64_t kWait =
    2 * kHour;  // after an hour's end: what is late by less makes no part
// What a step may do; measured in decision 16.
constexpr std::size_t kCollectStep = 65'536, kWriteStep = 32'768;
constexpr BatchId kRemoveStep = 512;
constexpr BatchId kMostBatches = 16'384;          // in one pass
constexpr std::size_t kMostCollected = 1u << 18;  // in memory: 12 MiB; other series come after

std::int64_t end_of_hour(std::int64_t time_ms) {
  return (time_ms / kHour + 1) * kHour;
}

}  // namespace

Result<void> Compactor::prepare(sql::Database& db) {
  STORE_TRY(db.prepare(select_,
                       "SELECT whole, partly, before_ms, pass_whole, pass_partly, pass_before_ms,"
                       " next_series FROM compaction WHERE one = 1"));
  return db.prepare(update_,
                    "UPDATE compaction SET whole = ?, partly = ?, before_ms = ?, pass_whole = ?,"
                    " pass_partly = ?, pass_before_ms = ?, next_series = ? WHERE one = 1");
}

Result<void> Compactor::load() {
  AtRest rest;
  auto take = [&](const sql::Row& row) {
    rest.whole = row.integer(0);
    rest.partly = row.integer(1);
    rest.before_ms = row.integer(2);
    rest.pass_whole = row.integer(3);
    rest.pass_partly = row.integer(4);
    rest.pass_before_ms = row.integer(5);
    rest.next_series = row.integer(6);
    return false;
  };
  STORE_TRY(select_.rows(take));
  history_.at_rest = rest;
  phase_ = Phase::remove;  // what the last pass left to delete
  collected_.clear();
  count_ = 0;
  return {};
}

Result<void> Compactor::save() {
  const AtRest& r = history_.at_rest;
  return update_.run(r.whole, r.partly, r.before_ms, r.pass_whole, r.pass_partly, r.pass_before_ms,
                     r.next_series);
}

Result<bool> Compactor::step(BatchId before, const Transact& transact) {
  switch (phase_) {
    case Phase::look: {
      auto found = look(before);
      if (!found || !*found) return found;
      phase_ = Phase::collect;
      below_ = kAll;
      next_batch_ = history_.at_rest.whole + 1;
      return true;
    }
    case Phase::collect:
      STORE_TRY(collect());
      if (next_batch_ > history_.at_rest.pass_partly) phase_ = Phase::write;
      return true;
    case Phase::write:
      STORE_TRY(transact([this] { return write(); }));
      compacted_ += written_;
      if (!collected_.empty()) return true;
      phase_ = history_.at_rest.pass_partly == 0 ? Phase::remove : Phase::collect;
      below_ = kAll;
      next_batch_ = history_.at_rest.whole + 1;
      return true;
    case Phase::remove: {
      bool more = false;
      auto work = [&]() -> Result<void> {
        auto removed = history_.remove(history_.at_rest.whole, kRemoveStep);
        STORE_TRY(removed);
        more = *removed;
        return {};
      };
      STORE_TRY(transact(work));
      if (!more) phase_ = Phase::look;
      return true;
    }
  }
  return false;
}

// Finds the batches of the next pass, if an hour is complete.
Result<bool> Compactor::look(BatchId before) {
  AtRest& rest = history_.at_rest;
  BatchId settled = history_.settled(before);
  auto reached = history_.reached_ms(settled);
  STORE_TRY(reached);
  reached_ms_ = reached->value_or(0);
  if (rest.pass_partly != 0) return true;  // it was begun before a restart

  std::optional<std::int64_t> end;
  BatchId whole = 0, partly = 0, first = rest.whole + 1;
  auto each = [&](const History::Arrival& arrival) {
    if (arrival.batch - first >= kMostBatches) return false;
    if (!arrival.to_ms) {  // of devices' own clocks only: goes with those around it
      (partly > 0 ? partly : whole) = arrival.batch;
      return true;
    }
    // An hour of a clock that was never believable, or that lies ahead of a clock that was set
    // back, will not become more complete.
    std::int64_t hour_end = end_of_hour(*arrival.to_ms);
    bool odd = !arrival.believed || *arrival.to_ms > reached_ms_ + kHour;
    bool complete = odd || hour_end <= reached_ms_ - kWait;
    if (!end && complete) end = hour_end;
    if (!end || (partly == 0 && !complete && *arrival.to_ms < *end)) return false;
    if (partly == 0 && *arrival.to_ms < *end) {
      whole = arrival.batch;
      return true;
    }
    if (*arrival.from_ms >= *end) return false;
    partly = arrival.batch;
    return true;
  };
  STORE_TRY(history_.arrivals(first, settled, each));
  if (!end) return false;
  rest.pass_whole = whole;
  rest.pass_partly = std::max(whole, partly);
  rest.pass_before_ms = *end;
  rest.next_series = 0;
  return true;
}

Result<void> Compactor::collect() {
  auto each = [this](const StoredReading& reading) { take(reading); };
  auto next = history_.collect(next_batch_, history_.at_rest.pass_partly, kCollectStep, each);
  STORE_TRY(next);
  next_batch_ = *next;
  return {};
}

void Compactor::take(const StoredReading& r) {
  const AtRest& rest = history_.at_rest;
  if (r.series < rest.next_series || r.series >= below_ || !rest.in_pass(r.batch, r.time_ms) ||
      rest.held_before(r.batch, r.time_ms))
    return;
  Group group;
  group.series = r.series;
  group.believed = r.clock != ClockTrust::untrusted;
  group.hour = hour_of(r.time_ms);
  ChunkReading out;
  out.time_ms = r.time_ms;
  out.batch = r.batch;
  out.raw = r.raw;
  out.flag = r.flag;
  out.reason = r.reason;
  out.clock = r.clock;
  out.verdict = r.verdict;
  collected_[group].push_back(out);
  if (++count_ <= kMostCollected) return;
  // No more room: the last series gives way, and comes when the others are written.
  std::int32_t last = collected_.rbegin()->first.series;
  if (last == collected_.begin()->first.series) return;  // only one: it is taken whole
  below_ = last;
  while (collected_.rbegin()->first.series == last) {
    count_ -= collected_.rbegin()->second.size();
    collected_.erase(std::prev(collected_.end()));
  }
}

// Chunks of some series, and that they are at rest now; at the end of the pass, the pass.
Result<void> Compactor::write() {
  AtRest& rest = history_.at_rest;
  std::size_t written = 0;
  while (!collected_.empty() && written < kWriteStep) {
    std::int32_t series = collected_.begin()->first.series;
    while (!collected_.empty() && collected_.begin()->first.series == series) {
      auto node = collected_.extract(collected_.begin());
      ChunkPlace place;
      place.series = series;
      place.hour = node.key().hour;
      place.believed = node.key().believed;
      auto& readings = node.mapped();
      std::stable_sort(readings.begin(), readings.end(),
                       [](const ChunkReading& a, const ChunkReading& b) {
                         return a.time_ms != b.time_ms ? a.time_ms < b.time_ms : a.batch < b.batch;
                       });
      written += readings.size();
      STORE_TRY(chunks_.put(place, std::move(readings), reached_ms_));
    }
    rest.next_series = std::int64_t{series} + 1;
  }
  count_ -= written;
  written_ = written;
  if (collected_.empty() && below_ == kAll) {
    rest.whole = rest.pass_whole;
    rest.partly = rest.pass_partly;
    rest.before_ms = rest.pass_before_ms;
    rest.pass_whole = rest.pass_partly = rest.pass_before_ms = 0;
    rest.next_series = 0;
  }
  return save();
}

}  // namespace gerbang::store
