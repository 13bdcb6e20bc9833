// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/aggregate.hpp"
#include "core/quantity.hpp"
#include "core/reading.hpp"
#include "core/result.hpp"

namespace gerbang::http {

namespace asio = boost::asio;

// What the rows of a page refer to by index.
struct SeriesRef {
  std::string sensor, quantity, unit;
};

struct ReadingQuery {
  std::vector<std::string> sensors;     // empty: all
  std::int64_t from_ms = 0, to_ms = 0;  // [from, to)
  std::size_t limit = 0;                // rows of this page
  std::string after;                    // `next` of the page before, or empty
};
struct ReadingRow {
  std::uint32_t series = 0;  // index in ReadingPage::series
  std::int64_t time_ms = 0;  // UTC
  std::optional<double> value;
  std::optional<Raw> raw;
  Flag flag = Flag::missing;
  Reason reason = Reason::none;
  ClockTrust clock = ClockTrust::untrusted;
};
struct ReadingPage {
  std::vector<SeriesRef> series;
  std::vector<ReadingRow> rows;
  std::string next;  // of [A-Za-z0-9._~:-] only, at most 128; empty: that was all
};

struct AggregateQuery {
  std::vector<std::string> sensors;
  std::int64_t window_ms = 0;
  std::int64_t from_ms = 0, to_ms = 0;  // start of the window in [from, to)
  std::size_t limit = 0;
  std::string after;
};
struct AggregateRow {
  std::uint32_t series = 0;  // index in AggregatePage::series; aggregate.series is not looked at
  Aggregate aggregate;
  QuantityKind kind = QuantityKind::gauge;
  std::optional<double> capture;
  std::string verdict;  // "VALID", "PROVISIONAL", "NONE"
};
struct AggregatePage {
  std::vector<SeriesRef> series;
  std::vector<AggregateRow> rows;
  std::string next;
};

// What happened, newest first. No kind, no sensor: all.
struct EventQuery {
  std::string kind, sensor;
  std::int64_t from_ms = 0, to_ms = 0;  // [from, to)
  std::size_t limit = 0;
  std::string after;
};
struct EventPage {
  std::vector<std::string> events;  // JSON objects: gerbang.v1.Event without its source
  std::string next;
};

// History. Given by the composition root; works on the store's thread and resumes the caller on
// the loop. Failures: errc::invalid_argument is the client's mistake (400, `what` is shown),
// errc::no_such_file_or_directory an unknown sensor (404), anything else 503.
class Queries {
 public:
  virtual ~Queries() = default;
  virtual asio::awaitable<Result<ReadingPage>> readings(ReadingQuery query) = 0;
  virtual asio::awaitable<Result<AggregatePage>> aggregates(AggregateQuery query) = 0;
  virtual asio::awaitable<Result<EventPage>> events(EventQuery query) = 0;
};

}  // namespace gerbang::http
