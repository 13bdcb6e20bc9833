// SPDX-License-Identifier: Apache-2.0
#include "store/aggregates.hpp"

#include <algorithm>
#include <charconv>

#include "store/aggregate_code.hpp"
#include "store/check.hpp"

namespace gerbang::store {
namespace {

constexpr std::size_t kMaxPage = 100'000;
constexpr int kStep = 20'000;  // rows looked at in one step; commits come in between

// Where a page begins: that start and series, included.
struct Position {
  std::int64_t start = 0, series = 0;

  std::string token() const { return std::to_string(start) + '.' + std::to_string(series); }
  static std::optional<Position> parse(std::string_view token) {
    Position p;
    const char* end = token.data() + token.size();
    auto first = std::from_chars(token.data(), end, p.start);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != '.') return std::nullopt;
    auto second = std::from_chars(first.ptr + 1, end, p.series);
    if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
    return p;
  }
};

}  // namespace

Result<void> Aggregates::prepare(sql::Database& db) {
  STORE_TRY(db.prepare(put_,
                       "INSERT INTO aggregate VALUES (?, ?, ?, ?, ?)"
                       " ON CONFLICT (window_ms, start_ms, series) DO UPDATE"
                       " SET revision = excluded.revision, body = excluded.body"
                       " WHERE excluded.revision > revision"));
  STORE_TRY(db.prepare(from_,
                       "SELECT start_ms, series, revision, body FROM aggregate"
                       " WHERE window_ms = ?1 AND (start_ms, series) >= (?2, ?3) AND start_ms < ?4"
                       " ORDER BY start_ms, series"));
  STORE_TRY(db.prepare(oldest_,
                       "SELECT start_ms, series FROM aggregate"
                       " WHERE window_ms = ? AND start_ms < ? ORDER BY start_ms, series LIMIT ?"));
  STORE_TRY(db.prepare(newest_,
                       "SELECT start_ms FROM aggregate WHERE window_ms = ?"
                       " ORDER BY start_ms DESC LIMIT 1"));
  STORE_TRY(db.prepare(longer_, "SELECT min(window_ms) FROM aggregate WHERE window_ms > ?"));
  return db.prepare(delete_,
                    "DELETE FROM aggregate WHERE window_ms = ? AND start_ms = ? AND series = ?");
}

Result<void> Aggregates::put(const Aggregate& a) {
  std::string body = encode(a);
  return put_.run(a.window_ms, a.start_ms, a.series, a.revision, sql::Blob{body});
}

Result<Aggregates::Expired> Aggregates::expire(std::int64_t now_ms, int most) {
  Expired out;
  for (const auto& [window, keep] : keep_) {
    std::vector<Position> old;
    auto take = [&](const sql::Row& row) {
      old.push_back(Position{row.integer(0), row.integer(1)});
      return true;
    };
    STORE_TRY(oldest_.rows(take, window, now_ms - keep.count(), most));
    for (const Position& row : old) STORE_TRY(delete_.run(window, row.start, row.series));
    out.rows += old.size();
    out.more = out.more || old.size() == static_cast<std::size_t>(most);
  }
  return out;
}

Result<Aggregates::Dropped> Aggregates::drop_oldest(int most) {
  auto first_of = [](std::optional<std::int64_t>& to) {
    return [&to](const sql::Row& row) {
      to = row.maybe(0);
      return false;
    };
  };
  Dropped out;
  std::optional<std::int64_t> window;
  STORE_TRY(longer_.rows(first_of(window), 0));
  while (window && out.rows == 0) {
    std::optional<std::int64_t> next, newest;
    STORE_TRY(longer_.rows(first_of(next), *window));
    STORE_TRY(newest_.rows(first_of(newest), *window));
    std::int64_t spare = newest.value_or(0) - 2 * next.value_or(*window);
    std::vector<Position> old;
    auto take = [&](const sql::Row& row) {
      old.push_back(Position{row.integer(0), row.integer(1)});
      return true;
    };
    STORE_TRY(oldest_.rows(take, *window, spare, most));
    for (const Position& row : old) STORE_TRY(delete_.run(*window, row.start, row.series));
    out.rows = old.size();
    if (!old.empty()) out.end_ms = old.back().start + *window;
    window = next;
  }
  return out;
}

Result<AggregatePage> Aggregates::page(const AggregateQuery& query) {
  std::size_t limit = std::clamp<std::size_t>(query.limit, 1, kMaxPage);
  std::vector<std::int32_t> wanted = query.series;
  std::sort(wanted.begin(), wanted.end());
  Position at{query.from_ms, wanted.empty() ? INT32_MIN : wanted.front()};
  if (!query.after.empty()) {
    auto position = Position::parse(query.after);
    if (!position) return fail(std::errc::invalid_argument, "`next` is not from a page before");
    at = std::max(at, *position, [](const Position& a, const Position& b) {
      return std::pair(a.start, a.series) < std::pair(b.start, b.series);
    });
  }

  AggregatePage page;
  int looked = 0;
  bool more = true;
  std::optional<Error> unreadable;
  while (more && looked < kStep && page.rows.size() < limit && !unreadable) {
    more = false;
    auto take = [&](const sql::Row& row) {
      ++looked;
      at = Position{row.integer(0), row.integer(1)};
      auto next = std::lower_bound(wanted.begin(), wanted.end(), at.series);
      if (!wanted.empty() && (next == wanted.end() || *next != at.series)) {
        // Jump to the next wanted series, of this start or of a later one.
        at = next != wanted.end() ? Position{at.start, *next} : Position{at.start + 1, wanted[0]};
        more = true;
        return false;
      }
      Aggregate a;
      a.window_ms = query.window_ms;
      a.start_ms = at.start;
      a.series = static_cast<std::int32_t>(at.series);
      a.revision = static_cast<std::uint32_t>(row.integer(2));
      if (auto decoded = decode(row.blob(3), a); !decoded) {
        unreadable = std::move(decoded).error();
        return false;
      }
      page.rows.push_back(a);
      ++at.series;
      more = looked >= kStep || page.rows.size() >= limit;
      return !more;
    };
    STORE_TRY(from_.rows(take, query.window_ms, at.start, at.series, query.to_ms));
  }
  if (unreadable) return fail(std::move(*unreadable));
  if (more) page.next = at.token();
  return page;
}

}  // namespace gerbang::store
