// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "config/check.hpp"
#include "core/text.hpp"
#include "ctl/commands.hpp"
#include "ctl/service.hpp"
#include "ctl/version.hpp"

namespace gerbang::ctl {
namespace {

// Options of every command; they may stand before or after its name.
void add_common(CLI::App& app, Common& common) {
  app.add_flag("--json", common.json, "Print JSON, for programs");
  app.add_option("--lang", common.language,
                 "Language of texts for people: ind or eng (default: of the locale). Mistakes and "
                 "what drivers say of themselves are in English")
      ->check(CLI::IsMember({"ind", "eng"}));
  app.add_option("--config", common.config, "Configuration file")
      ->default_str("/etc/gerbang/gerbang.toml");
}

struct Arguments {
  Common common;
  std::string file, driver, profile, duration, format;
  EvaluateOptions evaluate;
  std::string standard, variant;
  ReadOptions read;
  DecodeOptions decode;
  ScanOptions scan;
  StatusOptions status;
  SubscribeOptions subscribe;
  ExportOptions exported;
  MaintenanceOptions maintenance;
};

void declare_check(CLI::App& cli, Arguments& a) {
  auto* check = cli.add_subcommand("check", "Check a configuration and each driver's options");
  check->add_option("FILE", a.file, "Configuration file (default: that of --config)");
  check->footer("Example: gerbangctl check /etc/gerbang/gerbang.toml");
}

void declare_drivers(CLI::App& cli, Arguments& a) {
  auto* drivers = cli.add_subcommand("drivers", "List installed drivers, or explain one");
  drivers->add_option("NAME", a.driver, "A driver: prints its options and address keys");
  drivers->footer("Examples:\n  gerbangctl drivers\n  gerbangctl drivers modbus");
}

void declare_profiles(CLI::App& cli, Arguments& a) {
  auto* profiles = cli.add_subcommand("profiles", "List device profiles, or explain one");
  profiles->add_option("NAME", a.profile, "A profile: prints its channels, registers and source");
  profiles->footer(
      "The letter says how well it is known: A manual or recomputed, B two sources, C one, "
      "M from memory.\nExit: 0, 66 no such profile.\n"
      "Examples:\n  gerbangctl profiles\n  gerbangctl profiles supmea-sup-ldg");
}

void declare_read(CLI::App& cli, Arguments& a) {
  auto* read = cli.add_subcommand(
      "read", "Read the real sensors now: raw bytes, value, quality, milliseconds");
  read->add_option("SENSOR", a.read.sensors, "Sensors to read (default: all)");
  read->add_flag("--watch", a.read.watch, "Go on until Ctrl-C");
  read->footer(
      "While the gateway runs it owns its lines: then this shows what it last read, and says so.\n"
      "Examples:\n  gerbangctl read raw-turbidity\n  gerbangctl read --watch --config test.toml");
}

void declare_decode(CLI::App& cli, Arguments& a) {
  auto* decode = cli.add_subcommand(
      "decode", "Decode captured bytes with a driver's own codec; no device is needed");
  decode->add_option("DRIVER", a.decode.driver, "The driver (gerbangctl drivers lists them)")
      ->required();
  decode->add_option("--hex", a.decode.hex, "The bytes: \"42 4d 00\", \"424d00\", \"0x42,0x4d\"");
  decode->add_option("--text", a.decode.text,
                     "The characters, with \\r \\n \\x02 for those that cannot be typed");
  decode
      ->add_option("--option", a.decode.options,
                   "KEY=VALUE: an option of the driver, a key of a sensor's address, scale or "
                   "offset; may be given again")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  decode->footer(
      "Exit: 0, 64 usage, 65 refused with the reason, 66 no such driver, 69 it has no codec.\n"
      "Examples:\n"
      "  gerbangctl decode modbus --hex \"01 03 04 02 BC 01 16 BA 31\"\n"
      "  gerbangctl decode modbus --hex \"08 04 04 22 6E 41 3F 79 61\" --option type=float32 "
      "--option order=cdab\n"
      "  gerbangctl decode modbus --hex \"01 03 02 02 BC B8 95\" --option scale=0.01\n"
      "  gerbangctl drivers modbus      (the keys that --option knows)");
}

void declare_scan(CLI::App& cli, Arguments& a) {
  auto* scan =
      cli.add_subcommand("scan", "Find devices, reading only; prints configuration ready to paste");
  ScanOptions& o = a.scan;
  scan->add_option("WHAT", o.target,
                   "modbus; serial (devices that speak by themselves); sdi12; iio (what the kernel "
                   "knows); mqtt (what a broker hears); or a driver")
      ->required();
  scan->add_option("--host", o.host, "Modbus TCP: the device or serial server");
  scan->add_option("--port", o.port, "Modbus TCP: its port (default 502)");
  scan->add_option("--device", o.device, "Serial port, such as /dev/ttyUSB0");
  scan->add_option("--units", o.units, "Modbus: units (default 1-247 on TCP, 1-32 on a line)");
  scan->add_option("--bauds", o.bauds, "Serial: rates to try (Modbus: 9600,19200)");
  scan->add_option("--parities", o.parities, "Serial: parities to try (Modbus: none,even,odd)");
  scan->add_option(
      "--profile", o.profile,
      "Modbus: what the devices are (gerbangctl profiles); its rate and unit are tried first");
  scan->add_option(
      "--timeout", o.timeout,
      "How long one answer may take (Modbus: 300ms, after all were asked quickly; longer "
      "for slow devices and serial servers)");
  scan->add_option("--option", o.options, "KEY=VALUE: an option of the driver; may be given again")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  scan->footer(
      "Progress is on standard error, configuration on standard output. Ctrl-C keeps what was "
      "found.\n"
      "A serial port that a running gateway holds is never opened.\n"
      "Exit: 0 found, 1 none, 64 usage, 69 in use or out of reach.\n"
      "Examples:\n"
      "  gerbangctl scan modbus --host 192.0.2.10\n"
      "  gerbangctl scan modbus --device /dev/ttyUSB0 --bauds 9600 --units 1-10 > found.toml\n"
      "  gerbangctl scan modbus --device /dev/ttyUSB0 --profile supmea-sup-ph8\n"
      "  gerbangctl scan serial --device /dev/ttyUSB0\n"
      "  gerbangctl scan sdi12 --device /dev/ttyUSB0");
}

void declare_status(CLI::App& cli, Arguments& a) {
  auto* status = cli.add_subcommand("status", "The gateway's state on one screen");
  status->add_option("--url", a.status.url, "Where it listens (default: from the configuration)");
  status->add_option("--token-file", a.status.token_file, "File with the API token");
  status->footer(
      "Exit: 0 healthy, 1 not, 64 usage, 69 no answer.\nExample: gerbangctl status --url "
      "http://127.0.0.1:8080");
}

void declare_subscribe(CLI::App& cli, Arguments& a) {
  auto* subscribe =
      cli.add_subcommand("subscribe", "Decode a broker's topics live, and audit them");
  SubscribeOptions& o = a.subscribe;
  subscribe->add_option("--url", o.url, "mqtt://HOST:PORT or mqtts://HOST:PORT")
      ->default_str("mqtt://127.0.0.1:1883");
  subscribe->add_option("--root", o.root, "Topic root")->default_str("gerbang/v1");
  subscribe->add_option("--topic", o.topic, "Filter below the root (default #)");
  subscribe->add_flag("--audit", o.audit, "At the end report gaps and duplicates");
  subscribe->add_flag("--quiet", o.quiet, "Do not print messages");
  subscribe->add_option("--for", a.duration, "End after this time, such as 60s (default: Ctrl-C)");
  subscribe->add_option("--username", o.username, "User name at the broker");
  subscribe->add_option("--password-file", o.password_file, "File with the password");
  subscribe->add_option("--ca", o.ca_file, "CA certificates (PEM)");
  subscribe->add_option("--certificate", o.certificate_file, "Client certificate (PEM)");
  subscribe->add_option("--key", o.key_file, "Client key (PEM)");
  subscribe->footer(
      "Exit with --audit: 0 nothing is missing, 1 a gap, 69 no gap and no proof: a gateway was\n"
      "away at the end, the broker did not come back, or nothing was heard.\n"
      "Examples:\n  gerbangctl subscribe --url mqtt://127.0.0.1:1883\n"
      "  gerbangctl subscribe --audit --for 60s --topic '+/+/ipa-1/aggregate/water/#'");
}

void declare_export(CLI::App& cli, Arguments& a) {
  auto* command = cli.add_subcommand("export", "Readings or aggregates as CSV");
  ExportOptions& o = a.exported;
  auto* url = command->add_option("--url", o.url,
                                  "A running gateway: http://HOST:PORT, or its control socket");
  auto* store = command->add_option("--store", o.store,
                                    "The file of a gateway that does not run; it is not changed");
  url->excludes(store);
  command->add_option("--token-file", o.token_file, "File with the API token");
  command->add_option("--sensor", o.sensors, "A sensor; may be given again (default: all)")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--from", o.from, "First time (default: the oldest)");
  command->add_option("--to", o.to, "End, itself not included (default: the newest)");
  command->add_option("--window", o.window, "Aggregates of this length, such as 1h");
  command->add_option("--format", a.format, "csv")->check(CLI::IsMember({"csv"}));
  command->footer(
      "Without --url and --store: the gateway of the configuration while it runs, else its file.\n"
      "Times: 2026-01-31 (a local day), 2026-01-31T12:00:00+08:00, -24h, now, milliseconds.\n"
      "Columns: time_local, time_utc, sensor, value, unit, raw, quality, reason, clock.\n"
      "With --json one JSON object a line. Exit: 0, 64 usage, 66 no such file, 69 no answer or\n"
      "in use, 78 the configuration is not valid.\n"
      "Examples:\n  gerbangctl export --sensor raw-turbidity --from -24h > turbidity.csv\n"
      "  gerbangctl export --url http://10.0.0.7:8080 --window 1h --from 2026-01-01 --to "
      "2026-01-31\n"
      "  gerbangctl export --store /media/card/var/lib/gerbang/gerbang.db > all.csv");
}

void declare_maintenance(CLI::App& cli, Arguments& a) {
  auto* command = cli.add_subcommand(
      "maintenance", "Mark a sensor's readings while people work on it; ends by itself");
  MaintenanceOptions& o = a.maintenance;
  command->add_option("SENSOR", o.sensor, "The sensor's id")->required();
  command->add_option("--for", a.duration, "How long, such as 2h or 30m; 0 ends it")->required();
  command->add_option("--person", o.person, "Who works on it");
  command->add_option("--note", o.note, "What is done");
  command->add_option("--url", o.url, "The control socket (default: of the configuration)");
  command->footer(
      "Readings are kept with the reason MAINTENANCE and count in no mean. Nothing is written to\n"
      "the device. Begin and end are events. Needs the group gerbang. Exit: 0, 64 usage, 65 no\n"
      "such sensor (names the nearest), 69 no answer.\n"
      "Examples:\n  gerbangctl maintenance raw-ph --for 2h --person Sari --note 'buffers 4 and 7'\n"
      "  gerbangctl maintenance raw-ph --for 0");
}

void add_variant(CLI::App& command, std::string& variant) {
  auto* kind = command.add_option("--class", variant, "Class of a river: 1, 2, 3 or 4");
  auto* time = command.add_option("--average", variant, "Averaging time: 1h, 3h, 8h, 24h or 1y");
  kind->excludes(time);
}

void declare_evaluate(CLI::App& cli, Arguments& a) {
  auto* command =
      cli.add_subcommand("evaluate", "What an index or a table of limits says of given values");
  command->add_option("STANDARD", a.evaluate.standard, "Such as ispu or river-class-2")->required();
  command->add_option("VALUES", a.evaluate.values, "QUANTITY=VALUE, or QUANTITY=\"VALUE UNIT\"")
      ->required();
  add_variant(*command, a.evaluate.variant);
  command->footer(
      "Values are means over the standard's averaging time, with a decimal point. QUANTITY=null\n"
      "leaves one out. What a standard judges, and in which units: gerbangctl standards NAME.\n"
      "Exit: 0, 64 usage, 65 cannot be evaluated (says why), 78 a table has a mistake.\n"
      "Examples:\n  gerbangctl evaluate ispu pm2_5=77.44 o3=166.08\n"
      "  gerbangctl evaluate drinking-water free_chlorine=\"0.2 mg/L\" turbidity=2.99\n"
      "  gerbangctl evaluate ip --class 2 bod=6 dissolved_oxygen=2.5 water_temperature=28");
}

void declare_standards(CLI::App& cli, Arguments& a) {
  auto* command = cli.add_subcommand("standards", "List standards, or explain the table of one");
  command->add_option("NAME", a.standard, "A standard: prints its table, source and version");
  add_variant(*command, a.variant);
  command->footer(
      "Tags of confidence: A checked against official data or the primary text, B two independent\n"
      "secondary sources, C one, M from memory and not verified.\n"
      "Examples:\n  gerbangctl standards\n  gerbangctl standards river --class 1");
}

// The word where a command should stand, and the nearest of those that there are; false: it is
// something else that is wrong.
bool explain_command(const CLI::App& cli) {
  if (!cli.get_subcommands().empty()) return false;
  const auto words = cli.remaining();
  const auto word = std::find_if(words.begin(), words.end(),
                                 [](const std::string& w) { return !w.starts_with('-'); });
  if (word == words.end()) return false;
  std::vector<std::string> names;
  for (const CLI::App* command : cli.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  std::fprintf(stderr, "gerbangctl: there is no command %s; %s\n", config::in_quotes(*word).c_str(),
               config::did_you_mean(*word, {names.begin(), names.end()}).c_str());
  return true;
}

int run(CLI::App& cli, Arguments& a) {
  if (cli.got_subcommand("check")) {
    if (!a.file.empty()) a.common.config = a.file;
    return check(a.common);
  }
  if (cli.got_subcommand("drivers")) return drivers(a.common, a.driver);
  if (cli.got_subcommand("profiles")) return profiles(a.common, a.profile);
  if (cli.got_subcommand("read")) return read(a.common, a.read);
  if (cli.got_subcommand("decode")) return decode(a.common, a.decode);
  if (cli.got_subcommand("scan")) return scan(a.common, a.scan);
  if (cli.got_subcommand("status")) return status(a.common, a.status);
  if (cli.got_subcommand("evaluate")) return evaluate(a.common, a.evaluate);
  if (cli.got_subcommand("standards")) return standards(a.common, a.standard, a.variant);
  if (cli.got_subcommand("maintenance")) {
    constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24 * 30);
    auto length = a.duration == "0" ? std::chrono::milliseconds(0) : parse_duration(a.duration);
    if (!length || *length > kLongest) {
      std::fprintf(stderr,
                   "gerbangctl: --for %s: write 2h, 30m or the like, at most 30d; 0 ends it\n",
                   a.duration.c_str());
      return kUsage;
    }
    a.maintenance.duration = *length;
    return maintenance(a.common, a.maintenance);
  }
  if (cli.got_subcommand("export")) return export_data(a.common, a.exported);
  if (!a.duration.empty()) {
    a.subscribe.duration = parse_duration(a.duration);
    if (!a.subscribe.duration) {
      std::fprintf(stderr, "gerbangctl: --for %s: not a duration; write 60s or 5m\n",
                   a.duration.c_str());
      return kUsage;
    }
  }
  return subscribe(a.common, a.subscribe);
}

}  // namespace
}  // namespace gerbang::ctl

int main(int argc, char** argv) {
  using namespace gerbang::ctl;
  CLI::App cli("gerbangctl: the technician's tool for the Gerbang sensor gateway.");
  Arguments arguments;
  arguments.common.language = language_of([](const char* name) { return std::getenv(name); });
  cli.require_subcommand(1);
  cli.fallthrough();
  cli.set_version_flag("--version", std::string("gerbangctl ") + GERBANG_VERSION + " (commit " +
                                        GERBANG_COMMIT + ")");
  add_common(cli, arguments.common);
  declare_check(cli, arguments);
  declare_drivers(cli, arguments);
  declare_profiles(cli, arguments);
  declare_read(cli, arguments);
  declare_decode(cli, arguments);
  declare_scan(cli, arguments);
  declare_status(cli, arguments);
  declare_subscribe(cli, arguments);
  declare_maintenance(cli, arguments);
  declare_export(cli, arguments);
  declare_evaluate(cli, arguments);
  declare_standards(cli, arguments);
  try {
    cli.parse(argc, argv);
    return run(cli, arguments);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() != 0 && explain_command(cli)) return kUsage;
    int code = cli.exit(e);
    return code == 0 ? kOk : kUsage;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "gerbangctl: %s\n", e.what());
    return kInternal;
  }
}
