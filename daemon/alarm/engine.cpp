// SPDX-License-Identifier: Apache-2.0
#include "alarm/engine.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>

namespace gerbang::alarm {
namespace {

constexpr std::size_t kMostCounts = 4096;  // of alarms that are gone
constexpr const char* kHead = "alarms 1";
constexpr const char* kBehind = "/behind";  // no alarm is called so
constexpr const char* kGone = "/gone";

// A number that says how the process is.
bool usable(const Sample& sample) {
  return sample.flag != Flag::missing && sample.flag != Flag::bad &&
         sample.reason != Reason::maintenance && std::isfinite(sample.value);
}

bool looks_at_windows(const Rule& rule) {
  return rule.watch == Watch::window || rule.watch == Watch::indicator;
}

void put(std::vector<std::vector<std::uint32_t>>& lists, std::int32_t series, std::size_t rule) {
  const auto place = static_cast<std::size_t>(std::max(series, 0));
  if (lists.size() <= place) lists.resize(place + 1);
  lists[place].push_back(static_cast<std::uint32_t>(rule));
}

std::vector<std::uint32_t> at(const std::vector<std::vector<std::uint32_t>>& lists,
                              std::int32_t series) {
  const auto place = static_cast<std::size_t>(series);
  return place < lists.size() ? lists[place] : std::vector<std::uint32_t>();
}

}  // namespace

void Engine::configure(std::vector<Rule> rules, Flapping flapping, const Moment& now) {
  std::vector<Rule> old_rules = std::exchange(rules_, std::move(rules));
  std::vector<Place> old = std::exchange(places_, std::vector<Place>(rules_.size()));
  flapping_ = flapping;
  const bool first = !began_at_;
  if (first) began_at_ = now.at;
  of_series_.clear();
  windows_of_.clear();
  timed_.clear();
  // What was not taken yet speaks of places that are others now.
  std::vector<Said> waiting = std::exchange(said_, {});
  for (Said& one : waiting) {
    auto same = [&](const Rule& rule) { return rule.id == old_rules[one.rule].id; };
    auto found = std::find_if(rules_.begin(), rules_.end(), same);
    if (found == rules_.end()) continue;
    one.rule = static_cast<std::size_t>(found - rules_.begin());
    said_.push_back(one);
  }
  for (std::size_t i = 0; i < old_rules.size(); ++i) {
    auto same = [&](const Rule& rule) { return rule.id == old_rules[i].id; };
    auto found = std::find_if(rules_.begin(), rules_.end(), same);
    if (found != rules_.end())
      places_[static_cast<std::size_t>(found - rules_.begin())] = std::move(old[i]);
    else if (old[i].life.occurrence() > 0 && counts_.size() < kMostCounts)
      counts_[old_rules[i].id] = old[i].life.occurrence();
  }
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    Place& place = places_[i];
    std::string about = subject(rules_[i]);
    if (auto gone = counts_.find(rules_[i].id); gone != counts_.end()) {
      place.life.count_from(gone->second);
      counts_.erase(gone);
    }
    if (!place.subject.empty() && place.subject != about) {
      Life life = place.life;
      const bool told = life.forget(now);
      place = Place();
      place.life = std::move(life);
      if (told) say(i);
    }
    if (!first && place.subject.empty()) begin_now(i, now);
    place.subject = std::move(about);
    switch (rules_[i].watch) {
      case Watch::reading:
      case Watch::rate:
      case Watch::quality:
        put(of_series_, rules_[i].series, i);
        break;
      case Watch::stale:
        put(of_series_, rules_[i].series, i);
        timed_.push_back(static_cast<std::uint32_t>(i));
        break;
      case Watch::window:
        put(windows_of_, rules_[i].series, i);
        break;
      case Watch::indicator:
      case Watch::condition:
        break;
    }
  }
}

// ---- what is seen -------------------------------------------------------------------------------

Life::Timing Engine::timing(const Rule& rule) const {
  Life::Timing out;
  out.hold_ms = rule.hold_ms;
  out.release_ms = rule.release_ms;
  out.flapping = flapping_;
  return out;
}

void Engine::see(std::size_t rule, const Life::Seen& seen, const Moment& now) {
  if (places_[rule].life.see(seen, now, timing(rules_[rule]))) say(rule);
}

void Engine::say(std::size_t rule) {
  said_.push_back(now(rule));
}

Engine::Said Engine::now(std::size_t rule) const {
  const Life& life = places_[rule].life;
  Said out;
  out.rule = rule;
  out.state = life.said();
  out.occurrence = life.occurrence();
  out.value = life.value();
  out.threshold = life.threshold();
  out.since_ms = life.since_ms();
  out.cleared_ms = life.cleared_ms();
  out.clock = life.clock();
  out.raises = life.raises();
  return out;
}

// Against the thresholds; the one that was crossed has to be left by the hysteresis.
std::optional<Life::Seen> Engine::judge(const Rule& rule, const Place& place, double value) const {
  Life::Seen seen;
  seen.value = value;
  const bool was = place.life.active();
  const double back = was ? rule.hysteresis : 0;
  auto beyond = [&](double by, double margin) {
    // `by`: how far beyond the threshold the value is. Exactly on it is not beyond, unless told so.
    return rule.inclusive ? by >= -margin : by > -margin;
  };
  if (rule.above && beyond(value - *rule.above, back)) {
    seen.active = true;
    seen.threshold = rule.above;
  }
  if (rule.below && beyond(*rule.below - value, back) &&
      (!seen.active || beyond(*rule.below - value, 0))) {
    seen.active = true;
    seen.threshold = rule.below;
  }
  return seen;
}

void Engine::on_reading(const Sample& sample, std::int32_t series, std::int64_t time) {
  if (series < 0 || static_cast<std::size_t>(series) >= of_series_.size()) return;
  for (std::uint32_t rule : of_series_[static_cast<std::size_t>(series)]) {
    Place& place = places_[rule];
    if (place.any && time < place.last_at) continue;
    Moment now;
    now.at = time;
    now.utc_ms = sample.time_ms;
    now.clock = sample.clock;
    const Rule& r = rules_[rule];
    if (r.watch == Watch::reading) on_value(rule, sample, now);
    if (r.watch == Watch::rate) on_rate(rule, sample, now);
    if (sample.flag == Flag::missing) continue;
    place.any = true;
    place.last_at = time;
    place.last_utc = sample.time_ms;
    Life::Seen seen;
    if (r.watch == Watch::stale) see(rule, seen, now);
    if (r.watch == Watch::quality && sample.reason != Reason::maintenance) {
      seen.active = sample.flag >= r.flag;  // good, not evaluated, suspect, bad: ascending
      seen.value = sample.value;
      see(rule, seen, now);
    }
  }
}

void Engine::on_arrival(std::int32_t series, std::int64_t time) {
  if (timed_.empty() || series < 0 || static_cast<std::size_t>(series) >= of_series_.size()) return;
  for (std::uint32_t rule : of_series_[static_cast<std::size_t>(series)])
    places_[rule].arrived_at = std::max(places_[rule].arrived_at, time);
}

void Engine::on_value(std::size_t rule, const Sample& sample, const Moment& now) {
  if (!usable(sample)) return;
  if (auto seen = judge(rules_[rule], places_[rule], sample.value)) see(rule, *seen, now);
}

// Nothing is raised over a gap, but what was must not stand for ever.
void Engine::on_rate(std::size_t rule, const Sample& sample, const Moment& now) {
  if (!usable(sample)) return;
  Place& place = places_[rule];
  const auto change = place.rate.take(now.at, sample.value, rules_[rule].span_ms);
  if (!change || (change->over_gap && !place.life.active())) return;
  if (auto seen = judge(rules_[rule], place, change->value)) see(rule, *seen, now);
}

// What was before the newest window has been looked at, or is none of its business.
void Engine::begin_now(std::size_t rule, const Moment& now) {
  const std::int64_t length =
      rules_[rule].watch == Watch::window ? rules_[rule].window_ms : kHourMs;
  places_[rule].behind = false;
  places_[rule].judged_ms = now.utc_ms - length;
}

bool Engine::Place::looks_at(std::int64_t end_ms, bool says_something, Came came) {
  if (came == Came::in_time)
    behind = !says_something;
  else if (end_ms < judged_ms)
    return false;
  else if (says_something && end_ms > judged_ms)
    behind = true;
  if (says_something) judged_ms = end_ms;
  return says_something;
}

void Engine::on_window(const Aggregate& window, QuantityKind kind, Came came) {
  for (std::uint32_t rule : at(windows_of_, window.series)) {
    const Rule& r = rules_[rule];
    if (r.window_ms != window.window_ms) continue;
    Place& place = places_[rule];
    std::int64_t step = place.any ? window.end_ms - place.last_utc : 0;
    if (came == Came::in_time || !place.any) {
      // Windows of a clock that was set back do not stand still.
      if (step <= 0) step = r.window_ms;
      place.last_at = place.any ? place.last_at + step : window.end_ms;
      place.last_utc = window.end_ms;
      place.any = true;
      step = 0;
    }
    auto value = value_of(r, window, kind);
    if (!place.looks_at(window.end_ms, value && std::isfinite(*value), came)) continue;
    Moment now;
    now.at = place.last_at + step;
    now.utc_ms = window.end_ms;
    now.clock = window.clock;
    if (auto seen = judge(r, place, *value)) see(rule, *seen, now);
  }
}

void Engine::on_indicator(std::string_view id, std::optional<double> value,
                          std::string_view category, const Moment& end, Came came) {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const Rule& r = rules_[i];
    if (r.watch != Watch::indicator || r.source != id) continue;
    Place& place = places_[i];
    const bool by_category = !r.categories.empty();
    const bool says = by_category ? !category.empty() : value && std::isfinite(*value);
    if (!place.looks_at(end.utc_ms, says, came)) continue;
    if (!by_category) {
      if (auto seen = judge(r, place, *value)) see(i, *seen, end);
      continue;
    }
    Life::Seen seen;
    seen.active =
        std::find(r.categories.begin(), r.categories.end(), category) != r.categories.end();
    seen.value = value;
    see(i, seen, end);
  }
}

void Engine::on_condition(std::string_view name, bool holds, const Moment& now) {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (rules_[i].watch != Watch::condition || rules_[i].source != name) continue;
    Life::Seen seen;
    seen.active = holds;
    see(i, seen, now);
  }
}

void Engine::pass(const Moment& now) {
  for (std::uint32_t rule : timed_) {
    Place& place = places_[rule];
    const std::int64_t seen_at =
        std::max({place.any ? place.last_at : INT64_MIN, place.arrived_at, *began_at_});
    Life::Seen seen;
    seen.active = place.life.active() || now.at - seen_at > rules_[rule].span_ms;
    see(rule, seen, now);
  }
  for (std::size_t i = 0; i < rules_.size(); ++i)
    if (places_[i].life.pass(now, timing(rules_[i]))) say(i);
}

// ---- restart ------------------------------------------------------------------------------------

void Engine::remember(std::size_t rule, const Sample& sample, std::int64_t time) {
  if (usable(sample)) (void)places_[rule].rate.take(time, sample.value, rules_[rule].span_ms);
}

std::string Engine::save() const {
  std::string out = std::string(kHead) + "\n";
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const Place& place = places_[i];
    if (place.life.idle() && place.life.said() == alarm::Said::nothing &&
        place.life.occurrence() == 0)
      continue;
    // Where durations are counted in windows, it matters where the last one stood.
    const bool counts = rules_[i].watch == Watch::window && !place.life.idle();
    out += rules_[i].id + ' ' + place.subject + ' ' + std::to_string(counts ? place.last_at : 0) +
           ' ' + std::to_string(counts ? place.last_utc : 0) + ' ' + place.life.save() + '\n';
  }
  // Of the others it is enough to know that they were not behind.
  for (std::size_t i = 0; i < rules_.size(); ++i)
    if (looks_at_windows(rules_[i]) && places_[i].behind)
      out += std::string(kBehind) + ' ' + rules_[i].id + ' ' + places_[i].subject + ' ' +
             std::to_string(places_[i].judged_ms) + '\n';
  for (const auto& [id, count] : counts_)
    out += std::string(kGone) + ' ' + id + ' ' + std::to_string(count) + '\n';
  return out;
}

bool Engine::load(std::string_view text, const Moment& now) {
  std::istringstream in{std::string(text)};
  std::string line;
  if (!std::getline(in, line) || line != kHead) return false;
  bool whole = true;
  std::map<std::string, std::size_t> by_id;
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    by_id[rules_[i].id] = i;
    begin_now(i, now);
  }
  while (std::getline(in, line)) {
    std::istringstream words(line);
    std::string id, about, rest;
    std::uint64_t count = 0;
    if (line.starts_with(kGone)) {
      auto known = words >> about >> id >> count ? by_id.find(id) : by_id.end();
      if (known != by_id.end())
        places_[known->second].life.count_from(count);
      else if (words && counts_.size() < kMostCounts)
        counts_[id] = count;
      whole = whole && words;
      continue;
    }
    if (line.starts_with(kBehind)) {
      std::int64_t judged = 0;
      whole = whole && words >> rest >> id >> about >> judged;
      auto known = by_id.find(id);
      if (!words || known == by_id.end() || places_[known->second].subject != about) continue;
      places_[known->second].behind = true;
      places_[known->second].judged_ms = judged;
      continue;
    }
    Place place;
    if (!(words >> id >> about >> place.last_at >> place.last_utc) || !std::getline(words, rest) ||
        !place.life.load(rest)) {
      whole = false;
      continue;
    }
    place.subject = about;
    place.any = place.last_at != 0;
    auto found = by_id.find(id);
    if (found == by_id.end()) {
      if (place.life.occurrence() > 0 && counts_.size() < kMostCounts)
        counts_[id] = place.life.occurrence();
    } else if (place.subject == places_[found->second].subject) {
      places_[found->second] = std::move(place);
      begin_now(found->second, now);
    } else {  // the configuration has changed while nobody ran
      const bool told = place.life.forget(now);
      places_[found->second].life = std::move(place.life);
      if (told) say(found->second);
    }
  }
  return whole;
}

std::int64_t Engine::newest_at() const {
  std::int64_t out = INT64_MIN;
  for (const Place& place : places_)
    if (!place.life.idle()) out = std::max(out, place.life.newest_at());
  return out;
}

}  // namespace gerbang::alarm
