// SPDX-License-Identifier: Apache-2.0
#include "ctl/read_lines.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>
#include <utility>

#include "ctl/by_hand.hpp"
#include "quality/mark.hpp"

namespace gerbang::ctl {
namespace {

namespace json = boost::json;

constexpr std::size_t kSaid = 8;
constexpr std::size_t kDevices = 256;
constexpr std::size_t kTicks = 30;
constexpr unsigned kWarning = 2;  // gerbang_log_level

constexpr const char* kAddsUp = "is added up by the running gateway";
constexpr const char* kFromSum = "its input is added up by the running gateway";

// As short as what the device can have said: most decode to 32 bits.
std::string raw_text(const Raw& raw) {
  std::array<char, 32> text;
  const auto narrow = static_cast<float>(raw.number);
  if (!raw.is_integer && static_cast<double>(narrow) == raw.number) {
    const auto end = std::to_chars(text.data(), text.data() + text.size(), narrow).ptr;
    return std::string(text.data(), end);
  }
  const int length = std::snprintf(text.data(), text.size(), "%.10g", raw.value());
  return std::string(text.data(), static_cast<std::size_t>(length));
}

// Decimals of a number in the sensor's unit, as fine as the quantity's.
int decimals_of(const config::Sensor& s) {
  const double slope = std::abs(s.calibration.slope);
  if (slope == 0) return static_cast<int>(s.quantity->decimals);
  const double wanted = std::ceil(s.quantity->decimals + std::log10(slope) - 1e-9);
  return static_cast<int>(std::clamp(wanted, 0.0, 9.0));
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

std::string quality_text(const Reading& reading) {
  std::string out(name(reading.flag));
  std::replace(out.begin(), out.end(), '_', ' ');
  if (reading.reason != Reason::none) out += " (" + std::string(name(reading.reason)) + ")";
  return out;
}

json::object to_json(const SensorLine& line) {
  const config::Sensor& s = *line.sensor;
  json::object o{{"sensor", s.id}};
  if (!line.from.empty()) o["computedFrom"] = json::array(line.from.begin(), line.from.end());
  if (line.adds_up()) {
    o["note"] = kAddsUp;
    return o;
  }
  o["quality"] = name(line.reading.flag);
  if (line.reading.reason != Reason::none)
    o["reason"] = name(line.reading.reason);
  else if (line.reading.flag == Flag::missing)
    o["note"] = kFromSum;  // what was read has a reason
  if (line.reading.flag != Flag::missing && !line.from.empty()) {
    o["value"] = line.value();
    o["unit"] = s.quantity->unit;
  } else if (line.reading.flag != Flag::missing) {
    if (line.reading.raw.is_integer)
      o["raw"] = line.reading.raw.integer;
    else
      o["raw"] = line.reading.raw.number;
    o["inSensorUnit"] = line.in_sensor_unit();
    o["sensorUnit"] = s.unit;
    o["value"] = line.value();
    o["unit"] = s.quantity->unit;
  }
  if (!line.exchange.sent.empty()) o["sent"] = hex(line.exchange.sent);
  if (!line.exchange.received.empty()) o["received"] = hex(line.exchange.received);
  if (line.milliseconds() > 0) o["milliseconds"] = line.milliseconds();
  return o;
}

// What was counted since then; all of it if nothing was.
DeviceCounts since(const DeviceCounts& now, const std::vector<DeviceCounts>& then) {
  const auto old = std::find_if(then.begin(), then.end(),
                                [&](const DeviceCounts& d) { return d.device == now.device; });
  if (old == then.end() || old->total() == now.total()) return now;
  DeviceCounts out = now;
  for (const auto& [reason, times] : old->results) out.results[reason] -= times;
  std::erase_if(out.results, [](const auto& entry) { return entry.second == 0; });
  return out;
}

double mean_ms(const DeviceCounts& counts) {
  const auto good = counts.of(Reason::none);
  return good == 0 ? 0 : static_cast<double>(counts.microseconds) / static_cast<double>(good) / 1e3;
}

}  // namespace

void judge(SensorLine& line) {
  std::optional<quality::Range> range;
  if (line.sensor->range) {
    range.emplace();
    range->low = line.sensor->range->low;
    range->high = line.sensor->range->high;
  }
  quality::Mark said;
  said.flag = line.reading.flag;
  said.reason = line.reading.reason;
  quality::Mark mark = quality::check(said, line.value(), range);
  line.reading.flag = mark.flag;
  line.reading.reason = mark.reason;
}

double SensorLine::in_sensor_unit() const {
  return scaled(reading.raw.value(), sensor->calibration.scale) + sensor->calibration.offset;
}

double SensorLine::milliseconds() const {
  if (exchange.received_ns <= exchange.sent_ns || exchange.sent_ns == 0) return 0;
  return static_cast<double>(exchange.received_ns - exchange.sent_ns) / 1e6;
}

void print(const SensorLine& line) {
  const config::Sensor& s = *line.sensor;
  const auto decimals = static_cast<int>(s.quantity->decimals);
  if (line.adds_up()) {
    std::printf("%-24s %s, from %s\n", s.id.c_str(), kAddsUp, joined(line.from).c_str());
  } else if (line.reading.flag == Flag::missing) {
    std::printf("%-24s no value: %s%s\n", s.id.c_str(), quality_text(line.reading).c_str(),
                line.from.empty() ? "" : (", computed from " + joined(line.from)).c_str());
  } else if (!line.from.empty()) {
    std::printf("%-24s %.*f %s   %s   computed from %s\n", s.id.c_str(), decimals, line.value(),
                s.quantity->unit.c_str(), quality_text(line.reading).c_str(),
                joined(line.from).c_str());
  } else {
    std::printf("%-24s raw %s  =  %.*f %s  =  %.*f %s   %s   %.1f ms\n", s.id.c_str(),
                raw_text(line.reading.raw).c_str(), decimals_of(s), line.in_sensor_unit(),
                s.unit.c_str(), decimals, line.value(), s.quantity->unit.c_str(),
                quality_text(line.reading).c_str(), line.milliseconds());
  }
  if (!line.exchange.sent.empty()) std::printf("  sent      %s\n", hex(line.exchange.sent).c_str());
  if (!line.exchange.received.empty())
    std::printf("  received  %s\n", hex(line.exchange.received).c_str());
}

void print_json(const SensorLine& line) {
  std::puts(json::serialize(to_json(line)).c_str());
}

LineFacts::Kind kind_of(const OptionValues& options) {
  for (const OptionValue& value : options) {
    if (value.name == "host" && !value.text.empty()) return LineFacts::Kind::network;
    if (value.name == "device" && !value.text.empty()) return LineFacts::Kind::serial;
  }
  return LineFacts::Kind::other;
}

DriverView::DriverView(const config::Config& config, const source::DriverSpec& spec,
                       bool keep_value)
    : config_(config), spec_(spec), keep_value_(keep_value) {}

source::Listener DriverView::listener() {
  source::Listener listener;
  listener.trace = [this](const source::Trace& trace) { exchanges_.take(trace); };
  listener.reading = [this](const Reading& reading) {
    SensorLine line;
    line.sensor = &config_.sensors[reading.sensor];
    line.reading = reading;
    if (reading.flag != Flag::missing) judge(line);
    line.exchange = exchanges_.of(reading, line.sensor->address);
    keep(std::move(line));
  };
  listener.heartbeat = [this](const source::Heartbeat& beat) { count(beat); };
  listener.log = [this](const source::LogLine& line) {
    if (line.level < kWarning) return;
    trouble(line.text);
    std::fprintf(stderr, "%s: %s\n", spec_.name.c_str(), line.text.c_str());
  };
  return listener;
}

bool DriverView::trouble(const std::string& text) {
  if (text.empty() || (!said_.empty() && said_.back() == text)) return false;
  const bool news = std::find(said_.begin(), said_.end(), text) == said_.end();
  if (said_.size() == kSaid) said_.erase(said_.begin());
  said_.push_back(text);
  return news;
}

void DriverView::keep(SensorLine line) {
  // In the order of the configuration, whoever answers first.
  const auto known = std::lower_bound(
      lines_.begin(), lines_.end(), line,
      [](const SensorLine& a, const SensorLine& b) { return a.sensor < b.sensor; });
  if (known == lines_.end() || known->sensor != line.sensor)
    lines_.insert(known, std::move(line));
  else if (!keep_value_ || known->reading.flag == Flag::missing)
    *known = std::move(line);
}

void DriverView::count(const source::Heartbeat& beat) {
  for (const source::Exchanges& said : beat.exchanges) {
    auto device = std::find_if(devices_.begin(), devices_.end(),
                               [&](const DeviceCounts& d) { return d.device == said.device; });
    if (device == devices_.end()) {
      if (devices_.size() == kDevices) continue;
      device = devices_.emplace(devices_.end());
      device->device = said.device;
    }
    for (const auto& [reason, times] : said.results) device->results[reason] += times;
    device->microseconds += said.microseconds;
    device->slowest_us = std::max(device->slowest_us, said.slowest_us);
  }
}

std::vector<SensorLine> DriverView::silent(Reason reason) const {
  std::vector<SensorLine> out;
  for (const source::SensorSpec& one : spec_.sensors) {
    SensorLine line;
    line.sensor = &config_.sensors[one.index];
    line.reading.sensor = one.index;
    line.reading.flag = Flag::missing;
    line.reading.reason = reason;
    if (std::none_of(lines_.begin(), lines_.end(),
                     [&](const SensorLine& known) { return known.sensor == line.sensor; }))
      out.push_back(std::move(line));
  }
  return out;
}

bool DriverView::all_good() const {
  return lines_.size() == spec_.sensors.size() &&
         std::all_of(lines_.begin(), lines_.end(), [](const SensorLine& l) { return l.good(); });
}

LineFacts DriverView::facts() const {
  LineFacts facts;
  facts.kind = kind_of(spec_.options);
  facts.said = said_;
  for (const DeviceCounts& device : devices_)
    facts.devices.push_back(earlier_.empty() ? device : since(device, earlier_.front()));
  for (const SensorLine& line : lines_)
    facts.sensors.push_back(
        {line.sensor->id, line.reading.flag, line.reading.reason, line.exchange.device});
  return facts;
}

void DriverView::tick() {
  earlier_.push_back(devices_);
  if (earlier_.size() > kTicks) earlier_.pop_front();
}

void DriverView::print(const std::string& language) const {
  for (const SensorLine& line : lines_) gerbang::ctl::print(line);
  print_advice(language);
}

void DriverView::print_json(const std::string& language) const {
  for (const SensorLine& line : lines_) gerbang::ctl::print_json(line);
  print_advice_json(language);
}

void DriverView::print_advice(const std::string& language) const {
  for (const DeviceCounts& device : devices_) print_counts(device);
  gerbang::ctl::print_advice(spec_.name, advise(facts(), language));
}

void DriverView::print_advice_json(const std::string& language) const {
  json::array devices, texts;
  for (const DeviceCounts& device : devices_) devices.push_back(gerbang::ctl::to_json(device));
  for (const Advice& advice : advise(facts(), language))
    texts.push_back(json::object{{"code", advice.code}, {"text", advice.text}});
  std::puts(json::serialize(json::object{{"driver", spec_.name},
                                         {"devices", std::move(devices)},
                                         {"check", std::move(texts)}})
                .c_str());
}

void print_counts(const DeviceCounts& counts) {
  std::printf("%-24s asked %llu, answered %llu", device_label(counts.device).c_str(),
              static_cast<unsigned long long>(counts.total()),
              static_cast<unsigned long long>(counts.of(Reason::none)));
  for (const auto& [reason, times] : counts.results)
    if (reason != Reason::none && times > 0)
      std::printf(", %s %llu", std::string(name(reason)).c_str(),
                  static_cast<unsigned long long>(times));
  if (counts.of(Reason::none) > 0 && counts.slowest_us > 0)
    std::printf(", mean %.1f ms, slowest %.1f ms", mean_ms(counts), counts.slowest_us / 1e3);
  std::putchar('\n');
}

json::object to_json(const DeviceCounts& counts) {
  json::object results;
  for (const auto& [reason, times] : counts.results)
    results[reason == Reason::none ? "ok" : name(reason)] = times;
  return {{"device", counts.device},
          {"requests", counts.total()},
          {"results", std::move(results)},
          {"meanMs", mean_ms(counts)},
          {"slowestMs", counts.slowest_us / 1e3}};
}

void print_advice(const std::string& driver, const std::vector<Advice>& advice) {
  for (const Advice& one : advice) std::printf("check %s: %s\n", driver.c_str(), one.text.c_str());
}

}  // namespace gerbang::ctl
