// SPDX-License-Identifier: Apache-2.0
#include "http/history.hpp"

#include <gtest/gtest.h>

#include "support/http_example.hpp"

namespace gerbang::http {
namespace {

using test::example_snapshot;
using test::kExampleNow;

Parameters query_of(const std::string& query) {
  return parse_target("/?" + query)->parameters;
}

ReadingsCall readings(const std::string& query) {
  auto parsed = parse_readings(query_of(query), example_snapshot());
  if (auto* call = std::get_if<ReadingsCall>(&parsed)) return std::move(*call);
  ADD_FAILURE() << query << ": " << std::get<Response>(parsed).body;
  return {};
}

TEST(ReadingsQuery, DefaultsAreTheLastHourOfAllSensors) {
  ReadingsCall call = readings("");
  EXPECT_TRUE(call.query.sensors.empty());
  EXPECT_EQ(call.query.to_ms, kExampleNow);
  EXPECT_EQ(call.query.from_ms, kExampleNow - 3'600'000);
  EXPECT_EQ(call.limit, kDefaultRows);
  EXPECT_EQ(call.format, Format::json);
}

TEST(ReadingsQuery, EveryParameterIsTaken) {
  ReadingsCall call = readings(
      "sensor=a&sensor=b-2&sensor=a&from=-2h&to=2026-01-01T14:00:00%2B08:00&limit=5&next=12.34");
  EXPECT_EQ(call.query.sensors, (std::vector<std::string>{"a", "b-2"}));
  EXPECT_EQ(call.query.from_ms, kExampleNow - 7'200'000);
  EXPECT_EQ(call.query.to_ms, kExampleNow - 180'000);
  EXPECT_EQ(call.limit, 5u);
  EXPECT_EQ(call.query.after, "12.34");
}

TEST(ReadingsQuery, CsvHasNoLimitUnlessGiven) {
  EXPECT_EQ(readings("format=csv").limit, 0u);
  EXPECT_EQ(readings("format=csv&limit=1000000").limit, 1'000'000u);
}

TEST(EventsQuery, IsOfAllUnlessSaidAndMistakesAreNamed) {
  auto parsed = [](const std::string& query) {
    return parse_events(query_of(query), example_snapshot());
  };
  auto all = parsed("");
  ASSERT_TRUE(std::holds_alternative<EventsCall>(all));
  EXPECT_EQ(std::get<EventsCall>(all).query.limit, kDefaultEvents);
  EXPECT_EQ(std::get<EventsCall>(all).query.to_ms, INT64_MAX);
  auto some = parsed("kind=clock-step&sensor=scale&from=-1h&limit=3&next=5.7");
  ASSERT_TRUE(std::holds_alternative<EventsCall>(some));
  EXPECT_EQ(std::get<EventsCall>(some).query.kind, "clock-step");
  EXPECT_EQ(std::get<EventsCall>(some).query.sensor, "scale");
  EXPECT_EQ(std::get<EventsCall>(some).query.from_ms, kExampleNow - 3'600'000);
  EXPECT_EQ(std::get<EventsCall>(some).query.after, "5.7");
  for (const char* wrong : {"kind=A/B", "limit=0", "limit=1001", "sensor=a&sensor=b", "knd=a",
                            "format=csv", "next=%20"})
    EXPECT_EQ(std::get<Response>(parsed(wrong)).status, 400u) << wrong;
}

TEST(EventsText, IsOneDocument) {
  EventPage page;
  EXPECT_EQ(events_response(page).body, "{\"events\":[],\"next\":null}\n");
  page.events = {"{\"id\":\"a\"}", "{\"id\":\"b\"}"};
  page.next = "1.2";
  EXPECT_EQ(events_response(page).body,
            "{\"events\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"next\":\"1.2\"}\n");
}

struct WrongCase {
  const char* query;
  const char* said;  // part of the detail
};

TEST(ReadingsQuery, MistakesAreNamed) {
  const WrongCase kCases[] = {
      {"senso=a", "did you mean sensor?"},
      {"sensor=", "is not an id"},
      {"sensor=A", "is not an id"},
      {"sensor=-a", "is not an id"},
      {"sensor=a'%20OR%201=1", "is not an id"},
      {"from=yesterday", "from:"},
      {"from=", "from:"},
      {"to=2026-02-30", "to:"},
      {"from=now&to=-1h", "from is later than to"},
      {"limit=0", "limit:"},
      {"limit=-1", "limit:"},
      {"limit=1e3", "limit:"},
      {"limit=99999999999999999999999", "limit:"},
      {"limit=10001", "at most 10000"},
      {"format=xml", "write json or csv"},
      {"next=a%20b", "next:"},
      {"from=-1h&from=-2h", "more than once"},
      {"window=1m", "unknown parameter"},
  };
  for (const WrongCase& c : kCases) {
    auto parsed = parse_readings(query_of(c.query), example_snapshot());
    auto* response = std::get_if<Response>(&parsed);
    ASSERT_NE(response, nullptr) << c.query;
    EXPECT_EQ(response->status, 400u);
    EXPECT_NE(response->body.find(c.said), std::string::npos) << c.query << "\n" << response->body;
  }
  std::string many;
  for (std::size_t i = 0; i <= kMaxSensors; ++i) many += "sensor=s" + std::to_string(i) + "&";
  EXPECT_TRUE(std::holds_alternative<Response>(parse_readings(query_of(many), example_snapshot())));
}

TEST(AggregatesQuery, TheWindowIsOneOfTheConfiguredOnesHoweverItIsWritten) {
  for (auto [text, window] :
       {std::pair{"window=60s", 60'000}, {"window=1h", 3'600'000}, {"", 60'000}}) {
    auto parsed = parse_aggregates(query_of(text), example_snapshot());
    ASSERT_TRUE(std::holds_alternative<AggregatesCall>(parsed)) << text;
    EXPECT_EQ(std::get<AggregatesCall>(parsed).query.window_ms, window);
  }
  for (const char* text : {"window=5m", "window=x", "window=60"}) {
    auto parsed = parse_aggregates(query_of(text), example_snapshot());
    ASSERT_TRUE(std::holds_alternative<Response>(parsed)) << text;
    EXPECT_NE(std::get<Response>(parsed).body.find("1m, 15m, 1h, 1d"), std::string::npos);
  }
}

// Local midnight in Makassar is 16:00 UTC of the day before.
TEST(AggregatesQuery, OfALocalDayIsTheSameHoweverItIsWritten) {
  constexpr std::int64_t kMidnight = 1'767'196'800'000, kDay = 86'400'000;  // 2026-01-01 in WITA
  const char* kWays[] = {
      "window=1d&from=2026-01-01&to=2026-01-01",
      "window=1d&from=2026-01-01T00:00:00%2B08:00&to=2026-01-02T00:00:00%2B08:00",
      "window=1d&from=2026-01-01T00:00:00+08:00&to=2026-01-02T00:00:00+08:00",
      "window=1d&from=2025-12-31T16:00:00Z&to=2026-01-01T09:00:00-07:00",
      "window=24h&from=1767196800000&to=1767283200000",
  };
  for (const char* way : kWays) {
    auto parsed = parse_aggregates(query_of(way), example_snapshot());
    ASSERT_TRUE(std::holds_alternative<AggregatesCall>(parsed))
        << way << ": " << std::get<Response>(parsed).body;
    const AggregateQuery& query = std::get<AggregatesCall>(parsed).query;
    EXPECT_EQ(query.window_ms, kDay) << way;
    EXPECT_EQ(query.from_ms, kMidnight) << way;
    EXPECT_EQ(query.to_ms, kMidnight + kDay) << way;
  }
}

TEST(AggregatesQuery, MistakesOfARangeAreNamed) {
  const WrongCase kCases[] = {
      {"window=1d&from=2026-01-02&to=2025-12-31", "from is later than to; exchange them"},
      {"window=1d&from=2026-01-01T00:00:00%2B25:00", "from: "},
      {"window=1d&from=2026-01-01T00:00:00",
       "2026-01-01T00:00:00\\\" is not a time; write 2026-01-31T"},
      {"window=1d&to=2026-01-32", "to: "},
      {"window=1d&to=31-01-2026", "or a day 2026-01-31"},
  };
  for (const WrongCase& c : kCases) {
    auto parsed = parse_aggregates(query_of(c.query), example_snapshot());
    auto* response = std::get_if<Response>(&parsed);
    ASSERT_NE(response, nullptr) << c.query;
    EXPECT_EQ(response->status, 400u) << c.query;
    EXPECT_NE(response->body.find(c.said), std::string::npos) << c.query << "\n" << response->body;
  }
}

ReadingPage example_page() {
  ReadingPage page;
  SeriesRef series;
  series.sensor = "raw-ph";
  series.unit = "a,\"b\"";
  page.series = {series};
  ReadingRow good;
  good.time_ms = kExampleNow;
  good.value = 7.25;
  good.raw = Raw::of(std::int64_t{725});
  good.flag = Flag::good;
  good.clock = ClockTrust::trusted;
  ReadingRow missing;
  missing.time_ms = kExampleNow + 1'000;
  missing.reason = Reason::timeout;
  page.rows = {good, missing};
  return page;
}

TEST(ReadingsText, CsvIsRfc4180WithLocalAndUtcTime) {
  ReadingsCall call;
  call.format = Format::csv;
  ReadingsText text(call, example_snapshot().gateway.zone);
  EXPECT_EQ(text.begin(), "time_local,time_utc,sensor,value,unit,quality,reason,clock\r\n");
  EXPECT_EQ(text.rows(example_page()),
            "2026-01-01T14:03:00.000+08:00,2026-01-01T06:03:00.000Z,raw-ph,7.25,"
            "\"a,\"\"b\"\"\",good,,TRUSTED\r\n"
            "2026-01-01T14:03:01.000+08:00,2026-01-01T06:03:01.000Z,raw-ph,,"
            "\"a,\"\"b\"\"\",missing,TIMEOUT,UNTRUSTED\r\n");
  EXPECT_EQ(text.end("more"), "");
}

TEST(ReadingsText, JsonOfTwoPagesIsOneDocument) {
  ReadingsCall call;
  call.query.from_ms = 1;
  call.query.to_ms = 2;
  ReadingsText text(call, Zone());
  ReadingPage first = example_page(), second = example_page();
  first.rows.pop_back();
  second.rows.erase(second.rows.begin());
  std::string whole = text.begin();
  whole += text.rows(first);
  whole += text.rows(ReadingPage());
  whole += text.rows(second);
  whole += text.end("7.8");
  EXPECT_EQ(whole,
            "{\"fromMs\":1,\"toMs\":2,\"readings\":["
            "{\"sensor\":\"raw-ph\",\"unit\":\"a,\\\"b\\\"\",\"timeMs\":1767247380000,"
            "\"value\":7.25,\"raw\":725,\"quality\":\"good\",\"flag\":1,\"clock\":\"TRUSTED\"},"
            "{\"sensor\":\"raw-ph\",\"unit\":\"a,\\\"b\\\"\",\"timeMs\":1767247381000,"
            "\"quality\":\"missing\",\"flag\":9,\"reason\":\"TIMEOUT\",\"clock\":\"UNTRUSTED\"}"
            "],\"next\":\"7.8\"}\n");
  ReadingsText empty(call, Zone());
  EXPECT_EQ(empty.begin() + empty.end(""),
            "{\"fromMs\":1,\"toMs\":2,\"readings\":[],\"next\":null}\n");
}

AggregatePage aggregate_page(QuantityKind kind) {
  AggregatePage page;
  SeriesRef series;
  series.sensor = "wind";
  series.quantity = "wind-direction";
  series.unit = "°";
  page.series = {series};
  AggregateRow row;
  row.kind = kind;
  row.aggregate.start_ms = kExampleNow;
  row.aggregate.end_ms = kExampleNow + 60'000;
  row.aggregate.expected = 60;
  row.aggregate.received = row.aggregate.good = 58;
  row.aggregate.statistics.add(350);
  row.aggregate.statistics.add(10);
  row.aggregate.x = 2;
  row.aggregate.y = -0.5;
  row.aggregate.first = 350;
  row.aggregate.last = 10;
  row.capture = 0.5;
  row.verdict = "VALID";
  page.rows = {row};
  return page;
}

TEST(AggregatesText, ADirectionHasAMeanAngleAndNoExtremes) {
  AggregatesCall call;
  call.query.window_ms = 60'000;
  AggregatesText text(call, Zone());
  std::string rows = text.rows(aggregate_page(QuantityKind::direction));
  EXPECT_NE(rows.find("\"mean\":345.96375653"), std::string::npos) << rows;
  EXPECT_EQ(rows.find("minimum"), std::string::npos);
  EXPECT_EQ(rows.find("stddev"), std::string::npos);
  EXPECT_NE(rows.find("\"missing\":2"), std::string::npos);
}

TEST(AggregatesText, AWindowWithoutValuesHasNoNumbersOfThem) {
  AggregatesCall call;
  call.query.window_ms = 60'000;
  AggregatePage page = aggregate_page(QuantityKind::gauge);
  page.rows[0].aggregate.statistics = Statistics();
  page.rows[0].aggregate.reason = Reason::timeout;
  AggregatesText text(call, Zone());
  std::string rows = text.rows(page);
  for (const char* key : {"mean", "minimum", "maximum", "stddev", "first", "last", "delta"})
    EXPECT_EQ(rows.find("\"" + std::string(key) + "\""), std::string::npos) << key;
  EXPECT_NE(rows.find("\"reason\":\"TIMEOUT\""), std::string::npos);
}

TEST(AggregatesText, CsvRowsHaveAsManyCellsAsTheHeader) {
  AggregatesCall call;
  call.format = Format::csv;
  call.query.window_ms = 60'000;
  AggregatesText text(call, Zone());
  std::string header = text.begin(), row = text.rows(aggregate_page(QuantityKind::gauge));
  EXPECT_EQ(std::count(header.begin(), header.end(), ','), std::count(row.begin(), row.end(), ','));
  EXPECT_NE(row.find(",1m,"), std::string::npos);
}

TEST(QueryProblem, WhoseFaultItIsDecidesTheStatus) {
  Error mistake(std::make_error_code(std::errc::invalid_argument), "next is of another query");
  Error unknown(std::make_error_code(std::errc::no_such_file_or_directory), "no such sensor");
  Error busy(std::make_error_code(std::errc::io_error), "the store does not answer");
  EXPECT_EQ(query_problem(mistake).status, 400u);
  EXPECT_EQ(query_problem(unknown).status, 404u);
  EXPECT_EQ(query_problem(busy).status, 503u);
}

}  // namespace
}  // namespace gerbang::http
