// SPDX-License-Identifier: Apache-2.0
//
// Readings by time: those at rest, and of the batches what is not at rest yet. Batches are in the
// order of commits and late readings stand in later ones, so a page collects the smallest keys of
// all batches whose extent overlaps, oldest first, and stops as soon as what is left cannot be
// smaller.
#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <queue>
#include <tuple>

#include "store/check.hpp"
#include "store/history.hpp"

namespace gerbang::store {
namespace {

constexpr std::size_t kMaxPage = 100'000;
// Readings unpacked in one step, some milliseconds on a small board; commits come in between.
constexpr std::size_t kStep = 100'000;

}  // namespace

std::string ReadingKey::token() const {
  return std::to_string(time) + '.' + std::to_string(series) + '.' + std::to_string(batch) + '.' +
         std::to_string(index);
}

std::optional<ReadingKey> ReadingKey::parse(std::string_view token) {
  ReadingKey key;
  const char* at = token.data();
  const char* end = at + token.size();
  for (auto* part : {&key.time, &key.series, &key.batch, &key.index}) {
    auto [next, error] = std::from_chars(at, end, *part);
    bool last = part == &key.index;
    if (error != std::errc() || last != (next == end) || (!last && *next != '.'))
      return std::nullopt;
    at = next + (last ? 0 : 1);
  }
  return key;
}

struct History::Scan {
  struct Found {
    ReadingKey key;
    StoredReading reading;
    bool operator<(const Found& other) const { return key < other.key; }
  };

  std::int64_t low = 0, to = 0;  // of time, [low, to)
  ReadingKey after;
  std::vector<std::int32_t> wanted;  // sorted; empty: all
  std::size_t limit = 0;
  std::priority_queue<Found> smallest;  // at most `limit`
  bool overflow = false;                // there are keys above those of `smallest`
  std::size_t unpacked = 0;
  ReadingKey seen = ReadingKey::last();  // nothing up to here was left out
  bool stopped = false;                  // what batches have beyond `seen` is for the next step
  std::vector<Reading> readings;
  // Verdicts of batches, by time and series. A batch reaches back to the times that its verdicts
  // speak of: none is missed for what is in the page.
  std::map<std::pair<std::int64_t, std::int32_t>, std::pair<Flag, Reason>> verdicts;

  void take_verdict(const StoredReading& verdict) {
    auto [found, fresh] =
        verdicts.try_emplace({verdict.time_ms, verdict.series}, verdict.flag, verdict.reason);
    if (!fresh && worsens(verdict.flag, found->second.first))
      found->second = {verdict.flag, verdict.reason};
  }
  void apply_verdict(StoredReading& reading) const {
    auto found = verdicts.find({reading.time_ms, reading.series});
    if (found == verdicts.end() || !worsens(found->second.first, reading.flag)) return;
    std::tie(reading.flag, reading.reason) = found->second;
  }

  bool full_below(std::int64_t time) const {
    return smallest.size() == limit && smallest.top().key.time < time;
  }
  void add(Found found) {
    smallest.push(std::move(found));
    if (smallest.size() <= limit) return;
    smallest.pop();
    overflow = true;
  }
};

Result<ReadingPage> History::page(const ReadingQuery& query) {
  Scan scan;
  scan.limit = std::clamp<std::size_t>(query.limit, 1, kMaxPage);
  scan.low = query.from_ms;
  scan.to = query.to_ms;
  scan.wanted = query.series;
  std::sort(scan.wanted.begin(), scan.wanted.end());
  if (!query.after.empty()) {
    auto key = ReadingKey::parse(query.after);
    if (!key) return fail(std::errc::invalid_argument, "`next` is not from a page before");
    scan.after = *key;
    scan.low = std::max(scan.low, key->is_end() ? key->time + 1 : key->time);
  }

  STORE_TRY(scan_chunks(scan));
  STORE_TRY(scan_batches(scan));

  ReadingPage page;
  while (!scan.smallest.empty() && scan.smallest.top().key > scan.seen) {
    scan.smallest.pop();
    scan.overflow = false;  // what is above these is above what was seen as well
  }
  if (scan.overflow)
    page.next = scan.smallest.top().key.token();
  else if (scan.seen < ReadingKey::last())
    page.next = scan.seen.token();
  page.readings.resize(scan.smallest.size());
  for (std::size_t i = page.readings.size(); i-- > 0; scan.smallest.pop())
    page.readings[i] = scan.smallest.top().reading;
  if (!scan.verdicts.empty())
    for (StoredReading& reading : page.readings) scan.apply_verdict(reading);
  return page;
}

Result<void> History::scan_chunks(Scan& scan) {
  Chunks::Query query;
  query.wanted = scan.wanted;
  query.low = scan.low;
  query.to = scan.to;
  query.after = scan.after;
  std::vector<ChunkRow> rows;
  auto seen = chunks_.scan(query, scan.limit, rows);
  STORE_TRY(seen);
  for (const ChunkRow& row : rows) scan.add({row.key, stored(row)});
  if (*seen == ReadingKey::last()) return {};
  scan.seen = *seen;
  if (seen->time < scan.to) scan.to = seen->time + 1;
  return {};
}

Result<void> History::scan_batches(Scan& scan) {
  struct Candidate {
    Range range;
    const Segment* segment;
  };
  std::vector<Candidate> candidates;
  for (const Segment& s : segments_) {
    Range r = range(s.epoch, s.extent);
    if (s.last > at_rest.whole && r.from < scan.to && r.to >= scan.low)
      candidates.push_back({r, &s});
  }
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.range.from < b.range.from; });
  scan.stopped = false;
  for (std::size_t i = 0; i < candidates.size() && !scan.stopped; ++i) {
    if (scan.full_below(candidates[i].range.from)) {
      scan.overflow = true;
      break;
    }
    std::int64_t next_from = i + 1 < candidates.size() ? candidates[i + 1].range.from : INT64_MAX;
    STORE_TRY(scan_segment(scan, *candidates[i].segment, next_from));
  }
  return {};
}

Result<void> History::scan_segment(Scan& scan, const Segment& segment, std::int64_t next_from) {
  struct Candidate {
    BatchId id;
    std::int64_t from;
  };
  std::vector<Candidate> batches;
  auto take = [&](const sql::Row& row) {
    Extent extent{row.maybe(1), row.maybe(2), row.maybe(3), row.maybe(4)};
    Range r = range(segment.epoch, extent);
    if (r.from < scan.to && r.to >= scan.low) batches.push_back({row.integer(0), r.from});
    return true;
  };
  STORE_TRY(extents_.rows(take, std::max(segment.first, at_rest.whole + 1), segment.last));
  std::stable_sort(batches.begin(), batches.end(),
                   [](const Candidate& a, const Candidate& b) { return a.from < b.from; });
  for (const auto& batch : batches) {
    if (scan.full_below(batch.from)) {
      scan.overflow = true;
      break;
    }
    std::int64_t seen_before = std::min(batch.from, next_from);
    if (scan.unpacked >= kStep && seen_before > scan.low) {
      scan.seen = std::min(scan.seen, ReadingKey::end_of(seen_before - 1));
      scan.stopped = true;
      break;
    }
    STORE_TRY(scan_batch(scan, batch.id));
  }
  return {};
}

Result<void> History::scan_batch(Scan& scan, BatchId id) {
  auto take = [&](const sql::Row& row) {
    const EpochRow* of = epoch(row.integer(0));
    if (!unpack_or_count(id, row.blob(1), scan.readings)) return false;
    scan.unpacked += scan.readings.size();
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> alike;
    for (const Reading& r : scan.readings) {
      auto series = static_cast<std::int32_t>(r.sensor);
      if (!scan.wanted.empty() &&
          !std::binary_search(scan.wanted.begin(), scan.wanted.end(), series))
        continue;
      StoredReading out = stored(r, id, of);
      if (out.time_ms < scan.low || out.time_ms >= scan.to) continue;
      if (at_rest.holds(id, out.series, out.time_ms)) continue;
      if (out.verdict) {
        scan.take_verdict(out);
        continue;
      }
      ReadingKey key{out.time_ms, series, id, alike[{out.time_ms, series}]++};
      if (key > scan.after) scan.add({key, out});
    }
    return false;
  };
  return body_.rows(take, id);
}

}  // namespace gerbang::store
