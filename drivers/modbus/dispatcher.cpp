// SPDX-License-Identifier: Apache-2.0
#include "dispatcher.hpp"

#include <algorithm>
#include <utility>

namespace gerbang::modbus {

using namespace std::chrono_literals;

Dispatcher::Dispatcher(std::vector<Request> requests, const Settings& settings, Time now)
    : settings_(settings) {
  for (Request& request : requests) {
    const auto key = std::pair(request.unit, request.interval);
    if (!turn_of_.contains(key)) {
      turn_of_[key] = schedule_.add(request.interval, now);
      turns_.push_back({request.unit, {}});
    }
    add(std::move(request));
  }
}

std::size_t Dispatcher::add(Request request) {
  const std::size_t index = entries_.size();
  turns_[turn_of_.at({request.unit, request.interval})].entries.push_back(index);
  entries_.push_back({std::move(request), false, {}, 0});
  return index;
}

void Dispatcher::miss(std::size_t index, gerbang_reason reason) {
  missing_.push_back({index, reason});
}

void Dispatcher::fall_due(Entry& entry, std::size_t index, Unit& unit, Time now) {
  if (given_up(unit) && now < unit.quiet_until) {
    miss(index, unit.reason);
  } else if (!entry.pending) {
    entry.pending = true;
    entry.since = now;
  } else if (unit.failures > 0) {
    miss(index, unit.reason);  // the turn before; this one waits on
  } else {
    ++skipped_;
  }
}

void Dispatcher::advance(Time now) {
  for (std::size_t position : schedule_.take(now)) {
    const Turn& turn = turns_[position];
    Unit& unit = units_[turn.unit];
    for (std::size_t index : turn.entries) fall_due(entries_[index], index, unit, now);
  }
}

Dispatcher::Time Dispatcher::next_healthy_turn() const {
  Time earliest = Time::max();
  for (std::size_t i = 0; i < turns_.size(); ++i)
    if (units_[turns_[i].unit].failures == 0) earliest = std::min(earliest, schedule_.due(i));
  return earliest;
}

Dispatcher::Time Dispatcher::ready_at(const Entry& entry) const {
  return std::max(entry.since, units_[entry.request.unit].quiet_until);
}

std::optional<std::size_t> Dispatcher::pick(Time now) const {
  std::optional<std::size_t> healthy, doubtful;
  Time doubtful_since{};
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (!entry.pending) continue;
    if (units_[entry.request.unit].failures == 0) {
      if (!healthy || entry.served < entries_[*healthy].served) healthy = i;
    } else if (const Time ready = ready_at(entry);
               ready <= now && (!doubtful || ready < doubtful_since)) {
      doubtful = i;
      doubtful_since = ready;
    }
  }
  if (doubtful && now - doubtful_since >= settings_.patience) return doubtful;
  if (healthy) return healthy;
  if (doubtful && next_healthy_turn() - settings_.timeout >= now) return doubtful;
  return std::nullopt;
}

Dispatcher::Time Dispatcher::wake(Time now) const {
  if (pick(now)) return now;
  Time earliest = schedule_.next();
  for (const Entry& entry : entries_) {
    if (!entry.pending) continue;
    const Time ready = ready_at(entry);
    earliest = std::min(earliest, ready > now ? ready : ready + settings_.patience);
  }
  return earliest;
}

void Dispatcher::answered(std::size_t request) {
  Entry& entry = entries_[request];
  entry.pending = false;
  entry.served = ++served_;
  units_[entry.request.unit] = {};
}

void Dispatcher::refused(std::size_t request) {
  answered(request);
  miss(request, GERBANG_REASON_EXCEPTION);
}

void Dispatcher::failed(std::size_t request, gerbang_reason reason, Time now) {
  const std::uint8_t number = entries_[request].request.unit;
  Unit& unit = units_[number];
  entries_[request].served = ++served_;
  unit.reason = reason;
  ++unit.failures;
  const Time quarantine = reason == GERBANG_REASON_TIMEOUT ? settings_.quarantine : Time{};
  if (!given_up(unit)) {
    unit.quiet_until = now + quarantine;
    return;
  }
  const int doublings = std::min(unit.failures - settings_.retries - 1, 30);
  const Time back_off = std::min(settings_.max_back_off, Time(1s) * (1 << doublings));
  unit.quiet_until = now + std::max(back_off, quarantine);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!entries_[i].pending || entries_[i].request.unit != number) continue;
    entries_[i].pending = false;
    miss(i, reason);
  }
}

void Dispatcher::replace(std::size_t request, std::vector<Request> parts, Time now) {
  answered(request);
  auto& in_turn =
      turns_[turn_of_.at({entries_[request].request.unit, entries_[request].request.interval})]
          .entries;
  in_turn.erase(std::find(in_turn.begin(), in_turn.end(), request));
  entries_[request].request.points.clear();
  for (Request& part : parts) {
    Entry& entry = entries_[add(std::move(part))];
    entry.pending = true;
    entry.since = now;
  }
}

void Dispatcher::line_lost(gerbang_reason reason) {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!entries_[i].pending) continue;
    entries_[i].pending = false;
    miss(i, reason);
  }
}

void Dispatcher::line_back() {
  units_.fill({});
}

std::vector<Dispatcher::Missing> Dispatcher::take_missing() {
  return std::exchange(missing_, {});
}

bool Dispatcher::backed_off(std::size_t request) const {
  return given_up(units_[entries_[request].request.unit]);
}

}  // namespace gerbang::modbus
