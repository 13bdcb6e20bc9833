// SPDX-License-Identifier: Apache-2.0
#include "dispatcher.hpp"

#include <algorithm>
#include <utility>

#include "frame.hpp"

namespace gerbang::modbus {

using namespace std::chrono_literals;

namespace {

// So old may a value be that is told as one of now.
constexpr Dispatcher::Time kStale = 2s;
// So often is a unit that was given up asked every second.
constexpr int kSoon = 4;

}  // namespace

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
  if (!settings_.numbered) add_probes();
}

// One for each table of a unit that is not read.
void Dispatcher::add_probes() {
  const std::size_t given = entries_.size();
  for (std::size_t i = 0; i < given; ++i) {
    const Request asked = entries_[i].request;
    if (!probes_of_[asked.unit].empty()) continue;
    auto reads = [&](Table table) {
      return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        return entry.request.unit == asked.unit && entry.request.table == table;
      });
    };
    for (const Table table : {Table::input, Table::holding, Table::discrete, Table::coil}) {
      if (reads(table)) continue;
      Entry probe;
      probe.request.unit = asked.unit;
      probe.request.table = table;
      probe.request.first = asked.first;
      probe.request.count = 1;
      probe.probe = true;
      probes_of_[asked.unit].push_back(entries_.size());
      entries_.push_back(std::move(probe));
    }
  }
}

std::size_t Dispatcher::add(Request request) {
  const std::size_t index = entries_.size();
  const std::size_t data =
      Question{request.unit, request.table, request.first, request.count}.data_size();
  if (!shapes_.emplace(request.unit, request.table, data).second && !settings_.numbered)
    confusable_[request.unit] = true;
  turns_[turn_of_.at({request.unit, request.interval})].entries.push_back(index);
  Entry entry;
  entry.request = std::move(request);
  entries_.push_back(std::move(entry));
  return index;
}

void Dispatcher::miss(std::size_t index, gerbang_reason reason) {
  if (!entries_[index].probe) missing_.push_back({index, reason});
}

const Dispatcher::Health& Dispatcher::health_of(const Entry& entry) const {
  const Health& unit = unit_of(entry);
  return entry.health.failures > unit.failures ? entry.health : unit;
}

void Dispatcher::fall_due(std::size_t index, Time now) {
  Entry& entry = entries_[index];
  const Health& health = health_of(entry);
  if (given_up(health) && now < health.quiet_until) {
    miss(index, health.reason);
  } else if (!entry.pending) {
    entry.pending = true;
    entry.since = now;
  } else if (health.failures > 0) {
    miss(index, health.reason);  // the turn before; this one waits on
  } else if (late_.resting(entry.request.unit, now)) {
    miss(index, GERBANG_REASON_BACK_OFF);
  } else {
    ++skipped_;
  }
}

void Dispatcher::advance(Time now) {
  for (std::size_t position : schedule_.take(now))
    for (std::size_t index : turns_[position].entries) fall_due(index, now);
}

// Of the units that answer; while a unit is probed its own turns have to wait anyway.
Dispatcher::Time Dispatcher::next_healthy_turn(const Entry& but) const {
  Time earliest = Time::max();
  for (std::size_t i = 0; i < turns_.size(); ++i) {
    if (but.probe && turns_[i].unit == but.request.unit) continue;
    if (units_[turns_[i].unit].failures == 0) earliest = std::min(earliest, schedule_.due(i));
  }
  return earliest;
}

Dispatcher::Time Dispatcher::patience(std::size_t probe, Time now) const {
  return std::clamp(next_healthy_turn(entries_[probe]) - now, settings_.timeout,
                    3 * settings_.timeout);
}

Dispatcher::Time Dispatcher::ready_at(std::size_t index) const {
  const Entry& entry = entries_[index];
  const std::uint8_t unit = entry.request.unit;
  if (entry.probe) return std::max(entry.since, units_[unit].quiet_until);
  return std::max({entry.since, units_[unit].quiet_until, entry.health.quiet_until,
                   late_.not_before(unit, index)});
}

std::optional<std::size_t> Dispatcher::pick(Time now) const {
  std::optional<std::size_t> healthy, doubtful;
  Time doubtful_since{};
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (!entry.pending) continue;
    const Time ready = ready_at(i);
    if (ready > now) continue;
    if (health_of(entry).failures == 0 && !entry.probe) {
      if (!healthy || entry.served < entries_[*healthy].served) healthy = i;
    } else if (!doubtful || ready < doubtful_since ||
               (ready == doubtful_since && entry.served < entries_[*doubtful].served)) {
      doubtful = i;
      doubtful_since = ready;
    }
  }
  if (doubtful && now - doubtful_since >= settings_.patience) return doubtful;
  if (healthy) return healthy;
  if (doubtful && next_healthy_turn(entries_[*doubtful]) - settings_.timeout >= now)
    return doubtful;
  return std::nullopt;
}

Dispatcher::Time Dispatcher::wake(Time now) const {
  if (pick(now)) return now;
  Time earliest = schedule_.next();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!entries_[i].pending) continue;
    const Time ready = ready_at(i);
    earliest = std::min(earliest, ready > now ? ready : ready + settings_.patience);
  }
  return earliest;
}

// Answers within this are believed: those to all attempts.
Dispatcher::Time Dispatcher::soon() const {
  return std::max(kStale, (settings_.retries + 1) * settings_.timeout);
}

bool Dispatcher::stale(std::size_t request, Time now) const {
  const Entry& entry = entries_[request];
  if (entry.open_since == Time{} || now - entry.open_last > LateAnswers::kLatest) return false;
  return now < late_until_[entry.request.unit] || now - entry.open_since > soon();
}

void Dispatcher::overheard(const std::bitset<256>& units, Time now) {
  if (units.none()) return;
  for (const Entry& entry : entries_) {
    const std::uint8_t unit = entry.request.unit;
    const bool open = entry.open_since > Time{} && now - entry.open_last <= LateAnswers::kLatest;
    if (units.test(unit) && open && now - entry.open_since > soon())
      late_until_[unit] = now + LateAnswers::kLatest;
  }
}

void Dispatcher::late(std::size_t request, Time now) {
  const Time open_since = entries_[request].open_since;
  answered(request, now);
  Entry& entry = entries_[request];
  entry.open_since = open_since;
  entry.open_last = now;
  entry.rests = true;
  entry.health.failures = settings_.retries + 1;
  entry.health.reason = GERBANG_REASON_TIMEOUT;
  entry.health.quiet_until = now + LateAnswers::kLatest;
  if (want_probe(entry.request.unit, now)) {
    entry.pending = true;
    entry.since = now;
  } else {
    miss(request, entry.health.reason);
  }
}

// False: there is none whose own answer cannot come late.
bool Dispatcher::want_probe(std::uint8_t unit, Time now) {
  if (now < late_until_[unit]) return false;
  for (const std::size_t index : probes_of_[unit]) {
    Entry& probe = entries_[index];
    if (probe.open_last > Time{} && now - probe.open_last <= LateAnswers::kLatest) continue;
    if (!std::exchange(probe.pending, true)) probe.since = now;
    return true;
  }
  return false;
}

// No answer to an earlier question will come any more.
void Dispatcher::in_step(std::uint8_t unit, Time now) {
  late_.forget(unit);
  // One that was silent for long may answer out of turn now.
  const bool silent = std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.request.unit == unit && entry.open_since > Time{} &&
           now - entry.open_since > soon();
  });
  if (silent) doubted_until_[unit] = now + LateAnswers::kLatest;
  for (Entry& entry : entries_) {
    if (entry.request.unit != unit) continue;
    entry.open_since = Time{};
    if (std::exchange(entry.rests, false)) entry.health = {};
  }
}

void Dispatcher::probe_failed(std::size_t index, Time asked, Time now) {
  Entry& probe = entries_[index];
  probe.pending = false;
  probe.open_last = asked;
  if (want_probe(probe.request.unit, now)) return;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    if (entry.request.unit != probe.request.unit || !entry.rests || !entry.pending) continue;
    entry.pending = false;
    miss(i, entry.health.reason);
  }
}

void Dispatcher::answered(std::size_t request, Time now) {
  Entry& entry = entries_[request];
  const std::uint8_t unit = entry.request.unit;
  entry.pending = entry.rests = false;
  entry.open_since = Time{};
  entry.served = ++served_;
  entry.health = {};
  units_[unit] = {};
  if (entry.probe)
    return now < late_until_[unit] ? probe_failed(request, now, now) : in_step(unit, now);
  if (!confusable_[unit]) return;
  late_.answered(unit, now);
  if (late_.resting(unit, now)) want_probe(unit, now);
}

void Dispatcher::refused(std::size_t request, Time now) {
  answered(request, now);
  miss(request, GERBANG_REASON_EXCEPTION);
}

void Dispatcher::count_failure(Health& health, gerbang_reason reason, Time now) const {
  health.reason = reason;
  ++health.failures;
  if (!given_up(health)) return;
  const int doublings = std::clamp(health.failures - settings_.retries - kSoon, 0, 30);
  health.quiet_until = now + std::min(settings_.max_back_off, Time(1s) * (1 << doublings));
}

void Dispatcher::failed(std::size_t request, gerbang_reason reason, Time asked, Time now) {
  Entry& entry = entries_[request];
  Health& unit = units_[entry.request.unit];
  entry.served = ++served_;
  if (entry.probe) return probe_failed(request, asked, now);
  entry.rests = false;
  count_failure(entry.health, reason, now);
  count_failure(unit, reason, now);
  if (confusable_[entry.request.unit]) late_.unanswered(entry.request.unit, request, asked);
  // After an answer to another question its own may come too.
  const bool open = reason == GERBANG_REASON_TIMEOUT || reason == GERBANG_REASON_PROTOCOL;
  if (open && !settings_.numbered) {
    if (entry.open_since == Time{} || asked - entry.open_last > LateAnswers::kLatest)
      entry.open_since = asked;
    entry.open_last = asked;
  }
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Entry& other = entries_[i];
    const bool lost = i == request ? given_up(health_of(entry))
                                   : given_up(unit) && other.request.unit == entry.request.unit;
    if (!other.pending || !lost) continue;
    other.pending = false;
    miss(i, reason);
  }
}

void Dispatcher::replace(std::size_t request, std::vector<Request> parts, Time now) {
  answered(request, now);
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
  for (Entry& entry : entries_) {
    entry.health = {};
    entry.open_since = entry.open_last = Time{};
    entry.rests = false;
  }
  units_.fill({});
  late_.forget();
}

std::vector<Dispatcher::Missing> Dispatcher::take_missing() {
  return std::exchange(missing_, {});
}

bool Dispatcher::unit_given_up(std::size_t request) const {
  return given_up(unit_of(entries_[request]));
}

bool Dispatcher::given_up(std::size_t request) const {
  return given_up(health_of(entries_[request]));
}

}  // namespace gerbang::modbus
