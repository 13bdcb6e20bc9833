// SPDX-License-Identifier: Apache-2.0
#include "config/settings.hpp"

#include <cstdio>

#include "config/node.hpp"
#include "config/options.hpp"
#include "core/text.hpp"

namespace gerbang::config {
namespace {

std::string shown(const std::string& text) {
  return toml_text(text);
}
std::string shown(const std::filesystem::path& path) {
  return toml_text(path.string());
}
std::string shown(Milliseconds duration) {
  return toml_text(format_duration(duration));
}
std::string shown(bool value) {
  return value ? "true" : "false";
}
std::string shown(double value) {
  return format_number(value);
}
std::string shown(std::uint64_t value) {
  return std::to_string(value);
}

// One table of settings under a prefix.
class Writer {
 public:
  Writer(std::map<std::string, std::string>& out, std::string prefix)
      : out_(out), prefix_(std::move(prefix)) {}

  template <class T>
  void set(const std::string& key, const T& value) {
    out_[prefix_ + "." + key] = shown(value);
  }
  template <class T>
  void set_if(bool given, const std::string& key, const T& value) {
    if (given) set(key, value);
  }
  void set_secret(const std::string& key, const std::optional<Secret>& secret) {
    if (secret) set(key, secret->written);
  }
  void set_options(const std::string& key, const OptionValues& values) {
    for (const OptionValue& value : values)
      out_[prefix_ + "." + key + "." + value.name] = written(value);
  }
  void set_list(const std::string& key, const std::vector<std::string>& values) {
    std::string list;
    for (const std::string& value : values) list += (list.empty() ? "" : ", ") + toml_text(value);
    out_[prefix_ + "." + key] = "[" + list + "]";
  }

 private:
  std::map<std::string, std::string>& out_;
  std::string prefix_;
};

void write(Writer out, const Gateway& g) {
  out.set("id", g.id);
  out.set("region", g.region);
  out.set("site", g.site);
  out.set("site_kind", g.site_kind);
  out.set("timezone", g.timezone);
  out.set("language", g.language);
  out.set_if(g.latitude.has_value(), "latitude", g.latitude.value_or(0));
  out.set_if(g.longitude.has_value(), "longitude", g.longitude.value_or(0));
}

void write(Writer out, const Store& s) {
  out.set("path", s.path);
  out.set("commit_interval", s.commit_interval);
  out.set("max_size", format_size(s.max_size));
  out.set("min_free", format_size(s.min_free));
  out.set("keep_readings", s.keep_readings);
  for (const auto& [window, keep] : s.keep_aggregates)
    out.set("keep_aggregates." + toml_text(format_duration(Milliseconds(window))), keep);
}

void write(Writer out, const Http& h) {
  const bool v6 = h.address.find(':') != std::string::npos;
  out.set("listen", (v6 ? "[" + h.address + "]" : h.address) + ":" + std::to_string(h.port));
  out.set("anonymous", h.anonymous);
  out.set_secret("token_file", h.token);
}

void write(Writer out, const Uplink& u) {
  const bool v6 = u.host.find(':') != std::string::npos;
  out.set("url", (u.tls ? "mqtts://" : "mqtt://") + (v6 ? "[" + u.host + "]" : u.host) + ":" +
                     std::to_string(u.port));
  out.set("format", std::string(u.format == Format::json ? "json" : "protobuf"));
  out.set("root", u.root);
  out.set_list("topics", u.topics);
  out.set("in_flight", std::uint64_t{u.in_flight});
  out.set("backlog_rate", std::uint64_t{u.backlog_rate});
  out.set("mqtt_version", std::string(u.mqtt_version == MqttVersion::v5 ? "5" : "3.1.1"));
  out.set("client_id", u.client_id);
  out.set("username", u.username);
  out.set_secret("password_file", u.password);
  out.set_if(!u.ca_file.empty(), "ca_file", u.ca_file);
  out.set_if(!u.certificate_file.empty(), "certificate_file", u.certificate_file);
  out.set_if(!u.key_file.empty(), "key_file", u.key_file);
}

void write_rules(Writer& out, const quality::Rules& r) {
  auto range = [&](const std::string& key, const std::optional<quality::Range>& one) {
    if (!one) return;
    out.set_if(one->low.has_value(), key + ".low", one->low.value_or(0));
    out.set_if(one->high.has_value(), key + ".high", one->high.value_or(0));
  };
  range("quality.range", r.range);
  range("quality.expected", r.expected);
  out.set_if(r.rate.has_value(), "quality.rate", r.rate.value_or(0));
  if (r.spike) {
    out.set_if(r.spike->suspect.has_value(), "quality.spike.suspect", r.spike->suspect.value_or(0));
    out.set_if(r.spike->bad.has_value(), "quality.spike.bad", r.spike->bad.value_or(0));
  }
  if (r.flat) {
    out.set("quality.flat.tolerance", r.flat->tolerance);
    out.set("quality.flat.suspect", std::uint64_t{r.flat->suspect});
    out.set("quality.flat.bad", std::uint64_t{r.flat->bad});
  }
  out.set_if(r.stale_ms > 0, "quality.stale", Milliseconds(r.stale_ms));
  out.set_if(r.warm_up_ms > 0, "quality.warm_up", Milliseconds(r.warm_up_ms));
  out.set_if(r.detection_limit.has_value(), "quality.detection_limit",
             r.detection_limit.value_or(0));
}

void write_formula(Writer& out, const quality::Formula& f, const std::vector<std::size_t>& from,
                   const std::vector<Sensor>& sensors) {
  out.set("correction.kind", static_cast<std::uint64_t>(f.kind));
  std::vector<std::string> inputs;
  for (std::size_t input : from) inputs.push_back(sensors[input].id);
  out.set_list("correction.from", inputs);
  out.set("correction.coefficient", f.coefficient);
  out.set("correction.molar_mass", f.molar_mass);
  out.set("correction.factor", f.factor);
  out.set_if(f.wrap.has_value(), "correction.wrap", f.wrap.value_or(0));
  out.set_if(f.fastest.has_value(), "correction.fastest", f.fastest.value_or(0));
  out.set("correction.max_gap", Milliseconds(f.max_gap_ms));
  out.set("correction.reverse", f.reverse);
  out.set("correction.period", Milliseconds(f.period_ms));
  out.set("correction.wind", static_cast<std::uint64_t>(f.wind));
  for (std::size_t i = 0; i < f.points.size(); ++i) {
    const std::string key = "correction.points." + std::to_string(i) + ".";
    out.set(key + "from", f.points[i].first);
    out.set(key + "to", f.points[i].second);
  }
}

void write(Writer out, const Sensor& s, const std::string& driver,
           const std::vector<Sensor>& sensors) {
  out.set("driver", driver);
  out.set_if(!s.device.empty(), "device", s.device);
  out.set_if(!s.profile.empty(), "profile", s.profile);
  out.set("quantity", s.quantity->name);
  out.set("quantity_unit", s.quantity->unit);
  out.set("unit", s.unit);
  out.set("label.ind", s.label->ind);
  out.set("label.eng", s.label->eng);
  out.set("interval", s.interval);
  out.set("scale", s.calibration.scale);
  out.set("offset", s.calibration.offset);
  out.set("unit_slope", s.calibration.slope);
  out.set("unit_intercept", s.calibration.intercept);
  if (s.range) {
    out.set_if(s.range->low.has_value(), "range.low", s.range->low.value_or(0));
    out.set_if(s.range->high.has_value(), "range.high", s.range->high.value_or(0));
  }
  out.set_if(s.wrap.has_value(), "wrap", s.wrap.value_or(0));
  out.set_if(s.count_suspect, "count_suspect", s.count_suspect);
  write_rules(out, *s.rules);
  for (const quality::Relation& r : s.relations) {
    const std::string key = "quality.related." + sensors[r.other].id + ".";
    out.set(key + "kind", static_cast<std::uint64_t>(r.kind));
    out.set(key + "tolerance", r.tolerance);
    out.set(key + "low", r.low);
    out.set(key + "high", r.high);
  }
  out.set_if(!s.calibrated->date.empty(), "calibration.date", s.calibrated->date);
  out.set_if(!s.calibrated->due.empty(), "calibration.due", s.calibrated->due);
  out.set_if(!s.calibrated->person.empty(), "calibration.person", s.calibrated->person);
  out.set_if(!s.calibrated->note.empty(), "calibration.note", s.calibrated->note);
  if (s.formula) write_formula(out, *s.formula, s.from, sensors);
  out.set_if(!s.formerly.empty(), "formerly", s.formerly);
  out.set_options("address", s.address);
}

std::string_view watch_name(alarm::Watch watch) {
  switch (watch) {
    case alarm::Watch::reading:
      return "reading";
    case alarm::Watch::window:
      return "window";
    case alarm::Watch::rate:
      return "rate";
    case alarm::Watch::stale:
      return "stale";
    case alarm::Watch::quality:
      return "quality";
    case alarm::Watch::indicator:
      return "indicator";
    case alarm::Watch::condition:
      return "condition";
  }
  return "";
}

void write(Writer out, const Alarm& a, const Config& config) {
  out.set("watches", std::string(watch_name(a.watch)));
  out.set_if(a.sensor.has_value(), "sensor", a.sensor ? config.sensors[*a.sensor].id : "");
  out.set_if(!a.source.empty(), "source", a.source);
  out.set_if(a.above.has_value(), "above", a.above.value_or(0));
  out.set_if(a.below.has_value(), "below", a.below.value_or(0));
  out.set_if(a.inclusive, "inclusive", a.inclusive);
  out.set_if(a.hysteresis != 0, "hysteresis", a.hysteresis);
  out.set_if(a.window_ms != 0, "window", Milliseconds(a.window_ms));
  out.set_if(a.watch == alarm::Watch::window, "statistic", a.statistic);
  out.set_if(a.span.count() != 0, "span", a.span);
  out.set_if(a.watch == alarm::Watch::quality, "flag", std::string(a.suspect ? "suspect" : "bad"));
  if (!a.categories.empty()) out.set_list("categories", a.categories);
  out.set("hold", a.hold);
  out.set_if(a.release.count() != 0, "release", a.release);
  out.set("severity", a.severity);
  out.set("text.ind", a.text.ind);
  out.set("text.eng", a.text.eng);
  out.set("advice.ind", a.advice.ind);
  out.set("advice.eng", a.advice.eng);
}

void write(Writer out, const Indicator& i, const std::vector<Sensor>& sensors) {
  out.set("standard", i.standard->id);
  out.set("standard_version", i.standard->version);
  out.set("label.ind", i.label.ind);
  out.set("label.eng", i.label.eng);
  out.set("window", indicator::text(i.averaging));
  out.set("capture", i.threshold.window);
  out.set("hour_capture", i.threshold.block);
  std::map<std::string, std::vector<std::string>> inputs;
  for (const Indicator::Input& input : i.inputs)
    inputs[input.quantity].push_back(sensors[input.sensor].id);
  for (const auto& [quantity, ids] : inputs) out.set_list("inputs." + quantity, ids);
  for (const indicator::Limit& limit : i.standard->limits)
    if (limit.low && i.standard->method == indicator::Method::hours_outside)
      out.set("low." + limit.quantity, *limit.low);
  std::map<std::string, std::vector<std::string>> levels;
  for (const indicator::Level& level : i.standard->levels)
    levels[level.quantity].push_back(format_number(level.bound));
  for (const auto& [quantity, bounds] : levels) out.set_list("levels." + quantity, bounds);
}

}  // namespace

std::map<std::string, std::string> settings_of(const Config& config) {
  std::map<std::string, std::string> out;
  write(Writer(out, "gateway"), config.gateway);
  write(Writer(out, "store"), config.store);
  write(Writer(out, "http"), config.http);
  Writer windows(out, "windows");
  std::vector<std::string> lengths;
  for (const std::int64_t ms : config.windows.lengths_ms)
    lengths.push_back(format_duration(Milliseconds(ms)));
  windows.set_list("default", lengths);
  windows.set("grace", config.windows.grace);
  Writer time(out, "time");
  time.set("hold", config.time.hold);
  time.set("trust", std::string(config.time.trust == TimeTrust::rtc ? "rtc" : "ntp"));
  Writer(out, "forward").set("readings", config.forward.readings);
  for (const Uplink& uplink : config.uplinks)
    write(Writer(out, "uplink[" + uplink.name + "]"), uplink);
  for (const Driver& driver : config.drivers) {
    Writer writer(out, "driver[" + driver.name + "]");
    writer.set("plugin", driver.plugin);
    writer.set("interval", driver.interval);
    writer.set_options("options", driver.options);
  }
  for (const Sensor& sensor : config.sensors)
    write(Writer(out, "sensor[" + sensor.id + "]"), sensor,
          sensor.driver == kNoDriver ? std::string() : config.drivers[sensor.driver].name,
          config.sensors);
  Writer alarms(out, "alarms");
  alarms.set("flap_count", std::uint64_t{config.alarms.flap_count});
  alarms.set("flap_period", config.alarms.flap_period);
  alarms.set("built_in", config.alarms.built_in);
  if (!config.alarms.off.empty()) alarms.set_list("off", config.alarms.off);
  // Those built in follow from the drivers and uplinks.
  for (const Alarm& alarm : config.alarms.all)
    if (!alarm.built_in) write(Writer(out, "alarm[" + alarm.id + "]"), alarm, config);
  for (const Indicator& one : config.indicators)
    write(Writer(out, "indicator[" + one.id + "]"), one, config.sensors);
  return out;
}

std::string hash_of(const std::map<std::string, std::string>& settings) {
  std::uint64_t hash = 14695981039346656037ull;
  auto add = [&](const std::string& text) {
    for (char c : text + "\n") hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  };
  for (const auto& [key, value] : settings) {
    add(key);
    add(value);
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

}  // namespace gerbang::config
