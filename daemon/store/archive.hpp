// SPDX-License-Identifier: Apache-2.0
//
// The store of a gateway that does not run: the card brought back to the office.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "store/types.hpp"

namespace gerbang::store {

// Reads a copy, so that the original stays as it is, and may be on a medium that cannot be written:
// there SQLite either fails or, told that the file does not change, overlooks the log.
//
// Threads: one at a time.
class Archive {
 public:
  struct Series {
    std::int32_t number = 0;
    std::string sensor, quantity, unit;
    QuantityKind kind = QuantityKind::gauge;
  };

  // Blocking. Copies the database and its log into `folder`, which must exist. Errors:
  // no_such_file_or_directory; errc::locked: a gateway has it; errc::foreign, newer, damaged; io.
  // progress(bytes copied) is called now and then; false ends it (operation_canceled).
  static Result<std::unique_ptr<Archive>> open(const std::filesystem::path& database,
                                               const std::filesystem::path& folder,
                                               const std::function<bool(std::uint64_t)>& progress);
  ~Archive();

  const std::vector<Series>& series() const { return series_; }
  Result<ReadingPage> readings(const ReadingQuery& query);
  Result<AggregatePage> aggregates(const AggregateQuery& query);
  // As Store::get.
  Result<std::optional<std::string>> get(const std::string& key);
  // Batches and chunks that could not be read and are left out, so far.
  std::uint64_t unreadable() const;

 private:
  struct Open;
  Archive();

  std::unique_ptr<Open> open_;
  std::vector<Series> series_;
};

}  // namespace gerbang::store
