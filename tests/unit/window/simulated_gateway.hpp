// SPDX-License-Identifier: Apache-2.0
//
// A window engine with a disk that is a few maps: what the pipeline does, without a store or a
// loop. A restart is a new SimulatedGateway on the same disk.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "core/window.hpp"

namespace gerbang::test {

struct SimulatedDisk {
  std::vector<std::vector<Sample>> batches;  // batch n is batches[n - 1]; Sample::index is a series
  std::map<std::tuple<std::int64_t, std::int64_t, std::int32_t>, Aggregate> rows;  // window, start
  std::string state;
  std::map<std::int32_t, std::string> slow;
  std::int64_t replay_from = 0;
  Counts folded;
  std::uint64_t stored = 0;
  Reasons not_folded;

  std::uint64_t refused() const {
    std::uint64_t sum = 0;
    for (const auto& [reason, counts] : not_folded) sum += gerbang::sum(counts);
    return sum;
  }
};

class SimulatedGateway {
 public:
  SimulatedGateway(SimulatedDisk& disk, const WindowOptions& options, std::vector<SeriesPlan> plan,
                   std::int64_t now_ms)
      : disk_(disk), engine(options, std::move(plan), now_ms) {
    index_plan();
    bool loaded = !disk.state.empty() && engine.load(disk.state);
    if (loaded) {
      for (const auto& [series, text] : disk.slow)
        if (index_.contains(series) && !engine.load_slow(index_[series], text))
          throw std::runtime_error("slow state");
      for (std::size_t l = 0; l + 1 < options.lengths_ms.size(); ++l) {
        TimeSpan span = engine.rows_to_restore(l);
        for (auto& [key, row] : disk.rows) {
          auto [window, start, series] = key;
          if (window == options.lengths_ms[l] && span.contains(start) && index_.contains(series))
            engine.restore(index_[series], l, row);
        }
      }
    } else if (!disk.batches.empty() && !disk.batches.front().empty()) {
      engine.begin(disk.batches.front().front().time_ms);
    }
    std::int64_t seen = engine.saved_at_ms();
    auto last = static_cast<std::int64_t>(disk.batches.size());
    for (std::int64_t b = std::max<std::int64_t>(disk.replay_from, 1); b <= last; ++b) {
      for (Sample s : disk.batches[static_cast<std::size_t>(b - 1)]) {
        s.batch = b;
        seen = std::max(seen, s.time_ms);
        auto series = static_cast<std::int32_t>(s.index);
        if (!index_.contains(series)) {
          engine.replay_unknown(series, s.time_ms, b);
          continue;
        }
        s.index = index_[series];
        engine.replay(s);
      }
    }
    engine.folded(last);
    if (seen > 0) engine.absent(seen, now_ms);
  }

  // One commit of readings; Sample::index is a series here too.
  void store(const std::vector<Sample>& samples, std::int64_t now_ms) {
    engine.advance(now_ms);
    disk_.batches.push_back(samples);
    disk_.stored += samples.size();
    auto batch = static_cast<std::int64_t>(disk_.batches.size());
    for (Sample s : samples) {
      s.batch = batch;
      s.index = index_.at(static_cast<std::int32_t>(s.index));
      engine.add(s);
    }
    engine.folded(batch);
  }

  // Closes what is due and commits it. `most`: windows in one transaction.
  void close(std::int64_t now_ms, std::size_t most = SIZE_MAX) {
    engine.advance(now_ms);
    for (bool more = true; more;) {
      std::size_t n = 0;
      while (n < most) {
        auto closed = engine.close(now_ms, ClockTrust::trusted);
        if (!closed) break;
        ++n;
        put(closed->rows);
      }
      more = n == most;
      if (n > 0) commit();
    }
  }

  void revise() {
    while (engine.has_dirty()) {
      for (const DirtyWindow& dirty : engine.take_dirty(8))
        for (const auto& sensor : dirty.sensors) {
          engine.revised(sensor.index, sensor.late);
          if (sensor.late > 0) disk_.folded[engine.plan()[sensor.index].series] += sensor.late;
          revise(dirty, sensor.index);
        }
      commit();
    }
  }

  void reconfigure(std::vector<SeriesPlan> plan) {
    engine.reconfigure(std::move(plan));
    index_plan();
    commit();
  }

  std::int64_t difference() const {
    return static_cast<std::int64_t>(disk_.stored) -
           static_cast<std::int64_t>(sum(disk_.folded) + disk_.refused() + sum(engine.waiting()));
  }

 private:
  void index_plan() {
    index_.clear();
    for (std::uint32_t i = 0; i < engine.plan().size(); ++i) index_[engine.plan()[i].series] = i;
  }

  void put(const std::vector<Aggregate>& rows) {
    for (const Aggregate& row : rows) disk_.rows[{row.window_ms, row.start_ms, row.series}] = row;
  }

  void commit() {
    add(disk_.folded, engine.take_folded());
    add(disk_.not_folded, engine.take_refused());
    disk_.state = engine.save();
    for (auto& [series, text] : engine.save_slow()) disk_.slow[series] = text;
    disk_.replay_from = engine.replay_from();
  }

  bool put_if_changed(Aggregate row) {
    auto& stored = disk_.rows[{row.window_ms, row.start_ms, row.series}];
    bool is_new = stored.window_ms == 0;
    if (!is_new && !differ(stored, row)) return false;
    row.revision = is_new ? 0 : stored.revision + 1;
    stored = row;
    return true;
  }

  void revise(const DirtyWindow& dirty, std::uint32_t index) {
    const SeriesPlan& plan = engine.plan()[index];
    std::vector<Sample> own;
    Anchor before;
    std::optional<std::int64_t> next;
    auto good = [](const Sample& s) {
      return s.flag == Flag::good || s.flag == Flag::not_evaluated;
    };
    for (const auto& batch : disk_.batches)
      for (Sample s : batch) {
        if (static_cast<std::int32_t>(s.index) != plan.series) continue;
        s.index = index;
        if (dirty.span.contains(s.time_ms)) own.push_back(s);
        if (!good(s)) continue;
        if (s.time_ms < dirty.span.start_ms && s.time_ms >= before.time_ms) {
          before.time_ms = s.time_ms;
          before.raw = s.raw;
        }
        if (s.time_ms >= dirty.span.end_ms && (!next || s.time_ms < *next)) next = s.time_ms;
      }
    std::stable_sort(own.begin(), own.end(),
                     [](const Sample& a, const Sample& b) { return a.time_ms < b.time_ms; });
    Aggregate row =
        engine.recount(index, dirty.level, dirty.span, own, before, ClockTrust::trusted);
    if (!put_if_changed(row)) return;
    if (plan.kind == QuantityKind::totaliser && next) engine.touch(index, *next);
    const auto& lengths = engine.options().lengths_ms;
    for (std::size_t l = dirty.level + 1; l < lengths.size(); ++l) {
      TimeSpan span = engine.window(l, dirty.span.start_ms);
      std::vector<Aggregate> finer;
      for (const auto& [key, stored] : disk_.rows)
        if (std::get<0>(key) == lengths[l - 1] && span.contains(std::get<1>(key)) &&
            std::get<2>(key) == plan.series)
          finer.push_back(stored);
      if (!engine.closed(l, span.start_ms)) {
        engine.remerge_open(index, l, span.start_ms, finer);
        break;
      }
      if (!engine.merges(index, l)) break;
      put_if_changed(engine.remerge(index, l, span, finer, ClockTrust::trusted));
    }
  }

  SimulatedDisk& disk_;
  std::map<std::int32_t, std::uint32_t> index_;

 public:
  WindowEngine engine;
};

}  // namespace gerbang::test
