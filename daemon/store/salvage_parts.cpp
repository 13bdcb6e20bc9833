// SPDX-License-Identifier: Apache-2.0
//
// What is brought over: each part in bounded pieces, by its key, around what cannot be read.
#include <algorithm>
#include <tuple>
#include <utility>

#include "store/aggregate_code.hpp"
#include "store/check.hpp"
#include "store/salvage_source.hpp"

namespace gerbang::store {
namespace {

constexpr int kMessagesAtOnce = 256, kChunksAtOnce = 64;
constexpr std::size_t kRowsAtOnce = 2'000, kReadingsAtOnce = 32'768, kBytesAtOnce = 1u << 20;

}  // namespace

void Salvage::Source::read() {
  auto each = [&](std::string_view query, const std::function<void(const sql::Row&)>& take) {
    auto statement = db.prepare(query);
    auto on = [&](const sql::Row& row) {
      take(row);
      return true;
    };
    return statement && statement->rows(on);
  };
  (void)each("SELECT id, name FROM topic",
             [&](const sql::Row& row) { topics[row.integer(0)] = row.text(1); });
  bool known = each("SELECT bit, name FROM uplink", [&](const sql::Row& row) {
    uplinks[static_cast<int>(row.integer(0))] = row.text(1);
  });
  if (!known) uplinks.clear();
  (void)each("SELECT sequence, stream, first, last, reason, count FROM gap",
             [&](const sql::Row& row) {
               Lost& lost = gaps[row.integer(0)];
               lost.stream = row.text(1);
               lost.first = row.integer(2);
               lost.last = row.integer(3);
               lost.reason = row.text(4);
               lost.count = static_cast<std::uint64_t>(row.integer(5));
             });
  (void)each(
      "SELECT whole, partly, before_ms, pass_whole, pass_partly, pass_before_ms, next_series"
      " FROM compaction",
      [&](const sql::Row& row) {
        at_rest = AtRest{row.integer(0), row.integer(1), row.integer(2), row.integer(3),
                         row.integer(4), row.integer(5), row.integer(6)};
      });
  (void)each("SELECT max(id) FROM reading",
             [&](const sql::Row& row) { last_batch = row.integer(0); });
  (void)db.prepare(messages,
                   "SELECT sequence, pending, topic, kind, lane, made_ms, body FROM outbox"
                   " WHERE sequence > ? ORDER BY sequence LIMIT ?");
  (void)db.prepare(windows, "SELECT min(window_ms) FROM aggregate WHERE window_ms > ?");
  (void)db.prepare(rows,
                   "SELECT start_ms, series, revision, body FROM aggregate"
                   " WHERE window_ms = ? AND start_ms > ? ORDER BY start_ms, series LIMIT ?");
  (void)db.prepare(chunks, "SELECT id, body FROM chunk WHERE id > ? ORDER BY id LIMIT ?");
  auto readable = [&] {
    return series.prepare(db) && series.load() && history->prepare(db) && history->load_epochs();
  };
  history = std::make_unique<History>(series, no_chunks, std::chrono::hours(1));
  if (!readable()) history.reset();
}

Result<bool> Salvage::messages(const Target& target) {
  struct Row {
    Sequence sequence = 0;
    NewMessage message;
  };
  std::map<int, int> bits;  // there → here
  for (const auto& [here, name] : target.outbox.names()) {
    bool any = false;
    for (const auto& [there, known] : source_->uplinks) {
      if (known != name) continue;
      bits[there] = here;
      any = true;
    }
    // Who waited for what is not known: everybody gets it.
    if (!any && source_->uplinks.empty()) bits[-1 - here] = here;
  }
  std::vector<Row> some;
  std::size_t bytes = 0;
  std::int64_t seen = after_;
  auto take = [&](const sql::Row& row) {
    seen = row.integer(0);
    auto pending = static_cast<std::uint64_t>(row.integer(1));
    Row out;
    out.sequence = seen;
    NewMessage& m = out.message;
    for (const auto& [there, here] : bits)
      if (there < 0 || (there < 64 && (pending >> there & 1) != 0))
        m.uplinks |= std::uint64_t{1} << here;
    auto topic = source_->topics.find(row.integer(2));
    if (m.uplinks == 0 || topic == source_->topics.end()) return true;
    m.topic = topic->second;
    m.kind = static_cast<MessageKind>(row.integer(3));
    m.lane = static_cast<Lane>(row.integer(4));
    m.made_ms = row.integer(5);
    m.body = row.blob(6);
    bytes += m.body.size();
    some.push_back(std::move(out));
    return bytes < kBytesAtOnce;
  };
  auto read = source_->messages.rows(take, after_, kMessagesAtOnce);
  if (read && seen == after_ && plan_.lost.stream.empty()) return false;
  auto write = [&]() -> Result<void> {
    STORE_TRY(tell_loss(target));
    for (const Row& row : some) {
      auto sequence = target.outbox.add(row.message);
      STORE_TRY(sequence);
      if (auto gap = source_->gaps.find(row.sequence); gap != source_->gaps.end())
        STORE_TRY(target.outbox.remember(*sequence, gap->second));
    }
    STORE_TRY(target.outbox.save());
    target.state.last_sequence = target.outbox.last_sequence();
    STORE_TRY(target.state.salvaged("messages", some.size()));
    STORE_TRY(target.state.save());
    after_ = seen;
    return save(target);
  };
  const std::int64_t before = after_;
  if (auto written = target.transact(write); !written) {
    after_ = before;
    return fail(std::move(written).error());
  }
  plan_.lost = Lost();
  if (read) {
    skips_ = 0;
    stride_ = 1;
    return true;
  }
  return skip(1);
}

// Under their old numbers the messages of before will not come.
Result<void> Salvage::tell_loss(const Target& target) {
  const Lost& lost = plan_.lost;
  if (lost.stream.empty() || lost.last < lost.first || !target.gap_body) return {};
  return target.outbox.announce(lost, target.now_ms, target.gap_body(lost));
}

Result<bool> Salvage::rows(const Target& target) {
  auto next_window = [&]() {
    std::optional<std::int64_t> window;
    auto take = [&](const sql::Row& row) {
      window = row.maybe(0);
      return false;
    };
    bool read = source_->windows.rows(take, window_).has_value();
    return read ? window : std::nullopt;
  };
  if (window_ == 0) {
    auto first = next_window();
    if (!first) return false;
    window_ = *first;
  }
  // Whole starts: as many as fit, and the last one to its end.
  std::vector<Aggregate> some;
  std::int64_t seen = after_;
  auto take = [&](const sql::Row& row) {
    std::int64_t start = row.integer(0);
    if (some.size() >= kRowsAtOnce && start != seen) return false;
    seen = start;
    Aggregate a;
    a.window_ms = window_;
    a.start_ms = start;
    a.series = static_cast<std::int32_t>(row.integer(1));
    a.revision = static_cast<std::uint32_t>(row.integer(2));
    if (decode(row.blob(3), a)) some.push_back(std::move(a));
    return true;
  };
  auto read = source_->rows.rows(take, window_, after_, -1);
  const std::int64_t before = after_;
  auto write = [&]() -> Result<void> {
    for (const Aggregate& a : some) STORE_TRY(target.aggregates.put(a));
    STORE_TRY(target.state.salvaged("aggregates", some.size()));
    after_ = seen;
    return save(target);
  };
  if (auto written = target.transact(write); !written) {
    after_ = before;
    return fail(std::move(written).error());
  }
  if (read && seen != before) {
    skips_ = 0;
    stride_ = 1;
    return true;
  }
  if (!read && skip(window_)) return true;
  auto next = next_window();
  if (!next) return false;
  window_ = *next;
  after_ = INT64_MIN;
  skips_ = 0;
  stride_ = 1;
  return true;
}

Result<bool> Salvage::chunks(const Target& target) {
  struct Some {
    ChunkPlace place;
    std::vector<ChunkReading> readings;
  };
  std::vector<Some> some;
  std::uint64_t count = 0;
  std::int64_t seen = after_;
  auto take = [&](const sql::Row& row) {
    seen = row.integer(0);
    auto readings = decode_chunk(row.blob(1));
    if (!readings) return true;  // this one is lost
    count += readings->size();
    some.push_back(Some{ChunkPlace::of(seen), std::move(*readings)});
    return count < kReadingsAtOnce;
  };
  auto read = source_->chunks.rows(take, after_, kChunksAtOnce);
  if (read && seen == after_) return false;
  const std::int64_t before = after_;
  auto write = [&]() -> Result<void> {
    for (Some& chunk : some)
      STORE_TRY(target.chunks.put(chunk.place, chunk.readings, chunk.readings.back().time_ms));
    STORE_TRY(target.state.salvaged("readings", count));
    after_ = seen;
    return save(target);
  };
  if (auto written = target.transact(write); !written) {
    after_ = before;
    return fail(std::move(written).error());
  }
  if (read) {
    skips_ = 0;
    stride_ = 1;
    return true;
  }
  return skip(std::int64_t{1} << 39);  // an hour
}

// Batches that were not at rest yet become parts of their hours.
Result<bool> Salvage::batches(const Target& target) {
  if (!source_->history) return false;
  if (source_->last_batch == 0) source_->last_batch = after_ + 1'000'000;
  if (after_ >= source_->last_batch) return false;
  using Place = std::tuple<std::int32_t, bool, std::int64_t>;
  std::map<Place, std::vector<ChunkReading>> collected;
  std::uint64_t count = 0;
  BatchId seen = after_;
  auto each = [&](const StoredReading& r) {
    seen = std::max(seen, r.batch);
    if (r.batch >= plan_.has_from && r.batch <= plan_.has_to) return;
    if (source_->at_rest.holds(r.batch, r.series, r.time_ms)) return;
    ChunkReading out;
    out.time_ms = r.time_ms;
    out.batch = r.batch;
    out.raw = r.raw;
    out.flag = r.flag;
    out.reason = r.reason;
    out.clock = r.clock;
    out.verdict = r.verdict;
    collected[{r.series, r.clock != ClockTrust::untrusted, hour_of(r.time_ms)}].push_back(out);
    ++count;
  };
  auto next = source_->history->collect(after_ + 1, source_->last_batch, kReadingsAtOnce, each);
  const std::int64_t before = after_;
  auto write = [&]() -> Result<void> {
    for (auto& [key, readings] : collected) {
      ChunkPlace place;
      place.series = std::get<0>(key);
      place.believed = std::get<1>(key);
      place.hour = std::get<2>(key);
      std::vector<ChunkReading> sorted = readings;
      std::stable_sort(sorted.begin(), sorted.end(),
                       [](const ChunkReading& a, const ChunkReading& b) {
                         return std::pair(a.time_ms, a.batch) < std::pair(b.time_ms, b.batch);
                       });
      std::int64_t passed = sorted.back().time_ms;
      STORE_TRY(target.chunks.put(place, std::move(sorted), passed));
    }
    STORE_TRY(target.state.salvaged("readings", count));
    after_ = next ? *next - 1 : seen;
    return save(target);
  };
  if (auto written = target.transact(write); !written) {
    after_ = before;
    return fail(std::move(written).error());
  }
  if (next) {
    skips_ = 0;
    stride_ = 1;
    return true;
  }
  return skip(1);
}

}  // namespace gerbang::store
