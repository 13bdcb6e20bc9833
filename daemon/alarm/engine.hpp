// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alarm/life.hpp"
#include "alarm/rate.hpp"
#include "alarm/rule.hpp"
#include "core/tally.hpp"

namespace gerbang::alarm {

// Whether a window is told of when it closes, or later: its readings came late, and it is another
// now or is there only now. A late one is looked at as long as no later one has said anything.
enum class Came : std::uint8_t { in_time, late };

// All alarms of a configuration: what comes in is looked at by the rules that watch it, and what
// there is to say comes out. Pure and copyable: a copy goes its own way.
//
// Readings that are missing, bad or taken during maintenance say nothing of a value: they neither
// raise nor clear. Readings of one sensor come in their order; what is older than the one before is
// left out.
class Engine {
 public:
  explicit Engine(Flapping flapping = {}) : flapping_(flapping) {}

  // The rules of a configuration, at the start and after a reload. An alarm that is in both lives
  // on if it watches the same; one that is gone is forgotten but for its count.
  void configure(std::vector<Rule> rules, Flapping flapping, const Moment& now);

  // ---- what is seen ----

  void on_reading(const Sample& sample, std::int32_t series, std::int64_t at);
  // One came that on_reading() will be told of later: nobody is silent.
  void on_arrival(std::int32_t series, std::int64_t at);
  void on_window(const Aggregate& window, QuantityKind kind, Came came = Came::in_time);
  // An indicator was computed for the window that ends there. `category` as its standard names it,
  // or empty.
  void on_indicator(std::string_view id, std::optional<double> value, std::string_view category,
                    const Moment& end, Came came = Came::in_time);
  void on_condition(std::string_view name, bool holds, const Moment& now);
  // About once a second.
  void pass(const Moment& now);

  // ---- what is said ----

  // An alarm as it was when it was said; several of one alarm in their order.
  struct Said {
    std::size_t rule = 0;  // index in rules()
    alarm::Said state = alarm::Said::nothing;
    std::uint64_t occurrence = 0;
    std::optional<double> value, threshold;
    std::int64_t since_ms = 0, cleared_ms = 0;
    ClockTrust clock = ClockTrust::trusted;
    std::size_t raises = 0;  // within the flapping period
  };
  bool has_said() const { return !said_.empty(); }
  std::vector<Said> take_said() { return std::exchange(said_, {}); }

  const std::vector<Rule>& rules() const { return rules_; }
  const Flapping& flapping() const { return flapping_; }
  // Of the rule at that place; state nothing: it was never raised.
  Said now(std::size_t rule) const;

  // ---- restart ----

  // A reading of before the start, for the rule of a rate at that place: what comes is compared
  // with it. It says nothing itself. In the order of time.
  void remember(std::size_t rule, const Sample& sample, std::int64_t at);

  // Equal texts: nothing that matters has changed. To be stored with what was said.
  std::string save() const;
  // After configure(). False: not written by save(); what could be read holds.
  bool load(std::string_view text, const Moment& now);
  // The newest time in what was loaded; INT64_MIN: none.
  std::int64_t newest_at() const;

 private:
  // One alarm.
  struct Place {
    std::string subject;
    Life life;
    bool any = false;  // the following is of something that was seen
    std::int64_t last_at = 0, last_utc = 0;
    std::int64_t arrived_at = INT64_MIN;
    Rate rate;
    // windows and indicators: the end of the newest one that said something; `behind`: later ones
    // may still come late.
    std::int64_t judged_ms = INT64_MIN;
    bool behind = true;

    bool looks_at(std::int64_t end_ms, bool says_something, Came came);
  };

  void begin_now(std::size_t rule, const Moment& now);
  Life::Timing timing(const Rule& rule) const;
  void see(std::size_t rule, const Life::Seen& seen, const Moment& now);
  void say(std::size_t rule);
  std::optional<Life::Seen> judge(const Rule& rule, const Place& place, double value) const;
  void on_value(std::size_t rule, const Sample& sample, const Moment& now);
  void on_rate(std::size_t rule, const Sample& sample, const Moment& now);

  Flapping flapping_;
  std::vector<Rule> rules_;
  std::vector<Place> places_;                           // the same order
  std::vector<std::vector<std::uint32_t>> of_series_;   // series → rules that look at readings
  std::vector<std::vector<std::uint32_t>> windows_of_;  // series → rules that look at windows
  std::vector<std::uint32_t> timed_;                    // rules that watch time pass
  std::map<std::string, std::uint64_t, std::less<>> counts_;  // of alarms that are gone
  std::vector<Said> said_;
  std::optional<std::int64_t> began_at_;
};

}  // namespace gerbang::alarm
