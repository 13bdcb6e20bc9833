// SPDX-License-Identifier: Apache-2.0
#include "pipeline/inspector.hpp"

#include <algorithm>
#include <cstdlib>
#include <unordered_map>

#include "core/clock.hpp"

namespace gerbang::pipeline {
namespace {

constexpr std::int64_t kLeastHoldMs = 2'000;
constexpr std::int64_t kPushedHoldMs = 600'000;  // of inputs that are not polled

quality::Point point_of(const Reading& reading, double value) {
  quality::Point out;
  out.device_time = reading.unix_ns != 0;
  out.time_ns = out.device_time ? reading.unix_ns : reading.boot_ns;
  out.boot_ns = reading.boot_ns;
  out.value = value;
  out.mark.flag = reading.flag;
  out.mark.reason = reading.reason;
  return out;
}

quality::Mark related() {
  quality::Mark out;
  out.flag = Flag::suspect;
  out.reason = Reason::related;
  return out;
}

}  // namespace

Inspector::Inspector(const std::vector<Sensor>& sensors) {
  build(sensors);
}

void Inspector::build(const std::vector<Sensor>& sensors) {
  std::vector<quality::Relation> relations;
  std::vector<std::int64_t> intervals;
  for (const Sensor& sensor : sensors) {
    One& one = sensors_.emplace_back();
    one.id = sensor.id;
    one.series = sensor.series;
    one.rules = sensor.rules;
    // Those of a configuration say it already and are shared.
    if (one.rules->interval_ms != sensor.interval_ms) {
      quality::Rules rules = *sensor.rules;
      rules.interval_ms = sensor.interval_ms;
      one.rules = rules;
    }
    intervals.push_back(sensor.interval_ms);
    relations.insert(relations.end(), sensor.relations.begin(), sensor.relations.end());
    if (!sensor.formula) continue;
    one.from = sensor.from;
    one.corrector = std::make_unique<quality::Corrector>(*sensor.formula);
  }
  for (std::uint32_t i = 0; i < sensors_.size(); ++i)
    for (std::uint32_t input : sensors_[i].from) sensors_[input].feeds.push_back(i);
  relations_ = quality::Relations(std::move(relations), std::move(intervals));
}

void Inspector::reconfigure(const std::vector<Sensor>& sensors) {
  std::vector<One> before = std::exchange(sensors_, {});
  due_.clear();
  build(sensors);
  std::unordered_map<std::int32_t, One*> known;
  for (One& was : before) known[was.series] = &was;
  for (One& now : sensors_) {
    const auto found = known.find(now.series);
    if (found == known.end()) continue;
    One& was = *found->second;
    if (was.rules == now.rules) now.tests = std::move(was.tests);
    const bool same =
        was.corrector && now.corrector && was.corrector->formula() == now.corrector->formula();
    if (same) now.corrector = std::move(was.corrector);
  }
}

void Inspector::forget() {
  for (One& one : sensors_) {
    one.tests.forget();
    one.kept.clear();
    one.made_of.clear();
  }
  relations_.forget();
}

quality::Mark Inspector::judge(const Reading& reading, double value, std::int64_t time_ms,
                               std::vector<Late>& late, bool ahead) {
  One& one = sensors_[reading.sensor];
  quality::Point point = point_of(reading, value);
  point.ahead = ahead;
  if (!maintenance.empty() && reading.flag != Flag::missing &&
      maintenance.at(one.id, time_ms) != nullptr) {
    one.tests.hear(point, *one.rules);
    point.mark.flag = Flag::bad;
    point.mark.reason = Reason::maintenance;
  } else {
    auto outcome = one.tests.take(point, *one.rules);
    if (outcome.before) find(reading.sensor, outcome.before->reading, outcome.before->mark, late);
    point.mark = outcome.mark;
    const auto related_to = relations_.take(reading.sensor, point);
    // A test that was passed. Of the other reading of the pair it is not said: that one is stored,
    // and a verdict only worsens a flag.
    if (related_to.held) point.mark = quality::worse(point.mark, quality::mark_of(Flag::good));
    for (const auto& finding : related_to.findings)
      if (finding.sensor == reading.sensor)
        point.mark = quality::worse(point.mark, related());
      else
        find(finding.sensor, finding.reading, related(), late);
  }
  if (one.feeds.empty()) return point.mark;
  Input input;
  input.point = point;
  input.raw = reading.raw;
  one.kept.push_back(input);  // until computed() has seen all of them
  for (std::uint32_t fed : one.feeds)
    if (sensors_[fed].from.front() == reading.sensor) due_.emplace_back(fed, input);
  return point.mark;
}

// A verdict, and those of what was computed from the reading.
void Inspector::find(std::uint32_t sensor, const quality::Point& point, const quality::Mark& mark,
                     std::vector<Late>& late) {
  Late out;
  out.verdict.sensor = sensor;
  out.verdict.flag = mark.flag;
  out.verdict.reason = mark.reason;
  out.verdict.boot_ns = point.boot_ns;
  if (point.device_time) out.verdict.unix_ns = point.time_ns;
  out.verdict.verdict = true;
  out.value = point.value;
  late.push_back(out);
  for (Input& kept : sensors_[sensor].kept)
    if (kept.point.time_ns == point.time_ns)
      kept.point.mark = quality::worse(kept.point.mark, mark);
  for (auto& [fed, input] : due_)
    if (sensors_[fed].from.front() == sensor && input.point.time_ns == point.time_ns)
      input.point.mark = quality::worse(input.point.mark, mark);
  for (std::uint32_t fed : sensors_[sensor].feeds) {
    One& target = sensors_[fed];
    const auto place = static_cast<std::size_t>(
        std::find(target.from.begin(), target.from.end(), sensor) - target.from.begin());
    for (const auto& times : target.made_of) {
      if (times[place] != point.time_ns) continue;
      quality::Point computed = point;
      computed.time_ns = times.front();
      if (!point.device_time) computed.boot_ns = times.front();
      find(fed, computed, mark, late);
    }
  }
}

std::vector<Reading> Inspector::computed() {
  std::vector<Reading> out;
  if (due_.empty()) forget_older();
  for (const auto& [sensor, first] : std::exchange(due_, {}))
    if (auto reading = compute(sensor, first)) out.push_back(*reading);
  return out;
}

void Inspector::forget_older() {
  for (One& one : sensors_) {
    if (one.kept.size() <= kKept) continue;
    one.kept.erase(one.kept.begin(), one.kept.end() - kKept);
    if (one.kept.capacity() > 4 * kKept) one.kept.shrink_to_fit();
  }
}

// The reading nearest in time, if it is near enough to hold.
const Inspector::Input* Inspector::belonging(std::uint32_t sensor, const quality::Point& to) const {
  const One& one = sensors_[sensor];
  std::int64_t hold = one.rules->interval_ms > 0
                          ? std::max(one.rules->interval_ms * 3 / 2, kLeastHoldMs)
                          : kPushedHoldMs;
  hold *= kNsPerMs;
  const Input* nearest = nullptr;
  for (const Input& input : one.kept) {
    if (input.point.device_time != to.device_time) continue;
    const std::int64_t apart = std::abs(input.point.time_ns - to.time_ns);
    if (apart > hold) continue;
    hold = apart;
    nearest = &input;
  }
  return nearest;
}

std::optional<Reading> Inspector::compute(std::uint32_t sensor, const Input& first) {
  One& one = sensors_[sensor];
  std::vector<quality::Corrector::Input> inputs;
  std::vector<std::int64_t> times;
  for (std::uint32_t from : one.from) {
    const Input* input =
        from == one.from.front() && inputs.empty() ? &first : belonging(from, first.point);
    quality::Corrector::Input in;
    if (input != nullptr) {
      in.point = input->point;
      in.raw = input->raw;
    } else {
      in.point.mark.flag = Flag::missing;
      in.point.mark.reason = Reason::stale;
    }
    times.push_back(in.point.time_ns);
    inputs.push_back(std::move(in));
  }
  const auto result = one.corrector->take(inputs);
  one.made_of.push_back(std::move(times));
  if (one.made_of.size() > kKept) one.made_of.erase(one.made_of.begin());
  Reading out;
  out.sensor = sensor;
  out.boot_ns = first.point.boot_ns;
  if (first.point.device_time) out.unix_ns = first.point.time_ns;
  out.flag = result.mark.flag;
  out.reason = result.mark.reason;
  if (out.flag != Flag::missing) out.raw = Raw::of(result.value);
  return out;
}

std::vector<Reading> Inspector::silent(std::int64_t boot_ns) {
  std::vector<Reading> out;
  for (std::uint32_t i = 0; i < sensors_.size(); ++i) {
    if (!sensors_[i].tests.stale(boot_ns, *sensors_[i].rules)) continue;
    Reading reading;
    reading.sensor = i;
    reading.flag = Flag::missing;
    reading.reason = Reason::stale;
    reading.boot_ns = boot_ns;
    out.push_back(reading);
  }
  return out;
}

void Inspector::replay(const Stored& stored) {
  const One& one = sensors_[stored.sensor];
  const bool missing = stored.point.mark.flag == Flag::missing;
  const auto adds = [](const One& sensor) {
    return sensor.corrector && quality::adds_up(sensor.corrector->formula().kind);
  };
  if (adds(one) && !stored.verdict && !missing)
    one.corrector->replay_computed(stored.point, stored.timed);
  for (std::uint32_t fed : one.feeds) {
    if (!adds(sensors_[fed]) || missing) continue;
    quality::Corrector::Input input;
    input.point = stored.point;
    input.raw = stored.raw;
    if (stored.verdict)
      sensors_[fed].corrector->replay_verdict(stored.point);
    else
      sensors_[fed].corrector->replay_input(input);
  }
}

std::vector<std::pair<std::string, std::string>> Inspector::save() const {
  std::vector<std::pair<std::string, std::string>> out;
  for (const One& one : sensors_)
    if (one.corrector && quality::adds_up(one.corrector->formula().kind))
      out.emplace_back(one.id, one.corrector->save());
  return out;
}

void Inspector::load(std::string_view sensor, std::string_view text,
                     const quality::Corrector::Axis& axis) {
  for (One& one : sensors_)
    if (one.id == sensor && one.corrector) (void)one.corrector->load(text, axis);
}

}  // namespace gerbang::pipeline
