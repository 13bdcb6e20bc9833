// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "config/profiles.hpp"
#include "config/quantities.hpp"
#include "ctl/by_hand.hpp"
#include "ctl/commands.hpp"
#include "ctl/holder.hpp"
#include "ctl/port.hpp"
#include "ctl/running.hpp"
#include "ctl/scan_profile.hpp"
#include "ctl/scan_read.hpp"
#include "ctl/scan_text.hpp"
#include "ipc/child.hpp"
#include "source/catalogue.hpp"

namespace gerbang::ctl {
namespace {

namespace json = boost::json;

constexpr unsigned kWarning = 2;  // gerbang_log_level
// Drivers of devices that speak without being asked; each listens at its usual rates.
constexpr const char* kListeners[] = {"particulate", "ranging", "weighbridge"};

volatile std::sig_atomic_t g_interrupted = 0;
void interrupt(int) {
  if (g_interrupted != 0) std::_Exit(130);  // he means it; the host ends with us
  g_interrupted = 1;
}

int complain(const std::string& what, int code) {
  std::fprintf(stderr, "gerbangctl: %s\n", what.c_str());
  return code;
}

// Standard error: one line that is written over on a terminal, a line for each tenth elsewhere.
class Progress {
 public:
  explicit Progress(std::string language) : language_(std::move(language)) {}

  void show(const std::string& driver, const source::Progress& now) {
    const int percent = static_cast<int>(now.done * 100);
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begin_);
    const std::string left = time_left(elapsed, now.done, language_);
    const std::string text = driver + ": " + now.what + (left.empty() ? "" : ", " + left);
    if (terminal_) {
      std::fprintf(stderr, "\r\033[K%3d %%  %s", percent, text.c_str());
      shown_ = true;
    } else if (percent / 10 != tenth_) {
      tenth_ = percent / 10;
      std::fprintf(stderr, "%3d %%  %s\n", percent, text.c_str());
    }
    std::fflush(stderr);
  }
  // Before anything else is printed.
  void clear() {
    if (shown_) std::fputs("\r\033[K", stderr);
    shown_ = false;
  }

 private:
  const std::string language_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  const bool terminal_ = ::isatty(STDERR_FILENO) != 0;
  bool shown_ = false;
  int tenth_ = -1;
};

struct Findings {
  json::array found, read, hints;
  std::size_t count = 0;
  std::string tables;  // what was found, as it can be read at once
};

// Of --profile; without it there is none.
struct Known {
  std::optional<config::Profile> profile;
  std::string left;      // to write below each [[device]]; empty: nothing
  std::string stand_in;  // the same keys with values that let it be read
};

// A note may be long; each of its lines is a comment in what is pasted.
void print_found(const source::Found& found, bool first) {
  if (!first) std::putchar('\n');
  if (!found.note.empty()) std::printf("# %s\n", found.note.c_str());
  std::fputs(found.toml.c_str(), stdout);
  if (!found.toml.ends_with('\n')) std::putchar('\n');
  std::fflush(stdout);
}

// The keys that the command line has options of its own for, as --option pairs.
std::vector<std::string> pairs_of(const ScanOptions& options) {
  std::vector<std::string> pairs = options.options;
  auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) pairs.push_back(std::string(key) + "=" + value);
  };
  add("host", options.host);
  add("port", options.port);
  add("device", options.device);
  add("timeout", !options.timeout.empty()     ? options.timeout
                 : options.target == "modbus" ? "300ms"
                                              : "");
  return pairs;
}

std::vector<OptionValue> texts_of(const ScanOptions& options) {
  std::vector<OptionValue> out;
  auto add = [&](const char* name, const std::string& text) {
    if (text.empty()) return;
    OptionValue value;
    value.name = name;
    value.text = text;
    out.push_back(std::move(value));
  };
  add("units", options.units);
  add("bauds", options.bauds);
  add("parities", options.parities);
  add("profile", options.profile);
  return out;
}

// A line that somebody holds: a serial port must not be touched, and why; a host can be asked by
// several, and what to mind.
struct Held {
  std::string refusal, warning;
};
Held held(const Common& common, const ScanOptions& options) {
  auto loaded = load_configuration(common);
  const std::int64_t port = options.port.empty() ? 502 : std::atoll(options.port.c_str());
  const config::Driver* driver =
      loaded.config ? driver_on(*loaded.config, options.device, options.host, port) : nullptr;
  if (driver != nullptr && !running_gateway(*loaded.config)) driver = nullptr;
  const std::string name = driver != nullptr ? driver->name : "";
  if (options.device.empty()) {
    if (driver == nullptr || options.target != "modbus") return {};
    return {"", shared_host(options.host, name, common.language)};
  }
  const std::string holder = driver != nullptr ? "" : port_holder(options.device);
  if (driver == nullptr && holder.empty()) return {};
  return {busy_port(options.device, name, holder, common.language), ""};
}

std::string usage_fault(const ScanOptions& options) {
  if (options.target == "modbus") {
    if (options.host.empty() == options.device.empty())
      return "give --host HOST for Modbus TCP or --device /dev/… for a serial line";
    if (!options.host.empty() && !(options.bauds.empty() && options.parities.empty()))
      return "--bauds and --parities are of a serial line; on TCP the serial server sets them";
    return {};
  }
  const bool listens = std::find(std::begin(kListeners), std::end(kListeners), options.target) !=
                       std::end(kListeners);
  const bool serial = listens || options.target == "serial" || options.target == "sdi12";
  if (serial && options.device.empty() && options.options.empty())
    return "give --device: the serial port, best by its name in /dev/serial/by-id";
  return {};
}

// With --profile: its driver must be the one that searches; its line and its unit are tried first.
// Error: a sentence.
Result<Known> apply_profile(ScanOptions& options, const std::string& language) {
  if (options.profile.empty()) return Known();
  auto wrong = [&](const std::string& what) {
    return fail(std::errc::invalid_argument,
                "--profile " + config::in_quotes(options.profile) + ": " + what);
  };
  if (options.target != "modbus")
    return wrong("only for scan modbus; others recognise their devices themselves");
  const auto folder = config::default_data_directory() / "profiles";
  const auto names = config::profile_names(folder);
  if (std::find(names.begin(), names.end(), options.profile) == names.end())
    return wrong("there is none of this name; " + config::no_such_profile(options.profile, names));
  config::Document document;
  config::Diagnostics errors;
  auto profile = config::read_profile(folder, options.profile, document, errors);
  if (!profile) return wrong("it has mistakes: gerbangctl profiles " + options.profile);
  if (profile->plugin != options.target)
    return wrong("it is of driver " + profile->plugin + ": gerbangctl scan " + profile->plugin);
  if (profile->channels.empty())
    return wrong(
        "it has no channels: " + (language == "ind" ? profile->note.ind : profile->note.eng) +
        "; search without it, which shows what the registers hold");
  const bool serial = !options.device.empty();
  if (options.units.empty())
    options.units = first_of(profile->address.get("unit"), serial ? "1-32" : "1-247");
  if (serial && options.bauds.empty())
    options.bauds = first_of(profile->line.get("baud"), "9600,19200");
  if (serial && options.parities.empty())
    options.parities = first_of(profile->line.get("parity"), "none,even,odd");
  const auto catalogue = config::read_catalogue(config::default_data_directory(), errors);
  const auto unit_of = [&](const std::string& quantity) {
    const auto* row = catalogue.find(quantity);
    return row != nullptr ? row->quantity->unit : std::string();
  };
  Known known{std::nullopt, left_to_write(*profile, language), stand_in(*profile, unit_of)};
  known.profile = std::move(*profile);
  return known;
}

json::array json_of(const std::vector<Seen>& channels) {
  json::array out;
  for (const Seen& one : channels)
    out.push_back(
        json::object{{"sensor", one.sensor}, {"state", name_of(one.state)}, {"text", one.text}});
  return out;
}

// One driver's search. The exit code if nothing was found by it.
int search(const Common& common, source::Catalogue& catalogue, const std::string& plugin,
           const ScanOptions& options, const Known& known, Findings& findings) {
  auto path = catalogue.find(plugin);
  auto schema = catalogue.schema(plugin);
  if (!path || !schema)
    return complain((path ? schema.error() : path.error()).what, path ? kUnavailable : kNoInput);
  if (!schema->can_scan) return complain("driver " + plugin + " cannot scan", kUnavailable);
  GivenRules rules;
  rules.extra = texts_of(options);
  auto given = given_options(*schema, pairs_of(options), rules);
  if (!given) return complain(given.error().what, kUsage);

  Progress progress(common.language);
  source::Listener listener;
  listener.progress = [&](const source::Progress& now) {
    if (!common.json) progress.show(plugin, now);
  };
  listener.found = [&](source::Found found) {
    progress.clear();
    findings.tables += found.toml + known.stand_in;
    if (!found.toml.empty()) found.toml += known.left;
    if (!common.json) print_found(found, findings.count == 0);
    ++findings.count;
    findings.found.push_back(
        json::object{{"driver", plugin}, {"note", found.note}, {"configuration", found.toml}});
  };
  listener.log = [&](const source::LogLine& line) {
    if (line.level != kWarning) return;
    findings.hints.emplace_back(without_origin(line.text));
  };
  auto done = source::scan(catalogue.host(), *path, given->options, listener,
                           [] { return g_interrupted != 0; });
  progress.clear();
  if (!done) return complain(plugin + ": " + done.error().what, kInternal);
  if (done->status == source::Status::ok) return kBad;
  // It is among the warnings too, if it was one.
  const json::value why(without_origin(done->text));
  auto& hints = findings.hints;
  hints.erase(std::remove(hints.begin(), hints.end(), why), hints.end());
  if (common.json)
    findings.hints.push_back(why);
  else
    std::fprintf(stderr, "gerbangctl: %s: %s\n", plugin.c_str(), why.as_string().c_str());
  if (done->status == source::Status::gone && plugin == "modbus" && !options.host.empty())
    findings.hints.emplace_back(lonely_host(common.language));
  return done->status == source::Status::config ? kUsage : kUnavailable;
}

// What the devices say to their profile, as comments below what can be pasted.
void read_and_show(const Common& common, source::Catalogue& catalogue, const Known& known,
                   Findings& findings) {
  auto seen = read_found(common, catalogue, *known.profile, findings.tables);
  if (!seen) {
    findings.hints.emplace_back("--profile " + known.profile->name + ": " + seen.error().what);
    return;
  }
  for (const auto& [device, channels] : *seen) {
    const std::string shown = comments_of(channels, common.language);
    if (!common.json) std::fputs(("\n" + shown).c_str(), stdout);
    findings.read.push_back(json::object{{"device", device}, {"channels", json_of(channels)}});
    if (const std::string why = doubt(device, known.profile->name, channels, common.language);
        !why.empty())
      findings.hints.emplace_back(why);
  }
  std::fflush(stdout);
}

void conclude(const Common& common, const Findings& findings, bool searched, bool unknown,
              bool left) {
  if (common.json) {
    json::object out{{"found", findings.found},
                     {"read", findings.read},
                     {"hints", findings.hints},
                     {"complete", g_interrupted == 0}};
    std::puts(json::serialize(out).c_str());
    return;
  }
  const bool indonesian = common.language == "ind";
  for (const json::value& hint : findings.hints)
    std::fprintf(stderr, "%s: %s\n", indonesian ? "perhatikan" : "note", hint.as_string().c_str());
  if (g_interrupted != 0)
    std::fputs(indonesian ? "Dihentikan; hanya ini yang ditemukan sampai saat itu.\n"
                          : "Stopped; this is what was found until then.\n",
               stderr);
  if (findings.count == 0 && !searched) return;  // and it was said why
  std::fputs(conclusion({findings.count, unknown, left}, common.language).c_str(), stderr);
}

}  // namespace

int scan(const Common& common, const ScanOptions& given) {
  ScanOptions options = given;
  if (std::string fault = usage_fault(options); !fault.empty()) return complain(fault, kUsage);
  const auto known = apply_profile(options, common.language);
  if (!known) return complain(known.error().what, kUsage);
  auto host = ipc::host_program("gerbang-driver-host");
  if (!host) return complain(host.error().what, kUnavailable);
  source::Catalogue catalogue(*host);
  std::vector<std::string> plugins{options.target};
  if (options.target == "serial") {
    plugins.assign(std::begin(kListeners), std::end(kListeners));
    std::erase_if(plugins, [&](const std::string& name) { return !catalogue.find(name); });
    if (plugins.empty())
      return complain("no driver that listens is installed (particulate, ranging, weighbridge)",
                      kUnavailable);
  }
  if (!options.device.empty())
    if (const PortFault fault = port_fault(options.device); !fault.what.empty())
      return complain("--device: " + fault.what, fault.is_there ? kUnavailable : kNoInput);
  const Held line = held(common, options);
  if (!line.refusal.empty()) return complain(line.refusal, kUnavailable);

  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  Findings findings;
  if (!line.warning.empty() && common.json) findings.hints.emplace_back(line.warning);
  if (!line.warning.empty() && !common.json)
    std::fprintf(stderr, "%s: %s\n", common.language == "ind" ? "perhatikan" : "note",
                 line.warning.c_str());
  int code = kBad;
  for (const std::string& plugin : plugins) {
    // One device that speaks by itself has the wire alone.
    if (g_interrupted != 0 || findings.count > 0) break;
    const int one = search(common, catalogue, plugin, options, *known, findings);
    if (one != kBad) code = one;
  }
  if (known->profile && findings.count > 0 && g_interrupted == 0)
    read_and_show(common, catalogue, *known, findings);
  conclude(common, findings, code == kBad, options.target == "modbus" && !known->profile,
           !known->left.empty());
  return findings.count > 0 ? kOk : code;
}

}  // namespace gerbang::ctl
