// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gerbang {

struct EventValue {
  std::string name;
  double value = 0;
  std::string unit;
};

// Something that happened at one time: a weighing, maintenance, a step of the clock.
struct Event {
  std::string kind;    // last level of its topic: event/KIND
  std::string sensor;  // its id; empty: the gateway as a whole
  // When: by the boot clock (0: now), or by the device's own clock (0: it has none).
  std::int64_t boot_ns = 0, unix_ns = 0;
  std::string person, text;
  std::vector<EventValue> values;
};

// [a-z0-9][a-z0-9-]{0,31}: a kind becomes a level of a topic.
bool valid_event_kind(std::string_view kind);
// Kinds that only the gateway itself speaks of; a driver that uses one is refused.
bool own_event_kind(std::string_view kind);

}  // namespace gerbang
