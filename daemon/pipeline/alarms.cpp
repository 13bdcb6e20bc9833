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
  return {};
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
