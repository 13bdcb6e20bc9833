// SPDX-License-Identifier: Apache-2.0
//
// What a new file takes over from one that was set aside, so that numbers go on where they stood.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "store/history.hpp"
#include "store/ledger.hpp"
#include "store/series.hpp"
#include "store/sqlite.hpp"
#include "store/types.hpp"

namespace gerbang::store {

struct Heritage {
  static constexpr const char* kHeirKey = "store/heir_of";
  std::string stream;  // empty: not readable
  Sequence first_waiting = 1, last_sequence = 0;
  BatchId last_batch = 0, replay_from = 0;
  std::uint64_t journal = 0;            // records of the journal up to here were in that file
  Ledger ledger;                        // of a running process: what it still has to fold is open
  std::shared_ptr<SeriesTable> series;  // empty: not readable; then readings cannot be salvaged
  std::map<int, std::string> uplinks;   // bit → name; of a running process
  std::map<std::string, std::string> items;
  // Batches that a restart would replay, with their epochs: packed, as they stand.
  struct Epochs {
    std::int64_t id = 0;
    Epoch epoch;
  };
  struct Packed {
    BatchId id = 0;
    std::int64_t epoch = 0;
    Extent extent;
    std::string body;
  };
  std::vector<Epochs> epochs;
  std::vector<Packed> tail;

  // As much as can be read.
  static Heritage of(sql::Database& damaged);
  // Items alone. running: also where windows stand.
  void read_items(sql::Database& damaged, bool running);
  // Batches from replay_from on, and epochs. As much as can be read.
  void read_tail(sql::Database& damaged);
  // Into a file that is being made.
  Result<void> put(sql::Database& fresh) const;
};

}  // namespace gerbang::store
