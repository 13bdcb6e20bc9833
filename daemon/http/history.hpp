// SPDX-License-Identifier: Apache-2.0
//
// /api/v1/readings and /api/v1/aggregates without the database: what was asked, and how a page of
// the answer is written. A long answer is written page by page and never held whole.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "http/message.hpp"
#include "http/queries.hpp"
#include "http/snapshot.hpp"

namespace gerbang::http {

enum class Format { json, csv };

inline constexpr std::size_t kDefaultRows = 1'000;  // of a JSON answer; CSV has no end of its own
inline constexpr std::size_t kMaxRows = 10'000;     // of a JSON answer
inline constexpr std::size_t kMaxSensors = 200;     // in one query
inline constexpr std::size_t kPageRows = 500;       // asked of the store at a time

struct ReadingsCall {
  ReadingQuery query;
  Format format = Format::json;
  std::size_t limit = kDefaultRows;  // of the whole answer; 0: none
};
struct AggregatesCall {
  AggregateQuery query;
  Format format = Format::json;
  std::size_t limit = kDefaultRows;
};

inline constexpr std::size_t kDefaultEvents = 100, kMaxEvents = 1'000;  // of one answer
struct EventsCall {
  EventQuery query;
};

// The call, or a 400 that names the parameter.
std::variant<ReadingsCall, Response> parse_readings(const Parameters& parameters,
                                                    const Snapshot& now);
std::variant<AggregatesCall, Response> parse_aggregates(const Parameters& parameters,
                                                        const Snapshot& now);

std::variant<EventsCall, Response> parse_events(const Parameters& parameters, const Snapshot& now);
// Events are few: an answer is one page.
Response events_response(const EventPage& page);

// What a failed query is to the client.
Response query_problem(const Error& error);

// Writes an answer in three pieces: begin, rows of each page, end. `next` is empty when the answer
// is complete.
class ReadingsText {
 public:
  ReadingsText(const ReadingsCall& call, Zone zone);
  std::string begin() const;
  std::string rows(const ReadingPage& page);
  std::string end(const std::string& next) const;

 private:
  Format format_;
  std::int64_t from_ms_, to_ms_;
  Zone zone_;
  bool first_ = true;
};

class AggregatesText {
 public:
  AggregatesText(const AggregatesCall& call, Zone zone);
  std::string begin() const;
  std::string rows(const AggregatePage& page);
  std::string end(const std::string& next) const;

 private:
  Format format_;
  std::int64_t window_ms_, from_ms_, to_ms_;
  Zone zone_;
  bool first_ = true;
};

std::string_view content_type(Format format);

}  // namespace gerbang::http
