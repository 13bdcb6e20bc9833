// SPDX-License-Identifier: Apache-2.0
#include "store/state.hpp"

#include <charconv>

#include "store/check.hpp"
#include "store/schema.hpp"

namespace gerbang::store {
namespace {

constexpr const char* kRejected = "rejected/";
constexpr const char* kNotFolded = "not_folded/";
constexpr const char* kExpired = "expired/";
constexpr const char* kSalvaged = "salvaged/";
constexpr const char* kJournal = "journal";  // item: Totals::journal
constexpr std::size_t kMaxReasons = 64;      // further ones count as "other"

}  // namespace

Result<void> State::prepare(sql::Database& db) {
  STORE_TRY(db.prepare(select_,
                       "SELECT stream, previous_stream, board_machine, board_serial, last_sequence,"
                       " last_batch, replay_from, taken, stored, folded FROM state WHERE one = 1"));
  STORE_TRY(db.prepare(update_,
                       "UPDATE state SET stream = ?, previous_stream = ?, board_machine = ?,"
                       " board_serial = ?, last_sequence = ?, last_batch = ?, replay_from = ?,"
                       " taken = ?, stored = ?, folded = ? WHERE one = 1"));
  STORE_TRY(db.prepare(counters_,
                       "SELECT substr(name, length(?1) + 1), value FROM counter"
                       " WHERE name GLOB ?1 || '*'"));
  STORE_TRY(db.prepare(put_counter_, "INSERT OR REPLACE INTO counter VALUES (?, ?)"));
  STORE_TRY(db.prepare(clear_counters_, "DELETE FROM counter"));
  STORE_TRY(db.prepare(item_, "SELECT value FROM item WHERE key = ?"));
  return db.prepare(put_item_, "INSERT OR REPLACE INTO item VALUES (?, ?)");
}

Result<void> State::load() {
  bool found = false;
  auto take = [&](const sql::Row& row) {
    found = true;
    stream = row.text(0);
    previous_stream = row.text(1);
    board.machine = row.text(2);
    board.serial = row.text(3);
    last_sequence = row.integer(4);
    last_batch = row.integer(5);
    replay_from = row.integer(6);
    totals.taken = static_cast<std::uint64_t>(row.integer(7));
    totals.stored = static_cast<std::uint64_t>(row.integer(8));
    totals.folded = static_cast<std::uint64_t>(row.integer(9));
    return false;
  };
  STORE_TRY(select_.rows(take));
  if (!found) return fail(errc::damaged, "the row of state is missing");
  auto journal = item(kJournal);
  STORE_TRY(journal);
  totals.journal = 0;
  if (*journal) {
    auto end = (*journal)->data() + (*journal)->size();
    (void)std::from_chars((*journal)->data(), end, totals.journal);  // our own digits
  }
  rejects.clear();
  unfolded.clear();
  auto into = [](std::map<std::string, std::uint64_t>& counters) {
    return [&counters](const sql::Row& row) {
      counters[std::string(row.text(0))] = static_cast<std::uint64_t>(row.integer(1));
      return true;
    };
  };
  STORE_TRY(counters_.rows(into(rejects), kRejected));
  expiries.clear();
  STORE_TRY(counters_.rows(into(expiries), kExpired));
  salvages.clear();
  STORE_TRY(counters_.rows(into(salvages), kSalvaged));
  return counters_.rows(into(unfolded), kNotFolded);
}

Result<void> State::save() {
  STORE_TRY(put_item(kJournal, std::to_string(totals.journal)));
  return update_.run(stream, previous_stream, board.machine, board.serial, last_sequence,
                     last_batch, replay_from, totals.taken, totals.stored, totals.folded);
}

Result<void> State::count(std::map<std::string, std::uint64_t>& in, const char* prefix,
                          std::string reason, std::uint64_t more) {
  if (in.size() >= kMaxReasons && in.count(reason) == 0) reason = "other";
  std::uint64_t total = in[reason] += more;
  return put_counter_.run(prefix + reason, total);
}

Result<void> State::expired(const std::string& what, std::uint64_t more) {
  return more == 0 ? Result<void>() : count(expiries, kExpired, what, more);
}

Result<void> State::salvaged(const std::string& what, std::uint64_t more) {
  return more == 0 ? Result<void>() : count(salvages, kSalvaged, what, more);
}

Result<void> State::put_item(const std::string& key, const std::string& value) {
  return put_item_.run(key, sql::Blob{value});
}

Result<std::optional<std::string>> State::item(const std::string& key) {
  std::optional<std::string> value;
  auto take = [&](const sql::Row& row) {
    value = row.blob(0);
    return false;
  };
  STORE_TRY(item_.rows(take, key));
  return value;
}

Result<void> State::renew(const Board& now, const Totals& begin) {
  previous_stream = stream;
  stream = new_stream();
  board = now;
  totals = begin;
  rejects.clear();
  unfolded.clear();
  expiries.clear();
  salvages.clear();
  return clear_counters_.run();
}

}  // namespace gerbang::store
