// SPDX-License-Identifier: Apache-2.0
//
// The dictionary of series and their calibrations. Small: all of it is in memory.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "store/sqlite.hpp"
#include "store/types.hpp"

namespace gerbang::store {

class SeriesTable {
 public:
  Result<void> prepare(sql::Database& db);
  Result<void> load();

  // Within a transaction; after a failure load() again. New calibrations hold from batch `from` on.
  // A wrong `formerly` is a mistake of the configuration: std::errc::invalid_argument.
  Result<std::vector<std::int32_t>> declare(const std::vector<SeriesSpec>& specs, BatchId from);

  // Within a transaction, in an empty table: the same series with the same numbers.
  Result<void> adopt(const SeriesTable& other);
  // The same, of no file.
  std::shared_ptr<SeriesTable> known() const;

  // What held for a reading of that batch; the identity for a series that is not known.
  const Calibration& calibration(std::int32_t series, BatchId batch) const;

  // By number, from 1; shared with other threads, so never changed.
  std::shared_ptr<const std::vector<SeriesName>> names() const { return names_; }

  struct Series {
    std::int32_t id = 0;
    std::string sensor, quantity, unit;
    QuantityKind kind = QuantityKind::gauge;
    std::vector<std::pair<BatchId, Calibration>> calibrations;  // by batch
  };
  const std::vector<std::shared_ptr<const Series>>& all() const { return series_; }

 private:
  // Places in series_.
  std::optional<std::size_t> find(const std::string& sensor, const std::string& quantity,
                                  const std::string& unit) const;
  Result<std::size_t> find_or_make(const SeriesSpec& spec);
  template <class How>
  void change(std::size_t place, How how);  // known() goes on with what was

  void name_all();

  std::shared_ptr<const std::vector<SeriesName>> names_;
  std::vector<std::shared_ptr<const Series>> series_;  // by id, which is 1, 2, 3 …
  sql::Statement all_, calibrations_, insert_, update_, calibrate_;
};

}  // namespace gerbang::store
