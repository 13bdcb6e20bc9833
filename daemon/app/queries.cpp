// SPDX-License-Identifier: Apache-2.0
#include "app/queries.hpp"

#include <algorithm>

#include "core/window.hpp"
#include "wire/envelope.hpp"

namespace gerbang::app {
namespace {

// The series that a page speaks of, each once, in order of appearance.
class Table {
 public:
  explicit Table(std::vector<http::SeriesRef>& out) : out_(out) {}
  std::uint32_t index(const StoreQueries::Series& series) {
    auto [entry, fresh] = seen_.try_emplace(series.number, static_cast<std::uint32_t>(out_.size()));
    if (fresh) {
      http::SeriesRef ref;
      ref.sensor = series.sensor;
      ref.quantity = series.quantity;
      ref.unit = series.unit;
      out_.push_back(std::move(ref));
    }
    return entry->second;
  }

 private:
  std::vector<http::SeriesRef>& out_;
  std::map<std::int32_t, std::uint32_t> seen_;
};

http::ReadingRow row_of(const store::StoredReading& reading) {
  http::ReadingRow row;
  row.time_ms = reading.time_ms;
  if (reading.flag != Flag::missing) {
    row.value = reading.value;
    row.raw = reading.raw;
  }
  row.flag = reading.flag;
  row.reason = reading.reason;
  row.clock = reading.clock;
  return row;
}

}  // namespace

void StoreQueries::know(std::vector<Series> series) {
  series_ = std::move(series);
  by_number_.clear();
  for (std::size_t i = 0; i < series_.size(); ++i) by_number_[series_[i].number] = i;
}

Result<std::vector<std::int32_t>> StoreQueries::numbers(
    const std::vector<std::string>& sensors) const {
  std::vector<std::int32_t> out;
  if (sensors.empty())
    for (const Series& series : series_) out.push_back(series.number);
  for (const std::string& sensor : sensors) {
    const auto known = std::find_if(series_.begin(), series_.end(),
                                    [&](const Series& each) { return each.sensor == sensor; });
    if (known == series_.end())
      return fail(std::errc::no_such_file_or_directory, "no sensor \"" + sensor + "\"");
    out.push_back(known->number);
  }
  return out;
}

asio::awaitable<Result<http::ReadingPage>> StoreQueries::readings(http::ReadingQuery query) {
  http::ReadingPage page;
  auto wanted = numbers(query.sensors);
  if (!wanted) co_return fail(std::move(wanted.error()));
  if (wanted->empty()) co_return page;  // to the store no series would mean all
  store::ReadingQuery ask;
  ask.series = std::move(*wanted);
  ask.from_ms = query.from_ms;
  ask.to_ms = query.to_ms;
  ask.limit = query.limit;
  ask.after = query.after;
  auto found = co_await store_.readings(std::move(ask));
  if (!found) co_return fail(std::move(found.error()));
  Table table(page.series);
  for (const store::StoredReading& reading : found->readings) {
    auto known = by_number_.find(reading.series);
    if (known == by_number_.end()) continue;  // removed by a reload since the question
    http::ReadingRow row = row_of(reading);
    row.series = table.index(series_[known->second]);
    page.rows.push_back(std::move(row));
  }
  page.next = std::move(found->next);
  co_return page;
}

asio::awaitable<Result<http::AggregatePage>> StoreQueries::aggregates(http::AggregateQuery query) {
  http::AggregatePage page;
  auto wanted = numbers(query.sensors);
  if (!wanted) co_return fail(std::move(wanted.error()));
  if (wanted->empty()) co_return page;
  store::AggregateQuery ask;
  ask.series = std::move(*wanted);
  ask.window_ms = query.window_ms;
  ask.from_ms = query.from_ms;
  ask.to_ms = query.to_ms;
  ask.limit = query.limit;
  ask.after = query.after;
  auto found = co_await store_.aggregates(std::move(ask));
  if (!found) co_return fail(std::move(found.error()));
  Table table(page.series);
  for (const Aggregate& aggregate : found->rows) {
    auto known = by_number_.find(aggregate.series);
    if (known == by_number_.end()) continue;
    http::AggregateRow row;
    row.series = table.index(series_[known->second]);
    row.aggregate = aggregate;
    row.kind = series_[known->second].kind;
    row.capture = capture(aggregate);
    row.verdict = std::string(name(verdict(aggregate)));
    page.rows.push_back(std::move(row));
  }
  page.next = std::move(found->next);
  co_return page;
}

asio::awaitable<Result<http::EventPage>> StoreQueries::events(http::EventQuery query) {
  store::EventQuery ask;
  ask.kind = std::move(query.kind);
  ask.sensor = std::move(query.sensor);
  ask.from_ms = query.from_ms;
  ask.to_ms = query.to_ms;
  ask.limit = query.limit;
  ask.after = std::move(query.after);
  auto found = co_await store_.events(std::move(ask));
  if (!found) co_return fail(std::move(found.error()));
  http::EventPage page;
  for (const store::EventRow& event : found->events) {
    auto json = wire::to_json(MessageKind::event, event.body);
    if (!json) co_return fail(std::move(json.error()));
    page.events.push_back(std::move(*json));
  }
  page.next = std::move(found->next);
  co_return page;
}

}  // namespace gerbang::app
