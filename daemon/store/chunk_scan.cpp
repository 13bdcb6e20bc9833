// SPDX-License-Identifier: Apache-2.0
#include "store/chunk_scan.hpp"

#include <algorithm>

#include "store/check.hpp"

namespace gerbang::store {
namespace {

constexpr std::int64_t kHour = 3'600'000;
// Readings looked at in one step, some milliseconds on a small board; commits come in between.
constexpr std::size_t kStep = 100'000;

}  // namespace

ChunkScan::ChunkScan(Chunks& chunks, Chunks::Query query)
    : chunks_(chunks), query_(std::move(query)), hour_(hour_of(query_.low)) {}

bool ChunkScan::later(std::size_t a, std::size_t b) const {
  return cursors_[b].row.key < cursors_[a].row.key;
}
void ChunkScan::push(std::size_t cursor) {
  heap_.push_back(cursor);
  std::push_heap(heap_.begin(), heap_.end(),
                 [this](std::size_t a, std::size_t b) { return later(a, b); });
}
std::size_t ChunkScan::pop() {
  std::pop_heap(heap_.begin(), heap_.end(),
                [this](std::size_t a, std::size_t b) { return later(a, b); });
  std::size_t cursor = heap_.back();
  heap_.pop_back();
  return cursor;
}

// To the next reading that was asked for. False: there is none.
bool ChunkScan::advance(Cursor& cursor) {
  ChunkRow& row = cursor.row;
  for (;;) {
    if (!row.reading.verdict) cursor.before = row.key;
    const ReadingKey before = cursor.before;
    auto more = cursor.reader.next(row.reading);
    if (!more) ++unreadable_;
    if (!more || !*more) return false;
    ++steps_;
    if (row.reading.verdict) {
      row.key.time = row.reading.time_ms;
      row.key.series = cursor.series;
      row.key.batch = row.reading.batch;
      row.key.index = INT64_MAX;  // behind what it speaks of
      if (row.key.time >= query_.to) return false;
      if (row.key.time >= query_.low && row.key > query_.after) return true;
      continue;
    }
    row.key.time = row.reading.time_ms;
    row.key.series = cursor.series;
    row.key.batch = row.reading.batch;
    bool same = row.key.time == before.time && row.key.batch == before.batch;
    row.key.index = same ? before.index + 1 : 0;
    if (row.key.time >= query_.to) return false;
    if (row.key.time >= query_.low && row.key > query_.after) return true;
  }
}

// To the readings of its time, which came just before it.
void ChunkScan::apply(const ChunkRow& verdict, std::vector<ChunkRow>& out) {
  for (auto row = out.rbegin(); row != out.rend() && row->key.time == verdict.key.time; ++row)
    if (row->key.series == verdict.key.series && worsens(verdict.reading.flag, row->reading.flag)) {
      row->reading.flag = verdict.reading.flag;
      row->reading.reason = verdict.reading.reason;
    }
}

Result<void> ChunkScan::open_hour() {
  cursors_.clear();
  bytes_ = 0;
  auto take = [this](ChunkPlace place, ChunkReader reader) {
    bytes_ += reader.bytes() + sizeof(Cursor);
    cursors_.emplace_back(place.series, std::move(reader));
  };
  STORE_TRY(chunks_.each_of(hour_, query_.wanted, take));
  ++hour_;
  for (std::size_t i = 0; i < cursors_.size(); ++i)
    if (advance(cursors_[i])) push(i);
  return {};
}

Result<ReadingKey> ChunkScan::next(std::size_t limit, std::vector<ChunkRow>& out) {
  steps_ = 0;
  for (bool opened = false;;) {
    while (!heap_.empty()) {
      std::size_t i = pop();
      if (cursors_[i].row.reading.verdict)
        apply(cursors_[i].row, out);
      else
        out.push_back(cursors_[i].row);
      if (advance(cursors_[i])) push(i);
      // What follows may still speak of the last one.
      const bool verdict = !heap_.empty() && cursors_[heap_.front()].row.reading.verdict;
      if (!verdict && !out.empty() && (out.size() >= limit || steps_ >= kStep))
        return out.back().key;
    }
    if (query_.to <= query_.low) return ReadingKey::last();
    auto hour = chunks_.next_hour(hour_);
    STORE_TRY(hour);
    if (!*hour || **hour > hour_of(query_.to - 1)) return ReadingKey::last();
    if (opened && steps_ >= kStep) return ReadingKey::end_of(**hour * kHour - 1);
    hour_ = **hour;
    STORE_TRY(open_hour());
    opened = true;
  }
}

}  // namespace gerbang::store
