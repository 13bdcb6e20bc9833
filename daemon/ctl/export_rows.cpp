// SPDX-License-Identifier: Apache-2.0
#include "ctl/export_rows.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <charconv>
#include <cmath>

#include "core/number_text.hpp"
#include "core/text.hpp"

namespace gerbang::ctl {
namespace {

namespace json = boost::json;

Cell text(std::string_view s) {
  return Cell{std::string(s), false};
}
Cell number(double v) {
  if (!std::isfinite(v)) return {};
  return Cell{v == 0 ? "0" : number_text(v), true};  // JSON readers do not agree on -0
}
Cell number(std::int64_t v) {
  return Cell{std::to_string(v), true};
}
Cell number(std::uint32_t v) {
  return number(std::int64_t{v});
}
template <class T>
Cell number(const std::optional<T>& v) {
  return v ? number(*v) : Cell();
}
Cell number(const Raw& raw) {
  return raw.is_integer ? number(raw.integer) : number(raw.number);
}

// Follows the parser through {"fromMs":…,"readings":[{…},{…}],"next":"…"}: elements are the objects
// of the one list.
class PageHandler {
 public:
  static constexpr std::size_t max_object_size = SIZE_MAX, max_array_size = SIZE_MAX,
                               max_key_size = 256, max_string_size = 1u << 20;
  using Failure = boost::system::error_code;
  using Piece = json::string_view;

  Page page;

  bool on_document_begin(Failure&) { return true; }
  bool on_document_end(Failure&) { return true; }
  bool on_array_begin(Failure&) { return deeper(); }
  bool on_array_end(std::size_t, Failure&) { return up(); }
  bool on_object_begin(Failure&) {
    if (depth_ == kElements) page.elements.emplace_back();
    return deeper();
  }
  bool on_object_end(std::size_t, Failure&) { return up(); }
  bool on_key_part(Piece s, std::size_t, Failure&) { return collect(s); }
  bool on_key(Piece s, std::size_t, Failure&) {
    collect(s);
    key_ = std::move(collected_);
    collected_.clear();
    return true;
  }
  bool on_string_part(Piece s, std::size_t, Failure&) { return collect(s); }
  bool on_string(Piece s, std::size_t, Failure&) { return value(s, false); }
  bool on_number_part(Piece s, Failure&) { return collect(s); }
  bool on_int64(std::int64_t, Piece s, Failure&) { return value(s, true); }
  bool on_uint64(std::uint64_t, Piece s, Failure&) { return value(s, true); }
  bool on_double(double, Piece s, Failure&) { return value(s, true); }
  bool on_bool(bool, Failure&) { return true; }
  bool on_null(Failure&) { return true; }
  bool on_comment_part(Piece, Failure&) { return true; }
  bool on_comment(Piece, Failure&) { return true; }

 private:
  static constexpr int kTop = 1, kElements = 2, kFields = 3;

  bool deeper() { return ++depth_ > 0; }
  bool up() { return --depth_ >= 0; }
  bool collect(Piece s) {
    collected_.append(s.data(), s.size());
    return true;
  }
  bool value(Piece s, bool is_number) {
    collect(s);
    if (is_number && collected_ == "-0") collected_ = "0";
    if (depth_ == kFields && !page.elements.empty())
      page.elements.back()[key_] = Cell{std::move(collected_), is_number};
    else if (depth_ == kTop && key_ == "next")
      page.next = std::move(collected_);
    collected_.clear();
    return true;
  }

  int depth_ = 0;
  std::string key_, collected_;
};

// Under which name the API gives a column; times and the window are made here.
struct Column {
  std::string_view name, key;
};
constexpr Column kReadings[] = {{"time_local", ""},     {"time_utc", ""},     {"sensor", "sensor"},
                                {"value", "value"},     {"unit", "unit"},     {"raw", "raw"},
                                {"quality", "quality"}, {"reason", "reason"}, {"clock", "clock"}};
constexpr Column kAggregates[] = {{"time_local", ""},
                                  {"time_utc", ""},
                                  {"sensor", "sensor"},
                                  {"window", ""},
                                  {"unit", "unit"},
                                  {"mean", "mean"},
                                  {"minimum", "minimum"},
                                  {"maximum", "maximum"},
                                  {"stddev", "stddev"},
                                  {"first", "first"},
                                  {"last", "last"},
                                  {"delta", "delta"},
                                  {"expected", "expected"},
                                  {"received", "received"},
                                  {"good", "good"},
                                  {"suspect", "suspect"},
                                  {"bad", "bad"},
                                  {"missing", "missing"},
                                  {"maintenance", "maintenance"},
                                  {"below_limit", "belowLimit"},
                                  {"capture", "capture"},
                                  {"verdict", "verdict"},
                                  {"reason", "reason"},
                                  {"revision", "revision"},
                                  {"clock", "clock"}};

template <class F>
void each_column(RowKind kind, F use) {
  if (kind == RowKind::readings)
    for (const Column& column : kReadings) use(column);
  else
    for (const Column& column : kAggregates) use(column);
}

std::string csv_cell(std::string_view s) {
  if (s.find_first_of(",\"\r\n") == s.npos) return std::string(s);
  std::string out = "\"";
  for (char c : s) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

}  // namespace

std::vector<std::string_view> columns(RowKind kind) {
  std::vector<std::string_view> out;
  each_column(kind, [&](const Column& column) { out.push_back(column.name); });
  return out;
}

Row row_of(const store::StoredReading& r, const SeriesText& series, const Zone& zone) {
  bool missing = r.flag == Flag::missing;
  return {text(format_local(r.time_ms, zone)),
          text(format_utc(r.time_ms)),
          text(series.sensor),
          missing ? Cell() : number(r.value),
          text(series.unit),
          missing ? Cell() : number(r.raw),
          text(name(r.flag)),
          text(name(r.reason)),
          text(name(r.clock))};
}

Row row_of(const Aggregate& a, const SeriesText& series, const Zone& zone) {
  ShownValues values = shown_values(a, series.kind);
  return {text(format_local(a.start_ms, zone)),
          text(format_utc(a.start_ms)),
          text(series.sensor),
          text(format_duration(std::chrono::milliseconds(a.window_ms))),
          text(series.unit),
          number(values.mean),
          number(values.minimum),
          number(values.maximum),
          number(values.stddev),
          number(values.first),
          number(values.last),
          number(a.delta),
          number(a.expected),
          number(a.received),
          number(a.good),
          number(a.suspect),
          number(a.bad),
          number(a.missing()),
          number(a.maintenance),
          number(a.below_limit),
          number(capture(a)),
          text(name(verdict(a))),
          text(name(a.reason)),
          number(a.revision),
          text(name(a.clock))};
}

std::optional<Page> parse_page(std::string_view body) {
  json::basic_parser<PageHandler> parser{json::parse_options()};
  boost::system::error_code failure;
  std::size_t read = parser.write_some(false, body.data(), body.size(), failure);
  if (failure || !parser.done() || read != body.size()) return std::nullopt;
  return std::move(parser.handler().page);
}

std::optional<Row> row_of(RowKind kind, const Page::Element& element, const std::string& window,
                          const Zone& zone) {
  auto of = [&](std::string_view key) {
    auto found = element.find(key);
    return found == element.end() ? Cell() : found->second;
  };
  Cell stamp = of(kind == RowKind::readings ? "timeMs" : "windowStartMs");
  std::int64_t time = 0;
  auto [end, wrong] =
      std::from_chars(stamp.text.data(), stamp.text.data() + stamp.text.size(), time);
  if (wrong != std::errc() || stamp.text.empty()) return std::nullopt;
  Row out;
  each_column(kind, [&](const Column& column) {
    if (column.name == "time_local")
      out.push_back(text(format_local(time, zone)));
    else if (column.name == "time_utc")
      out.push_back(text(format_utc(time)));
    else if (column.name == "window")
      out.push_back(text(window));
    else
      out.push_back(of(column.key));
  });
  return out;
}

void append_csv(std::string& out, const std::vector<std::string_view>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += ',';
    out += names[i];
  }
  out += "\r\n";
}

void append_csv(std::string& out, const Row& row) {
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) out += ',';
    out += csv_cell(row[i].text);
  }
  out += "\r\n";
}

void append_json(std::string& out, const std::vector<std::string_view>& names, const Row& row) {
  bool first = true;
  out += '{';
  for (std::size_t i = 0; i < row.size() && i < names.size(); ++i) {
    if (row[i].text.empty()) continue;
    if (!first) out += ',';
    first = false;
    out += '"';
    out += names[i];
    out += "\":";
    out += row[i].number ? row[i].text : json::serialize(json::string(row[i].text));
  }
  out += "}\n";
}

}  // namespace gerbang::ctl
