// SPDX-License-Identifier: Apache-2.0
//
// Messages that had to make room, and the messages that say so.
#include <algorithm>

#include "observe/log.hpp"
#include "store/check.hpp"
#include "store/outbox.hpp"

namespace gerbang::store {

Result<void> Outbox::prepare_drop(sql::Database& db) {
  STORE_TRY(db.prepare(all_gaps_, "SELECT sequence, stream, first, last, reason, count FROM gap"));
  STORE_TRY(db.prepare(put_gap_, "INSERT OR REPLACE INTO gap VALUES (?, ?, ?, ?, ?, ?)"));
  STORE_TRY(db.prepare(delete_gap_, "DELETE FROM gap WHERE sequence = ?"));
  STORE_TRY(db.prepare(clean_gaps_,
                       "DELETE FROM gap WHERE sequence NOT IN (SELECT sequence FROM outbox)"));
  STORE_TRY(db.prepare(oldest_live_,
                       "SELECT sequence, pending, made_ms FROM outbox WHERE lane != 0"
                       " ORDER BY sequence LIMIT ?"));
  STORE_TRY(db.prepare(oldest_any_,
                       "SELECT sequence, pending, made_ms FROM outbox ORDER BY sequence LIMIT ?"));
  return db.prepare(between_, "SELECT 1 FROM outbox WHERE sequence > ? AND sequence < ? LIMIT 1");
}

Result<void> Outbox::load_gaps() {
  gaps_.clear();
  auto take = [&](const sql::Row& row) {
    Lost& lost = gaps_[row.integer(0)];
    lost.stream = row.text(1);
    lost.first = row.integer(2);
    lost.last = row.integer(3);
    lost.reason = row.text(4);
    lost.count = static_cast<std::uint64_t>(row.integer(5));
    return true;
  };
  return all_gaps_.rows(take);
}

Result<std::size_t> Outbox::drop_oldest(const Drop& how) {
  std::vector<Row> rows;
  auto take = [&](const sql::Row& row) {
    rows.push_back({row.integer(0), static_cast<std::uint64_t>(row.integer(1)), row.integer(2)});
    return true;
  };
  // Announcements make no room: each that goes has to be said again.
  auto nothing_else = [&] {
    auto announces = [this](const Row& row) { return gaps_.contains(row.sequence); };
    return rows.size() < how.most && std::all_of(rows.begin(), rows.end(), announces);
  };
  STORE_TRY(oldest_live_.rows(take, how.most));
  if (nothing_else()) {
    rows.clear();
    STORE_TRY(oldest_any_.rows(take, how.most));
    if (nothing_else()) return 0;
  }

  std::vector<Lost> lost;
  for (const Row& row : rows) {
    // Whoever did not get an announcement still has to learn what it said.
    if (auto gap = gaps_.find(row.sequence); gap != gaps_.end()) lost.push_back(gap->second);
    lost.push_back(Lost{how.stream, row.sequence, row.sequence, how.reason, 1});
    STORE_TRY(drop(row, how.reason));
  }
  STORE_TRY(find_oldest_again());
  auto runs = runs_of(std::move(lost), how.stream);
  STORE_TRY(runs);
  STORE_TRY(announce_all(*runs, how));
  return rows.size();
}

// What was taken between two of them is none.
Result<void> Outbox::give_up(std::vector<Sequence> lost, const Drop& how) {
  std::sort(lost.begin(), lost.end());
  std::vector<Lost> runs;
  for (Sequence sequence : lost)
    if (!runs.empty() && sequence == runs.back().last + 1) {
      runs.back().last = sequence;
      ++runs.back().count;
    } else {
      runs.push_back(Lost{how.stream, sequence, sequence, how.reason, 1});
    }
  return announce_all(runs, how);
}

Result<void> Outbox::announce_all(const std::vector<Lost>& runs, const Drop& how) {
  if (!how.gap_body) return {};
  for (const Lost& run : runs) {
    spdlog::warn("store: messages {} … {} will not come ({}): {} of them", run.first, run.last,
                 run.reason, run.count);
    STORE_TRY(announce(run, how.now_ms, how.gap_body(run)));
  }
  return {};
}

Result<void> Outbox::drop(const Row& row, const std::string& reason) {
  for (auto& [bit, uplink] : uplinks_) {
    if ((row.pending >> bit & 1) == 0) continue;
    if (uplink.oldest == row.sequence) uplink.oldest = -1;
    count(bit, uplink, Outcome::dropped, reason);
  }
  return erase(row.sequence);
}

// Two neighbours are one run if nothing between them can still come; of another stream nobody
// knows.
Result<std::vector<Lost>> Outbox::runs_of(std::vector<Lost> lost, const std::string& stream) {
  std::stable_sort(lost.begin(), lost.end(), [](const Lost& a, const Lost& b) {
    return std::pair(a.stream, a.first) < std::pair(b.stream, b.first);
  });
  std::vector<Lost> runs;
  for (Lost& next : lost) {
    bool joins = false;
    if (!runs.empty() && runs.back().stream == next.stream) {
      Lost& run = runs.back();
      bool waits = next.first > run.last + 1 && next.stream != stream;
      auto take = [&](const sql::Row&) {
        waits = true;
        return false;
      };
      if (next.first > run.last + 1 && !waits) STORE_TRY(between_.rows(take, run.last, next.first));
      joins = !waits;
      if (joins) {
        run.last = std::max(run.last, next.last);
        run.count += next.count;
        run.reason = std::move(next.reason);
      }
    }
    if (!joins) runs.push_back(std::move(next));
  }
  return runs;
}

Result<void> Outbox::announce(const Lost& lost, std::int64_t now_ms, const std::string& body) {
  NewMessage message;
  message.kind = MessageKind::gap;
  message.topic = "gap";
  message.made_ms = now_ms;
  for (const auto& [bit, uplink] : uplinks_) message.uplinks |= std::uint64_t{1} << bit;
  message.body = body;
  if (message.uplinks == 0) return {};
  auto sequence = add(message);
  STORE_TRY(sequence);
  return remember(*sequence, lost);
}

Result<void> Outbox::remember(Sequence sequence, const Lost& lost) {
  gaps_[sequence] = lost;
  return put_gap_.run(sequence, lost.stream, lost.first, lost.last, lost.reason, lost.count);
}

}  // namespace gerbang::store
