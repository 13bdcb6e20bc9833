// SPDX-License-Identifier: Apache-2.0
#include "pipeline/alarm_desk.hpp"

#include <algorithm>
#include <iterator>
#include <sstream>
#include <utility>

#include "core/text.hpp"
#include "wire/encode.hpp"

namespace gerbang::pipeline {
namespace {

std::string with_text(std::string pattern, const std::string& text) {
  constexpr std::string_view kPlace = "{text}";
  auto found = pattern.find(kPlace);
  if (found == std::string::npos) return text;
  return pattern.replace(found, kPlace.size(), text);
}

std::string topic_of(const alarm::Rule& rule) {
  return "alarm/" + rule.id;
}

}  // namespace

bool AlarmDesk::start(const std::string& boot_id, const Times& now, const std::string& saved,
                      AlarmPlan plan) {
  boot_id_ = one_word(boot_id);
  anchor_ms_ = now.wall_ms - now.boot_ms;
  // upto, boot id, anchor and shift as they were; then the engine's.
  std::istringstream in(saved);
  std::string word, boot, rest;
  std::int64_t upto = 0, anchor = 0, shift = 0;
  const bool headed = saved.empty() || (in >> word >> upto >> boot >> anchor >> shift &&
                                        word == "upto" && std::getline(in, rest));
  if (headed && !saved.empty()) {
    upto_ = upto;
    replay_shift_ms_ = shift;
    if (boot == boot_id_) anchor_ms_ = anchor;
    rest.assign(std::istreambuf_iterator<char>(in), {});
  }
  flapping_text_ = std::move(plan.flapping_text);
  // What was seen last is not in the future, whatever the clock says.
  alarm::Engine before(plan.flapping);
  before.configure(plan.rules, plan.flapping, moment(now));
  bool whole = headed && (saved.empty() || before.load(rest, moment(now)));
  if (before.newest_at() != INT64_MIN)
    anchor_ms_ = std::max(anchor_ms_, before.newest_at() - now.boot_ms);
  engine_.configure(std::move(plan.rules), plan.flapping, moment(now));
  if (headed && !saved.empty()) (void)engine_.load(rest, moment(now));
  shift_ms_ = anchor_ms_ + now.boot_ms - now.wall_ms;
  started_at_ = moment(now).at;
  if (saved.empty()) replay_shift_ms_ = shift_ms_;
  // What loading itself has changed is to be stored with what it says.
  constexpr std::size_t kUpto = 5;  // "upto "
  if (headed && !saved.empty()) stored_ = saved.substr(saved.find(' ', kUpto) + 1);
  return whole;
}

void AlarmDesk::configure(AlarmPlan plan, const Times& now) {
  flapping_text_ = std::move(plan.flapping_text);
  const auto& old = engine_.rules();
  for (std::size_t i = 0; i < old.size(); ++i) {
    alarm::Engine::Said last = engine_.now(i);
    if (last.state != alarm::Said::raised && last.state != alarm::Said::suppressed) continue;
    auto same = [&](const alarm::Rule& rule) { return rule.id == old[i].id; };
    if (std::any_of(plan.rules.begin(), plan.rules.end(), same)) continue;
    last.state = alarm::Said::cleared;
    last.cleared_ms = now.wall_ms;
    last.clock = now.clock;
    farewells_.push_back({topic_of(old[i]), body_of(last)});
  }
  engine_.configure(std::move(plan.rules), plan.flapping, moment(now));
}

void AlarmDesk::replay(const Sample& sample, std::int32_t series) {
  engine_.on_reading(sample, series, std::min(sample.time_ms + replay_shift_ms_, started_at_));
}

void AlarmDesk::on_reading(const Sample& sample, std::int32_t series, std::int64_t boot_ns,
                           bool device_time) {
  // Nothing was measured after it came: a device that was ahead once would be late for as long.
  const std::int64_t came_at = at(boot_ns);
  engine_.on_reading(sample, series,
                     device_time ? std::min(sample.time_ms + shift_ms_, came_at) : came_at);
}

Label AlarmDesk::text_of(const alarm::Engine::Said& said) const {
  const Label& own = engine_.rules()[said.rule].text;
  if (said.state != alarm::Said::suppressed) return own;
  return Label{with_text(flapping_text_.ind, own.ind), with_text(flapping_text_.eng, own.eng)};
}

std::string AlarmDesk::body_of(const alarm::Engine::Said& said) const {
  const alarm::Rule& rule = engine_.rules()[said.rule];
  wire::Alarm out;
  out.id = rule.id;
  out.sensor = rule.sensor;
  out.severity = static_cast<std::uint8_t>(rule.severity);
  out.state = static_cast<std::uint8_t>(said.state);
  out.occurrence = said.occurrence;
  out.value = said.value;
  out.unit = rule.unit;
  out.threshold = said.threshold;
  out.since_ms = said.since_ms;
  out.cleared_ms = said.cleared_ms;
  out.text = text_of(said);
  out.advice = rule.advice;
  out.clock = said.clock;
  return wire::encode(out);
}

std::vector<AlarmDesk::Message> AlarmDesk::take_said() {
  std::vector<Message> out = std::exchange(farewells_, {});
  for (const alarm::Engine::Said& said : engine_.take_said())
    out.push_back({topic_of(engine_.rules()[said.rule]), body_of(said)});
  return out;
}

std::optional<AlarmDesk::Message> AlarmDesk::standing(std::string_view topic) const {
  for (std::size_t i = 0; i < engine_.rules().size(); ++i) {
    if (topic_of(engine_.rules()[i]) != topic) continue;
    const alarm::Engine::Said now = engine_.now(i);
    if (now.state == alarm::Said::raised || now.state == alarm::Said::suppressed)
      return Message{std::string(topic), body_of(now)};
  }
  return std::nullopt;
}

std::string AlarmDesk::head() const {
  return boot_id_ + " " + std::to_string(anchor_ms_) + " " + std::to_string(shift_ms_) + "\n";
}

std::optional<std::string> AlarmDesk::changed_text() {
  std::string text = head() + engine_.save();
  if (text == stored_) return std::nullopt;
  stored_ = text;
  return "upto " + std::to_string(upto_) + " " + text;
}

}  // namespace gerbang::pipeline
