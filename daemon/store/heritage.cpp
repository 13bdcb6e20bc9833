// SPDX-License-Identifier: Apache-2.0
#include "store/heritage.hpp"

#include <algorithm>

#include "store/check.hpp"
#include "store/ledger_table.hpp"
#include "store/outbox.hpp"
#include "store/state.hpp"

namespace gerbang::store {
namespace {

// More batches than can have come since the state row was written.
constexpr BatchId kUnseenBatches = 1'000'000;
constexpr int kMostTail = 4096;  // batches: more than an hour of them

}  // namespace

Heritage Heritage::of(sql::Database& damaged) {
  Heritage out;
  auto state = damaged.prepare("SELECT stream, last_sequence, last_batch FROM state");
  auto take = [&](const sql::Row& row) {
    std::string stream(row.text(0));
    if (stream.size() != 16 || stream.find_first_not_of("0123456789abcdef") != std::string::npos)
      return false;
    out.stream = stream;
    out.last_sequence = row.integer(1);
    out.last_batch = row.integer(2);
    return false;
  };
  if (state) (void)state->rows(take);
  auto newest = damaged.integer("SELECT max(id) FROM reading");
  out.last_batch = newest ? std::max(out.last_batch, *newest) : out.last_batch + kUnseenBatches;
  auto sequence = damaged.integer("SELECT max(sequence) FROM outbox");
  if (sequence) out.last_sequence = std::max(out.last_sequence, *sequence);
  auto upto = damaged.integer("SELECT min(upto) FROM uplink");
  if (upto) out.first_waiting = *upto + 1;
  auto journal = damaged.integer("SELECT journal FROM reading ORDER BY id DESC LIMIT 1");
  if (journal) out.journal = static_cast<std::uint64_t>(*journal);
  out.series = std::make_shared<SeriesTable>();
  if (!out.series->prepare(damaged) || !out.series->load()) out.series.reset();
  out.read_items(damaged, false);
  return out;
}

void Heritage::read_items(sql::Database& damaged, bool running) {
  auto all = damaged.prepare("SELECT key, value FROM item");
  auto take = [&](const sql::Row& row) {
    std::string key(row.text(0));
    // Open windows are of no use without the process that knows them, or all of their readings.
    bool windows = key.starts_with("windows");
    if (!key.starts_with("store/") && !key.starts_with("ledger") && (running || !windows))
      items[key] = row.blob(1);
    return true;
  };
  if (all) (void)all->rows(take);  // as many as can be read
}

void Heritage::read_tail(sql::Database& damaged) {
  auto all = damaged.prepare("SELECT id, boot_id, offset_ns, trust FROM epoch ORDER BY id");
  auto take_epoch = [&](const sql::Row& row) {
    auto trust = std::clamp<std::int64_t>(row.integer(3), 1, 3);
    Epochs e;
    e.id = row.integer(0);
    e.epoch = Epoch{std::string(row.text(1)), row.integer(2), static_cast<ClockTrust>(trust)};
    epochs.push_back(std::move(e));
    return true;
  };
  if (!all || !all->rows(take_epoch)) return epochs.clear();
  auto batches = damaged.prepare(
      "SELECT id, epoch, boot_from_ns, boot_to_ns, unix_from_ns, unix_to_ns, body FROM reading"
      " WHERE id >= ? ORDER BY id LIMIT ?");
  auto take = [&](const sql::Row& row) {
    Packed p;
    p.id = row.integer(0);
    p.epoch = row.integer(1);
    p.extent = Extent{row.maybe(2), row.maybe(3), row.maybe(4), row.maybe(5)};
    p.body = row.blob(6);
    tail.push_back(std::move(p));
    return true;
  };
  if (batches) (void)batches->rows(take, replay_from, kMostTail);
}

Result<void> Heritage::put(sql::Database& fresh) const {
  if (series) {
    SeriesTable table;
    STORE_TRY(table.prepare(fresh));
    STORE_TRY(table.adopt(*series));
  }
  Outbox outbox;
  STORE_TRY(outbox.prepare(fresh));
  STORE_TRY(outbox.load(0));
  STORE_TRY(outbox.adopt(uplinks));
  State state;
  STORE_TRY(state.prepare(fresh));
  STORE_TRY(state.load());
  auto epoch = fresh.prepare("INSERT INTO epoch VALUES (?, ?, ?, ?)");
  STORE_TRY(epoch);
  for (const Epochs& e : epochs)
    STORE_TRY(epoch->run(e.id, e.epoch.boot_id, e.epoch.offset_ns, e.epoch.trust));
  // Totals stand in the state row.
  auto batch = fresh.prepare(
      "INSERT INTO reading(id, epoch, taken, stored, boot_from_ns, boot_to_ns, unix_from_ns,"
      " unix_to_ns, body, journal) VALUES (?, ?, 0, 0, ?, ?, ?, ?, ?, ?)");
  STORE_TRY(batch);
  for (const Packed& p : tail)
    STORE_TRY(batch->run(p.id, p.epoch, p.extent.boot_from, p.extent.boot_to, p.extent.unix_from,
                         p.extent.unix_to, sql::Blob{p.body}, journal));
  for (const auto& [key, value] : items) STORE_TRY(state.put_item(key, value));
  if (series) STORE_TRY(state.put_item(kHeirKey, stream));
  state.last_batch = last_batch;
  state.replay_from = replay_from;
  Ledger begin = ledger;
  begin.renew();
  STORE_TRY(LedgerTable::put(state, begin, last_batch));
  const std::uint64_t open = begin.total().stored;
  state.totals = Totals{open, open, 0, journal};
  return state.save();
}

}  // namespace gerbang::store
