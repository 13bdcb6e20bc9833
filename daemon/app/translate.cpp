// SPDX-License-Identifier: Apache-2.0
#include "app/translate.hpp"

#include "core/text.hpp"

namespace gerbang::app {

store::Options store_options(const config::Config& config) {
  store::Options options;
  options.path = config.store.path;
  options.commit_interval = config.store.commit_interval;
  options.max_size = config.store.max_size;
  options.min_free = config.store.min_free;
  options.keep_readings = config.store.keep_readings;
  options.keep_aggregates = config.store.keep_aggregates;
  options.gap_body = [](const store::Lost& lost) {
    wire::Gap gap;
    gap.lost_stream = lost.stream;
    gap.first = lost.first;
    gap.last = lost.last;
    gap.reason = lost.reason;
    gap.count = lost.count;
    return wire::encode(gap);
  };
  return options;
}

std::vector<store::SeriesSpec> series_of(const config::Config& config) {
  std::vector<store::SeriesSpec> out;
  out.reserve(config.sensors.size());
  for (const config::Sensor& sensor : config.sensors) {
    store::SeriesSpec spec;
    spec.sensor = sensor.id;
    spec.quantity = sensor.quantity->name;
    spec.unit = sensor.quantity->unit;
    spec.formerly = sensor.formerly;
    spec.kind = sensor.quantity->kind;
    spec.calibration = sensor.calibration;
    out.push_back(std::move(spec));
  }
  return out;
}

pipeline::Options pipeline_options(const config::Config& config, const std::string& boot_id) {
  pipeline::Options options;
  options.boot_id = boot_id;
  options.timezone = config.gateway.timezone;
  options.indonesian = config.gateway.language == "ind";
  for (const config::ZoneSpan& span : config.zone) {
    ZoneOffset offset;
    offset.utc_from_ms = span.utc_from_ms;
    offset.offset_s = span.offset_s;
    options.zone.push_back(offset);
  }
  options.windows_ms = config.windows.lengths_ms;
  options.grace = config.windows.grace;
  options.hold = config.time.hold;
  options.trust_rtc = config.time.trust == config::TimeTrust::rtc;
  options.forward_readings = config.forward.readings;
  options.commit_interval = config.store.commit_interval;
  options.keep_readings = config.store.keep_readings;
  options.keep_aggregates = config.store.keep_aggregates;
  options.alarms = alarms_of(config);
  return options;
}

std::vector<pipeline::Sensor> sensors_of(const config::Config& config,
                                         const std::vector<std::int32_t>& numbers) {
  std::vector<pipeline::Sensor> out;
  out.reserve(config.sensors.size());
  for (std::size_t i = 0; i < config.sensors.size(); ++i) {
    const config::Sensor& sensor = config.sensors[i];
    pipeline::Sensor s;
    s.id = sensor.id;
    s.quantity = sensor.quantity;
    s.series = numbers[i];
    s.calibration = sensor.calibration;
    s.rules = sensor.rules;
    s.relations = sensor.relations;
    s.formula = sensor.formula;
    for (std::size_t input : sensor.from) s.from.push_back(static_cast<std::uint32_t>(input));
    s.interval_ms = config::expected_every(sensor);
    s.wrap = sensor.wrap;
    s.count_suspect = sensor.count_suspect;
    out.push_back(std::move(s));
  }
  return out;
}

std::vector<indicator::Plan> indicators_of(const config::Config& config,
                                           const std::vector<std::int32_t>& numbers) {
  std::vector<indicator::Plan> out;
  for (const config::Indicator& one : config.indicators) {
    indicator::Plan plan;
    plan.id = one.id;
    plan.label = one.label;
    plan.standard = one.standard;
    plan.averaging = one.averaging;
    plan.threshold = one.threshold;
    for (const config::Indicator::Input& named : one.inputs) {
      const config::Sensor& sensor = config.sensors[named.sensor];
      indicator::Input input;
      input.quantity = named.quantity;
      input.sensor = sensor.id;
      input.unit = sensor.quantity->unit;
      input.kind = sensor.quantity->kind;
      input.series = numbers[named.sensor];
      input.calibration_due = sensor.calibrated->due;
      input.interval_ms = config::expected_every(sensor);
      plan.inputs.push_back(std::move(input));
    }
    out.push_back(std::move(plan));
  }
  return out;
}

Result<std::vector<source::DriverSpec>> drivers_of(const config::Config& config,
                                                   source::Catalogue& catalogue) {
  std::vector<source::DriverSpec> out;
  for (const config::Driver& driver : config.drivers) {
    auto path = catalogue.find(driver.plugin);
    if (!path) return fail(std::move(path.error()).within("driver " + driver.name));
    source::DriverSpec spec;
    spec.name = driver.name;
    spec.plugin = driver.plugin;
    spec.plugin_path = *path;
    spec.options = driver.options;
    spec.max_block_ms = driver.schema.max_block_ms;
    out.push_back(std::move(spec));
  }
  for (std::size_t i = 0; i < config.sensors.size(); ++i) {
    const config::Sensor& sensor = config.sensors[i];
    if (sensor.driver == config::kNoDriver) continue;
    source::SensorSpec spec;
    spec.index = static_cast<std::uint32_t>(i);
    spec.id = sensor.id;
    spec.interval = sensor.interval;
    spec.address = sensor.address;
    out[sensor.driver].sensors.push_back(std::move(spec));
  }
  return out;
}

std::vector<StoreQueries::Series> queries_of(const config::Config& config,
                                             const std::vector<std::int32_t>& numbers) {
  std::vector<StoreQueries::Series> out;
  for (std::size_t i = 0; i < config.sensors.size(); ++i) {
    const config::Sensor& sensor = config.sensors[i];
    StoreQueries::Series series;
    series.sensor = sensor.id;
    series.quantity = sensor.quantity->name;
    series.unit = sensor.quantity->unit;
    series.kind = sensor.quantity->kind;
    series.number = numbers[i];
    out.push_back(std::move(series));
  }
  return out;
}

http::Options http_options(const config::Config& config, const std::string& control_socket) {
  const config::Http& h = config.http;
  bool ipv6 = h.address.find(':') != std::string::npos;
  http::Options options;
  options.listen = (ipv6 ? "[" + h.address + "]" : h.address) + ":" + std::to_string(h.port);
  options.control = control_socket;
  if (h.token) options.token = h.token->value;
  return options;
}

Boxes boxes_of(const config::Config& config) {
  Boxes out;
  auto add = [](std::map<std::string, std::string>& names, const std::string& name,
                const std::string& id) {
    const auto [known, fresh] = names.emplace(name, id);
    if (!fresh && known->second != id) known->second.clear();  // two have it: it names neither
  };
  for (const config::Sensor& sensor : config.sensors) {
    if (sensor.device.empty()) continue;
    if (sensor.driver == config::kNoDriver) continue;
    auto& names = out[config.drivers[sensor.driver].name];
    add(names, "", sensor.device);
    for (const OptionValue& value : sensor.address) {
      const std::string text = value.text.empty() ? std::to_string(value.integer) : value.text;
      add(names, value.name + "-" + text, sensor.device);
      if (!value.text.empty()) add(names, value.text, sensor.device);
    }
  }
  return out;
}

std::vector<std::shared_ptr<const http::SensorInfo>> sensor_infos(const config::Config& config) {
  std::vector<std::shared_ptr<const http::SensorInfo>> out;
  for (const config::Sensor& sensor : config.sensors) {
    auto info = std::make_shared<http::SensorInfo>();
    info->id = sensor.id;
    if (sensor.driver != config::kNoDriver) info->driver = config.drivers[sensor.driver].name;
    info->calibrated = sensor.calibrated;
    info->correction = sensor.correction;
    for (std::size_t input : sensor.from) info->from.push_back(config.sensors[input].id);
    info->detection_limit = sensor.rules->detection_limit;
    info->device = sensor.device;
    info->profile = sensor.profile;
    info->quantity = sensor.quantity;
    info->label = sensor.label;
    info->interval_ms = config::expected_every(sensor);
    if (sensor.range) {
      info->range_low = sensor.range->low;
      info->range_high = sensor.range->high;
    }
    out.push_back(std::move(info));
  }
  return out;
}

http::GatewayInfo gateway_info(const config::Config& config) {
  const config::Gateway& g = config.gateway;
  http::GatewayInfo info;
  info.id = g.id;
  info.region = g.region;
  info.site = g.site;
  info.site_kind = g.site_kind;
  info.timezone = g.timezone;
  info.language = g.language;
  info.config_hash = config.hash;
  info.latitude = g.latitude;
  info.longitude = g.longitude;
  info.windows_ms = config.windows.lengths_ms;
  for (const config::ZoneSpan& span : config.zone) {
    http::ZoneChange change;
    change.utc_from_ms = span.utc_from_ms;
    change.offset_ms = span.offset_s * std::int64_t{1000};
    change.abbreviation = span.abbreviation;
    info.zone.push_back(std::move(change));
  }
  return info;
}

namespace {

alarm::Severity severity_of(const std::string& text) {
  if (text == "info") return alarm::Severity::info;
  if (text == "high") return alarm::Severity::high;
  if (text == "critical") return alarm::Severity::critical;
  return alarm::Severity::warning;
}

alarm::Statistic statistic_of(const std::string& text) {
  if (text == "minimum") return alarm::Statistic::minimum;
  if (text == "maximum") return alarm::Statistic::maximum;
  if (text == "delta") return alarm::Statistic::delta;
  return alarm::Statistic::mean;
}

}  // namespace

pipeline::AlarmPlan alarms_of(const config::Config& config) {
  pipeline::AlarmPlan out;
  out.flapping.most = config.alarms.flap_count;
  out.flapping.period_ms = config.alarms.flap_period.count();
  out.flapping_text = config.alarms.flapping;
  for (const config::Alarm& alarm : config.alarms.all) {
    alarm::Rule rule;
    rule.id = alarm.id;
    rule.severity = severity_of(alarm.severity);
    rule.watch = alarm.watch;
    if (alarm.sensor) {
      rule.sensor = config.sensors[*alarm.sensor].id;
      rule.unit = config.sensors[*alarm.sensor].quantity->unit;
    }
    rule.source = alarm.source;
    rule.above = alarm.above;
    rule.below = alarm.below;
    rule.inclusive = alarm.inclusive;
    rule.hysteresis = alarm.hysteresis;
    rule.window_ms = alarm.window_ms;
    rule.statistic = statistic_of(alarm.statistic);
    rule.span_ms = alarm.span.count();
    rule.flag = alarm.suspect ? Flag::suspect : Flag::bad;
    rule.categories = alarm.categories;
    rule.hold_ms = alarm.hold.count();
    rule.release_ms = alarm.release.count();
    rule.text = alarm.text;
    rule.advice = alarm.advice;
    out.rules.push_back(std::move(rule));
  }
  return out;
}

std::vector<std::shared_ptr<const http::AlarmInfo>> alarm_infos(const config::Config& config) {
  std::vector<std::shared_ptr<const http::AlarmInfo>> out;
  for (const alarm::Rule& rule : alarms_of(config).rules) {
    auto info = std::make_shared<http::AlarmInfo>();
    info->id = rule.id;
    info->sensor = rule.sensor;
    info->unit = rule.unit;
    info->severity = alarm::name(rule.severity);
    info->rank = static_cast<unsigned>(rule.severity);
    info->text = rule.text;
    info->advice = rule.advice;
    out.push_back(std::move(info));
  }
  return out;
}

wire::GatewayDescription description_of(const config::Config& config) {
  wire::GatewayDescription out;
  out.site_kind = config.gateway.site_kind;
  out.timezone = config.gateway.timezone;
  out.latitude = config.gateway.latitude;
  out.longitude = config.gateway.longitude;
  for (const config::Sensor& sensor : config.sensors) {
    wire::SensorDescription d;
    d.id = sensor.id;
    d.device = sensor.device;
    d.profile = sensor.profile;
    d.calibration_due = sensor.calibrated->due;
    d.quantity = sensor.quantity->name;
    d.domain = sensor.quantity->domain;
    d.unit = sensor.quantity->unit;
    d.decimals = sensor.quantity->decimals;
    d.kind = sensor.quantity->kind;
    d.label = *sensor.label;
    if (const std::int64_t every = config::expected_every(sensor); every > 0) d.interval_ms = every;
    if (sensor.range) {
      d.range_low = sensor.range->low;
      d.range_high = sensor.range->high;
    }
    for (std::int64_t length : config.windows.lengths_ms)
      if (length >= sensor.interval.count())
        d.windows.push_back(format_duration(std::chrono::milliseconds(length)));
    out.sensors.push_back(std::move(d));
  }
  for (const config::Alarm& alarm : config.alarms.all) {
    wire::AlarmDescription d;
    d.id = alarm.id;
    if (alarm.sensor) d.sensor = config.sensors[*alarm.sensor].id;
    d.severity = static_cast<std::uint8_t>(severity_of(alarm.severity));
    d.text = alarm.text;
    out.alarms.push_back(std::move(d));
  }
  for (const config::Indicator& indicator : config.indicators)
    out.indicators.push_back({indicator.id, indicator.standard->id, indicator.label});
  return out;
}

}  // namespace gerbang::app
