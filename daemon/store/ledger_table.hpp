// SPDX-License-Identifier: Apache-2.0
//
// The ledger on disk. A whole one is written when windows close, once a minute; what was stored and
// refused since then is counted again from the batches, which carry both. So a commit of readings
// writes nothing for it. Runs on the store's thread.
#pragma once

#include "core/result.hpp"
#include "store/group.hpp"
#include "store/ledger.hpp"
#include "store/sqlite.hpp"
#include "store/state.hpp"

namespace gerbang::store {

class LedgerTable {
 public:
  Result<void> prepare(sql::Database& db);
  // After the state, whose totals it agrees with.
  Result<void> load(State& state, BatchId last_batch);

  // ---- within a transaction; after a failure load() again ----

  // After the group's readings were written.
  Result<void> write(const Group& group, State& state, BatchId last_batch);
  Result<void> renew(State& state, BatchId last_batch);
  Result<void> save(State& state, BatchId last_batch);  // upto() is last_batch then
  // What a new file begins with.
  static Result<void> put(State& state, const Ledger& ledger, BatchId last_batch);
  // What the fold found to be open, by series. Settles what only it can know: to which series the
  // readings belong that an older schema counted in total, and which cannot be read any more.
  Result<void> reconcile(const Counts& to_fold, State& state, BatchId last_batch);

  // ---- at any time ----

  const Ledger& ledger() const { return ledger_; }
  // Batches up to this one are in what is written.
  BatchId upto() const { return upto_; }
  bool needs_reconciling() const { return imported_; }

 private:
  Result<void> import(const State& state, BatchId last_batch);
  Result<void> count_since(const State& state);

  Ledger ledger_;
  BatchId upto_ = 0;       // batches that the written ledger counts
  bool imported_ = false;  // from totals of schema 1

  sql::Statement since_, forget_counters_;
};

}  // namespace gerbang::store
