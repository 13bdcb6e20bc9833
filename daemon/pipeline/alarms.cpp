// SPDX-License-Identifier: Apache-2.0
//
// Alarms look at readings when they are durable and at windows when they close; what they say is
// stored with their state in one transaction that does not wait. While the store cannot be written
// a copy looks at what is in memory and speaks at once.
#include "observe/log.hpp"
#include "pipeline/pipeline.hpp"
#include "pipeline/state_keys.hpp"

namespace gerbang::pipeline {

AlarmDesk::Times Pipeline::times() const {
  AlarmDesk::Times out;
  out.boot_ms = nanoseconds(clock_.boot()) / 1'000'000;
  out.wall_ms = now_ms();
  out.clock = clock_trust();
  return out;
}

AlarmPlan Pipeline::with_series(AlarmPlan plan) const {
  for (alarm::Rule& rule : plan.rules)
    for (const Sensor& sensor : sensors_)
      if (!rule.sensor.empty() && sensor.id == rule.sensor) rule.series = sensor.series;
  return plan;
}

Result<void> Pipeline::load_alarms() {
  auto saved = store_.get(kAlarmsKey);
  if (!saved) return fail(std::move(saved.error()));
  if (!alarms_.start(options_.boot_id, times(), saved->value_or(""), with_series(options_.alarms)))
    spdlog::error("pipeline: {} in the store cannot be read as a whole: some alarms begin anew",
                  kAlarmsKey);
  remember_rates();
  return {};
}

// A rate would know nothing for a span. While nobody vouches for the clock, what was and what comes
// have no time in common. Readings that lie close are passed over: at most about 600 pages a rate.
void Pipeline::remember_rates() {
  const std::int64_t now = now_ms(), replayed_from = store_.identity().replay_from;
  const std::vector<alarm::Rule>& rules = alarms_.engine().rules();
  for (std::size_t i = 0; i < rules.size() && clock_trust() != ClockTrust::untrusted; ++i) {
    const std::int64_t span = rules[i].span_ms;
    if (rules[i].watch != alarm::Watch::rate || rules[i].series <= 0) continue;
    store::ReadingQuery query;
    query.series = {rules[i].series};
    query.from_ms = now - span - span / 10;
    query.to_ms = now + 1;
    query.limit = 64;
    while (query.from_ms < query.to_ms) {
      const auto page = store_.readings_now(query);
      if (!page) {
        spdlog::warn("pipeline: {} knows nothing for its span: {}", rules[i].id, page.error().what);
        break;
      }
      const std::vector<store::StoredReading>& some = page->readings;
      for (const store::StoredReading& reading : some)
        if ((reading.batch <= alarms_.upto() || reading.batch < replayed_from) &&
            reading.clock != ClockTrust::untrusted)
          alarms_.remember(i, sample_of(reading));
      if (some.empty()) break;
      query.from_ms =
          std::max(some.back().time_ms + 1, some.front().time_ms + alarm::Rate::apart_ms(span));
    }
  }
}

void Pipeline::on_conditions(const std::map<std::string, bool>& conditions) {
  const AlarmDesk::Times now = times();
  auto look = [&](AlarmDesk& alarms) {
    for (const auto& [name, holds] : conditions) alarms.on_condition(name, holds, now);
    alarms.pass(now);
  };
  look(alarms_);
  if (bridge_alarms_) look(*bridge_alarms_);
  tell_alarms();
}

void Pipeline::tell_alarms() {
  if (alarms_.has_said()) ++alarm_version_;
  if (alarms_.has_said() && !writing_events_ && starting_events_ == 0) write_events_soon();
  if (!bridge_alarms_) return;
  if (bridge_alarms_->has_said()) ++alarm_version_;
  for (const AlarmDesk::Message& said : bridge_alarms_->take_said())
    if (on_volatile) on_volatile(MessageKind::alarm, said.topic, said.body);
}

// What they said and their state, into a transaction.
void Pipeline::add_alarms(store::Fold& fold) {
  for (AlarmDesk::Message& said : alarms_.take_said()) {
    add_message(fold, MessageKind::alarm, std::move(said.topic), std::move(said.body), true,
                Lane::urgent);
    fold.urgent = true;
  }
  if (auto text = alarms_.changed_text()) fold.items[kAlarmsKey] = std::move(*text);
}

}  // namespace gerbang::pipeline
