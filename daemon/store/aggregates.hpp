// SPDX-License-Identifier: Apache-2.0
//
// One row a window and series, newest revision only. Runs on the store's thread.
#pragma once

#include <chrono>
#include <map>

#include "core/result.hpp"
#include "store/sqlite.hpp"
#include "store/types.hpp"

namespace gerbang::store {

class Aggregates {
 public:
  explicit Aggregates(std::map<std::int64_t, std::chrono::milliseconds> keep)
      : keep_(std::move(keep)) {}

  Result<void> prepare(sql::Database& db);

  // Within a transaction. A row of the same window, start and series stays if its revision is not
  // lower.
  Result<void> put(const Aggregate& aggregate);
  // Deletes at most `most` of the oldest rows of each window that are older than is kept. A window
  // without a time in `keep` stays.
  struct Expired {
    std::uint64_t rows = 0;
    bool more = false;
  };
  Result<Expired> expire(std::int64_t now_ms, int most);

  // Deletes at most `most` of the oldest rows of the shortest windows that can be spared: the open
  // windows of the next longer ones are not built from them.
  struct Dropped {
    std::uint64_t rows = 0;
    std::int64_t end_ms = 0;  // of the newest that went
  };
  Result<Dropped> drop_oldest(int most);

  // One bounded step: the page may be short, or empty, and still have `next`.
  Result<AggregatePage> page(const AggregateQuery& query);

 private:
  std::map<std::int64_t, std::chrono::milliseconds> keep_;
  sql::Statement put_, from_, oldest_, newest_, longer_, delete_;
};

}  // namespace gerbang::store
