// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/aggregate.hpp"
#include "core/quantity.hpp"
#include "core/reading.hpp"

namespace gerbang::alarm {

// Numbers as in gerbang.v1.Severity.
enum class Severity : std::uint8_t { info = 1, warning = 2, high = 3, critical = 4 };
std::string_view name(Severity severity);  // "WARNING"

// What an alarm looks at.
enum class Watch : std::uint8_t {
  reading,    // each usable reading of a sensor
  window,     // a number of its windows of one length
  rate,       // by how much it changes in `span_ms`
  stale,      // that nothing came for `span_ms`
  quality,    // its readings' flag
  indicator,  // an indicator's value or category
  condition,  // of the gateway itself: "driver-wtp-down"
};

enum class Statistic : std::uint8_t { mean, minimum, maximum, delta };

struct Rule {
  std::string id;
  Severity severity = Severity::warning;
  Watch watch = Watch::reading;
  std::string sensor;       // id, where it watches one
  std::int32_t series = 0;  // its series
  std::string source;       // name of the indicator or the condition
  std::string unit;         // of values and thresholds

  // Active beyond these. inclusive: already at the threshold itself.
  std::optional<double> above, below;
  bool inclusive = false;
  double hysteresis = 0;  // how far it has to come back; not negative
  // window
  std::int64_t window_ms = 0;
  Statistic statistic = Statistic::mean;
  // rate: the length over which the change is counted; stale: how long nothing came
  std::int64_t span_ms = 0;
  // quality: active from this flag on (suspect or bad)
  Flag flag = Flag::bad;
  // indicator: active in these categories
  std::vector<std::string> categories;

  std::int64_t hold_ms = 0;     // active this long before it is raised
  std::int64_t release_ms = 0;  // not active this long before it is cleared
  Label text, advice;
};

// What an alarm's memory is about: with another subject it begins anew.
std::string subject(const Rule& rule);

// Of a closed window; nullopt: there is none, or too little of it to say anything.
std::optional<double> value_of(const Rule& rule, const Aggregate& window, QuantityKind kind);

}  // namespace gerbang::alarm
