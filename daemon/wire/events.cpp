// SPDX-License-Identifier: Apache-2.0
//
// What happened: Event.
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

}  // namespace gerbang::wire
