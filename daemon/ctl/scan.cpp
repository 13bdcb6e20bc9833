// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "config/profiles.hpp"
#include "ctl/by_hand.hpp"
#include "ctl/commands.hpp"
#include "ctl/holder.hpp"
#include "ctl/port.hpp"
#include "ctl/running.hpp"
#include "ctl/scan_profile.hpp"
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

// A sentence for people in their language.
const char* either(const Common& common, const char* ind, const char* eng) {
  return common.language == "ind" ? ind : eng;
}

// Standard error: one line that is written over on a terminal, a line for each tenth elsewhere.
class Progress {
 public:
  void show(const std::string& driver, const source::Progress& now) {
    const int percent = static_cast<int>(now.done * 100);
    if (terminal_) {
      std::fprintf(stderr, "\r\033[K%3d %%  %s: %s", percent, driver.c_str(), now.what.c_str());
      shown_ = true;
    } else if (percent / 10 != tenth_) {
      tenth_ = percent / 10;
      std::fprintf(stderr, "%3d %%  %s: %s\n", percent, driver.c_str(), now.what.c_str());
    }
    std::fflush(stderr);
  }
  // Before anything else is printed.
  void clear() {
    if (shown_) std::fputs("\r\033[K", stderr);
    shown_ = false;
  }
  void restart() { tenth_ = -1; }

 private:
  const bool terminal_ = ::isatty(STDERR_FILENO) != 0;
  bool shown_ = false;
  int tenth_ = -1;
};

struct Findings {
  json::array found, hints;
  std::size_t count = 0;
  std::string left;  // to write below each [[device]]; empty: nothing
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

// Why the line must not be touched; empty: go on.
std::string held(const Common& common, const ScanOptions& options) {
  auto loaded = load_configuration(common);
  const std::int64_t port = options.port.empty() ? 502 : std::atoll(options.port.c_str());
  if (loaded.config) {
    const auto* driver = driver_on(*loaded.config, options.device, options.host, port);
    if (driver != nullptr && running_gateway(*loaded.config))
      return "the running gateway holds this line (driver \"" + driver->name +
             "\"); stop it first (sudo systemctl stop gerbang), or see what it reads with "
             "gerbangctl read";
  }
  if (options.device.empty()) return {};
  const std::string holder = port_holder(options.device);
  if (holder.empty()) return {};
  return options.device + " is held by " + holder +
         "; two programs on one line garble each other: stop that one first";
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
// What is left to write below each [[device]]. Error: a sentence.
Result<std::string> apply_profile(ScanOptions& options, const std::string& language) {
  if (options.profile.empty()) return {};
  auto wrong = [&](const std::string& what) {
    return fail(std::errc::invalid_argument,
                "--profile " + config::in_quotes(options.profile) + ": " + what);
  };
  if (options.target != "modbus")
    return wrong("only for scan modbus; others recognise their devices themselves");
  const auto folder = config::default_data_directory() / "profiles";
  const auto known = config::profile_names(folder);
  if (std::find(known.begin(), known.end(), options.profile) == known.end())
    return wrong("there is none of this name; " + config::no_such_profile(options.profile, known));
  config::Document document;
  config::Diagnostics errors;
  const auto profile = config::read_profile(folder, options.profile, document, errors);
  if (!profile) return wrong("it has mistakes: gerbangctl profiles " + options.profile);
  if (profile->plugin != options.target)
    return wrong("it is of driver " + profile->plugin + ": gerbangctl scan " + profile->plugin);
  const bool serial = !options.device.empty();
  if (options.units.empty())
    options.units = first_of(profile->address.get("unit"), serial ? "1-32" : "1-247");
  if (serial && options.bauds.empty())
    options.bauds = first_of(profile->line.get("baud"), "9600,19200");
  if (serial && options.parities.empty())
    options.parities = first_of(profile->line.get("parity"), "none,even,odd");
  return left_to_write(*profile, language);
}

// One driver's search. The exit code if nothing was found by it.
int search(const Common& common, source::Catalogue& catalogue, const std::string& plugin,
           const ScanOptions& options, Findings& findings) {
  auto path = catalogue.find(plugin);
  auto schema = catalogue.schema(plugin);
  if (!path || !schema)
    return complain((path ? schema.error() : path.error()).what, path ? kUnavailable : kNoInput);
  if (!schema->can_scan) return complain("driver " + plugin + " cannot scan", kUnavailable);
  GivenRules rules;
  rules.extra = texts_of(options);
  auto given = given_options(*schema, pairs_of(options), rules);
  if (!given) return complain(given.error().what, kUsage);

  Progress progress;
  source::Listener listener;
  listener.progress = [&](const source::Progress& now) {
    if (!common.json) progress.show(plugin, now);
  };
  listener.found = [&](source::Found found) {
    progress.clear();
    if (!found.toml.empty()) found.toml += findings.left;
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
  return done->status == source::Status::config ? kUsage : kUnavailable;
}

void conclude(const Common& common, const Findings& findings, bool searched, bool unknown) {
  if (common.json) {
    json::object out{
        {"found", findings.found}, {"hints", findings.hints}, {"complete", g_interrupted == 0}};
    std::puts(json::serialize(out).c_str());
    return;
  }
  for (const json::value& hint : findings.hints)
    std::fprintf(stderr, "%s: %s\n", either(common, "perhatikan", "note"),
                 hint.as_string().c_str());
  if (g_interrupted != 0)
    std::fputs(either(common, "Dihentikan; hanya ini yang ditemukan sampai saat itu.\n",
                      "Stopped; this is what was found until then.\n"),
               stderr);
  if (findings.count == 0) {
    if (!searched) return;  // and it was said why
    std::fputs(
        either(common,
               "Tidak ada yang ditemukan. Periksa catu daya, kabel A dan B, alamat, baud dan "
               "paritas di buku petunjuk alat.\n",
               "Nothing was found. Check the supply, wires A and B, the address, and the "
               "baud rate and parity in the device's manual.\n"),
        stderr);
    return;
  }
  std::string what = std::to_string(findings.count);
  what += either(common, " ditemukan. Tempel ke berkas konfigurasi, lalu: ",
                 " found. Paste it into the configuration, then: ");
  what += "gerbangctl check && gerbangctl read --watch\n";
  if (unknown)
    what += either(common,
                   "Isi besaran, satuan dan skala; untuk alat yang dikenal (gerbangctl profiles) "
                   "ulangi dengan --profile NAMA.\n",
                   "Say what it measures; for a device that is known (gerbangctl profiles) search "
                   "again with --profile NAME, which knows its registers.\n");
  if (!findings.left.empty())
    what +=
        either(common,
               "Sebelum check: isi kunci yang bertanda # di bawah [device.override...]; hanya di "
               "lokasi diketahui.\n",
               "Before check: write the keys marked # below [device.override...]; only the site "
               "knows them.\n");
  std::fputs(what.c_str(), stderr);
}

}  // namespace

int scan(const Common& common, const ScanOptions& given) {
  ScanOptions options = given;
  if (std::string fault = usage_fault(options); !fault.empty()) return complain(fault, kUsage);
  auto left = apply_profile(options, common.language);
  if (!left) return complain(left.error().what, kUsage);
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
  if (std::string why = held(common, options); !why.empty()) return complain(why, kUnavailable);

  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  Findings findings;
  findings.left = std::move(*left);
  int code = kBad;
  for (const std::string& plugin : plugins) {
    // One device that speaks by itself has the wire alone.
    if (g_interrupted != 0 || findings.count > 0) break;
    const int one = search(common, catalogue, plugin, options, findings);
    if (one != kBad) code = one;
  }
  conclude(common, findings, code == kBad, options.target == "modbus" && options.profile.empty());
  return findings.count > 0 ? kOk : code;
}

}  // namespace gerbang::ctl
