// SPDX-License-Identifier: Apache-2.0
//
// The one row of identity and totals, and small items. Runs on the store's
// thread.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/result.hpp"
#include "store/history.hpp"
#include "store/sqlite.hpp"
#include "store/types.hpp"

namespace gerbang::store {

class State {
 public:
  Result<void> prepare(sql::Database& db);
  Result<void> load();

  // ---- within a transaction; after a failure load() again ----

  Result<void> save();
  Result<void> expired(const std::string& what, std::uint64_t count);
  Result<void> salvaged(const std::string& what, std::uint64_t count);
  Result<void> put_item(const std::string& key, const std::string& value);
  // Begins a stream that names the one before, with these totals.
  Result<void> renew(const Board& board, const Totals& begin);

  // ---- at any time ----

  Result<std::optional<std::string>> item(const std::string& key);
  std::string stream, previous_stream;
  Board board;
  Sequence last_sequence = 0;
  BatchId last_batch = 0;
  BatchId replay_from = 0;
  Totals totals;
  // Of schema 1, whose ledger knew totals only: reason → readings.
  std::map<std::string, std::uint64_t> rejects, unfolded;
  std::map<std::string, std::uint64_t> salvages;  // "readings", "messages" …
  std::map<std::string, std::uint64_t> expiries;  // "readings", "aggregates" → rows

 private:
  Result<void> count(std::map<std::string, std::uint64_t>& in, const char* prefix,
                     std::string reason, std::uint64_t more);

  sql::Statement select_, update_, counters_, put_counter_, clear_counters_, item_, put_item_;
};

}  // namespace gerbang::store
