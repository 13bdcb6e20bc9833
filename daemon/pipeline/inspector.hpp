// SPDX-License-Identifier: Apache-2.0
//
// Everything that is said of readings before they are stored: the tests of each sensor, what
// sensors must agree about, maintenance, and the values that are computed from those of others.
// Pure: every time is an argument.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/sensor.hpp"
#include "quality/formula.hpp"
#include "quality/maintenance.hpp"
#include "quality/relation.hpp"
#include "quality/tests.hpp"

namespace gerbang::pipeline {

class Inspector {
 public:
  // Sensors are known by their place in this list.
  explicit Inspector(const std::vector<Sensor>& sensors);

  // What a test says of a reading that was taken before: Reading::verdict, with the sensor's place.
  struct Late {
    Reading verdict;
    double value = 0;  // of the reading
  };
  // The mark of a reading as the driver gave it. `value`: calibrated; `time_ms`: UTC; `ahead`:
  // see quality::Point. Verdicts of earlier readings are put behind `late`.
  quality::Mark judge(const Reading& reading, double value, std::int64_t time_ms,
                      std::vector<Late>& late, bool ahead = false);

  // The readings of sensors with a formula whose inputs were judged since the last call, to be
  // judged in their turn. Call until it returns none: readings of a frame are kept so long.
  std::vector<Reading> computed();

  // Sensors that said nothing for too long at `boot_ns`, as missing readings.
  std::vector<Reading> silent(std::int64_t boot_ns);

  // The clock was set: what comes is not compared with what was.
  void forget();

  // The sensors of a new configuration; what is known of those that stay goes on.
  void reconfigure(const std::vector<Sensor>& sensors);

  // ---- what survives a restart ----

  // A stored reading or verdict, in the order of batches.
  struct Stored {
    std::uint32_t sensor = 0;
    bool verdict = false;
    quality::Point point;
    bool timed = false;  // its time can be compared with those to come
    Raw raw;
  };
  void replay(const Stored& stored);
  // Of formulas that add up: sensor id and text.
  std::vector<std::pair<std::string, std::string>> save() const;
  void load(std::string_view sensor, std::string_view text, const quality::Corrector::Axis& axis);

  quality::Maintenance maintenance;

 private:
  static constexpr std::size_t kKept = 8;  // newest readings of an input, from frame to frame

  struct Input {
    quality::Point point;
    Raw raw;
  };
  struct One {
    std::string id;
    std::int32_t series = 0;
    Shared<quality::Rules> rules;
    quality::Tests tests;
    std::vector<std::uint32_t> feeds;  // sensors that are computed from this one
    std::vector<Input> kept;           // if it feeds any
    // With a formula:
    std::vector<std::uint32_t> from;
    std::unique_ptr<quality::Corrector> corrector;
    // Which readings went into the newest ones: their times, the first input's in front.
    std::vector<std::vector<std::int64_t>> made_of;
  };

  void forget_older();
  void build(const std::vector<Sensor>& sensors);
  void find(std::uint32_t sensor, const quality::Point& point, const quality::Mark& mark,
            std::vector<Late>& late);
  const Input* belonging(std::uint32_t sensor, const quality::Point& to) const;
  std::optional<Reading> compute(std::uint32_t sensor, const Input& first);

  std::vector<One> sensors_;
  quality::Relations relations_;
  std::vector<std::pair<std::uint32_t, Input>> due_;  // a sensor with a formula, its first input
};

}  // namespace gerbang::pipeline
