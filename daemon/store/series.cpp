// SPDX-License-Identifier: Apache-2.0
#include "store/series.hpp"

#include <algorithm>
#include <set>

#include "observe/log.hpp"
#include "store/check.hpp"

namespace gerbang::store {
namespace {

Result<void> check_formerly(const std::vector<SeriesSpec>& specs) {
  std::set<std::string> current, claimed;
  for (const auto& spec : specs) current.insert(spec.sensor);
  for (const auto& spec : specs) {
    if (spec.formerly.empty()) continue;
    if (current.count(spec.formerly) != 0)
      return fail(std::errc::invalid_argument,
                  "sensor " + spec.sensor + ": formerly = \"" + spec.formerly +
                      "\" names a sensor that is still configured; its history cannot move");
    if (!claimed.insert(spec.formerly + '\n' + spec.quantity).second)
      return fail(std::errc::invalid_argument, "sensor " + spec.sensor + ": formerly = \"" +
                                                   spec.formerly + "\" is claimed by two sensors");
  }
  return {};
}

}  // namespace

Result<void> SeriesTable::prepare(sql::Database& db) {
  STORE_TRY(db.prepare(all_, "SELECT id, sensor, quantity, unit, kind FROM series ORDER BY id"));
  STORE_TRY(db.prepare(calibrations_,
                       "SELECT series, from_batch, scale, shift, slope, intercept FROM calibration"
                       " ORDER BY series, from_batch"));
  STORE_TRY(db.prepare(insert_, "INSERT INTO series VALUES (?, ?, ?, ?, ?)"));
  STORE_TRY(db.prepare(update_, "UPDATE series SET sensor = ?2, kind = ?3 WHERE id = ?1"));
  STORE_TRY(db.prepare(calibrate_, "INSERT OR REPLACE INTO calibration VALUES (?, ?, ?, ?, ?, ?)"));
  return {};
}

Result<void> SeriesTable::load() {
  std::vector<Series> all;
  bool dense = true;
  auto take_series = [&](const sql::Row& row) {
    Series s;
    s.id = static_cast<std::int32_t>(row.integer(0));
    s.sensor = row.text(1);
    s.quantity = row.text(2);
    s.unit = row.text(3);
    s.kind = static_cast<QuantityKind>(row.integer(4));
    all.push_back(std::move(s));
    dense = static_cast<std::size_t>(row.integer(0)) == all.size();
    return dense;
  };
  STORE_TRY(all_.rows(take_series));
  if (!dense) return fail(errc::damaged, "series are not numbered 1, 2, 3 …");
  auto take_calibration = [&](const sql::Row& row) {
    auto id = row.integer(0);
    if (id < 1 || id > static_cast<std::int64_t>(all.size())) return dense = false;
    Calibration c{row.real(2), row.real(3), row.real(4), row.real(5)};
    all[static_cast<std::size_t>(id - 1)].calibrations.emplace_back(row.integer(1), c);
    return true;
  };
  STORE_TRY(calibrations_.rows(take_calibration));
  if (!dense) return fail(errc::damaged, "a calibration of an unknown series");
  series_.clear();
  for (Series& s : all) series_.push_back(std::make_shared<const Series>(std::move(s)));
  name_all();
  return {};
}

std::optional<std::size_t> SeriesTable::find(const std::string& sensor, const std::string& quantity,
                                             const std::string& unit) const {
  auto it = std::find_if(series_.begin(), series_.end(), [&](const auto& s) {
    return s->sensor == sensor && s->quantity == quantity && s->unit == unit;
  });
  if (it == series_.end()) return std::nullopt;
  return static_cast<std::size_t>(it - series_.begin());
}

template <class How>
void SeriesTable::change(std::size_t place, How how) {
  auto other = std::make_shared<Series>(*series_[place]);
  how(*other);
  series_[place] = std::move(other);
}

Result<std::size_t> SeriesTable::find_or_make(const SeriesSpec& spec) {
  if (auto place = find(spec.sensor, spec.quantity, spec.unit)) return *place;
  if (!spec.formerly.empty()) {
    if (auto place = find(spec.formerly, spec.quantity, spec.unit)) {
      STORE_TRY(update_.run(series_[*place]->id, spec.sensor, series_[*place]->kind));
      spdlog::info("sensor {} goes on with the history of {}", spec.sensor, spec.formerly);
      change(*place, [&](Series& s) { s.sensor = spec.sensor; });
      return *place;
    }
    // A new file after damage must not keep the gateway from starting.
    spdlog::warn("sensor {}: there is no history of {} in {} {}; it begins here", spec.sensor,
                 spec.formerly, spec.quantity, spec.unit);
  }
  Series s;
  s.id = static_cast<std::int32_t>(series_.size() + 1);
  s.sensor = spec.sensor;
  s.quantity = spec.quantity;
  s.unit = spec.unit;
  s.kind = spec.kind;
  STORE_TRY(insert_.run(s.id, s.sensor, s.quantity, s.unit, s.kind));
  series_.push_back(std::make_shared<const Series>(std::move(s)));
  return series_.size() - 1;
}

std::shared_ptr<SeriesTable> SeriesTable::known() const {
  auto out = std::make_shared<SeriesTable>();
  out->series_ = series_;
  return out;
}

Result<void> SeriesTable::adopt(const SeriesTable& other) {
  for (const auto& s : other.series_) {
    STORE_TRY(insert_.run(s->id, s->sensor, s->quantity, s->unit, s->kind));
    for (const auto& [from, c] : s->calibrations)
      STORE_TRY(calibrate_.run(s->id, from, c.scale, c.offset, c.slope, c.intercept));
  }
  series_ = other.series_;
  return {};
}

Result<std::vector<std::int32_t>> SeriesTable::declare(const std::vector<SeriesSpec>& specs,
                                                       BatchId from) {
  STORE_TRY(check_formerly(specs));
  std::vector<std::int32_t> ids;
  for (const auto& spec : specs) {
    auto found = find_or_make(spec);
    STORE_TRY(found);
    const std::shared_ptr<const Series> now = series_[*found];
    if (now->kind != spec.kind) {
      STORE_TRY(update_.run(now->id, now->sensor, spec.kind));
      change(*found, [&](Series& s) { s.kind = spec.kind; });
    }
    const Calibration& c = spec.calibration;
    if (now->calibrations.empty() || !(now->calibrations.back().second == c)) {
      STORE_TRY(calibrate_.run(now->id, from, c.scale, c.offset, c.slope, c.intercept));
      change(*found, [&](Series& s) {
        if (!s.calibrations.empty() && s.calibrations.back().first == from)
          s.calibrations.back().second = c;
        else
          s.calibrations.emplace_back(from, c);
      });
    }
    ids.push_back(now->id);
  }
  name_all();
  return ids;
}

void SeriesTable::name_all() {
  auto names = std::make_shared<std::vector<SeriesName>>();
  names->reserve(series_.size());
  for (const auto& s : series_) names->push_back(SeriesName{s->sensor, s->quantity, s->unit});
  names_ = std::move(names);
}

const Calibration& SeriesTable::calibration(std::int32_t series, BatchId batch) const {
  static const Calibration kIdentity;
  if (series < 1 || static_cast<std::size_t>(series) > series_.size()) return kIdentity;
  const auto& all = series_[static_cast<std::size_t>(series - 1)]->calibrations;
  for (auto it = all.rbegin(); it != all.rend(); ++it)
    if (it->first <= batch) return it->second;
  return all.empty() ? kIdentity : all.front().second;
}

}  // namespace gerbang::store
