// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "duplicates.hpp"
#include "layout.hpp"
#include "payload.hpp"
#include "value.hpp"

namespace gerbang::mqtt {

using Time = std::chrono::nanoseconds;  // of CLOCK_BOOTTIME

// What one sensor wants of the broker.
struct Want {
  std::uint32_t index = 0;  // of the host
  std::string id;           // for texts
  std::string filter;
  std::string dev_eui;                 // of eui_of(); empty: any message of the filter
  std::optional<std::string> pointer;  // into the payload, with dev_eui into its `object`
  std::optional<Layout> layout;        // of bytes: `data` of dev_eui, base64 at the pointer, or all
  std::optional<std::int64_t> f_port;
  std::optional<std::string> time_pointer;
  bool text_numbers = false;
  bool optional = false;  // messages without the value are not for this sensor
  Time interval{};        // how often the device sends; 0: nobody knows
  Time silent_after{};    // 0: it may be silent for ever
};

struct Message {
  std::string_view topic, payload;
  // Positions in filters() that the broker sent it for; empty: it did not say.
  std::vector<std::uint32_t> filters;
  Time arrived{};
};

// What one message, or a silence, means.
struct Outcome {
  std::uint32_t sensor = 0;  // index of the host
  Value value;
  std::int64_t unix_ns = 0;  // by the device's clock; 0: it gave none, or none that can be
};
struct Exchange {
  std::string device;
  gerbang_reason result;
};
struct Note {
  bool warning;
  std::string text;
};
struct Taken {
  std::vector<Outcome> outcomes;
  std::vector<Exchange> exchanges;
  std::vector<Note> notes;  // what changed, never the same thing twice in a row
};

// From messages to readings, and from silence to missing readings. Pure: no broker, no clock.
class Reader {
 public:
  static constexpr std::size_t kMaxPayload = 256 << 10;

  Reader(std::vector<Want> wants, Time now);

  // Distinct, in the order in which sensors name them.
  const std::vector<std::string>& filters() const { return filters_; }

  // `utc_ns`: the wall clock; a device that is ahead of it by more than a day has a wrong clock.
  Taken take(const Message& message, std::int64_t utc_ns);

  // The broker is there: who speaks by himself has his time from now on; or away: nobody can speak.
  void broker_there(Time now);
  void broker_away(Time now);
  // The broker does not let us have a filter (or now it does).
  void set_refused(std::size_t filter, bool refused, Time now);

  // Sensors that should have spoken by now. Once an interval each.
  Taken silent(Time now);
  Time next_silence() const;

  std::uint64_t duplicates() const { return duplicates_; }

 private:
  struct Sensor {
    Want want;
    std::size_t filter = 0;
    Time due{};                 // when it is called missing
    std::optional<Time> heard;  // last
    std::string told;           // the refusal that the log knows
    bool silence_told = false, clock_told = false;
  };
  // A payload is taken apart once, however many sensors read it.
  struct Opened;

  void take_for(Sensor& sensor, const Opened& opened, const Message& message, std::int64_t utc_ns,
                Taken& out);
  static std::optional<Value> value_for(const Want& want, const Opened& opened);
  std::int64_t device_time(Sensor& sensor, const Opened& opened, std::int64_t utc_ns, Taken& out);
  bool is_duplicate(std::size_t filter, const Opened& opened, std::string_view topic);
  gerbang_reason reason_of_silence(const Sensor& sensor) const;
  void wait_on(Sensor& sensor, Time now);

  std::vector<Sensor> sensors_;
  std::vector<std::string> filters_;
  std::vector<Duplicates> seen_;  // as filters_
  std::set<std::size_t> refused_;
  bool away_ = false;
  std::uint64_t duplicates_ = 0;
};

// How a sensor's device is called in counters: its EUI or its filter.
std::string device_of(const Want& want);

}  // namespace gerbang::mqtt
