// SPDX-License-Identifier: Apache-2.0
//
// Readings or aggregates as CSV: through the daemon while it runs, from its file when it does not.
#include <unistd.h>

#include <boost/json.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <thread>

#include "config/zone.hpp"
#include "core/clock.hpp"
#include "core/text.hpp"
#include "ctl/commands.hpp"
#include "ctl/export_rows.hpp"
#include "ctl/running.hpp"
#include "store/archive.hpp"

namespace gerbang::ctl {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::size_t kPage = 10'000;                  // rows asked for at once: the API's most
constexpr std::int64_t kLastMs = 253'402'300'799'999;  // 9999-12-31, the API's end of time
constexpr int kTries = 30;                             // of a gateway that is busy
constexpr auto kAnswer = 60s;

volatile std::sig_atomic_t g_interrupted = 0;
void interrupt(int) {
  g_interrupted = 1;
}

int failed(const Error& error, int code) {
  std::fprintf(stderr, "gerbangctl: %s\n", error.what.c_str());
  return code;
}

// What the options say, once the zone is known.
struct Range {
  std::int64_t from_ms = 0, to_ms = kLastMs;
};
Result<Range> range_of(const ExportOptions& options, const Zone& zone) {
  Range out;
  std::int64_t now = unix_ms(SystemClock().wall());
  auto parse = [&](const std::string& text, Bound bound, std::int64_t& to) {
    if (text.empty()) return true;
    auto time = parse_time(text, bound, now, zone);
    if (time) to = *time;
    return time.has_value();
  };
  for (bool from : {true, false}) {
    const std::string& text = from ? options.from : options.to;
    if (!parse(text, from ? Bound::from : Bound::to, from ? out.from_ms : out.to_ms))
      return fail(std::errc::invalid_argument,
                  std::string(from ? "--from " : "--to ") + text +
                      ": not a time; write 2026-01-31T12:00:00+08:00, a day 2026-01-31, -24h or "
                      "milliseconds");
  }
  if (out.from_ms > out.to_ms)
    return fail(std::errc::invalid_argument, "--from is later than --to; exchange them");
  return out;
}

Zone zone_named(const std::string& name) {
  Zone out;
  auto zone = config::resolve_zone(name);
  if (!zone) {
    std::fprintf(stderr, "gerbangctl: local times are UTC: %s\n", zone.error().what.c_str());
    return out;
  }
  for (const config::ZoneSpan& span : *zone) {
    ZoneChange change;
    change.utc_from_ms = span.utc_from_ms;
    change.offset_ms = std::int64_t{span.offset_s} * 1000;
    change.abbreviation = span.abbreviation;
    out.push_back(std::move(change));
  }
  return out;
}

// Rows to standard output; progress to standard error, for a person who waits.
class Output {
 public:
  Output(RowKind kind, bool as_json) : names_(columns(kind)), json_(as_json) {
    if (!json_) append_csv(text_, names_);
  }

  void add(const Row& row) {
    if (json_)
      append_json(text_, names_, row);
    else
      append_csv(text_, row);
    ++rows_;
    reached_ = row[0].text;
    if (text_.size() >= 1u << 16) flush();
  }
  void tell() {
    if (!person_ || std::chrono::steady_clock::now() - told_ < 500ms) return;
    told_ = std::chrono::steady_clock::now();
    std::fprintf(stderr, "\r%llu rows, up to %s ", static_cast<unsigned long long>(rows_),
                 reached_.c_str());
    shown_ = true;
  }
  void copied(std::uint64_t bytes) {
    if (!person_ || std::chrono::steady_clock::now() - told_ < 500ms) return;
    told_ = std::chrono::steady_clock::now();
    std::fprintf(stderr, "\rcopying the store: %llu MiB ",
                 static_cast<unsigned long long>(bytes >> 20));
    shown_ = true;
  }
  // False: nobody takes it, or there is no room.
  bool flush() {
    good_ = good_ && std::fwrite(text_.data(), 1, text_.size(), stdout) == text_.size() &&
            std::fflush(stdout) == 0;
    text_.clear();
    return good_;
  }
  bool good() const { return good_ && g_interrupted == 0; }
  int end() {
    bool written = flush();
    if (shown_)
      std::fprintf(stderr, "\r%llu rows            \n", static_cast<unsigned long long>(rows_));
    if (g_interrupted != 0) return kBad;
    if (written) return kOk;
    std::fprintf(stderr, "gerbangctl: the output cannot be written\n");
    return kIo;
  }

 private:
  std::vector<std::string_view> names_;
  bool json_, person_ = ::isatty(2) == 1, shown_ = false, good_ = true;
  std::string text_, reached_;
  std::uint64_t rows_ = 0;
  std::chrono::steady_clock::time_point told_ = std::chrono::steady_clock::now();
};

// ---- through the daemon -------------------------------------------------------------------------

struct Refusal {
  int code = kUnavailable;
  std::string what;
};

std::string sentence_of(const HttpAnswer& answer) {
  boost::system::error_code error;
  json::value problem = json::parse(answer.body, error);
  if (!error && problem.is_object())
    if (const json::value* detail = problem.as_object().if_contains("detail");
        detail != nullptr && detail->is_string())
      return std::string(detail->as_string());
  return "answered " + std::to_string(answer.status);
}

// The body, or why there is none. A gateway that is busy is asked again.
std::optional<std::string> fetch(const Endpoint& gateway, const std::string& target,
                                 Refusal& refusal) {
  for (int tries = 0; g_interrupted == 0; ++tries) {
    auto answer = http_get(gateway, target, kAnswer);
    if (!answer) {
      refusal.what = answer.error().what;
      return std::nullopt;
    }
    if (answer->status == 200) return std::move(answer->body);
    refusal.what = gateway.url + ": " + sentence_of(*answer);
    if (answer->status == 401)
      refusal.what = gateway.url + ": wants a token; give --token-file, or be in the group gerbang";
    if (answer->status == 400 || answer->status == 404) refusal.code = kUsage;
    if (answer->status != 503 || tries == kTries) return std::nullopt;
    std::this_thread::sleep_for(1s);
  }
  return std::nullopt;
}

std::string timezone_of(const std::string& status) {
  boost::system::error_code error;
  json::value value = json::parse(status, error);
  if (error || !value.is_object()) return "UTC";
  const json::value* name = value.as_object().if_contains("timezone");
  return name != nullptr && name->is_string() ? std::string(name->as_string()) : "UTC";
}

int export_from(const Endpoint& gateway, const Common& common, const ExportOptions& options) {
  Refusal refusal;
  auto status = fetch(gateway, "/api/v1/status", refusal);
  if (!status) return failed(Error({}, refusal.what), refusal.code);
  Zone zone = zone_named(timezone_of(*status));
  auto range = range_of(options, zone);
  if (!range) return failed(range.error(), kUsage);

  RowKind kind = options.window.empty() ? RowKind::readings : RowKind::aggregates;
  const char* list = kind == RowKind::readings ? "readings" : "aggregates";
  std::string query = std::string("/api/v1/") + list + "?limit=" + std::to_string(kPage) +
                      "&from=" + std::to_string(range->from_ms) +
                      "&to=" + std::to_string(range->to_ms);
  for (const std::string& sensor : options.sensors) query += "&sensor=" + sensor;
  if (kind == RowKind::aggregates) query += "&window=" + options.window;
  Output out(kind, common.json);
  std::string next;
  do {
    auto body = fetch(gateway, query + (next.empty() ? "" : "&next=" + next), refusal);
    if (!body) {
      int code = out.end();
      return g_interrupted != 0 ? code : failed(Error({}, refusal.what), refusal.code);
    }
    auto page = parse_page(*body);
    if (!page) {
      (void)out.end();
      return failed(Error({}, gateway.url + ": not the answer of a gateway"), kUnavailable);
    }
    for (const Page::Element& element : page->elements)
      if (auto row = row_of(kind, element, options.window, zone)) out.add(*row);
    next = std::move(page->next);
    out.tell();
  } while (!next.empty() && out.good());
  return out.end();
}

// ---- from a file --------------------------------------------------------------------------------

class TempFolder {
 public:
  TempFolder() {
    std::error_code none;
    std::string name = (fs::temp_directory_path(none) / "gerbang-export-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const fs::path& path() const { return path_; }  // empty: it could not be made

 private:
  fs::path path_;
};

int code_of(const Error& error) {
  if (error.code == std::errc::no_such_file_or_directory) return kNoInput;
  if (error.code == store::errc::locked) return kUnavailable;
  if (error.code == store::errc::io) return kIo;
  return error.code == std::errc::operation_canceled ? kBad : kData;
}

template <class Page, class Query, class Rows>
int write_pages(Query query, Output& out, const std::map<std::int32_t, SeriesText>& series,
                const Zone& zone, Page page_of_query, Rows rows_of) {
  do {
    auto page = page_of_query(query);
    if (!page) {
      (void)out.end();
      return failed(page.error(), kIo);
    }
    for (const auto& row : rows_of(*page)) out.add(row_of(row, series.at(row.series), zone));
    query.after = std::move(page->next);
    out.tell();
  } while (!query.after.empty() && out.good());
  return out.end();
}

int export_file(const std::string& file, const Common& common, const ExportOptions& options) {
  std::optional<std::chrono::milliseconds> window;
  if (!options.window.empty()) {
    window = parse_duration(options.window);
    if (!window)
      return failed(Error({}, "--window " + options.window + ": not a duration; write 1m or 1h"),
                    kUsage);
  }
  TempFolder folder;
  if (folder.path().empty())
    return failed(Error({}, "no temporary folder can be made; TMPDIR names another place"), kIo);
  RowKind kind = window ? RowKind::aggregates : RowKind::readings;
  Output out(kind, common.json);
  auto progress = [&](std::uint64_t bytes) {
    out.copied(bytes);
    return g_interrupted == 0;
  };
  auto archive = store::Archive::open(file, folder.path(), progress);
  if (!archive) {
    Error error = std::move(archive.error());
    if (error.code == store::errc::locked)
      error.what += "; ask it instead: gerbangctl export --url http://127.0.0.1:8080";
    return failed(error, code_of(error));
  }
  auto timezone = (*archive)->get("gateway/timezone");
  Zone zone = zone_named(timezone && *timezone ? **timezone : "UTC");
  auto range = range_of(options, zone);
  if (!range) return failed(range.error(), kUsage);

  std::map<std::int32_t, SeriesText> series;
  std::vector<std::int32_t> wanted;
  std::map<std::string, bool> found;
  for (const std::string& sensor : options.sensors) found[sensor] = false;
  for (const store::Archive::Series& s : (*archive)->series()) {
    SeriesText text;
    text.sensor = s.sensor;
    text.unit = s.unit;
    text.kind = s.kind;
    series[s.number] = std::move(text);
    if (auto it = found.find(s.sensor); it != found.end()) {
      it->second = true;
      wanted.push_back(s.number);
    } else if (found.empty()) {
      wanted.push_back(s.number);  // of the others nobody knows what they were
    }
  }
  for (const auto& [sensor, known] : found)
    if (!known) return failed(Error({}, "no sensor \"" + sensor + "\" in " + file), kUsage);

  int code = kOk;
  if (wanted.empty()) return out.end();
  if (kind == RowKind::readings) {
    store::ReadingQuery query;
    query.series = wanted;
    query.from_ms = range->from_ms;
    query.to_ms = range->to_ms;
    query.limit = kPage;
    auto page = [&](const store::ReadingQuery& q) { return (*archive)->readings(q); };
    auto rows = [](store::ReadingPage & p) -> auto& {
      return p.readings;
    };
    code = write_pages<decltype(page)>(query, out, series, zone, page, rows);
  } else {
    store::AggregateQuery query;
    query.series = wanted;
    query.window_ms = window->count();
    query.from_ms = range->from_ms;
    query.to_ms = range->to_ms;
    query.limit = kPage;
    auto page = [&](const store::AggregateQuery& q) { return (*archive)->aggregates(q); };
    auto rows = [](store::AggregatePage & p) -> auto& {
      return p.rows;
    };
    code = write_pages<decltype(page)>(query, out, series, zone, page, rows);
  }
  if (auto lost = (*archive)->unreadable(); lost > 0)
    std::fprintf(stderr, "gerbangctl: %llu damaged pieces are left out\n",
                 static_cast<unsigned long long>(lost));
  return code;
}

}  // namespace

int export_data(const Common& common, const ExportOptions& options) {
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  std::signal(SIGPIPE, SIG_IGN);
  if (!options.store.empty()) return export_file(options.store, common, options);
  if (!options.url.empty()) {
    auto gateway = find_gateway(common, options.url, options.token_file);
    if (!gateway) return failed(gateway.error(), exit_of(gateway.error()));
    return export_from(*gateway, common, options);
  }
  // Through the daemon while it runs, from its file when it does not.
  std::error_code unknown;
  if (fs::status(common.config, unknown).type() == fs::file_type::not_found)
    return failed(Error({}, common.config + ": no such file; give --config, --url or --store"),
                  kNoInput);
  auto loaded = load_configuration(common);
  if (!loaded.config)
    return failed(Error({}, common.config + ": not a valid configuration (gerbangctl check); or "
                                            "give --url or --store"),
                  kConfig);
  if (auto gateway = running_gateway(*loaded.config)) return export_from(*gateway, common, options);
  return export_file(loaded.config->store.path.string(), common, options);
}

}  // namespace gerbang::ctl
