// SPDX-License-Identifier: Apache-2.0
//
// What happened. Bounded in number: the oldest by time make room. Runs on the store's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "store/sqlite.hpp"
#include "store/types.hpp"

namespace gerbang::store {

class Events {
 public:
  // max_size: of the store; events have a twentieth of it, 512 bytes each.
  Events(std::uint64_t max_size, std::chrono::milliseconds keep);

  Result<void> prepare(sql::Database& db);
  Result<void> load();

  // ---- within a transaction; after a failure load() again ----

  // Returns how many older ones made room.
  Result<std::uint64_t> put(const EventRow& event);
  // At most `most` of those that are older than is kept.
  Result<std::uint64_t> expire(std::int64_t now_ms, int most);

  // ---- at any time ----

  // One bounded step: the page may be short, or empty, and still have `next`.
  Result<EventPage> page(const EventQuery& query);
  // Those of a boot for whose time nobody vouched, oldest first.
  Result<std::vector<EventRow>> doubtful(const std::string& boot_id);

 private:
  std::int64_t most_;
  std::chrono::milliseconds keep_;
  std::int64_t count_ = 0;
  sql::Statement count_all_, insert_, replace_, oldest_, delete_, newest_, doubtful_;
};

}  // namespace gerbang::store
