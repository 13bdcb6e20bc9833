// SPDX-License-Identifier: Apache-2.0
//
// An indicator of a configured gateway: from the rows of its inputs to what is published. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "indicator/evaluate.hpp"
#include "indicator/window.hpp"

namespace gerbang::indicator {

// A sensor that goes into it.
struct Input {
  std::string quantity, sensor, unit;
  QuantityKind kind = QuantityKind::gauge;
  std::int32_t series = 0;
  std::int64_t interval_ms = 0;  // 0: not polled
  std::string calibration_due;   // YYYY-MM-DD; empty: not known
  std::int64_t since_ms = 0;     // when the gateway was given it; 0: it was there from the first
};

struct Plan {
  std::string id;
  Label label;
  std::shared_ptr<const Standard> standard;
  Averaging averaging;
  Threshold threshold;
  std::vector<Input> inputs;
};

// Which rows it reads: hours, days, or (time outside of limits) the finest windows in which all
// inputs take part. `lengths_ms` are the configured windows, ascending.
std::int64_t rows_of(const Plan& plan, const std::vector<std::int64_t>& lengths_ms);

// How long before its window it reads too: a counter's first hour counts from the reading before.
std::int64_t reads_before_ms(const Plan& plan);

struct InputValue {
  std::string quantity, sensor, unit;
  std::optional<double> value, capture;
};

struct Outcome {
  std::optional<double> value;
  std::string category;  // the standard's name for it; empty: none, or no data
  Label label;           // of the category, for people
  std::vector<std::string> critical;
  bool provisional = true;
  std::optional<double> capture;
  std::vector<InputValue> inputs;
  ClockTrust clock = ClockTrust::trusted;
  std::optional<Confidence> confidence;  // the least sure of the rows used
};

// `rows` of the inputs' series, of the length of rows_of(), within the window and what it reads
// before, in any order.
// An input that the gateway was given after the window, and that has no row in it, is no input of
// it: the list of sensors was another one then.
// An input whose window is not valid is left out while another one's is: a regulation's number is
// never made of both. Without any valid input the result is provisional; without any at all it has
// no value.
Outcome compute(const Plan& plan, const TimeSpan& window, const std::string& local_date,
                const std::vector<Aggregate>& rows);

// "Smart Environment, proteksi lingkungan"; "ISO 37120:2018 8.1, ISO 37120:2018 8.2".
std::string smart_dimension(const Standard& standard);
std::string iso_text(const Plan& plan);

}  // namespace gerbang::indicator
