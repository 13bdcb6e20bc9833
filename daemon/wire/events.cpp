// SPDX-License-Identifier: Apache-2.0
//
// What happened and what is the matter: Event and Alarm.
#include <cmath>

#include "gerbang/v1/telemetry.pb.h"
#include "wire/encode.hpp"
#include "wire/utf8.hpp"

namespace gerbang::wire {

std::string encode(const gerbang::Event& event, std::string_view id, std::int64_t time_ms,
                   ClockTrust clock) {
  v1::Event out;
  out.set_id(utf8(id));
  out.set_kind(utf8(event.kind));
  if (!event.sensor.empty()) out.set_sensor(utf8(event.sensor));
  out.set_time_ms(time_ms);
  out.set_clock(static_cast<v1::Clock>(clock));
  if (!event.person.empty()) out.set_person(utf8(event.person));
  if (!event.text.empty()) out.set_text(utf8(event.text));
  for (const EventValue& value : event.values) {
    v1::EventValue& copy = *out.add_values();
    copy.set_name(utf8(value.name));
    if (std::isfinite(value.value)) copy.set_value(value.value);
    if (!value.unit.empty()) copy.set_unit(utf8(value.unit));
  }
  return out.SerializeAsString();
}

// Protobuf reads a concatenation as a merge: of a scalar that stands twice the later one holds.
std::string with_time(std::string event, std::int64_t time_ms, ClockTrust clock) {
  v1::Event later;
  later.set_time_ms(time_ms);
  later.set_clock(static_cast<v1::Clock>(clock));
  later.AppendToString(&event);
  return event;
}

std::string encode(const Alarm& alarm) {
  v1::Alarm out;
  out.set_id(utf8(alarm.id));
  if (!alarm.sensor.empty()) out.set_sensor(utf8(alarm.sensor));
  out.set_severity(static_cast<v1::Severity>(alarm.severity));
  out.set_state(static_cast<v1::AlarmState>(alarm.state));
  out.set_occurrence(alarm.occurrence);
  if (alarm.value && std::isfinite(*alarm.value)) out.set_value(*alarm.value);
  if (!alarm.unit.empty()) out.set_unit(utf8(alarm.unit));
  if (alarm.threshold && std::isfinite(*alarm.threshold)) out.set_threshold(*alarm.threshold);
  out.set_since_ms(alarm.since_ms);
  if (alarm.cleared_ms != 0) out.set_cleared_ms(alarm.cleared_ms);
  out.set_text_ind(utf8(alarm.text.ind));
  out.set_text_eng(utf8(alarm.text.eng));
  if (!alarm.advice.ind.empty()) out.set_advice_ind(utf8(alarm.advice.ind));
  if (!alarm.advice.eng.empty()) out.set_advice_eng(utf8(alarm.advice.eng));
  out.set_clock(static_cast<v1::Clock>(alarm.clock));
  return out.SerializeAsString();
}

}  // namespace gerbang::wire
