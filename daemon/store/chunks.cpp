// SPDX-License-Identifier: Apache-2.0
#include "store/chunks.hpp"

#include <algorithm>

#include "observe/log.hpp"
#include "store/check.hpp"
#include "store/chunk_scan.hpp"

namespace gerbang::store {
namespace {

constexpr int kPartBits = 8, kSeriesBits = 31;
constexpr std::int64_t kLastHour = (std::int64_t{1} << 24) - 1;
constexpr int kParts = 1 << kPartBits;
constexpr std::int64_t kHour = 3'600'000;
// A chunk from here on is not merged again: merging is for what came late.
constexpr std::size_t kLarge = kMaxChunk / 2;
constexpr std::size_t kKeptScans = 2;
constexpr std::size_t kKeptBytes = 16u << 20;

bool by_key(const ChunkReading& a, const ChunkReading& b) {
  return a.time_ms != b.time_ms ? a.time_ms < b.time_ms : a.batch < b.batch;
}

// Verdicts come to rest in the readings that they speak of, where those are here too.
void apply_verdicts(std::vector<ChunkReading>& readings) {
  for (std::size_t i = 0; i < readings.size(); ++i) {
    if (!readings[i].verdict) continue;
    bool found = false;
    for (std::size_t j = i; j-- > 0 && readings[j].time_ms == readings[i].time_ms;) {
      if (readings[j].verdict) continue;
      found = true;
      if (!worsens(readings[i].flag, readings[j].flag)) continue;
      readings[j].flag = readings[i].flag;
      readings[j].reason = readings[i].reason;
    }
    if (found) readings[i].batch = INT64_MIN;  // done with
  }
  std::erase_if(readings, [](const ChunkReading& r) { return r.verdict && r.batch == INT64_MIN; });
}

}  // namespace

std::int64_t hour_of(std::int64_t time_ms) {
  return std::clamp<std::int64_t>(time_ms / kHour, 0, kLastHour);
}

std::int64_t ChunkPlace::id() const {
  std::int64_t key = hour << (kPartBits + kSeriesBits) | std::int64_t{series} << kPartBits | part;
  return believed ? key : key | INT64_MIN;
}

ChunkPlace ChunkPlace::of(std::int64_t id) {
  ChunkPlace out;
  out.believed = id >= 0;
  std::int64_t key = id & INT64_MAX;
  out.hour = key >> (kPartBits + kSeriesBits);
  out.series = static_cast<std::int32_t>(key >> kPartBits & INT32_MAX);
  out.part = static_cast<int>(key & (kParts - 1));
  return out;
}

Chunks::Chunks() = default;
Chunks::~Chunks() = default;

Result<void> Chunks::prepare(sql::Database& db) {
  STORE_TRY(db.prepare(insert_, "INSERT INTO chunk VALUES (?, ?, ?, ?)"));
  STORE_TRY(db.prepare(parts_, "SELECT id, readings FROM chunk WHERE id BETWEEN ? AND ?"));
  STORE_TRY(db.prepare(body_, "SELECT body FROM chunk WHERE id = ?"));
  STORE_TRY(db.prepare(delete_, "DELETE FROM chunk WHERE id = ?"));
  STORE_TRY(db.prepare(next_, "SELECT id FROM chunk WHERE id BETWEEN ? AND ? ORDER BY id LIMIT 1"));
  STORE_TRY(db.prepare(ids_, "SELECT id FROM chunk WHERE id BETWEEN ? AND ? ORDER BY id"));
  STORE_TRY(db.prepare(expired_,
                       "SELECT id, readings FROM chunk WHERE id BETWEEN 0 AND ?"
                       " ORDER BY id LIMIT ?"));
  return db.prepare(passed_,
                    "SELECT id, readings, passed_ms FROM chunk WHERE id > ? AND id < 0"
                    " ORDER BY id LIMIT ?");
}

void Chunks::load() {
  forget_scans();
}

void Chunks::forget_scans() {
  scans_.clear();
}

void Chunks::count_unreadable(std::int64_t id, const Error& why) {
  if (++unreadable_ > 1) return;
  ChunkPlace place = ChunkPlace::of(id);
  spdlog::error("store: readings of series {} in hour {} are left out: {}; later ones are counted",
                place.series, place.hour, why.what);
}

// ---- writing ------------------------------------------------------------------------------------

Result<void> Chunks::put(ChunkPlace place, std::vector<ChunkReading> readings,
                         std::int64_t passed_ms) {
  scans_.clear();
  std::vector<std::int64_t> ids;
  STORE_TRY(merge(place, readings, ids));
  apply_verdicts(readings);
  std::size_t pieces = (readings.size() + kMaxChunk - 1) / kMaxChunk;
  std::span<const ChunkReading> rest(readings);
  place.part = 0;
  for (; pieces > 0; --pieces) {
    while (place.part < kParts && std::find(ids.begin(), ids.end(), place.id()) != ids.end())
      ++place.part;
    if (place.part == kParts)
      return fail(errc::full, "series " + std::to_string(place.series) + " has " +
                                  std::to_string(kParts) + " chunks in one hour");
    std::span<const ChunkReading> piece = rest.first(rest.size() / pieces);
    rest = rest.subspan(piece.size());
    std::string body = encode_chunk(piece);
    std::optional<std::int64_t> passed;
    if (!place.believed) passed = passed_ms;
    STORE_TRY(insert_.run(place.id(), piece.size(), passed, sql::Blob{body}));
    ++place.part;
  }
  return {};
}

Result<void> Chunks::merge(ChunkPlace place, std::vector<ChunkReading>& readings,
                           std::vector<std::int64_t>& ids) {
  std::vector<std::int64_t> small;
  auto take = [&](const sql::Row& row) {
    ids.push_back(row.integer(0));
    if (row.integer(1) < static_cast<std::int64_t>(kLarge)) small.push_back(row.integer(0));
    return true;
  };
  place.part = 0;
  std::int64_t first = place.id();
  STORE_TRY(parts_.rows(take, first, first + kParts - 1));
  if (small.size() < kMostParts) return {};
  for (std::int64_t id : small) {
    Result<std::vector<ChunkReading>> part;
    auto read = [&](const sql::Row& row) {
      part = decode_chunk(row.blob(0));
      return false;
    };
    STORE_TRY(body_.rows(read, id));
    if (!part) {
      count_unreadable(id, part.error());  // stays where it is
      continue;
    }
    readings.insert(readings.end(), part->begin(), part->end());
    STORE_TRY(delete_.run(id));
    std::erase(ids, id);
  }
  std::stable_sort(readings.begin(), readings.end(), by_key);
  return {};
}

Result<Chunks::Expired> Chunks::expire(std::int64_t limit_ms, int most) {
  Expired out;
  std::vector<std::int64_t> ids;
  if (limit_ms >= kHour) {
    ChunkPlace first_kept;
    first_kept.hour = hour_of(limit_ms);
    auto take = [&](const sql::Row& row) {
      ids.push_back(row.integer(0));
      out.readings += static_cast<std::uint64_t>(row.integer(1));
      return true;
    };
    STORE_TRY(expired_.rows(take, first_kept.id() - 1, most));
    out.more = ids.size() == static_cast<std::size_t>(most);
  }
  // Their keys say nothing of their age, so they are looked at in turns.
  int looked = 0;
  auto take_passed = [&](const sql::Row& row) {
    ++looked;
    passed_expiry_ = row.integer(0);
    if (row.integer(2) >= limit_ms) return true;
    ids.push_back(row.integer(0));
    out.readings += static_cast<std::uint64_t>(row.integer(1));
    return true;
  };
  STORE_TRY(passed_.rows(take_passed, passed_expiry_, most));
  if (looked < most) passed_expiry_ = INT64_MIN;
  if (!ids.empty()) scans_.clear();
  for (std::int64_t id : ids) STORE_TRY(delete_.run(id));
  return out;
}

// ---- reading ------------------------------------------------------------------------------------

Result<std::int64_t> Chunks::oldest_ms() {
  std::int64_t out = 0;
  auto take = [&](const sql::Row& row) {
    out = ChunkPlace::of(row.integer(0)).hour * kHour;
    return false;
  };
  STORE_TRY(next_.rows(take, 0, INT64_MAX));
  return out;
}

Result<std::optional<std::int64_t>> Chunks::next_hour(std::int64_t from) {
  std::optional<std::int64_t> out;
  for (bool believed : {true, false}) {
    ChunkPlace first;
    first.hour = from;
    first.believed = believed;
    auto take = [&](const sql::Row& row) {
      std::int64_t hour = ChunkPlace::of(row.integer(0)).hour;
      if (!out || hour < *out) out = hour;
      return false;
    };
    STORE_TRY(next_.rows(take, first.id(), believed ? INT64_MAX : -1));
  }
  return out;
}

Result<void> Chunks::each_of(std::int64_t hour, const std::vector<std::int32_t>& wanted,
                             const std::function<void(ChunkPlace, ChunkReader)>& each) {
  constexpr std::size_t kFew = 64;  // sought one by one
  for (bool believed : {true, false}) {
    ChunkPlace first, last;
    first.hour = last.hour = hour;
    first.believed = last.believed = believed;
    last.series = INT32_MAX;
    last.part = kParts - 1;
    if (wanted.empty() || wanted.size() > kFew) {
      STORE_TRY(each_between(first.id(), last.id(), wanted, each));
      continue;
    }
    for (std::int32_t series : wanted) {
      first.series = last.series = series;
      STORE_TRY(each_between(first.id(), last.id(), wanted, each));
    }
  }
  return {};
}

Result<void> Chunks::each_between(std::int64_t first, std::int64_t last,
                                  const std::vector<std::int32_t>& wanted,
                                  const std::function<void(ChunkPlace, ChunkReader)>& each) {
  std::vector<std::int64_t> ids;
  auto take = [&](const sql::Row& row) {
    std::int32_t series = ChunkPlace::of(row.integer(0)).series;
    if (wanted.empty() || std::binary_search(wanted.begin(), wanted.end(), series))
      ids.push_back(row.integer(0));
    return true;
  };
  STORE_TRY(ids_.rows(take, first, last));
  for (std::int64_t id : ids) {
    auto read = [&](const sql::Row& row) {
      auto chunk = ChunkReader::open(row.blob(0));
      if (chunk)
        each(ChunkPlace::of(id), std::move(*chunk));
      else
        count_unreadable(id, chunk.error());
      return false;
    };
    STORE_TRY(body_.rows(read, id));
  }
  return {};
}

Result<ReadingKey> Chunks::scan(const Query& query, std::size_t limit, std::vector<ChunkRow>& out) {
  Kept now;
  for (auto it = scans_.begin(); it != scans_.end(); ++it) {
    if (!(it->query == query)) continue;
    now = std::move(*it);
    scans_.erase(it);
    break;
  }
  if (!now.scan) {
    now.query = query;
    now.scan = std::make_unique<ChunkScan>(*this, query);
  }
  auto seen = now.scan->next(limit, out);
  if (!seen) return seen;
  unreadable_ += now.scan->take_unreadable();
  if (*seen < ReadingKey::last() && now.scan->bytes() <= kKeptBytes) {
    now.query.after = *seen;
    now.query.low = std::max(query.low, seen->is_end() ? seen->time + 1 : seen->time);
    if (scans_.size() == kKeptScans) scans_.erase(scans_.begin());
    scans_.push_back(std::move(now));
  }
  return seen;
}

}  // namespace gerbang::store
