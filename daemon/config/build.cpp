// SPDX-License-Identifier: Apache-2.0
#include "config/build.hpp"

#include <algorithm>
#include <boost/url/ipv4_address.hpp>
#include <boost/url/ipv6_address.hpp>
#include <charconv>
#include <cstdlib>
#include <set>

#include "config/lines.hpp"
#include "config/refusal.hpp"
#include "config/secret.hpp"
#include "config/settings.hpp"
#include "config/written.hpp"
#include "config/zone.hpp"

namespace gerbang::config {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;

Milliseconds duration(const Table& table, std::string_view key) {
  const auto value = table.value(key);
  return Milliseconds(value ? value->integer : 0);
}

std::string text_of(const Table& table, std::string_view key) {
  auto value = table.value(key);
  return value ? std::move(value->text) : std::string();
}

// What is wrong with a key of a device is wrong with each of its sensors: it is said once.
void remove_repeated(Diagnostics& errors) {
  std::set<std::string> said;
  std::erase_if(errors, [&](const Diagnostic& error) {
    if (!error.key.starts_with("device[")) return false;
    Diagnostic keyless = error;
    keyless.key.clear();
    return !said.insert(text(keyless)).second;
  });
}

std::optional<std::string> process_environment(const std::string& name) {
  // Read while the process starts or on its main thread; nothing here ever changes the environment.
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// Empty name: not an address.
struct Listen {
  std::string address;
  std::uint16_t port = 0;
  bool loopback = false;
};
std::optional<Listen> parse_listen(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view digits = text.substr(colon + 1);
  Listen out;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    const auto v6 = boost::urls::parse_ipv6_address({host.data(), host.size()});
    if (!v6) return std::nullopt;
    out.loopback = v6->is_loopback();
  } else {
    const auto v4 = boost::urls::parse_ipv4_address({host.data(), host.size()});
    if (!v4) return std::nullopt;
    out.loopback = v4->is_loopback();
  }
  out.address = host;
  return out;
}

}  // namespace

bool Unique::add(const std::string& name, const Place& place, const std::string& key,
                 const std::string& what, Report& report) {
  const auto [first, fresh] = seen_.emplace(name, place);
  if (!fresh)
    report.error(place, key,
                 "a second " + what + " " + in_quotes(name) + ", the first is at " +
                     first->second.file + ":" + std::to_string(first->second.line) + ":" +
                     std::to_string(first->second.column),
                 "give each its own");
  return fresh;
}

std::optional<Secret> secret_of(const Table& table, std::string_view key, const Context& context,
                                Report& report) {
  const auto value = table.given(key);
  if (!value) return std::nullopt;
  const Place at = table.place(key);
  Resolved file = resolve_file(value->text, at.file, context.environment);
  const bool unseen_here = context.by_hand || (context.beside && file.credential);
  if (file.fault && file.no_credentials && unseen_here) {
    report.warning(at, table.key(key), file.fault->what, file.fault->remedy);
    return Secret{value->text, {}, {}};
  }
  FileText secret;
  secret.fault = std::move(file.fault);
  if (!secret.fault) secret = read_secret(file.path);
  if (secret.denied && unseen_here) {
    const Fault unseen = not_looked_at(file.path);
    report.warning(at, table.key(key), unseen.what, unseen.remedy);
    return Secret{value->text, {}, {}};
  }
  if (secret.fault) {
    report.error(at, table.key(key), secret.fault->what, secret.fault->remedy);
    return std::nullopt;
  }
  return Secret{value->text, std::move(file.path), std::move(secret.content)};
}

void build_gateway(const Document& document, Report& report, Config& config) {
  const Table table = section_table(document, "gateway");
  Gateway& out = config.gateway;
  out.id = text_of(table, "id");
  out.region = text_of(table, "region");
  out.site = text_of(table, "site");
  out.site_kind = text_of(table, "site_kind");
  out.language = text_of(table, "language");
  out.timezone = text_of(table, "timezone");
  if (auto zone = out.timezone.empty() ? Result<Zone>(Zone{}) : resolve_zone(out.timezone)) {
    config.zone = std::move(*zone);
  } else {
    const auto [what, remedy] = halves(zone.error().what);
    report.error(table.place("timezone"), table.key("timezone"), what, remedy);
  }
  if (auto value = table.given("latitude")) out.latitude = value->number;
  if (auto value = table.given("longitude")) out.longitude = value->number;
  if (table.has("latitude") != table.has("longitude")) {
    const bool latitude = table.has("latitude");
    report.error(
        table.place(latitude ? "latitude" : "longitude"),
        table.key(latitude ? "latitude" : "longitude"), "half a position",
        std::string("write ") + (latitude ? "longitude" : "latitude") + " too, or neither");
  }
}

void build_windows(const Document& document, Report& report, Config& config) {
  const Table table = section_table(document, "windows");
  config.windows.grace = duration(table, "grace");
  const std::string key = table.key("default");
  const auto shown = [](std::int64_t ms) {
    return "\"" + format_duration(Milliseconds(ms)) + "\"";
  };
  struct Window {
    std::int64_t ms;
    Place place;
  };
  std::vector<Window> windows;  // those that are durations, each with its place
  if (const Node* list = table.node("default")) {
    for (const Node& item : list->items)
      if (const auto ms =
              item.kind == Node::Kind::string ? parse_duration(item.text) : std::nullopt;
          ms && ms->count() > 0 && ms->count() <= kDayMs)
        windows.push_back({ms->count(), document.place(item)});
  } else if (const auto fallback = table.value("default")) {
    for (const std::int64_t ms : fallback->integers) windows.push_back({ms, table.place()});
  }
  constexpr std::size_t kMost = 8;
  if (windows.size() > kMost)
    report.error(windows[kMost].place, key, "more than " + std::to_string(kMost) + " windows",
                 "write fewer");
  std::int64_t before = 0;
  for (const auto& [ms, place] : windows) {
    if (before != 0 && ms <= before)
      report.error(place, key, shown(ms) + " does not come after " + shown(before),
                   "write the windows in ascending order, each once");
    else if (before != 0 && ms % before != 0)
      report.error(
          place, key, shown(before) + " does not divide " + shown(ms),
          "choose windows of which each divides the next, such as \"1m\", \"15m\", \"1h\"");
    else if (kDayMs % ms != 0)
      report.error(place, key, shown(ms) + " does not divide a day",
                   "windows begin at local midnight: choose a length that divides \"1d\"");
    before = std::max(before, ms);
    config.windows.lengths_ms.push_back(ms);
  }
}

namespace {

// The store makes its file, and no folder. A check by hand knows neither the service's state
// directory nor, without its rights, every folder; to a gateway that starts, a folder elsewhere may
// be that of a disk which comes later: it is tried again.
void check_folder(const Table& table, const std::filesystem::path& written,
                  const std::filesystem::path& path, const Context& context, Report& report) {
  std::error_code failure;
  if (std::filesystem::is_directory(path, failure)) {
    const std::string what = in_quotes(written.string()) + " is a folder";
    const std::string remedy =
        "give a file in it: path = " + toml_text((written / "gerbang.db").string());
    return context.store_unused
               ? report.warning(table.place("path"), table.key("path"), what, remedy)
               : report.error(table.place("path"), table.key("path"), what, remedy);
  }
  const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
  const auto status = std::filesystem::status(folder, failure);
  if (std::filesystem::is_directory(status)) return;
  const Place at = table.place("path");
  const std::string key = table.key("path");
  if (context.by_hand && failure == std::errc::permission_denied) {
    const Fault unseen = not_looked_at(folder);
    return report.warning(at, key, unseen.what, unseen.remedy);
  }
  if (context.by_hand && written.is_relative() && !context.environment("STATE_DIRECTORY"))
    return report.warning(at, key,
                          "the folder of " + in_quotes(written.string()) + " was not found",
                          "the service looks for it below its state directory, /var/lib/gerbang");
  const bool missing = status.type() == std::filesystem::file_type::not_found;
  const std::string what = missing ? "the folder " + folder + " does not exist"
                           : failure
                               ? "the folder " + folder + " cannot be used: " + failure.message()
                               : folder + " is not a folder";
  std::string remedy = "the store makes none: install -d -o gerbang -g gerbang " + folder;
  if (written.is_absolute())
    remedy +=
        " and let the service write there (systemctl edit gerbang: [Service] ReadWritePaths=" +
        folder + ")";
  remedy += ", or remove this key";
  if (context.store_unused || (context.starts && written.is_absolute()))
    report.warning(at, key, what, remedy);
  else
    report.error(at, key, what, remedy);
}

}  // namespace

void build_store(const Document& document, const Context& context, Report& report, Config& config) {
  const Table table = section_table(document, "store");
  Store& out = config.store;
  if (auto path = table.value("path")) {
    // systemd may name several folders; the first is ours.
    const std::string state = context.environment("STATE_DIRECTORY").value_or("");
    const auto base = state.empty() ? std::filesystem::path(table.place("path").file).parent_path()
                                    : std::filesystem::path(state.substr(0, state.find(':')));
    out.path = (base / path->text).lexically_normal();
    if (table.has("path")) check_folder(table, path->text, out.path, context, report);
  }
  out.commit_interval = duration(table, "commit_interval");
  out.keep_readings = duration(table, "keep_readings");
  if (auto size = table.value("max_size")) out.max_size = static_cast<std::uint64_t>(size->integer);
  if (auto size = table.value("min_free")) out.min_free = static_cast<std::uint64_t>(size->integer);

  // By window: a Key of its own for each, so that the same code checks and words it.
  const Key* row = find_key("store", "keep_aggregates");
  Key entry = *row;
  entry.type = Type::duration;
  std::map<std::int64_t, Milliseconds> named;
  std::map<std::int64_t, std::string> written;  // as they are called in the file
  Diagnostics ignored;
  const auto fallback = parse_toml("x = " + std::string(row->fallback), "", 0, ignored);
  const bool given = table.has("keep_aggregates");
  const Node* list = given ? table.node("keep_aggregates") : fallback->get("x");
  for (const Member& member : list->members) {
    const std::string key = table.key("keep_aggregates") + "." + toml_text(member.key);
    const auto window = parse_duration(member.key);
    if (!window) {
      report.error(document.place(member), key, in_quotes(member.key) + " is not a window",
                   "write the length of a window, such as \"15m\"");
      continue;
    }
    if (given && !config.windows.lengths_ms.empty() &&
        std::find(config.windows.lengths_ms.begin(), config.windows.lengths_ms.end(),
                  window->count()) == config.windows.lengths_ms.end())
      report.warning(document.place(member), key, "there is no such window in windows.default",
                     "remove it, or add the window");
    const auto [same, fresh] = written.emplace(window->count(), member.key);
    if (!fresh)
      report.error(document.place(member), key,
                   "the same window as " + in_quotes(same->second) + ", which is written already",
                   "keep one of the two");
    entry.name = member.key;
    const auto parsed = parse_value(entry, member.value);
    if (auto fault = std::get_if<Fault>(&parsed))
      report.error(member.value, key, fault->what, fault->remedy);
    else
      named[window->count()] = Milliseconds(std::get<Value>(parsed).integer);
  }
  for (const std::int64_t window : config.windows.lengths_ms) {
    const auto above = named.upper_bound(window);
    out.keep_aggregates[window] =
        above == named.begin() ? out.keep_readings : std::prev(above)->second;
  }
}

void build_http(const Document& document, const Context& context, Report& report, Config& config) {
  const Table table = section_table(document, "http");
  Http& out = config.http;
  if (auto value = table.value("anonymous")) out.anonymous = value->boolean;
  out.token = secret_of(table, "token_file", context, report);
  if (out.token && !out.token->path.empty()) {
    const Place at = table.place("token_file");
    if (auto fault = one_line(out.token->value, out.token->path))
      report.error(at, table.key("token_file"), fault->what, fault->remedy);
    else if (out.token->value.size() < 16)
      report.warning(at, table.key("token_file"), "the token is shorter than 16 characters",
                     "make a better one: openssl rand -hex 16");
  }
  const auto listen = table.value("listen");
  if (!listen) return;
  const auto parsed = parse_listen(listen->text);
  if (!parsed) {
    report.error(table.place("listen"), table.key("listen"),
                 in_quotes(listen->text) + " is not an address and a port",
                 "write one such as \"127.0.0.1:8080\", \"0.0.0.0:8080\" or \"[::1]:8080\"");
    return;
  }
  out.address = parsed->address;
  out.port = parsed->port;
  out.loopback = parsed->loopback;
  if (!out.loopback && !out.anonymous && !table.has("token_file"))
    report.error(
        table.place("listen"), table.key("listen"),
        in_quotes(listen->text) + " can be reached from other machines, and nothing protects it",
        "add token_file = \"…\", or say anonymous = true on purpose, or listen on 127.0.0.1");
}

std::filesystem::path default_data_directory() {
  if (auto folder = process_environment("GERBANG_DATA")) return *folder;
  return GERBANG_DATA_DIRECTORY;
}

Context system_context(std::function<Result<DriverSchema>(const std::string& plugin)> schema) {
  Context out;
  out.schema = std::move(schema);
  out.data = default_data_directory();
  out.environment = process_environment;
  return out;
}

std::string summary(const Config& config) {
  return counted(config.drivers.size(), "driver") + ", " +
         counted(config.sensors.size(), "sensor") + ", " + counted(config.uplinks.size(), "uplink");
}

LoadResult load(const std::filesystem::path& path, const Context& context) {
  LoadResult out;
  Document document = read_document(path, out.errors, out.warnings);
  if (document.complete || !document.root.members.empty()) {
    Report report(document, out.errors, out.warnings);
    Config config;
    check(report);
    build_gateway(document, report, config);
    build_windows(document, report, config);
    build_store(document, context, report, config);
    build_http(document, context, report, config);
    const Table time = section_table(document, "time");
    config.time.hold = duration(time, "hold");
    config.time.trust = text_of(time, "trust") == "rtc" ? TimeTrust::rtc : TimeTrust::ntp;
    if (auto readings = section_table(document, "forward").value("readings"))
      config.forward.readings = readings->boolean;
    build_uplinks(document, context, report, config);
    const auto folder = context.profiles.empty() ? context.data / "profiles" : context.profiles;
    const auto parts = expand_devices(document, folder, report, out.errors, config);
    Sound sound;
    build_drivers(document, context, report, config, sound);
    check_ports(document, report, config);
    const Catalogue catalogue = read_catalogue(context.data, out.errors);
    build_sensors(document, parts, catalogue, report, config, sound);
    build_indicators(document, context, catalogue, report, out.errors, config);
    build_alarms(document, catalogue, context, report, out.errors, config);
    ask_drivers(document, parts, sound, context, report, config);
    config.files = document.names;
    if (out.errors.empty()) {
      config.written = written_keys(document);
      config.hash = hash_of(settings_of(config));
      out.config = std::move(config);
    }
  }
  sort_by_place(out.errors, document.names);
  remove_repeated(out.errors);
  sort_by_place(out.warnings, document.names);
  return out;
}

}  // namespace gerbang::config
