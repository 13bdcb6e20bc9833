// SPDX-License-Identifier: Apache-2.0
#include "reader.hpp"

#include <algorithm>
#include <utility>

#include "topic.hpp"

namespace gerbang::mqtt {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kDay = 86'400'000'000'000;
constexpr std::int64_t kClockUnset =
    946'684'800'000'000'000;  // 2000: a device that counts from 1970

std::string at(const std::string& pointer) {
  return pointer.empty() ? "the payload" : pointer;
}

std::string seconds(Time time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

void note(Taken& out, bool warning, const Want& want, const std::string& text) {
  out.notes.push_back({warning, "sensor " + want.id + ": " + text});
}

// The worst that any sensor of a device met is what the exchange was.
void exchanged(Taken& out, const std::string& device, gerbang_reason result) {
  const auto known = std::find_if(out.exchanges.begin(), out.exchanges.end(),
                                  [&](const Exchange& e) { return e.device == device; });
  if (known == out.exchanges.end())
    out.exchanges.push_back({device, result});
  else if (known->result == GERBANG_REASON_NONE)
    known->result = result;
}

Value bytes_of(const Layout& layout, std::string_view text) {
  const auto bytes = base64(text);
  if (!bytes) return refused(GERBANG_REASON_PROTOCOL, "its bytes: " + bytes.error());
  return decode(layout, *bytes);
}

}  // namespace

struct Reader::Opened {
  std::string_view payload;
  tl::expected<boost::json::value, std::string> json;
  std::optional<Uplink> uplink;
};

std::string device_of(const Want& want) {
  return want.dev_eui.empty() ? want.filter : want.dev_eui;
}

Reader::Reader(std::vector<Want> wants, Time now) {
  for (Want& want : wants) {
    auto known = std::find(filters_.begin(), filters_.end(), want.filter);
    if (known == filters_.end()) known = filters_.insert(known, want.filter);
    Sensor sensor;
    sensor.filter = static_cast<std::size_t>(known - filters_.begin());
    sensor.want = std::move(want);
    wait_on(sensor, now);
    sensors_.push_back(std::move(sensor));
  }
  seen_.resize(filters_.size());
}

Taken Reader::take(const Message& message, std::int64_t utc_ns) {
  Taken out;
  // What the broker says is checked: a session that it kept may hold filters of another
  // configuration.
  std::vector<std::size_t> filters;
  for (std::size_t i = 0; i < filters_.size(); ++i) {
    const bool named =
        message.filters.empty() ||
        std::find(message.filters.begin(), message.filters.end(), i) != message.filters.end();
    if (named && matches(filters_[i], message.topic)) filters.push_back(i);
  }
  if (filters.empty()) return out;

  Opened opened{message.payload, tl::unexpected(std::string()), std::nullopt};
  if (message.payload.size() > kMaxPayload)
    opened.json = tl::unexpected("the payload has " + std::to_string(message.payload.size()) +
                                 " bytes, more than " + std::to_string(kMaxPayload));
  else
    opened.json = parse(message.payload);
  if (opened.json) opened.uplink = uplink_of(*opened.json);

  for (std::size_t filter : filters) {
    if (is_duplicate(filter, opened, message.topic)) {
      ++duplicates_;
      continue;
    }
    for (Sensor& sensor : sensors_)
      if (sensor.filter == filter) take_for(sensor, opened, message, utc_ns, out);
  }
  return out;
}

// One event of a device is told once on each of its topics: an "ack" has the uplink's own id.
bool Reader::is_duplicate(std::size_t filter, const Opened& opened, std::string_view topic) {
  if (!opened.uplink) return false;
  const Uplink& up = *opened.uplink;
  const std::string place(topic.substr(std::min(topic.rfind('/'), topic.size())));
  const std::string id =
      up.deduplication_id.empty() ? std::string() : std::string(up.deduplication_id) + place;
  return seen_[filter].seen(id, up.dev_eui + place, up.dev_addr, up.f_cnt,
                            up.data.value_or(std::string_view()));
}

void Reader::take_for(Sensor& sensor, const Opened& opened, const Message& message,
                      std::int64_t utc_ns, Taken& out) {
  const Want& want = sensor.want;
  auto value = value_for(want, opened);
  if (!value) return;
  const std::string device = device_of(want);
  sensor.heard = message.arrived;
  sensor.due = want.silent_after > 0s ? message.arrived + want.silent_after : Time::max();
  if (std::exchange(sensor.silence_told, false)) note(out, false, want, "it is heard again");
  if (*value) {
    if (!std::exchange(sensor.told, {}).empty()) note(out, false, want, "it is understood again");
  } else if (std::exchange(sensor.told, value->error().why) != value->error().why) {
    note(out, true, want, std::string(message.topic) + ": " + value->error().why);
  }
  // A value that the device says it lacks is an answer all the same.
  const bool understood = *value || value->error().reason == GERBANG_REASON_NOT_A_NUMBER;
  exchanged(out, device, understood ? GERBANG_REASON_NONE : value->error().reason);
  const std::int64_t unix_ns = device_time(sensor, opened, utc_ns, out);
  out.outcomes.push_back({want.index, std::move(*value), unix_ns});
}

// Nothing: the message is not for this sensor.
std::optional<Value> Reader::value_for(const Want& want, const Opened& opened) {
  const bool whole_payload = want.dev_eui.empty() && !want.pointer && want.layout;
  if (whole_payload) {
    const auto* first = reinterpret_cast<const std::uint8_t*>(opened.payload.data());
    return decode(*want.layout, {first, opened.payload.size()});
  }
  if (!opened.json) return refused(GERBANG_REASON_PROTOCOL, opened.json.error());

  const boost::json::value* root = &*opened.json;
  if (!want.dev_eui.empty() || want.f_port) {
    if (!opened.uplink) {
      if (want.optional) return std::nullopt;
      return refused(GERBANG_REASON_PROTOCOL,
                     "it is no uplink event of ChirpStack 4: there is no "
                     "deviceInfo.devEui");
    }
    if (!want.dev_eui.empty() && opened.uplink->dev_eui != want.dev_eui) return std::nullopt;
    if (want.f_port && opened.uplink->f_port.value_or(0) != *want.f_port) return std::nullopt;
  }
  if (!want.dev_eui.empty()) {
    if (want.layout) {
      if (opened.uplink->data) return bytes_of(*want.layout, *opened.uplink->data);
      if (want.optional) return std::nullopt;
      return refused(GERBANG_REASON_PROTOCOL, "the uplink carries no data");
    }
    root = opened.uplink->object;
    if (root == nullptr) {
      if (want.optional) return std::nullopt;
      return refused(GERBANG_REASON_PROTOCOL,
                     "the uplink has no decoded object: give the device profile in ChirpStack a "
                     "codec, or read the raw data with bytes = \"…\"");
    }
  }
  const std::string pointer = want.pointer.value_or("");
  const boost::json::value* found = find(*root, pointer);
  if (found == nullptr) {
    if (want.optional) return std::nullopt;
    return refused(GERBANG_REASON_PROTOCOL, "nothing stands at " + at(pointer));
  }
  if (want.layout) {
    if (found->is_string()) return bytes_of(*want.layout, std::string_view(found->get_string()));
    return refused(GERBANG_REASON_PROTOCOL, at(pointer) + " is no text, so no base64 either");
  }
  Value value = number_of(*found, want.text_numbers);
  if (!value) value.error().why = at(pointer) + ": " + value.error().why;
  return value;
}

std::int64_t Reader::device_time(Sensor& sensor, const Opened& opened, std::int64_t utc_ns,
                                 Taken& out) {
  const Want& want = sensor.want;
  if (!opened.json || (!want.time_pointer && want.dev_eui.empty())) return 0;
  const std::string pointer = want.time_pointer.value_or("/time");
  const boost::json::value* found = find(*opened.json, pointer);
  std::string why;
  if (found == nullptr || found->is_null()) {
    if (!want.time_pointer) return 0;  // ChirpStack may leave it away
    why = "no time stands at " + at(pointer);
  } else if (const auto time = time_of(*found); !time) {
    why = pointer + " is no time that can be read";
  } else if (*time > utc_ns + kDay) {
    why = "the device's time is more than a day ahead of the gateway's";
  } else if (*time < kClockUnset) {
    why = "the device's clock is not set";
  } else {
    if (std::exchange(sensor.clock_told, false)) note(out, false, want, "its time is right again");
    return *time;
  }
  if (!std::exchange(sensor.clock_told, true))
    note(out, true, want, why + "; the time of arrival is used");
  return 0;
}

gerbang_reason Reader::reason_of_silence(const Sensor& sensor) const {
  if (away_) return GERBANG_REASON_NO_CONNECTION;
  return refused_.contains(sensor.filter) ? GERBANG_REASON_EXCEPTION : GERBANG_REASON_TIMEOUT;
}

void Reader::wait_on(Sensor& sensor, Time now) {
  sensor.due = sensor.want.silent_after > 0s ? now + sensor.want.silent_after : Time::max();
}

void Reader::broker_there(Time now) {
  away_ = false;
  refused_.clear();
  for (Sensor& sensor : sensors_) wait_on(sensor, now);
}

// Missing is what would have been due: a device that speaks once an hour has lost nothing yet.
void Reader::broker_away(Time now) {
  if (std::exchange(away_, true)) return;
  for (Sensor& sensor : sensors_)
    sensor.due = sensor.heard ? std::max(now, *sensor.heard + sensor.want.interval) : now;
}

void Reader::set_refused(std::size_t filter, bool is_refused, Time now) {
  const bool was = refused_.contains(filter);
  if (is_refused == was) return;
  if (is_refused)
    refused_.insert(filter);
  else
    refused_.erase(filter);
  for (Sensor& sensor : sensors_) {
    if (sensor.filter != filter) continue;
    if (is_refused)
      sensor.due = now;
    else
      wait_on(sensor, now);
  }
}

namespace {

// When a silence that was told is told again.
Time again(const Want& want, Time now) {
  const Time every = want.interval > 0s ? want.interval : want.silent_after;
  return every > 0s ? now + every : Time::max();
}

}  // namespace

Taken Reader::silent(Time now) {
  Taken out;
  for (Sensor& sensor : sensors_) {
    if (sensor.due > now) continue;
    const Want& want = sensor.want;
    sensor.due = again(want, now);
    const gerbang_reason reason = reason_of_silence(sensor);
    const std::string why = "silent";
    out.outcomes.push_back({want.index, refused(reason, why), 0});
    exchanged(out, device_of(want), reason);
    if (reason != GERBANG_REASON_TIMEOUT || std::exchange(sensor.silence_told, true)) continue;
    const std::string what = want.dev_eui.empty() ? "topic " + want.filter
                                                  : "device " + want.dev_eui + " on " + want.filter;
    note(out, true, want,
         "nothing from " + what + " for " + seconds(want.silent_after) +
             (want.interval > 0s
                  ? "; interval says how often the device sends (" + seconds(want.interval) + ")"
                  : "; silent_after allows no longer silence"));
  }
  return out;
}

Time Reader::next_silence() const {
  Time next = Time::max();
  for (const Sensor& sensor : sensors_) next = std::min(next, sensor.due);
  return next;
}

}  // namespace gerbang::mqtt
