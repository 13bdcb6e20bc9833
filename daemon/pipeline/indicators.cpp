// SPDX-License-Identifier: Apache-2.0
//
// Indicators: computed from stored rows when an hour or a day closes or is revised, in the same
// transaction. Nothing is kept between two windows but what was said of them, so a restart in the
// middle of a long one changes nothing.
#include <algorithm>
#include <set>

#include "indicator/compute.hpp"
#include "observe/log.hpp"
#include "pipeline/pipeline.hpp"
#include "pipeline/state_keys.hpp"
#include "wire/encode.hpp"

namespace gerbang::pipeline {
namespace {

using indicator::Averaging;
using indicator::Plan;

std::int64_t step_ms(const Plan& plan) {
  return plan.averaging.unit == Averaging::Unit::day ? kDayMs : kHourMs;
}

std::set<std::int32_t> series_of(const Plan& plan) {
  std::set<std::int32_t> out;
  for (const indicator::Input& input : plan.inputs) out.insert(input.series);
  return out;
}

wire::Indicator message_of(const Plan& plan, const indicator::Outcome& outcome,
                           const TimeSpan& window) {
  wire::Indicator out;
  out.id = plan.id;
  out.standard = plan.standard->id;
  out.standard_version = plan.standard->version;
  out.value = outcome.value;
  out.category = outcome.category;
  out.label = outcome.label;
  out.critical = outcome.critical;
  out.provisional = outcome.provisional;
  out.capture = outcome.capture;
  out.start_ms = window.start_ms;
  out.end_ms = window.end_ms;
  out.smart_dimension = indicator::smart_dimension(*plan.standard);
  out.iso = indicator::iso_text(plan);
  if (outcome.confidence) out.confidence = indicator::name(*outcome.confidence);
  for (const indicator::InputValue& value : outcome.inputs)
    out.inputs.push_back({value.quantity, value.sensor, value.unit, value.value, value.capture});
  out.clock = outcome.clock;
  return out;
}

}  // namespace

void Pipeline::set_indicators(std::vector<Plan> plans) {
  const auto days = static_cast<unsigned>(
      std::clamp<std::int64_t>(options_.keep_readings.count() / kDayMs + 4, 4, 400));
  std::vector<Desk> desks;
  for (Plan& plan : plans) {
    Desk desk{std::move(plan), Published(days), {}};
    for (Desk& before : desks_)
      if (before.plan.id == desk.plan.id) {
        desk.published = std::move(before.published);
        desk.newest = std::move(before.newest);
      }
    desks.push_back(std::move(desk));
  }
  desks_ = std::move(desks);
}

Result<void> Pipeline::load_indicators() {
  for (Desk& desk : desks_) {
    auto newest = store_.get(indicator_key(desk.plan.id));
    if (!newest) return fail(std::move(newest.error()));
    if (*newest) desk.newest = std::move(**newest);
    for (unsigned slot = 0; slot < desk.published.days(); ++slot) {
      const std::string key = indicator_key(desk.plan.id, slot);
      auto text = store_.get(key);
      if (!text) return fail(std::move(text.error()));
      if (*text && !desk.published.load(**text))
        spdlog::error("pipeline: {} in the store cannot be read: revisions of {} begin anew", key,
                      desk.plan.id);
    }
  }
  return {};
}

std::vector<Pipeline::IndicatorNow> Pipeline::indicators() const {
  std::vector<IndicatorNow> out;
  for (const Desk& desk : desks_) out.push_back({desk.plan.id, desk.newest});
  return out;
}

// Those whose window ends with this one.
asio::awaitable<void> Pipeline::add_indicators(store::Fold& fold, std::size_t level,
                                               TimeSpan span) {
  const std::int64_t length = options_.windows_ms[level];
  for (std::size_t i = 0; i < desks_.size(); ++i)
    if (step_ms(desks_[i].plan) == length)
      co_await add_indicator(fold, i, span.end_ms, alarm::Came::in_time);
}

// Those that read a window which was revised, of every window that has ended. Where more is to be
// revised that it reads, it waits for that: nothing is said that is known to be out of date.
asio::awaitable<void> Pipeline::revise_indicators(store::Fold& fold,
                                                  const std::vector<DirtyWindow>& revised) {
  const Calendar& calendar = engine_->options().calendar;
  std::set<std::pair<std::int64_t, std::size_t>> touched;  // in the order of time
  for (std::size_t i = 0; i < desks_.size(); ++i) {
    const Plan& plan = desks_[i].plan;
    const std::int64_t length = indicator::rows_of(plan, options_.windows_ms);
    const std::set<std::int32_t> inputs = series_of(plan);
    for (const DirtyWindow& window : revised) {
      const bool read = std::any_of(
          window.sensors.begin(), window.sensors.end(),
          [&](const auto& one) { return inputs.contains(members_[one.index].plan.series); });
      if (!read) continue;
      const TimeSpan block = calendar.window(length, window.span.start_ms);
      for (std::int64_t end : indicator::ends_touched(plan.averaging, calendar, block))
        if (ended(step_ms(plan), end)) touched.emplace(end, i);
    }
  }
  for (const auto& [end, index] : touched) {
    const Plan& plan = desks_[index].plan;
    const TimeSpan window = indicator::window_ending(plan.averaging, calendar, end);
    if (waits_for_more(series_of(plan), window)) continue;
    co_await add_indicator(fold, index, end, alarm::Came::late);
    follow_clock();  // many of them take longer than the clock may go unwatched
  }
}

bool Pipeline::waits_for_more(const std::set<std::int32_t>& series, const TimeSpan& window) const {
  return std::any_of(series.begin(), series.end(), [&](std::int32_t one) {
    const auto place = static_cast<std::size_t>(one);
    return place < places_.size() && places_[place] != UINT32_MAX &&
           engine_->has_dirty(places_[place], window);
  });
}

bool Pipeline::ended(std::int64_t length_ms, std::int64_t end_ms) const {
  for (std::size_t l = 0; l < options_.windows_ms.size(); ++l)
    if (options_.windows_ms[l] == length_ms) return engine_->closed(l, end_ms - 1);
  return false;
}

asio::awaitable<void> Pipeline::add_indicator(store::Fold& fold, std::size_t index,
                                              std::int64_t end_ms, alarm::Came came) {
  for (indicator::Input& input : desks_[index].plan.inputs) {
    const auto series = static_cast<std::size_t>(input.series);
    const auto place = series < places_.size() ? places_[series] : UINT32_MAX;
    input.since_ms = place != UINT32_MAX ? members_[place].plan.since_ms : 0;
  }
  const Plan& plan = desks_[index].plan;
  const Calendar& calendar = engine_->options().calendar;
  const TimeSpan window = indicator::window_ending(plan.averaging, calendar, end_ms);
  auto rows = co_await indicator_rows(fold, index, window);
  if (!rows) {
    // Nothing is made of half a window. Its hour is said with the next revision, or not at all.
    if (rows.error().code != store::errc::stopped)
      spdlog::error("pipeline: indicator {} is not computed: {}", plan.id, rows.error().what);
    co_return;
  }
  Desk& desk = desks_[index];
  const std::string date = calendar.date(end_ms - 1);
  const indicator::Outcome outcome = indicator::compute(plan, window, date, *rows);
  wire::Indicator message = message_of(plan, outcome, window);
  message.timezone = options_.timezone;
  message.local_date = date;
  const bool newest = desk.published.newest(end_ms);
  const auto revision = desk.published.next(end_ms, wire::encode(message));
  if (!revision) co_return;
  message.revision = *revision;
  std::string body = wire::encode(message);
  fold.items[indicator_key(plan.id, desk.published.slot(end_ms))] = desk.published.text(end_ms);
  if (newest) {
    desk.newest = body;
    fold.items[indicator_key(plan.id)] = body;
  }
  alarms_.on_indicator(plan.id, outcome.value, outcome.category, end_ms, outcome.clock, came);
  if (alarms_.has_said()) ++alarm_version_;
  add_message(fold, MessageKind::indicator, "indicator/" + plan.id, std::move(body), newest);
}

// What is stored, with what this transaction brings in its place.
asio::awaitable<Result<std::vector<Aggregate>>> Pipeline::indicator_rows(const store::Fold& fold,
                                                                         std::size_t index,
                                                                         TimeSpan window) {
  const Plan& plan = desks_[index].plan;
  const std::set<std::int32_t> inputs = series_of(plan);
  std::map<std::pair<std::int32_t, std::int64_t>, Aggregate> found;
  store::AggregateQuery query;
  query.series.assign(inputs.begin(), inputs.end());
  query.window_ms = indicator::rows_of(plan, options_.windows_ms);
  query.from_ms = window.start_ms - indicator::reads_before_ms(plan);
  query.to_ms = window.end_ms;
  while (!inputs.empty()) {
    auto page = co_await store_.aggregates(query);
    if (!page) co_return fail(std::move(page.error()));
    for (Aggregate& row : page->rows)
      found.insert_or_assign(std::pair(row.series, row.start_ms), std::move(row));
    query.after = std::move(page->next);
    if (query.after.empty()) break;
  }
  for (const Aggregate& row : fold.aggregates)
    if (row.window_ms == query.window_ms && inputs.contains(row.series) &&
        row.start_ms >= query.from_ms && row.start_ms < window.end_ms)
      found.insert_or_assign(std::pair(row.series, row.start_ms), row);
  std::vector<Aggregate> out;
  for (auto& [key, row] : found) out.push_back(std::move(row));
  co_return out;
}

}  // namespace gerbang::pipeline
