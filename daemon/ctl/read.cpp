// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>
#include <csignal>
#include <cstdio>
#include <map>
#include <memory>
#include <thread>

#include "ctl/commands.hpp"
#include "ctl/json_fields.hpp"
#include "ctl/read_computed.hpp"
#include "ctl/read_lines.hpp"
#include "ctl/running.hpp"
#include "ctl/specs.hpp"
#include "ipc/child.hpp"
#include "source/catalogue.hpp"
#include "source/watch.hpp"

namespace gerbang::ctl {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

volatile std::sig_atomic_t g_interrupted = 0;
void interrupt(int) {
  g_interrupted = 1;
}

// "ok", "timeout", "crc" … as the status document writes them.
std::optional<Reason> reason_by_name(std::string_view text) {
  if (text == "ok") return Reason::none;
  std::string upper(text);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (unsigned number = 1; number < kReasonCount; ++number)
    if (const auto reason = reason_of(number); reason && name(*reason) == upper) return reason;
  return std::nullopt;
}

// What the newest readings of its sensors say, from the list of sensors.
std::vector<SensorFacts> sensors_of(const std::string& driver, const json::value& document) {
  std::vector<SensorFacts> out;
  const json::value* list =
      document.is_object() ? document.as_object().if_contains("sensors") : nullptr;
  if (list == nullptr || !list->is_array()) return out;
  for (const json::value& value : list->as_array()) {
    if (!value.is_object() || text_of(value.as_object(), "driver") != driver) continue;
    const json::value* newest = value.as_object().if_contains("newest");
    if (newest == nullptr || !newest->is_object()) continue;
    const json::object& said = newest->as_object();
    SensorFacts& facts = out.emplace_back();
    facts.id = text_of(value.as_object(), "id");
    facts.flag = flag_of(static_cast<unsigned>(integer_of(said, "flag"))).value_or(facts.flag);
    facts.reason = reason_by_name(text_of(said, "reason")).value_or(Reason::none);
  }
  return out;
}

// One element of "drivers" of the status document, and the list of sensors.
LineFacts facts_of(const json::object& driver, const json::value& sensors,
                   const config::Config& config) {
  LineFacts facts;
  facts.sensors = sensors_of(text_of(driver, "name"), sensors);
  if (std::string said = text_of(driver, "lastError"); !said.empty())
    facts.said.push_back(std::move(said));
  const json::value* name_of_driver = driver.if_contains("name");
  for (const config::Driver& known : config.drivers)
    if (name_of_driver != nullptr && name_of_driver->is_string() &&
        name_of_driver->as_string() == known.name)
      facts.kind = kind_of(known.options);
  const json::value* devices = driver.if_contains("devices");
  if (devices == nullptr || !devices->is_array()) return facts;
  for (const json::value& value : devices->as_array()) {
    const json::value* name = value.is_object() ? value.as_object().if_contains("name") : nullptr;
    const json::value* requests =
        value.is_object() ? value.as_object().if_contains("requests") : nullptr;
    if (name == nullptr || !name->is_string() || requests == nullptr || !requests->is_object())
      continue;
    DeviceCounts counts;
    counts.device = std::string(name->as_string());
    for (const auto& [result, count] : requests->as_object())
      if (const auto reason = reason_by_name(result); reason && count.is_number())
        counts.results[*reason] += count.to_number<std::uint64_t>();
    facts.devices.push_back(std::move(counts));
  }
  return facts;
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
      json::object row = s;
      if (newest.empty()) row["note"] = "the running gateway has no reading of it yet";
      std::puts(json::serialize(row).c_str());
      continue;
    }
    const json::value* v = newest.if_contains("value");
    const json::value* unit = s.if_contains("unit");
    const json::value* age = newest.if_contains("ageMs");
    const json::value* decimals = s.if_contains("decimals");
    const json::value* reason = newest.if_contains("reason");
    if (reason && reason->is_string()) q += " (" + std::string(reason->as_string()) + ")";
    char number[400] = "no value";  // the largest double has 309 digits
    if (v && v->is_number())
      std::snprintf(number, sizeof number, "%.*f",
                    decimals && decimals->is_number() ? decimals->to_number<int>() : 3,
                    v->to_number<double>());
    double seconds = age && age->is_number() ? age->to_number<double>() / 1000 : 0;
    std::printf("%-24s %s %s   %s   %.1f s ago\n", id.c_str(), number,
                unit && unit->is_string() ? unit->as_string().c_str() : "", q.c_str(), seconds);
  }
  return all_good ? kOk : kBad;
}

// What the running gateway counted on its lines, judged in the same way.
void advise_running(const Endpoint& gateway, const config::Config& config, const Common& common) {
  auto status = get_json(gateway, "/api/v1/status");
  auto sensors = get_json(gateway, "/api/v1/sensors");
  if (!status || !status->is_object() || !sensors) return;
  const json::value* drivers = status->as_object().if_contains("drivers");
  if (drivers == nullptr || !drivers->is_array()) return;
  for (const json::value& value : drivers->as_array()) {
    if (!value.is_object()) continue;
    const json::object& driver = value.as_object();
    const LineFacts facts = facts_of(driver, *sensors, config);
    const json::value* name = driver.if_contains("name");
    if (name != nullptr && name->is_string())
      print_advice(std::string(name->as_string()), advise(facts, common.language));
  }
}

int follow_running(const Endpoint& gateway, const config::Config& config, const Common& common,
                   const ReadOptions& options) {
  int code = kOk;
  do {
    code = show_running(gateway, common, options);
    if (code == kUnavailable) return code;
    if (!common.json) advise_running(gateway, config, common);
    std::fflush(stdout);
    for (int i = 0; options.watch && g_interrupted == 0 && i < 10; ++i)
      std::this_thread::sleep_for(100ms);
  } while (options.watch && g_interrupted == 0);
  return code;
}

void show(const Common& common, const std::vector<SensorLine>& lines) {
  for (const SensorLine& line : lines) {
    if (common.json)
      print_json(line);
    else
      print(line);
  }
}

bool good(const std::vector<SensorLine>& lines) {
  return std::all_of(lines.begin(), lines.end(), [](const SensorLine& l) { return l.good(); });
}

// Of a sensor of which nothing came.
Reason why_silent(const Result<source::Done>& done) {
  if (!done || done->status == source::Status::config) return Reason::driver;
  return done->status == source::Status::ok ? Reason::timeout : Reason::no_connection;
}

int read_once(const Common& common, const config::Config& config,
              const std::vector<std::string>& wanted, const std::vector<source::DriverSpec>& specs,
              const std::string& host) {
  bool all_good = true;
  std::vector<SensorLine> all;
  for (const source::DriverSpec& spec : specs) {
    DriverView view(config, spec, true);
    const auto limit = 15s + std::chrono::milliseconds(spec.max_block_ms);
    auto done = source::read_once(host, spec, view.listener(), limit);
    const std::string trouble = done ? done->text : done.error().what;
    const bool news = view.trouble(trouble);
    all_good = all_good && view.all_good();
    // Nobody wants to hear of a line that is well.
    const bool advise_too = !view.all_good();
    const auto silent = view.silent(why_silent(done));
    for (const std::vector<SensorLine>& lines : {view.lines(), silent}) {
      show(common, lines);
      all.insert(all.end(), lines.begin(), lines.end());
    }
    if (advise_too && common.json) view.print_advice_json(common.language);
    if (advise_too && !common.json) view.print_advice(common.language);
    std::fflush(stdout);
    if (news) std::fprintf(stderr, "%s: %s\n", spec.name.c_str(), trouble.c_str());
  }
  const auto computed = computed_lines(config, wanted, all);
  show(common, computed);
  return all_good && good(computed) ? kOk : kBad;
}

int watch(const Common& common, const config::Config& config,
          const std::vector<std::string>& wanted, const std::vector<source::DriverSpec>& specs,
          const std::string& host) {
  std::vector<std::unique_ptr<DriverView>> views;
  std::vector<source::Watched> lines;
  for (const source::DriverSpec& spec : specs) {
    views.push_back(std::make_unique<DriverView>(config, spec, false));
    DriverView* view = views.back().get();
    source::Watched line;
    line.spec = spec;
    line.listener = view->listener();
    line.trouble = [view](const std::string& text) { view->trouble(text); };
    lines.push_back(std::move(line));
  }
  const bool terminal = ::isatty(STDOUT_FILENO) != 0 && !common.json;
  int tenths = 0;
  const auto computed = [&] {
    std::vector<SensorLine> all;
    for (const auto& view : views)
      all.insert(all.end(), view->lines().begin(), view->lines().end());
    return computed_lines(config, wanted, all);
  };
  const auto show_all = [&] {
    if (terminal) std::fputs("\033[H\033[J", stdout);
    if (!common.json) std::printf("-- after %d s; Ctrl-C ends\n", tenths / 10);
    for (const auto& view : views) view->tick();
    for (const auto& view : views)
      common.json ? view->print_json(common.language) : view->print(common.language);
    show(common, computed());
    std::fflush(stdout);
  };
  source::watch(host, lines, [&] {
    if (tenths > 0 && tenths % 10 == 0) show_all();
    ++tenths;
    return g_interrupted == 0;
  });
  const bool all_good =
      std::all_of(views.begin(), views.end(), [](const auto& v) { return v->all_good(); });
  return all_good && good(computed()) ? kOk : kBad;
}

}  // namespace

int read(const Common& common, const ReadOptions& options) {
  auto loaded = load_configuration(common);
  if (!loaded.config) {
    print_mistakes(loaded, common);
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
  auto host = ipc::host_program("gerbang-driver-host");
  if (!host) {
    std::fprintf(stderr, "gerbangctl: %s\n", host.error().what.c_str());
    return kUnavailable;
  }
  if (auto gateway = running_gateway(config))
    return follow_running(*gateway, config, common, options);
  source::Catalogue catalogue(*host);
  const auto wanted = with_inputs(config, options.sensors);
  auto specs = specs_of(config, catalogue, wanted);
  std::erase_if(specs, [](const source::DriverSpec& spec) { return spec.sensors.empty(); });
  return options.watch ? watch(common, config, wanted, specs, *host)
                       : read_once(common, config, wanted, specs, *host);
}

}  // namespace gerbang::ctl
