// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "http/documents.hpp"

namespace gerbang::http {
namespace {

void write_alarm(Json& json, const AlarmNow& alarm) {
  const AlarmInfo& info = *alarm.info;
  const Label& text = alarm.state == "SUPPRESSED" ? alarm.flapping : info.text;
  json.begin_object()
      .member("id", info.id)
      .member_if("sensor", info.sensor)
      .member("severity", info.severity)
      .member("state", alarm.state)
      .member("occurrence", alarm.occurrence)
      .member_if("value", alarm.value)
      .member_if("unit", info.unit)
      .member_if("threshold", alarm.threshold);
  if (alarm.occurrence > 0) json.member("sinceMs", alarm.since_ms);
  if (alarm.cleared_ms > 0) json.member("clearedMs", alarm.cleared_ms);
  json.member("textInd", text.ind)
      .member("textEng", text.eng)
      .member("adviceInd", info.advice.ind)
      .member("adviceEng", info.advice.eng)
      .member("clock", gerbang::name(alarm.clock))
      .end_object();
}

}  // namespace

std::string alarms_document(const Snapshot& now) {
  std::vector<const AlarmNow*> all;
  std::size_t active = 0;
  for (const AlarmNow& alarm : now.alarms) {
    all.push_back(&alarm);
    active += alarm.active() ? 1 : 0;
  }
  std::stable_sort(all.begin(), all.end(), [](const AlarmNow* a, const AlarmNow* b) {
    if (a->active() != b->active()) return a->active();
    if (!a->active()) return false;
    if (a->info->rank != b->info->rank) return a->info->rank > b->info->rank;
    return a->since_ms > b->since_ms;
  });
  Json json;
  json.begin_object().member("nowMs", now.now_ms).member("active", active);
  json.key("alarms").begin_array();
  for (const AlarmNow* alarm : all) write_alarm(json, *alarm);
  json.end_array().end_object();
  return json.take() + "\n";
}

std::string alarm_event(const AlarmNow& alarm) {
  Json json;
  write_alarm(json, alarm);
  return json.take();
}

std::string alarm_digest(const AlarmNow& alarm) {
  return alarm.info->id + " " + alarm.state + " " + std::to_string(alarm.occurrence);
}

}  // namespace gerbang::http
