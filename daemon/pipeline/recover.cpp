// SPDX-License-Identifier: Apache-2.0
//
// The windows as they stood when the state was committed, then what was stored since.
#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "core/text.hpp"
#include "observe/log.hpp"
#include "pipeline/pipeline.hpp"
#include "pipeline/state_keys.hpp"

namespace gerbang::pipeline {

Result<void> Pipeline::recover() {
  if (auto loaded = load_members(); !loaded) return loaded;
  if (auto loaded = load_indicators(); !loaded) return loaded;
  auto restamping = store_.get(kRestampKey);
  if (!restamping) return fail(std::move(restamping.error()));
  if (*restamping) {
    stored_restamping_ = **restamping;
    if (auto parsed = parse_restamping(**restamping)) restamping_ = std::move(*parsed);
  }
  if (restamp_due_) begin_restamping();  // it was not known yet what is left to do
  auto vouched = store_.vouched(options_.boot_id);
  if (!vouched) return fail(std::move(vouched.error()));
  if (*vouched) {
    tracker_.vouch();
    follow_clock();
  }
  auto events = store_.get(kEventsKey);
  if (!events) return fail(std::move(events.error()));
  if (*events && !events_.load(**events))
    spdlog::error("pipeline: {} in the store cannot be read: events are counted anew", kEventsKey);
  if (auto alarms = load_alarms(); !alarms) return alarms;
  auto loaded = load_windows();
  if (!loaded) return fail(std::move(loaded.error()));
  if (*loaded)
    if (auto restored = restore_rows(); !restored) return restored;
  if (auto quality = load_quality(); !quality) return quality;
  engine_->advance(now_ms());
  engine_->set_horizon(now_ms() - fold_back_ms());
  if (auto replayed = replay(*loaded); !replayed) return replayed;
  if (auto reconciled = store_.reconcile(to_fold()); !reconciled) return reconciled;
  for (const store::SeriesLedger& one : store_.ledger())
    taken_before_[one.series] = one.account.stored + one.account.sum_rejected();
  readmit(store_.take_unsaved());
  return {};
}

Result<void> Pipeline::load_quality() {
  if (auto loaded = load_maintenance(); !loaded) return loaded;
  auto axis = load_sum_axis();
  if (!axis) return fail(std::move(axis.error()));
  for (auto& [sensor, sum] : inspector_.save()) {
    auto stored = store_.get(sum_key(sensor));
    if (!stored) return fail(std::move(stored.error()));
    if (*stored) inspector_.load(sensor, stored_sums_[sensor] = **stored, *axis);
  }
  return {};
}

std::string Pipeline::sum_clock() const {
  const store::Epoch& epoch = tracker_.epoch();
  return one_word(epoch.boot_id) + " " + std::to_string(epoch.offset_ns) + " " +
         std::to_string(static_cast<int>(epoch.trust));
}

// Of another boot it is known by the wall clock, if that was believed then and is now.
Result<quality::Corrector::Axis> Pipeline::load_sum_axis() const {
  quality::Corrector::Axis out;
  out.now_ns = nanoseconds(clock_.boot());
  out.wall_ns = now_ms() * kNsPerMs;
  auto clock = store_.get(kSumClockKey);
  if (!clock) return fail(std::move(clock.error()));
  std::istringstream in(clock->value_or(""));
  std::string boot;
  std::int64_t offset = 0;
  int trust = 0;
  if (!(in >> boot >> offset >> trust)) return out;
  if (boot == one_word(tracker_.epoch().boot_id))
    out.shift_ns = 0;
  else if (trust != static_cast<int>(ClockTrust::untrusted) &&
           clock_trust() != ClockTrust::untrusted)
    out.shift_ns = offset - tracker_.epoch().offset_ns;
  return out;
}

// The configuration's sensors, and those it had before.
Result<void> Pipeline::load_members() {
  std::vector<Member> members;
  for (const Sensor& sensor : sensors_) members.push_back(member(sensor));
  auto stored = store_.get(kMembersKey);
  if (!stored) return fail(std::move(stored.error()));
  if (*stored) {
    stored_members_ = **stored;
    if (auto before = parse_members(**stored)) {
      remember_since(members, *before, since_now_ms());
      for (Member& gone : leaving(*before, members, now_ms())) members.push_back(std::move(gone));
    } else
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
  const std::int64_t known_batch = engine_->newest(), looked_at = alarms_.upto();
  std::int64_t seen = engine_->saved_at_ms(), newest = known_batch;
  auto each = [&](const store::StoredReading& reading) {
    if (!loaded) {
      engine_->begin(std::min(reading.time_ms, now));
      loaded = true;
    }
    newest = std::max(newest, reading.batch);
    if (!reading.verdict && reading.batch > looked_at)
      alarms_.replay(sample_of(reading), reading.series);
    if (reading.boot_ns != 0 && reading.time_ms <= now) seen = std::max(seen, reading.time_ms);
    auto series = static_cast<std::size_t>(reading.series);
    auto place = series < places_.size() ? places_[series] : UINT32_MAX;
    if (place < sensors_.size()) inspector_.replay(inspected(place, reading));
    if (reading.verdict) {
      auto base = place != UINT32_MAX ? engine_->base(place) : std::nullopt;
      if (base && (reading.batch > known_batch || !engine_->closed(*base, reading.time_ms)))
        (void)engine_->reflag(place, reading.time_ms);
      return;
    }
    if (place == UINT32_MAX) {
      engine_->replay_unknown(reading.series, reading.time_ms, reading.batch);
      return;
    }
    Sample sample = sample_of(reading);
    if (options_.forward_readings && reading.batch > known_batch) forward_.push_back(sample);
    sample.index = place;
    engine_->replay(sample);
    show_again(sample, reading.boot_ns);
  };
  auto replayed = store_.replay(std::max<std::int64_t>(store_.identity().replay_from, 1), each);
  if (!replayed) return replayed;
  engine_->folded(newest);
  alarms_.looked_at(newest);
  tell_alarms();
  unseen_from_ms_ = seen;
  if (seen > 0) engine_->absent(seen, now);
  return {};
}

// Times of another boot are those of the wall clock, if it was believed then and is now.
Inspector::Stored Pipeline::inspected(std::uint32_t sensor,
                                      const store::StoredReading& reading) const {
  Inspector::Stored out;
  out.sensor = sensor;
  out.verdict = reading.verdict;
  out.raw = reading.raw;
  out.point.value = reading.value;
  out.point.mark.flag = reading.flag;
  out.point.mark.reason = reading.reason;
  out.point.device_time = reading.boot_ns == 0;
  if (out.point.device_time) {
    out.point.time_ns = reading.time_ms * kNsPerMs;
    out.timed = reading.time_ms <= now_ms();
    return out;
  }
  const bool same_boot = reading.boot_id != nullptr && *reading.boot_id == options_.boot_id;
  out.point.time_ns =
      same_boot ? reading.boot_ns : reading.time_ms * kNsPerMs - tracker_.epoch().offset_ns;
  out.timed = same_boot ||
              (reading.clock != ClockTrust::untrusted && clock_trust() != ClockTrust::untrusted &&
               out.point.time_ns <= nanoseconds(clock_.boot()));
  return out;
}

// The live table goes on where the process before left it, as far as what is replayed tells. Boot
// times of another boot say nothing now.
void Pipeline::show_again(const Sample& sample, std::int64_t boot_ns) {
  constexpr std::int64_t kSameMs = 1000;
  if (sample.index >= live_.size()) return;
  const std::int64_t age_ms = now_ms() - sample.time_ms;
  const std::int64_t by_age = nanoseconds(clock_.boot()) - age_ms * kNsPerMs;
  const bool device_time = boot_ns == 0;
  if (device_time && engine_->is_ahead(sample.index, sample.time_ms, now_ms())) return;
  if (!device_time && std::abs(boot_ns - by_age) > kSameMs * kNsPerMs) return;
  show(live_[sample.index], sample, device_time ? by_age : boot_ns, device_time);
}

// Readings that the store could not take at its start: taken again, under their own epoch.
void Pipeline::readmit(std::vector<store::Batch> batches) {
  for (store::Batch& batch : batches) {
    auto piece = std::make_unique<Piece>(batch.epoch);
    for (const Reading& reading : batch.readings) {
      Sample sample;
      sample.index = reading.sensor;  // the series
      const bool device_time = reading.unix_ns != 0;
      const std::int64_t ns =
          device_time ? reading.unix_ns : reading.boot_ns + batch.epoch.offset_ns;
      sample.time_ms = unix_ms(WallTime(std::chrono::nanoseconds(ns)));
      sample.flag = reading.flag;
      sample.reason = reading.reason;
      sample.clock = batch.epoch.trust;
      sample.raw = reading.raw;
      sample.verdict = reading.verdict;
      for (std::uint32_t i = 0; i < sensors_.size(); ++i) {
        if (static_cast<std::uint32_t>(sensors_[i].series) != reading.sensor) continue;
        sample.value = sensors_[i].calibration.apply(reading.raw.value());
        store::StoredReading stored;
        stored.time_ms = sample.time_ms;
        stored.boot_ns = device_time ? 0 : reading.boot_ns;
        stored.flag = reading.flag;
        stored.reason = reading.reason;
        stored.clock = sample.clock;
        stored.raw = reading.raw;
        stored.value = sample.value;
        stored.verdict = reading.verdict;
        stored.boot_id = &batch.epoch.boot_id;
        inspector_.replay(inspected(i, stored));
      }
      piece->samples.push_back(sample);
    }
    for (const Sample& sample : piece->samples)
      if (!sample.verdict) ++taken_before_[static_cast<std::int32_t>(sample.index)];
    for (const auto& [reason, counts] : batch.rejected) add(taken_before_, counts);
    held_readings_ += piece->samples.size();
    piece->batch = std::move(batch);
    held_.push_back(std::move(piece));
  }
  hand_over();
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
