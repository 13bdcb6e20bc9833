// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/json.hpp>
#include <csignal>
#include <cstdio>
#include <map>
#include <thread>

#include "ctl/commands.hpp"
#include "ctl/running.hpp"
#include "ipc/child.hpp"
#include "quality/range.hpp"
#include "source/catalogue.hpp"
#include "source/once.hpp"

namespace gerbang::ctl {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

volatile std::sig_atomic_t g_interrupted = 0;
void interrupt(int) {
  g_interrupted = 1;
}

std::string hex(const std::string& bytes) {
  std::string out;
  char two[4];
  for (unsigned char c : bytes) {
    std::snprintf(two, sizeof two, "%02x ", c);
    out += two;
  }
  if (!out.empty()) out.pop_back();
  return out;
}

// What passed on the line for one request: the newest one is what the next readings were made of.
struct Exchange {
  std::string device, sent, received;
  std::int64_t sent_ns = 0, received_ns = 0;
};

struct Line {
  const config::Sensor* sensor = nullptr;
  Reading reading;
  Exchange exchange;

  bool good() const { return reading.flag == Flag::good || reading.flag == Flag::not_evaluated; }
  double in_sensor_unit() const {
    return reading.raw.value() * sensor->calibration.scale + sensor->calibration.offset;
  }
  double value() const { return sensor->calibration.apply(reading.raw.value()); }
  double milliseconds() const {
    if (exchange.received_ns <= exchange.sent_ns || exchange.sent_ns == 0) return 0;
    return static_cast<double>(exchange.received_ns - exchange.sent_ns) / 1e6;
  }
};

std::string quality_text(const Reading& reading) {
  std::string out(name(reading.flag));
  std::replace(out.begin(), out.end(), '_', ' ');
  if (reading.reason != Reason::none) out += " (" + std::string(name(reading.reason)) + ")";
  return out;
}

void print(const Line& line) {
  const config::Sensor& s = *line.sensor;
  if (line.reading.flag == Flag::missing) {
    std::printf("%-24s no value: %s\n", s.id.c_str(), quality_text(line.reading).c_str());
  } else {
    std::printf("%-24s raw %.10g  =  %.10g %s  =  %.*f %s   %s   %.1f ms\n", s.id.c_str(),
                line.reading.raw.value(), line.in_sensor_unit(), s.unit.c_str(),
                static_cast<int>(s.quantity.decimals), line.value(), s.quantity.unit.c_str(),
                quality_text(line.reading).c_str(), line.milliseconds());
  }
  if (!line.exchange.sent.empty()) std::printf("  sent      %s\n", hex(line.exchange.sent).c_str());
  if (!line.exchange.received.empty())
    std::printf("  received  %s\n", hex(line.exchange.received).c_str());
}

json::object to_json(const Line& line) {
  const config::Sensor& s = *line.sensor;
  json::object o{{"sensor", s.id}, {"quality", name(line.reading.flag)}};
  if (line.reading.reason != Reason::none) o["reason"] = name(line.reading.reason);
  if (line.reading.flag != Flag::missing) {
    if (line.reading.raw.is_integer)
      o["raw"] = line.reading.raw.integer;
    else
      o["raw"] = line.reading.raw.number;
    o["inSensorUnit"] = line.in_sensor_unit();
    o["sensorUnit"] = s.unit;
    o["value"] = line.value();
    o["unit"] = s.quantity.unit;
  }
  if (!line.exchange.sent.empty()) o["sent"] = hex(line.exchange.sent);
  if (!line.exchange.received.empty()) o["received"] = hex(line.exchange.received);
  if (line.milliseconds() > 0) o["milliseconds"] = line.milliseconds();
  return o;
}

// The same range test as the gateway's.
void judge(Line& line) {
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

// One pass over the wanted sensors of one driver. A fast sensor is read again while the others are
// waited for: one line is enough, and a value is worth more than its absence before it.
struct Pass {
  std::vector<Line> lines;
  std::string trouble;

  void keep(Line line) {
    auto same = [&](const Line& other) { return other.sensor == line.sensor; };
    auto known = std::find_if(lines.begin(), lines.end(), same);
    if (known == lines.end())
      lines.push_back(std::move(line));
    else if (known->reading.flag == Flag::missing)
      *known = std::move(line);
  }
};

Pass read_driver(const config::Config& config, const source::DriverSpec& spec,
                 const std::string& host) {
  Pass pass;
  Exchange now;
  source::Listener listener;
  listener.trace = [&](const source::Trace& trace) {
    if (trace.sent) {
      now = Exchange();
      now.device = trace.device;
      now.sent = trace.data;
      now.sent_ns = trace.boot_ns;
    } else {
      now.received += trace.data;
      now.received_ns = trace.boot_ns;
    }
  };
  listener.reading = [&](const Reading& reading) {
    Line line;
    line.sensor = &config.sensors[reading.sensor];
    line.reading = reading;
    if (reading.flag != Flag::missing) judge(line);
    line.exchange = now;
    pass.keep(std::move(line));
  };
  listener.log = [&](const source::LogLine& line) {
    if (line.level >= 2) std::fprintf(stderr, "%s: %s\n", spec.name.c_str(), line.text.c_str());
  };
  auto limit = 15s + std::chrono::milliseconds(spec.max_block_ms);
  auto done = source::read_once(host, spec, listener, limit);
  if (!done)
    pass.trouble = done.error().what;
  else
    pass.trouble = done->text;
  return pass;
}

std::vector<source::DriverSpec> wanted_drivers(const config::Config& config,
                                               source::Catalogue& catalogue,
                                               const std::vector<std::string>& wanted) {
  std::vector<source::DriverSpec> specs(config.drivers.size());
  for (std::size_t i = 0; i < config.sensors.size(); ++i) {
    const config::Sensor& sensor = config.sensors[i];
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), sensor.id) == wanted.end())
      continue;
    source::SensorSpec one;
    one.index = static_cast<std::uint32_t>(i);
    one.id = sensor.id;
    one.interval = sensor.interval;
    one.address = sensor.address;
    specs[sensor.driver].sensors.push_back(std::move(one));
  }
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const config::Driver& driver = config.drivers[i];
    specs[i].name = driver.name;
    specs[i].plugin = driver.plugin;
    specs[i].plugin_path = catalogue.find(driver.plugin).value_or("");
    specs[i].options = driver.options;
    specs[i].max_block_ms = driver.schema.max_block_ms;
  }
  std::erase_if(specs, [](const source::DriverSpec& spec) { return spec.sensors.empty(); });
  return specs;
}

// The daemon holds the lines: what it last read, and a word that it is so.
int show_running(const Endpoint& gateway, const Common& common, const ReadOptions& options) {
  auto sensors = get_json(gateway, "/api/v1/sensors");
  if (!sensors || !sensors->is_object() || !sensors->as_object().contains("sensors")) {
    std::fprintf(stderr, "gerbangctl: %s\n",
                 sensors ? "the running gateway gave no sensors" : sensors.error().what.c_str());
    return kUnavailable;
  }
  if (!common.json)
    std::printf("The running gateway (%s) holds the lines; this is what it last read.\n",
                gateway.url.c_str());
  bool all_good = true;
  for (const json::value& value : sensors->as_object()["sensors"].as_array()) {
    const json::object& s = value.as_object();
    std::string id(s.at("id").as_string());
    if (!options.sensors.empty() &&
        std::find(options.sensors.begin(), options.sensors.end(), id) == options.sensors.end())
      continue;
    json::object newest;
    if (const json::value* n = s.if_contains("newest"); n && n->is_object())
      newest = n->as_object();
    const json::value* quality = newest.if_contains("quality");
    std::string q = quality && quality->is_string() ? std::string(quality->as_string()) : "missing";
    all_good = all_good && (q == "good" || q == "not_evaluated");
    if (common.json) {
      std::puts(json::serialize(s).c_str());
      continue;
    }
    const json::value* v = newest.if_contains("value");
    const json::value* unit = s.if_contains("unit");
    const json::value* age = newest.if_contains("ageMs");
    char number[40] = "no value";
    if (v && v->is_number()) std::snprintf(number, sizeof number, "%.10g", v->to_number<double>());
    double seconds = age && age->is_number() ? age->to_number<double>() / 1000 : 0;
    std::printf("%-24s %s %s   %s   %.1f s ago\n", id.c_str(), number,
                unit && unit->is_string() ? unit->as_string().c_str() : "", q.c_str(), seconds);
  }
  return all_good ? kOk : kBad;
}

}  // namespace

int read(const Common& common, const ReadOptions& options) {
  auto loaded = load_configuration(common);
  if (!loaded.config) {
    print_mistakes(loaded, common.json);
    return kConfig;
  }
  const config::Config& config = *loaded.config;
  for (const std::string& id : options.sensors) {
    auto known = [&](const config::Sensor& s) { return s.id == id; };
    if (std::none_of(config.sensors.begin(), config.sensors.end(), known)) {
      std::fprintf(stderr, "gerbangctl: no sensor \"%s\" in %s\n", id.c_str(),
                   common.config.c_str());
      return kUsage;
    }
  }
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  bool all_good = true;
  auto host = ipc::host_program("gerbang-driver-host");
  if (!host) {
    std::fprintf(stderr, "gerbangctl: %s\n", host.error().what.c_str());
    return kUnavailable;
  }
  source::Catalogue catalogue(*host);
  auto specs = wanted_drivers(config, catalogue, options.sensors);
  do {
    if (auto gateway = running_gateway(config)) {
      int code = show_running(*gateway, common, options);
      if (code == kUnavailable) return code;
      all_good = all_good && code == kOk;
    } else {
      for (const source::DriverSpec& spec : specs) {
        Pass pass = read_driver(config, spec, *host);
        for (const Line& line : pass.lines) {
          all_good = all_good && line.good();
          if (common.json)
            std::puts(json::serialize(to_json(line)).c_str());
          else
            print(line);
        }
        if (!pass.trouble.empty())
          std::fprintf(stderr, "%s: %s\n", spec.name.c_str(), pass.trouble.c_str());
        if (pass.lines.size() < spec.sensors.size()) all_good = false;
      }
    }
    std::fflush(stdout);
    for (int i = 0; options.watch && g_interrupted == 0 && i < 10; ++i)
      std::this_thread::sleep_for(100ms);
  } while (options.watch && g_interrupted == 0);
  return all_good ? kOk : kBad;
}

}  // namespace gerbang::ctl
