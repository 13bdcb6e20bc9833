// SPDX-License-Identifier: Apache-2.0
//
// Events: durable with their message in one transaction that does not wait for the interval; while
// the store cannot be written they also go out at once, from memory. What alarms say goes with
// them.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <random>

#include "observe/log.hpp"
#include "pipeline/pipeline.hpp"
#include "pipeline/state_keys.hpp"
#include "wire/encode.hpp"

namespace gerbang::pipeline {
namespace {

std::string random_id() {
  std::random_device source;
  std::array<char, 17> text{};
  (void)std::snprintf(text.data(), text.size(), "%08x%08x", static_cast<unsigned>(source()),
                      static_cast<unsigned>(source()));
  return text.data();
}

std::string topic_of(const std::string& kind) {
  return "event/" + kind;
}

}  // namespace

void Pipeline::record(Event event) {
  add_event(std::move(event), false);
}

void Pipeline::record_from_driver(Event event) {
  add_event(std::move(event), true);
}

void Pipeline::add_event(Event event, bool from_driver) {
  EventDesk::Now now{nanoseconds(clock_.boot()), tracker_.epoch()};
  const std::string kind = event.kind, sensor = event.sensor;
  const std::uint64_t before = sum_refused_events();
  const store::EventRow* row = events_.take(std::move(event), from_driver, now, random_id());
  const std::uint64_t refused = sum_refused_events();
  if (refused != before && std::has_single_bit(refused))  // seldom, however many there are
    spdlog::warn("pipeline: an event \"{}\" of {} is refused, {} so far; /api/v1/ledger says why",
                 valid_event_kind(kind) ? kind : "?", sensor.empty() ? "the gateway" : sensor,
                 refused);
  if (row == nullptr) return;
  if (store_.degraded() && on_volatile) on_volatile(MessageKind::event, topic_of(kind), row->body);
  if (!writing_events_ && starting_events_ == 0) write_events_soon();
}

std::uint64_t Pipeline::sum_refused_events() const {
  std::uint64_t out = 0;
  for (const auto& [reason, count] : events_.ledger().refused) out += count;
  return out;
}

void Pipeline::write_events_soon() {
  ++starting_events_;
  spawn_critical(executor_, "events", write_events());
}

// One at a time: what the store cannot take waits here, bounded.
asio::awaitable<void> Pipeline::write_events() {
  --starting_events_;
  if (writing_events_ && !stopping_) co_return;
  writing_events_ = true;
  while (events_.any_waiting() || alarms_.has_said()) {
    std::vector<store::EventRow> rows = events_.hand_over();
    store::Fold fold;
    fold.urgent = true;
    add_events(fold, rows);
    add_alarms(fold);
    auto done = co_await store_.commit(std::move(fold));
    if (!done) {
      if (done.error().code != store::errc::stopped)
        spdlog::critical("pipeline: events and alarms are not stored: {}", done.error().what);
      else if (!rows.empty())
        spdlog::error("pipeline: {} events are lost: they were not stored when the store stopped",
                      rows.size());
      events_.put_back(std::move(rows));
      break;
    }
    events_.stored(rows.size());
  }
  writing_events_ = false;
}

void Pipeline::add_events(store::Fold& fold, const std::vector<store::EventRow>& rows) {
  for (const store::EventRow& row : rows)
    add_message(fold, MessageKind::event, topic_of(row.kind), row.body, false);
  fold.events = rows;
  if (auto text = events_.changed_text()) fold.items[kEventsKey] = std::move(*text);
}

// Those that were stamped before anybody vouched for the clock get their times, and are sent again
// under their ids.
asio::awaitable<void> Pipeline::restamp_events() {
  if (events_.waiting() > 0) co_return;  // these first
  restamp_events_due_ = false;
  auto found = co_await store_.doubtful_events(options_.boot_id);
  if (!found) {
    spdlog::error("clock: events of before it was set keep their times: {}", found.error().what);
    restamp_events_due_ = true;
    co_return;
  }
  if (found->empty()) co_return;
  store::Fold fold;
  for (store::EventRow& row : *found) {
    row.time_ms = (row.boot_ns + tracker_.epoch().offset_ns) / 1'000'000;
    row.boot_id.clear();
    row.body = wire::with_time(std::move(row.body), row.time_ms, ClockTrust::estimated);
    add_message(fold, MessageKind::event, topic_of(row.kind), row.body, false);
  }
  fold.events = std::move(*found);
  co_await commit(std::move(fold));
}

void Pipeline::record_step(std::chrono::nanoseconds step) {
  const double seconds = std::chrono::duration<double>(step).count();
  Event event;
  event.kind = "clock-step";
  std::array<char, 96> text{};
  const bool ind = options_.indonesian, back = seconds < 0;
  (void)std::snprintf(text.data(), text.size(),
                      ind ? "jam %s %.3f detik" : "the clock was set %s by %.3f s",
                      ind ? (back ? "dimundurkan" : "dimajukan") : (back ? "back" : "forward"),
                      back ? -seconds : seconds);
  event.text = text.data();
  if (ind) std::replace(event.text.begin(), event.text.end(), '.', ',');  // the decimal comma
  event.values.push_back(EventValue{"step", seconds, "s"});
  record(std::move(event));
}

}  // namespace gerbang::pipeline
