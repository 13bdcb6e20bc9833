// SPDX-License-Identifier: Apache-2.0
#include "store/ledger_table.hpp"

#include <utility>

#include "observe/log.hpp"
#include "store/check.hpp"
#include "store/pack.hpp"
#include "store/reasons_code.hpp"

namespace gerbang::store {
namespace {

constexpr const char* kItem = "ledger";
constexpr const char* kTotals = "ledger/totals";  // written by the migration
constexpr const char* kUnreadable = "unreadable";
constexpr BatchId kMostSince = 4096;  // batches to count again at a start

}  // namespace

Result<void> LedgerTable::prepare(sql::Database& db) {
  STORE_TRY(
      db.prepare(since_, "SELECT body, rejected, stored FROM reading WHERE id > ? ORDER BY id"));
  return db.prepare(forget_counters_,
                    "DELETE FROM counter WHERE name GLOB 'rejected/*' OR name GLOB 'not_folded/*'");
}

Result<void> LedgerTable::load(State& state, BatchId last_batch) {
  imported_ = false;
  auto saved = state.item(kItem);
  STORE_TRY(saved);
  std::optional<Ledger> ledger;
  if (*saved) ledger = Ledger::decode(**saved, upto_);
  if (*saved && !ledger) spdlog::error("store: the ledger cannot be read; its totals go on");
  if (!ledger) {
    auto totals = state.item(kTotals);
    STORE_TRY(totals);
    if (*saved || *totals) return import(state, last_batch);
    upto_ = 0;
  }
  ledger_ = std::move(ledger).value_or(Ledger());
  return count_since(state);
}

// Totals are all that there is: they belong to no series.
Result<void> LedgerTable::import(const State& state, BatchId last_batch) {
  ledger_ = Ledger();
  upto_ = last_batch;
  if (state.totals.taken == 0) return {};
  imported_ = true;
  Account& account = ledger_.of(0);
  account.stored = state.totals.stored;
  account.folded = state.totals.folded;
  account.rejected = state.rejects;
  account.not_folded = state.unfolded;
  const std::uint64_t known = account.stored + account.sum_rejected();
  if (state.totals.taken > known) account.rejected[kUnreadable] += state.totals.taken - known;
  return {};
}

Result<void> LedgerTable::count_since(const State& state) {
  std::uint64_t stored = ledger_.total().stored;
  auto lose = [&](std::uint64_t upto) {
    if (upto <= stored) return;
    ledger_.of(0).stored += upto - stored;
    ledger_.of(0).not_folded[kUnreadable] += upto - stored;
  };
  std::vector<Reading> readings;
  auto count = [&](const sql::Row& row) {
    auto upto = static_cast<std::uint64_t>(row.integer(2));
    if (unpack(row.blob(0), readings))
      ledger_.store(readings);
    else
      lose(upto);
    stored = upto;
    Reasons rejected;
    std::string_view blob = row.blob(1);
    ByteReader in(blob);
    if (!blob.empty() && read(in, rejected)) ledger_.reject(rejected);
    return true;
  };
  STORE_TRY(since_.rows(count, upto_));
  lose(state.totals.stored);  // batches that are not there any more
  return {};
}

Result<void> LedgerTable::write(const Group& group, State& state, BatchId last_batch) {
  for (const auto& append : group.appends) ledger_.store(append->batch.readings);
  ledger_.reject(group.rejects);
  bool settled = false;
  for (const auto& closing : group.closings) {
    ledger_.fold(closing->fold.folded);
    ledger_.unfold(closing->fold.unfolded);
    ledger_.give_up(closing->fold.not_folded);
    settled = settled || !closing->fold.folded.empty() || !closing->fold.unfolded.empty() ||
              !closing->fold.not_folded.empty();
  }
  // What was refused rides in the row of a batch, if there is one.
  const bool no_row = group.appends.empty() && !group.rejects.empty();
  // Batches that are in the windows may go: they must not be needed for counting either.
  const bool behind = state.replay_from > upto_ + 1 || last_batch - upto_ >= kMostSince;
  if (!settled && !no_row && !behind) return {};
  return save(state, last_batch);
}

Result<void> LedgerTable::save(State& state, BatchId last_batch) {
  upto_ = last_batch;
  return put(state, ledger_, last_batch);
}

Result<void> LedgerTable::put(State& state, const Ledger& ledger, BatchId last_batch) {
  return state.put_item(kItem, ledger.encode(last_batch));
}

Result<void> LedgerTable::renew(State& state, BatchId last_batch) {
  ledger_.renew();
  return save(state, last_batch);
}

Result<void> LedgerTable::reconcile(const Counts& to_fold, State& state, BatchId last_batch) {
  if (imported_) {
    ledger_.attribute(to_fold);
    STORE_TRY(forget_counters_.run());
  }
  Reasons gone;
  for (const auto& [series, account] : ledger_.accounts()) {
    auto found = to_fold.find(series);
    auto open =
        account.open() - static_cast<std::int64_t>(found == to_fold.end() ? 0 : found->second);
    if (open > 0) gone[kUnreadable][series] = static_cast<std::uint64_t>(open);
  }
  ledger_.give_up(gone);
  imported_ = false;
  return save(state, last_batch);
}

}  // namespace gerbang::store
