// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "store/salvage.hpp"

namespace gerbang::store {

// The damaged file, open for reading, and what of it is small.
struct Salvage::Source {
  explicit Source(sql::Database database) : db(std::move(database)) {}

  sql::Database db;  // first, so that it goes last
  std::map<std::int64_t, std::string> topics;
  std::map<int, std::string> uplinks;
  std::map<Sequence, Lost> gaps;
  AtRest at_rest;
  SeriesTable series;
  Chunks no_chunks;
  std::unique_ptr<History> history;  // empty: its readings cannot be told
  BatchId last_batch = 0;
  sql::Statement messages, rows, windows, chunks;

  void read();
};

}  // namespace gerbang::store
