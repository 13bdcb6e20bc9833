// SPDX-License-Identifier: Apache-2.0
//
// The windows as they stood when the state was committed, then what was stored since.
#include <algorithm>

#include "observe/log.hpp"
#include "pipeline/pipeline.hpp"
#include "pipeline/state_keys.hpp"

namespace gerbang::pipeline {

Result<void> Pipeline::recover() {
  if (auto loaded = load_members(); !loaded) return loaded;
  auto loaded = load_windows();
  if (!loaded) return fail(std::move(loaded.error()));
  if (*loaded)
    if (auto restored = restore_rows(); !restored) return restored;
  engine_->advance(now_ms());
  engine_->set_horizon(now_ms() - fold_back_ms());
  return replay(*loaded);
}

// The configuration's sensors, and those it had before.
Result<void> Pipeline::load_members() {
  std::vector<Member> members;
  for (const Sensor& sensor : sensors_) members.push_back(member(sensor));
  auto stored = store_.get(kMembersKey);
  if (!stored) return fail(std::move(stored.error()));
  if (*stored) {
    stored_members_ = **stored;
    if (auto before = parse_members(**stored))
      for (Member& gone : leaving(*before, members, now_ms())) members.push_back(std::move(gone));
    else
      spdlog::error("pipeline: {} in the store cannot be read: windows of removed sensors are lost",
                    kMembersKey);
  }
  set_members(std::move(members));
  return {};
}

// False: there is no state, this is the first start.
Result<bool> Pipeline::load_windows() {
  auto state = store_.get(kWindowsKey);
  if (!state) return fail(std::move(state.error()));
  if (!*state) return false;
  if (!engine_->load(**state)) {
    spdlog::error("pipeline: {} in the store cannot be read: windows begin anew", kWindowsKey);
    return false;
  }
  for (std::uint32_t i = 0; i < members_.size(); ++i) {
    auto slow = store_.get(slow_key(members_[i].plan.series));
    if (!slow) return fail(std::move(slow.error()));
    if (*slow && !engine_->load_slow(i, **slow))
      spdlog::error("pipeline: {} in the store cannot be read: the open window of {} begins anew",
                    slow_key(members_[i].plan.series), members_[i].id);
  }
  return true;
}

Result<void> Pipeline::restore_rows() {
  for (std::size_t l = 0; l + 1 < options_.windows_ms.size(); ++l) {
    TimeSpan span = engine_->rows_to_restore(l);
    if (span.length_ms() <= 0) continue;
    store::AggregateQuery query;
    query.window_ms = options_.windows_ms[l];
    query.from_ms = span.start_ms;
    query.to_ms = span.end_ms;
    do {
      auto page = store_.aggregates_now(query);
      if (!page) return fail(std::move(page.error()));
      for (const Aggregate& row : page->rows) {
        auto series = static_cast<std::size_t>(row.series);
        auto place = series < places_.size() ? places_[series] : UINT32_MAX;
        if (place != UINT32_MAX) engine_->restore(place, l, row);
      }
      query.after = std::move(page->next);
    } while (!query.after.empty());
  }
  return {};
}

Result<void> Pipeline::replay(bool loaded) {
  const std::int64_t now = now_ms();
  const std::int64_t known_batch = engine_->newest();
  std::int64_t seen = engine_->saved_at_ms(), newest = known_batch;
  auto each = [&](const store::StoredReading& reading) {
    if (!loaded) {
      engine_->begin(std::min(reading.time_ms, now));
      loaded = true;
    }
    newest = std::max(newest, reading.batch);
    if (reading.boot_ns != 0 && reading.time_ms <= now) seen = std::max(seen, reading.time_ms);
    auto series = static_cast<std::size_t>(reading.series);
    auto place = series < places_.size() ? places_[series] : UINT32_MAX;
    if (place == UINT32_MAX) {
      engine_->replay_unknown(reading.time_ms, reading.batch);
      return;
    }
    Sample sample = sample_of(reading);
    if (options_.forward_readings && reading.batch > known_batch) forward_.push_back(sample);
    sample.index = place;
    engine_->replay(sample);
  };
  auto replayed = store_.replay(std::max<std::int64_t>(store_.identity().replay_from, 1), each);
  if (!replayed) return replayed;
  engine_->folded(newest);
  if (seen > 0) engine_->absent(seen, now);
  return {};
}

Sample Pipeline::sample_of(const store::StoredReading& reading) {
  Sample out;
  out.index = static_cast<std::uint32_t>(reading.series);
  out.time_ms = reading.time_ms;
  out.flag = reading.flag;
  out.reason = reading.reason;
  out.clock = reading.clock;
  out.raw = reading.raw;
  out.value = reading.value;
  out.batch = reading.batch;
  return out;
}

}  // namespace gerbang::pipeline
