// SPDX-License-Identifier: Apache-2.0
#include "store/events.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "store/check.hpp"

namespace gerbang::store {
namespace {

constexpr std::uint64_t kBytesEach = 512, kShare = 20, kFewest = 256, kMost = 200'000;
constexpr std::size_t kMaxPage = 1'000;
constexpr int kStep = 2'000;  // rows looked at in one step; commits come in between
constexpr int kMostDoubtful = 1'000;

EventRow row_of(const sql::Row& row) {
  EventRow out;
  out.number = row.integer(0);
  out.time_ms = row.integer(1);
  out.kind = row.text(2);
  out.sensor = row.text(3);
  out.boot_id = row.text(4);
  out.boot_ns = row.integer(5);
  out.body = row.blob(6);
  return out;
}

// The last row of a page.
struct Position {
  std::int64_t time_ms = INT64_MAX, id = INT64_MAX;

  std::string token() const { return std::to_string(time_ms) + '.' + std::to_string(id); }
  static std::optional<Position> parse(std::string_view token) {
    Position p;
    const char* end = token.data() + token.size();
    auto first = std::from_chars(token.data(), end, p.time_ms);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != '.') return std::nullopt;
    auto second = std::from_chars(first.ptr + 1, end, p.id);
    if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
    return p;
  }
};

}  // namespace

Events::Events(std::uint64_t max_size, std::chrono::milliseconds keep)
    : most_(static_cast<std::int64_t>(std::clamp(max_size / kShare / kBytesEach, kFewest, kMost))),
      keep_(keep) {}

Result<void> Events::prepare(sql::Database& db) {
  const std::string columns =
      "SELECT id, time_ms, kind, sensor, boot_id, boot_ns, body FROM event ";
  STORE_TRY(db.prepare(count_all_, "SELECT count(*) FROM event"));
  STORE_TRY(db.prepare(insert_, "INSERT INTO event VALUES (NULL, ?, ?, ?, ?, ?, ?)"));
  STORE_TRY(db.prepare(replace_,
                       "UPDATE event SET time_ms = ?2, kind = ?3, sensor = ?4, boot_id = ?5,"
                       " boot_ns = ?6, body = ?7 WHERE id = ?1"));
  STORE_TRY(
      db.prepare(oldest_, "SELECT id FROM event WHERE time_ms < ? ORDER BY time_ms, id LIMIT ?"));
  STORE_TRY(db.prepare(delete_, "DELETE FROM event WHERE id = ?"));
  STORE_TRY(db.prepare(newest_, columns +
                                    "WHERE time_ms <= ?1 AND (time_ms, id) < (?1, ?2)"
                                    " AND time_ms >= ?3 ORDER BY time_ms DESC, id DESC LIMIT ?4"));
  return db.prepare(doubtful_, columns + "WHERE boot_id = ? AND boot_id <> '' ORDER BY id LIMIT ?");
}

Result<void> Events::load() {
  auto take = [&](const sql::Row& row) {
    count_ = row.integer(0);
    return false;
  };
  return count_all_.rows(take);
}

Result<std::uint64_t> Events::put(const EventRow& e) {
  if (e.number != 0) {
    STORE_TRY(replace_.run(e.number, e.time_ms, e.kind, e.sensor, e.boot_id, e.boot_ns,
                           sql::Blob{e.body}));
    return 0;
  }
  std::uint64_t gone = 0;
  if (count_ >= most_) {
    auto made = expire(INT64_MAX, static_cast<int>(std::max<std::int64_t>(count_ - most_ + 1, 1)));
    STORE_TRY(made);
    gone = *made;
  }
  STORE_TRY(insert_.run(e.time_ms, e.kind, e.sensor, e.boot_id, e.boot_ns, sql::Blob{e.body}));
  ++count_;
  return gone;
}

Result<std::uint64_t> Events::expire(std::int64_t now_ms, int most) {
  std::vector<std::int64_t> old;
  auto take = [&](const sql::Row& row) {
    old.push_back(row.integer(0));
    return true;
  };
  const std::int64_t before = now_ms == INT64_MAX ? INT64_MAX : now_ms - keep_.count();
  STORE_TRY(oldest_.rows(take, before, most));
  for (std::int64_t id : old) STORE_TRY(delete_.run(id));
  count_ -= static_cast<std::int64_t>(old.size());
  return old.size();
}

Result<EventPage> Events::page(const EventQuery& query) {
  const std::size_t limit = std::clamp<std::size_t>(query.limit, 1, kMaxPage);
  Position at;
  if (query.to_ms != INT64_MAX) at = Position{query.to_ms, INT64_MIN};  // exclusive
  if (!query.after.empty()) {
    auto position = Position::parse(query.after);
    if (!position) return fail(std::errc::invalid_argument, "`next` is not from a page before");
    at = *position;
  }
  EventPage page;
  int looked = 0;
  auto take = [&](const sql::Row& row) {
    ++looked;
    at = Position{row.integer(1), row.integer(0)};
    const bool wanted = (query.kind.empty() || row.text(2) == query.kind) &&
                        (query.sensor.empty() || row.text(3) == query.sensor);
    if (wanted) page.events.push_back(row_of(row));
    return page.events.size() < limit;
  };
  STORE_TRY(newest_.rows(take, at.time_ms, at.id, query.from_ms, kStep));
  if (looked == kStep || page.events.size() == limit) page.next = at.token();
  return page;
}

Result<std::vector<EventRow>> Events::doubtful(const std::string& boot_id) {
  std::vector<EventRow> out;
  auto take = [&](const sql::Row& row) {
    out.push_back(row_of(row));
    return true;
  };
  STORE_TRY(doubtful_.rows(take, boot_id, kMostDoubtful));
  return out;
}

}  // namespace gerbang::store
