// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alarm/engine.hpp"
#include "store/types.hpp"

namespace gerbang::pipeline {

// The alarms of a configuration. Rule::series is filled in by the pipeline.
struct AlarmPlan {
  std::vector<alarm::Rule> rules;
  alarm::Flapping flapping;
  Label flapping_text;  // {text} stands for the alarm's own
};

// The alarms of a pipeline with the times that they count in, what they say as messages, and their
// state as text. Pure and copyable.
//
// Durations are counted on an axis that goes on when the wall clock is set, when the daemon starts
// anew, and when the board does: boot time and an anchor.
class AlarmDesk {
 public:
  struct Times {
    std::int64_t boot_ms = 0, wall_ms = 0;
    ClockTrust clock = ClockTrust::untrusted;
  };

  // Before anything else. `saved`: what text() said last, or empty. False: it cannot be read; what
  // could be holds.
  bool start(const std::string& boot_id, const Times& now, const std::string& saved,
             AlarmPlan plan);
  // After a reload.
  void configure(AlarmPlan plan, const Times& now);

  // A stored reading that may have been looked at before the start: one of a batch above upto().
  void replay(const Sample& sample, std::int32_t series);
  // One that is not replayed, for a rate. Its time is believed, and so is the clock.
  void remember(std::size_t rule, const Sample& sample) {
    engine_.remember(rule, sample, std::min(sample.time_ms + shift_ms_, started_at_));
  }
  std::int64_t upto() const { return upto_; }
  void looked_at(std::int64_t batch) { upto_ = std::max(upto_, batch); }

  void on_reading(const Sample& sample, std::int32_t series, std::int64_t boot_ns,
                  bool device_time);
  void on_arrival(std::int32_t series, std::int64_t boot_ns) {
    engine_.on_arrival(series, at(boot_ns));
  }
  void on_window(const Aggregate& window, QuantityKind kind, alarm::Came came) {
    engine_.on_window(window, kind, came);
  }
  void on_indicator(std::string_view id, std::optional<double> value, std::string_view category,
                    std::int64_t end_ms, ClockTrust clock, alarm::Came came) {
    engine_.on_indicator(id, value, category, {end_ms + shift_ms_, end_ms, clock}, came);
  }
  void on_condition(std::string_view name, bool holds, const Times& now) {
    engine_.on_condition(name, holds, moment(now));
  }
  void pass(const Times& now) { engine_.pass(moment(now)); }
  // The relation of the two clocks, whenever it may have changed.
  void follow(std::int64_t offset_ns) { shift_ms_ = anchor_ms_ - offset_ns / 1'000'000; }

  struct Message {
    std::string topic, body;
  };
  bool has_said() const { return engine_.has_said() || !farewells_.empty(); }
  std::vector<Message> take_said();
  // What holds of this topic now, if it is an alarm that is raised or flaps.
  std::optional<Message> standing(std::string_view topic) const;
  // nullopt: what was stored last still holds. Counts as stored.
  std::optional<std::string> changed_text();

  const alarm::Engine& engine() const { return engine_; }
  // What is said of an alarm in this state.
  Label text_of(const alarm::Engine::Said& said) const;

 private:
  alarm::Moment moment(const Times& now) const {
    return {now.boot_ms + anchor_ms_, now.wall_ms, now.clock};
  }
  std::int64_t at(std::int64_t boot_ns) const { return boot_ns / 1'000'000 + anchor_ms_; }
  std::string head() const;
  std::string body_of(const alarm::Engine::Said& said) const;

  alarm::Engine engine_;
  Label flapping_text_;
  std::string boot_id_;
  std::int64_t anchor_ms_ = 0;  // time of the axis = boot time + this
  std::int64_t shift_ms_ = 0;   // time of the axis = UTC + this
  std::int64_t replay_shift_ms_ = 0;
  std::int64_t started_at_ = 0;  // on the axis: what is replayed was before
  std::int64_t upto_ = 0;        // batches up to this were looked at
  std::string stored_;           // without its line of upto_
  std::vector<Message> farewells_;
};

}  // namespace gerbang::pipeline
