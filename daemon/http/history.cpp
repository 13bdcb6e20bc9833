// SPDX-License-Identifier: Apache-2.0
#include "http/history.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <span>

#include "core/text.hpp"
#include "http/documents.hpp"
#include "http/json.hpp"

namespace gerbang::http {
namespace {

constexpr std::size_t kMaxId = 63;
constexpr std::size_t kMaxNext = 128;
constexpr std::int64_t kReadingsBack = 3'600'000;     // default range of readings: an hour
constexpr std::int64_t kAggregatesBack = 86'400'000;  // of aggregates: a day

// [a-z0-9][a-z0-9-]{0,62}
bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= kMaxId && text[0] != '-' &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == text.npos;
}

bool is_token(std::string_view text) {
  return text.size() <= kMaxNext &&
         text.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~:-") == text.npos;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 64;
  std::string out = "\"" + std::string(text.substr(0, kShown));
  return out + (text.size() > kShown ? "…\"" : "\"");
}

// What both queries share. `wrong` is the first mistake.
struct Common {
  std::vector<std::string> sensors;
  std::optional<std::int64_t> from_ms, to_ms;
  std::optional<std::size_t> limit;
  Format format = Format::json;
  std::string after;
  std::string window, kind;
  std::string wrong;
};

class Parser {
 public:
  Parser(const Parameters& parameters, const Snapshot& now,
         std::span<const std::string_view> known) {
    for (const auto& parameter : parameters) {
      const std::string& name = parameter.first;
      const std::string& value = parameter.second;
      bool repeated =
          name != "sensor" && std::count_if(parameters.begin(), parameters.end(),
                                            [&](const auto& p) { return p.first == name; }) > 1;
      if (std::find(known.begin(), known.end(), name) == known.end())
        unknown(name, known);
      else if (repeated)
        wrong(name + " is given more than once");
      else
        take(name, value, now);
      if (!out_.wrong.empty()) return;
    }
  }

  Common result(std::int64_t now_ms, std::int64_t back_ms) {
    if (!out_.to_ms) out_.to_ms = now_ms;
    if (!out_.from_ms) out_.from_ms = *out_.to_ms - back_ms;
    if (out_.wrong.empty() && *out_.from_ms > *out_.to_ms)
      wrong("from is later than to; exchange them");
    return std::move(out_);
  }

 private:
  void wrong(std::string text) {
    if (out_.wrong.empty()) out_.wrong = std::move(text);
  }

  void unknown(std::string_view name, std::span<const std::string_view> known) {
    std::string text = "unknown parameter " + quoted(name);
    if (auto near = nearest(name, known)) text += "; did you mean " + std::string(*near) + "?";
    wrong(std::move(text));
  }

  void take(const std::string& name, const std::string& value, const Snapshot& now) {
    if (name == "sensor") {
      if (!is_id(value))
        wrong("sensor: " + quoted(value) + " is not an id (lower-case letters, digits and -)");
      else if (out_.sensors.size() == kMaxSensors)
        wrong("sensor: at most " + std::to_string(kMaxSensors) + " in one query");
      else if (std::find(out_.sensors.begin(), out_.sensors.end(), value) == out_.sensors.end())
        out_.sensors.push_back(value);
    } else if (name == "from" || name == "to") {
      Bound bound = name == "from" ? Bound::from : Bound::to;
      auto time = parse_time(value, bound, now.now_ms, now.gateway.zone);
      if (!time)
        wrong(name + ": " + quoted(value) +
              " is not a time; write 2026-01-31T12:00:00+08:00, milliseconds, -24h, now or a day "
              "2026-01-31");
      (bound == Bound::from ? out_.from_ms : out_.to_ms) = time;
    } else if (name == "limit") {
      std::size_t limit = 0;
      auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), limit);
      if (error != std::errc{} || end != value.data() + value.size() || limit == 0)
        wrong("limit: " + quoted(value) + " is not a whole number above 0");
      out_.limit = limit;
    } else if (name == "format") {
      if (value != "json" && value != "csv")
        wrong("format: " + quoted(value) + " is unknown; write json or csv");
      out_.format = value == "csv" ? Format::csv : Format::json;
    } else if (name == "next") {
      if (!is_token(value)) wrong("next: not a value that an earlier answer gave");
      out_.after = value;
    } else if (name == "window") {
      out_.window = value;
    } else if (name == "kind") {
      if (!is_id(value))
        wrong("kind: " + quoted(value) + " is no kind of event, such as weighing or maintenance");
      out_.kind = value;
    }
  }

  Common out_;
};

// The limit of the whole answer; a mistake goes to `wrong`.
std::size_t row_limit(const Common& common, std::string& wrong) {
  if (common.format == Format::csv) return common.limit.value_or(0);
  std::size_t limit = common.limit.value_or(kDefaultRows);
  if (limit > kMaxRows && wrong.empty())
    wrong = "limit: at most " + std::to_string(kMaxRows) +
            " rows in JSON; use next for the rest, or format=csv";
  return limit;
}

std::string windows_text(const Snapshot& now) {
  std::string text;
  for (std::int64_t window : now.gateway.windows_ms)
    text += (text.empty() ? "" : ", ") + format_duration(std::chrono::milliseconds(window));
  return text;
}

// RFC 4180: quoted where it must be.
void append_cell(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == text.npos) {
    out += text;
    return;
  }
  out += '"';
  for (char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void append_number(std::string& out, const std::optional<double>& number) {
  if (number && std::isfinite(*number)) out += number_text(*number);
}

std::string end_json(const std::string& next) {
  Json json;
  if (next.empty())
    json.value(std::optional<int>());
  else
    json.value(next);
  return "],\"next\":" + json.take() + "}\n";
}

const SeriesRef& series_of(const std::vector<SeriesRef>& series, std::uint32_t index) {
  static const SeriesRef kUnknown;
  return index < series.size() ? series[index] : kUnknown;
}

void write_json_row(Json& json, const AggregateRow& row, const SeriesRef& series) {
  const Aggregate& a = row.aggregate;
  ShownValues values = shown_values(a, row.kind);
  json.begin_object()
      .member("sensor", series.sensor)
      .member("quantity", series.quantity)
      .member("unit", series.unit)
      .member("windowStartMs", a.start_ms)
      .member("windowEndMs", a.end_ms)
      .member_if("expected", a.expected)
      .member("received", a.received)
      .member("good", a.good)
      .member("suspect", a.suspect)
      .member("bad", a.bad)
      .member_if("missing", a.missing())
      .member("maintenance", a.maintenance)
      .member("belowLimit", a.below_limit)
      .member_if("mean", values.mean)
      .member_if("minimum", values.minimum)
      .member_if("maximum", values.maximum)
      .member_if("stddev", values.stddev)
      .member_if("first", values.first)
      .member_if("last", values.last)
      .member_if("delta", a.delta)
      .member_if("capture", row.capture)
      .member_if("verdict", row.verdict);
  if (a.reason != Reason::none) json.member("reason", gerbang::name(a.reason));
  json.member("revision", a.revision).member("clock", gerbang::name(a.clock)).end_object();
}

void append_csv_row(std::string& out, const AggregateRow& row, const SeriesRef& series,
                    const std::string& window, const Zone& zone) {
  const Aggregate& a = row.aggregate;
  ShownValues values = shown_values(a, row.kind);
  out += format_local(a.start_ms, zone) + "," + format_utc(a.start_ms) + ",";
  append_cell(out, series.sensor);
  out += "," + window + ",";
  append_cell(out, series.unit);
  for (const auto& number : {values.mean, values.minimum, values.maximum, values.stddev,
                             values.first, values.last, a.delta}) {
    out += ',';
    append_number(out, number);
  }
  auto count = [&](std::optional<std::uint32_t> n) { out += "," + (n ? std::to_string(*n) : ""); };
  count(a.expected);
  for (std::uint32_t n : {a.received, a.good, a.suspect, a.bad}) count(n);
  count(a.missing());
  count(a.maintenance);
  count(a.below_limit);
  out += ',';
  append_number(out, row.capture);
  out += ',';
  append_cell(out, row.verdict);
  out += ",";
  out += gerbang::name(a.reason);
  out += "," + std::to_string(a.revision) + ",";
  out += gerbang::name(a.clock);
  out += "\r\n";
}

}  // namespace

std::variant<ReadingsCall, Response> parse_readings(const Parameters& parameters,
                                                    const Snapshot& now) {
  constexpr std::string_view kKnown[] = {"sensor", "from", "to", "limit", "format", "next"};
  Common common = Parser(parameters, now, kKnown).result(now.now_ms, kReadingsBack);
  std::string wrong = common.wrong;
  ReadingsCall call;
  call.limit = row_limit(common, wrong);
  if (!wrong.empty()) return problem(400, wrong);
  call.format = common.format;
  call.query.sensors = std::move(common.sensors);
  call.query.from_ms = *common.from_ms;
  call.query.to_ms = *common.to_ms;
  call.query.after = std::move(common.after);
  return call;
}

std::variant<AggregatesCall, Response> parse_aggregates(const Parameters& parameters,
                                                        const Snapshot& now) {
  constexpr std::string_view kKnown[] = {"sensor", "window", "from", "to",
                                         "limit",  "format", "next"};
  Common common = Parser(parameters, now, kKnown).result(now.now_ms, kAggregatesBack);
  std::string wrong = common.wrong;
  AggregatesCall call;
  const auto& windows = now.gateway.windows_ms;
  if (common.window.empty()) {
    if (!windows.empty()) call.query.window_ms = windows.front();
  } else if (auto window = parse_duration(common.window)) {
    call.query.window_ms = window->count();
  }
  bool known = std::find(windows.begin(), windows.end(), call.query.window_ms) != windows.end();
  if (!known && wrong.empty())
    wrong = "window: " + quoted(common.window) + " is not one of " + windows_text(now);
  call.limit = row_limit(common, wrong);
  if (!wrong.empty()) return problem(400, wrong);
  call.format = common.format;
  call.query.sensors = std::move(common.sensors);
  call.query.from_ms = *common.from_ms;
  call.query.to_ms = *common.to_ms;
  call.query.after = std::move(common.after);
  return call;
}

std::variant<EventsCall, Response> parse_events(const Parameters& parameters, const Snapshot& now) {
  constexpr std::string_view kKnown[] = {"kind", "sensor", "from", "to", "limit", "next"};
  // All of them, those of a device whose clock is ahead too.
  Common common = Parser(parameters, now, kKnown).result(INT64_MAX, INT64_MAX);
  std::size_t limit = common.limit.value_or(kDefaultEvents);
  if (common.wrong.empty() && common.sensors.size() > 1) common.wrong = "sensor: one at most";
  if (common.wrong.empty() && limit > kMaxEvents)
    common.wrong = "limit: at most " + std::to_string(kMaxEvents) + "; use next for the rest";
  if (!common.wrong.empty()) return problem(400, common.wrong);
  EventsCall call;
  call.query.kind = std::move(common.kind);
  if (!common.sensors.empty()) call.query.sensor = std::move(common.sensors[0]);
  call.query.from_ms = *common.from_ms;
  call.query.to_ms = *common.to_ms;
  call.query.limit = limit;
  call.query.after = std::move(common.after);
  return call;
}

Response events_response(const EventPage& page) {
  Response response;
  response.content_type = "application/json";
  response.body = "{\"events\":[";
  for (const std::string& event : page.events) {
    if (response.body.back() != '[') response.body += ',';
    response.body += event;
  }
  response.body += end_json(page.next);
  return response;
}

Response query_problem(const Error& error) {
  if (error.code == std::errc::invalid_argument) return problem(400, error.what);
  if (error.code == std::errc::no_such_file_or_directory) return problem(404, error.what);
  Response response = problem(503, error.what);
  response.headers.emplace_back("Retry-After", "5");
  return response;
}

std::string_view content_type(Format format) {
  return format == Format::csv ? "text/csv; charset=utf-8; header=present" : "application/json";
}

ReadingsText::ReadingsText(const ReadingsCall& call, Zone zone)
    : format_(call.format),
      from_ms_(call.query.from_ms),
      to_ms_(call.query.to_ms),
      zone_(std::move(zone)) {}

std::string ReadingsText::begin() const {
  if (format_ == Format::csv)
    return "time_local,time_utc,sensor,value,unit,quality,reason,clock\r\n";
  return "{\"fromMs\":" + std::to_string(from_ms_) + ",\"toMs\":" + std::to_string(to_ms_) +
         ",\"readings\":[";
}

std::string ReadingsText::rows(const ReadingPage& page) {
  std::string out;
  for (const ReadingRow& row : page.rows) {
    const SeriesRef& series = series_of(page.series, row.series);
    if (format_ == Format::json) {
      Json json;
      json.begin_object()
          .member("sensor", series.sensor)
          .member("unit", series.unit)
          .member("timeMs", row.time_ms)
          .member_if("value", row.value);
      if (row.raw) write_raw(json, "raw", *row.raw);
      json.member("quality", gerbang::name(row.flag))
          .member("flag", static_cast<unsigned>(row.flag));
      if (row.reason != Reason::none) json.member("reason", gerbang::name(row.reason));
      json.member("clock", gerbang::name(row.clock)).end_object();
      out += (first_ ? "" : ",") + json.take();
    } else {
      out += format_local(row.time_ms, zone_) + "," + format_utc(row.time_ms) + ",";
      append_cell(out, series.sensor);
      out += ',';
      append_number(out, row.value);
      out += ',';
      append_cell(out, series.unit);
      out += ',';
      out += gerbang::name(row.flag);
      out += ',';
      out += gerbang::name(row.reason);
      out += ',';
      out += gerbang::name(row.clock);
      out += "\r\n";
    }
    first_ = false;
  }
  return out;
}

std::string ReadingsText::end(const std::string& next) const {
  return format_ == Format::csv ? "" : end_json(next);
}

AggregatesText::AggregatesText(const AggregatesCall& call, Zone zone)
    : format_(call.format),
      window_ms_(call.query.window_ms),
      from_ms_(call.query.from_ms),
      to_ms_(call.query.to_ms),
      zone_(std::move(zone)) {}

std::string AggregatesText::begin() const {
  if (format_ == Format::csv)
    return "time_local,time_utc,sensor,window,unit,mean,minimum,maximum,stddev,first,last,delta,"
           "expected,received,good,suspect,bad,missing,maintenance,below_limit,capture,verdict,"
           "reason,revision,clock\r\n";
  return "{\"window\":\"" + format_duration(std::chrono::milliseconds(window_ms_)) +
         "\",\"fromMs\":" + std::to_string(from_ms_) + ",\"toMs\":" + std::to_string(to_ms_) +
         ",\"aggregates\":[";
}

std::string AggregatesText::rows(const AggregatePage& page) {
  std::string out;
  std::string window = format_duration(std::chrono::milliseconds(window_ms_));
  for (const AggregateRow& row : page.rows) {
    const SeriesRef& series = series_of(page.series, row.series);
    if (format_ == Format::json) {
      Json json;
      write_json_row(json, row, series);
      out += (first_ ? "" : ",") + json.take();
    } else {
      append_csv_row(out, row, series, window, zone_);
    }
    first_ = false;
  }
  return out;
}

std::string AggregatesText::end(const std::string& next) const {
  return format_ == Format::csv ? "" : end_json(next);
}

}  // namespace gerbang::http
