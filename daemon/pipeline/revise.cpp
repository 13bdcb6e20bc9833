// SPDX-License-Identifier: Apache-2.0
//
// Late readings: their windows are counted again from what is stored, and the longer ones merged
// again. Only what changed by it becomes a new revision.
#include <algorithm>
#include <tuple>

#include "observe/log.hpp"
#include "pipeline/pipeline.hpp"

namespace gerbang::pipeline {
namespace {

constexpr std::size_t kWindowsAtOnce = 64;
constexpr std::size_t kSensorsAtOnce = 16;
constexpr int kPasses = 16;

bool counts(const store::StoredReading& r) {
  return (r.flag == Flag::good || r.flag == Flag::not_evaluated) && r.reason != Reason::maintenance;
}

}  // namespace

std::vector<Pipeline::Indices> Pipeline::groups(const Indices& all) {
  std::vector<Indices> out;
  for (std::size_t i = 0; i < all.size(); i += kSensorsAtOnce)
    out.emplace_back(
        all.begin() + static_cast<std::ptrdiff_t>(i),
        all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), i + kSensorsAtOnce)));
  return out;
}

struct Pipeline::Revision {
  using Window = std::pair<std::size_t, std::int64_t>;  // level, start
  std::vector<DirtyWindow> dirty;
  std::map<Window, std::map<std::uint32_t, Aggregate>> changed;

  // It is counted again by this revision, from readings: what was revised beside it is known to it.
  bool counts(std::uint32_t index, std::size_t level, std::int64_t time_ms) const {
    return std::any_of(dirty.begin(), dirty.end(), [&](const DirtyWindow& window) {
      return window.level == level && window.span.contains(time_ms) &&
             std::any_of(window.sensors.begin(), window.sensors.end(),
                         [&](const DirtyWindow::Sensor& one) { return one.index == index; });
    });
  }
};

asio::awaitable<void> Pipeline::revise() {
  // Windows that a revision makes dirty, of totalisers, are revised with it.
  for (int pass = 0; pass < kPasses && engine_->has_dirty() && !stopping_; ++pass) {
    follow_clock();  // each pass waits for a commit, and the clock must not go unwatched
    Revision revision;
    revision.dirty = engine_->take_dirty(kWindowsAtOnce);
    auto revised = co_await revise(revision);
    if (!revised) {
      spdlog::error("pipeline: late readings are not folded now: {}", revised.error().what);
      for (const DirtyWindow& window : revision.dirty) engine_->put_back(window);
      co_return;
    }
    store::Fold fold;
    for (const auto& [window, changed] : revision.changed) {
      std::vector<std::uint32_t> indices;
      std::vector<Aggregate> rows;
      for (const auto& [index, row] : changed) {
        indices.push_back(index);
        rows.push_back(row);
      }
      add_window(fold, window.first, engine_->window(window.first, window.second), indices, rows,
                 false);
    }
    tell_alarms_of(revision);
    co_await revise_indicators(fold, revision.dirty);
    for (const DirtyWindow& window : revision.dirty)
      for (const DirtyWindow::Sensor& sensor : window.sensors) {
        if (sensor.late > 0) fold.folded[members_[sensor.index].plan.series] += sensor.late;
        engine_->revised(sensor.index, sensor.late);
      }
    co_await commit(std::move(fold));
  }
}

void Pipeline::tell_alarms_of(const Revision& revision) {
  for (const auto& [window, changed] : revision.changed)
    for (const auto& [index, row] : changed)
      unlooked_.insert_or_assign(std::tuple(window.first, window.second, index), row);
  for (auto it = unlooked_.begin(); it != unlooked_.end();) {
    const auto& [level, start, index] = it->first;
    if (engine_->has_dirty(index, engine_->window(level, start))) {
      ++it;
      continue;
    }
    alarms_.on_window(it->second, members_[index].plan.kind, alarm::Came::late);
    it = unlooked_.erase(it);
  }
  if (alarms_.has_said()) ++alarm_version_;
}

asio::awaitable<Result<void>> Pipeline::revise(Revision& revision) {
  for (const DirtyWindow& window : revision.dirty) {
    Indices all;
    for (const DirtyWindow::Sensor& sensor : window.sensors)
      if (!engine_->merges(sensor.index, window.level)) all.push_back(sensor.index);
    for (Indices& indices : groups(all)) {
      auto recounted = co_await recount(revision, window.level, window.span, std::move(indices));
      if (!recounted) co_return recounted;
    }
  }
  for (std::size_t level = 1; level < options_.windows_ms.size(); ++level) {
    std::map<std::int64_t, Indices> parents;  // by start
    for (const auto& [window, changed] : revision.changed) {
      if (window.first != level - 1) continue;
      const std::int64_t start = engine_->window(level, window.second).start_ms;
      const bool early = engine_->closed(level, start) && !engine_->ended(level, start);
      for (const auto& [index, row] : changed)
        if (early && row.received > 0)
          engine_->remerge_later(index, level, start);
        else
          parents[start].push_back(index);
    }
    for (const DirtyWindow& window : revision.dirty)
      for (const DirtyWindow::Sensor& sensor : window.sensors)
        if (window.level == level && engine_->merges(sensor.index, level))
          parents[window.span.start_ms].push_back(sensor.index);
    for (auto& [start, all] : parents) {
      std::sort(all.begin(), all.end());
      all.erase(std::unique(all.begin(), all.end()), all.end());
      for (Indices& indices : groups(all)) {
        auto merged =
            co_await remerge(revision, level, engine_->window(level, start), std::move(indices));
        if (!merged) co_return merged;
      }
    }
  }
  co_return Result<void>();
}

// Keeps the row if it is new or says something else than before.
void Pipeline::settle(Revision& revision, std::size_t level, std::uint32_t index,
                      const Aggregate* old, Aggregate row) {
  if (old != nullptr) {
    if (!differ(*old, row)) return;
    row.revision = old->revision + 1;
  } else if (row.received == 0) {
    return;  // nobody knows the window, and it has nothing to say
  }
  revision.changed[Revision::Window(level, row.start_ms)].insert_or_assign(index, std::move(row));
}

asio::awaitable<Result<void>> Pipeline::recount(Revision& revision, std::size_t level,
                                                TimeSpan span, Indices indices) {
  TimeSpan start_only = span;
  start_only.end_ms = span.start_ms + 1;
  auto old = co_await rows(level, start_only, indices);
  if (!old) co_return fail(std::move(old.error()));
  auto samples = co_await readings(span, indices);
  if (!samples) co_return fail(std::move(samples.error()));
  for (std::uint32_t index : indices) {
    std::vector<Sample> own;
    for (const Sample& sample : *samples)
      if (sample.index == index) own.push_back(sample);
    const Aggregate* before = nullptr;
    for (const Aggregate& row : *old)
      if (row.series == members_[index].plan.series) before = &row;
    Anchor anchor;
    const bool totaliser = members_[index].plan.kind == QuantityKind::totaliser;
    if (totaliser) {
      auto found = co_await good_before(index, span.start_ms);
      if (!found) co_return fail(std::move(found.error()));
      anchor = *found;
    }
    ClockTrust idle = before != nullptr ? before->clock : clock_trust();
    settle(revision, level, index, before, engine_->recount(index, level, span, own, anchor, idle));
    // The increment from here to the next reading is another one now.
    if (totaliser && revision.changed.contains(Revision::Window(level, span.start_ms))) {
      auto next = co_await good_after(index, span.end_ms);
      if (!next) co_return fail(std::move(next.error()));
      if (*next && !revision.counts(index, level, **next)) engine_->touch(index, **next);
    }
  }
  co_return Result<void>();
}

asio::awaitable<Result<void>> Pipeline::remerge(Revision& revision, std::size_t level,
                                                TimeSpan span, Indices indices) {
  auto stored = co_await rows(level - 1, span, indices);
  if (!stored) co_return fail(std::move(stored.error()));
  TimeSpan start_only = span;
  start_only.end_ms = span.start_ms + 1;
  auto old = co_await rows(level, start_only, indices);
  if (!old) co_return fail(std::move(old.error()));
  for (std::uint32_t index : indices) {
    // What is stored, with the revisions of now in its place.
    std::map<std::int64_t, Aggregate> finer;
    for (const Aggregate& row : *stored)
      if (row.series == members_[index].plan.series) finer.insert_or_assign(row.start_ms, row);
    for (const auto& [window, changed] : revision.changed)
      if (window.first == level - 1 && span.contains(window.second))
        if (auto row = changed.find(index); row != changed.end())
          finer.insert_or_assign(window.second, row->second);
    std::vector<Aggregate> in_order;
    for (auto& [start, row] : finer) in_order.push_back(std::move(row));
    if (!engine_->closed(level, span.start_ms)) {
      engine_->remerge_open(index, level, span.start_ms, in_order);
      continue;
    }
    if (!engine_->merges(index, level)) continue;
    const Aggregate* before = nullptr;
    for (const Aggregate& row : *old)
      if (row.series == members_[index].plan.series) before = &row;
    ClockTrust idle = before != nullptr ? before->clock : clock_trust();
    settle(revision, level, index, before, engine_->remerge(index, level, span, in_order, idle));
  }
  co_return Result<void>();
}

// ---- what the store knows -----------------------------------------------------------------------

asio::awaitable<Result<std::vector<Aggregate>>> Pipeline::rows(std::size_t level, TimeSpan span,
                                                               Indices indices) {
  std::vector<Aggregate> out;
  store::AggregateQuery query;
  for (std::uint32_t index : indices) query.series.push_back(members_[index].plan.series);
  query.window_ms = options_.windows_ms[level];
  query.from_ms = span.start_ms;
  query.to_ms = span.end_ms;
  do {
    auto page = co_await store_.aggregates(query);
    if (!page) co_return fail(std::move(page.error()));
    std::move(page->rows.begin(), page->rows.end(), std::back_inserter(out));
    query.after = std::move(page->next);
  } while (!query.after.empty());
  co_return out;
}

asio::awaitable<Result<std::vector<Sample>>> Pipeline::readings(TimeSpan span, Indices indices) {
  std::vector<Sample> out;
  store::ReadingQuery query;
  for (std::uint32_t index : indices) query.series.push_back(members_[index].plan.series);
  query.from_ms = span.start_ms;
  query.to_ms = span.end_ms;
  do {
    auto page = co_await store_.readings(query);
    if (!page) co_return fail(std::move(page.error()));
    for (const store::StoredReading& reading : page->readings) {
      out.push_back(sample_of(reading));
      out.back().index = places_[static_cast<std::size_t>(reading.series)];
    }
    query.after = std::move(page->next);
  } while (!query.after.empty());
  co_return out;
}

// Further and further back: a totaliser that answers has one within the hour.
asio::awaitable<Result<Anchor>> Pipeline::good_before(std::uint32_t index, std::int64_t time_ms) {
  std::int64_t to = time_ms;
  for (std::int64_t back : {kHourMs, kDayMs, 31 * kDayMs}) {
    Anchor found;
    store::ReadingQuery query;
    query.series.push_back(members_[index].plan.series);
    query.from_ms = time_ms - back;
    query.to_ms = to;
    do {
      auto page = co_await store_.readings(query);
      if (!page) co_return fail(std::move(page.error()));
      for (const store::StoredReading& reading : page->readings) {
        if (!counts(reading)) continue;
        found.time_ms = reading.time_ms;
        found.raw = reading.raw;
      }
      query.after = std::move(page->next);
    } while (!query.after.empty());
    if (found.known()) co_return found;
    to = query.from_ms;
  }
  co_return Anchor();
}

asio::awaitable<Result<std::optional<std::int64_t>>> Pipeline::good_after(std::uint32_t index,
                                                                          std::int64_t time_ms) {
  store::ReadingQuery query;
  query.series.push_back(members_[index].plan.series);
  query.from_ms = time_ms;
  query.to_ms = INT64_MAX;
  query.limit = 100;
  do {
    auto page = co_await store_.readings(query);
    if (!page) co_return fail(std::move(page.error()));
    for (const store::StoredReading& reading : page->readings)
      if (counts(reading)) co_return std::optional(reading.time_ms);
    query.after = std::move(page->next);
  } while (!query.after.empty());
  co_return std::optional<std::int64_t>();
}

}  // namespace gerbang::pipeline
