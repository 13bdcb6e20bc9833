// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "alarm/engine.hpp"
#include "unit/alarm/moments.hpp"

namespace gerbang::alarm {

using Told = std::vector<std::string>;

inline Rule rule(std::string id, Watch watch) {
  Rule out;
  out.id = std::move(id);
  out.watch = watch;
  out.sensor = "chlorine";
  out.series = 3;
  return out;
}
inline Rule above(double threshold, double hysteresis = 0) {
  Rule out = rule("high", Watch::reading);
  out.above = threshold;
  out.hysteresis = hysteresis;
  return out;
}

struct Bench {
  explicit Bench(std::vector<Rule> rules) { engine.configure(std::move(rules), {}, at(0)); }

  void read(std::int64_t ms, double value, Flag flag = Flag::good, Reason reason = Reason::none) {
    Sample sample;
    sample.time_ms = kUtc + ms;
    sample.flag = flag;
    sample.reason = reason;
    sample.value = value;
    engine.on_reading(sample, 3, ms);
  }
  // "high RAISED 1" …
  Told told() {
    Told out;
    for (const Engine::Said& one : engine.take_said())
      out.push_back(engine.rules()[one.rule].id + " " + std::string(name(one.state)) + " " +
                    std::to_string(one.occurrence));
    return out;
  }
  void restart(std::vector<Rule> rules, std::int64_t ms) {
    const std::string saved = engine.save();
    engine = Engine();
    engine.configure(std::move(rules), {}, at(ms));
    ASSERT_TRUE(engine.load(saved, at(ms)));
  }

  Engine engine;
};

}  // namespace gerbang::alarm
