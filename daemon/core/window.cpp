// SPDX-License-Identifier: Apache-2.0
#include "core/window.hpp"

#include <cmath>
#include <numeric>

namespace gerbang {
namespace {

constexpr std::int64_t kShortMs = 15 * 60'000;      // windows of absence up to this make no rows
constexpr std::int64_t kLookBackMs = 48 * kHourMs;  // longer ones make rows this far back
constexpr std::int64_t kLeastAheadMs = 60'000;      // how far ahead of the clock a reading may be
constexpr std::size_t kMostDirty = 20'000;          // sensors × windows that wait for a revision
constexpr std::size_t kMostAbsences = 32;
constexpr std::size_t kMostAhead = 4'096;  // batches; an hour of them

std::int64_t most_ahead_ms(std::int64_t length_ms) {
  return std::max(2 * length_ms, kLeastAheadMs);
}

bool counts(const Sample& s) {
  return (s.flag == Flag::good || s.flag == Flag::not_evaluated) &&
         s.reason != Reason::maintenance && std::isfinite(s.value);
}

}  // namespace

WindowEngine::WindowEngine(WindowOptions options, std::vector<SeriesPlan> plan, std::int64_t now_ms)
    : options_(std::move(options)), plan_(std::move(plan)) {
  levels_.resize(options_.lengths_ms.size());
  for (std::size_t l = 0; l < levels_.size(); ++l) levels_[l].length_ms = options_.lengths_ms[l];
  anchors_.resize(plan_.size());
  slow_changed_.assign(plan_.size(), false);
  slow_upto_.assign(plan_.size(), 0);
  waiting_.assign(plan_.size(), 0);
  arrange();
  now_ms_ = now_ms;
  begin(now_ms);
}

void WindowEngine::begin(std::int64_t time_ms) {
  for (Level& level : levels_)
    level.open_from = options_.calendar.window(level.length_ms, time_ms).start_ms;
}

// Sensors of one base stand side by side, so that each slot holds no more than it counts.
void WindowEngine::arrange() {
  places_.assign(plan_.size(), Place{});
  for (std::size_t i = 0; i < plan_.size(); ++i)
    for (std::size_t l = levels_.size(); l-- > 0;)
      if (levels_[l].length_ms >= plan_[i].interval_ms) places_[i].base = l;
  by_rank_.resize(plan_.size());
  std::iota(by_rank_.begin(), by_rank_.end(), 0);
  std::stable_sort(by_rank_.begin(), by_rank_.end(), [&](std::uint32_t a, std::uint32_t b) {
    return places_[a].base < places_[b].base;
  });
  for (Level& level : levels_) level.merges = level.tallies = 0;
  for (std::uint32_t rank = 0; rank < by_rank_.size(); ++rank) {
    Place& place = places_[by_rank_[rank]];
    place.rank = rank;
    if (place.base == kNone) continue;
    ++levels_[place.base].tallies;
    for (std::size_t l = place.base + 1; l < levels_.size(); ++l) ++levels_[l].merges;
  }
}

std::optional<std::size_t> WindowEngine::base(std::uint32_t index) const {
  std::size_t level = places_[index].base;
  return level == kNone ? std::nullopt : std::optional(level);
}

// ---- slots ----

WindowEngine::Slot* WindowEngine::find(Level& level, std::int64_t time_ms) {
  for (auto slot = level.slots.rbegin(); slot != level.slots.rend(); ++slot)
    if (slot->span.contains(time_ms)) return &*slot;
  return nullptr;
}

WindowEngine::Slot WindowEngine::make_slot(const Level& level, const TimeSpan& span) const {
  Slot slot;
  slot.span = span;
  slot.tallies.resize(level.tallies);
  slot.merges.resize(level.merges);
  return slot;
}

WindowEngine::Slot& WindowEngine::open(Level& level, std::int64_t time_ms) {
  if (Slot* slot = find(level, time_ms)) return *slot;
  TimeSpan span = options_.calendar.window(level.length_ms, time_ms);
  auto later = std::find_if(level.slots.begin(), level.slots.end(),
                            [&](const Slot& s) { return s.span.start_ms > span.start_ms; });
  return *level.slots.insert(later, make_slot(level, span));
}

// ---- readings ----

bool WindowEngine::is_ahead(std::uint32_t index, std::int64_t time_ms, std::int64_t now_ms) const {
  const std::size_t base = places_[index].base;
  return time_ms >= now_ms + most_ahead_ms(base == kNone ? 0 : levels_[base].length_ms);
}

void WindowEngine::folded(std::int64_t batch) {
  newest_ = std::max(newest_, batch);
  if (!ahead_.empty()) ahead_.erase(ahead_.begin(), ahead_.lower_bound({replay_from(), 0, 0}));
}

WindowEngine::Fate WindowEngine::add(const Sample& sample) {
  const std::size_t base = places_[sample.index].base;
  if (base == kNone) {
    refuse("no_window", plan_[sample.index].series);
    return Fate::refused;
  }
  Level& level = levels_[base];
  if (sample.time_ms < level.open_from) {
    if (sample.time_ms < horizon_ms_) {
      refuse("too_old", plan_[sample.index].series);
      return Fate::refused;
    }
    TimeSpan span = options_.calendar.window(level.length_ms, sample.time_ms);
    if (dirty_.size() >= kMostDirty && !dirty_.contains({base, span.start_ms, sample.index})) {
      refuse("too_many_late", plan_[sample.index].series);
      return Fate::refused;
    }
    Anchor& anchor = anchors_[sample.index];
    if (plan_[sample.index].kind == QuantityKind::totaliser && counts(sample) &&
        sample.time_ms >= anchor.time_ms) {
      anchor.time_ms = sample.time_ms;
      anchor.raw = sample.raw;
    }
    mark_dirty(base, span.start_ms, sample.index, 1);
    ++waiting_[sample.index];
    return Fate::late;
  }
  Slot* slot = find(level, sample.time_ms);
  if (plan_[sample.index].left_ms != 0 &&
      !plan_[sample.index].takes_part(window(base, sample.time_ms))) {
    refuse("removed", plan_[sample.index].series);
    return Fate::refused;
  }
  if (slot == nullptr) {
    if (is_ahead(sample.index, sample.time_ms, now_ms_)) {
      refuse("future", plan_[sample.index].series);
      ahead_.emplace(sample.batch, plan_[sample.index].series, sample.time_ms);
      if (ahead_.size() > kMostAhead) ahead_.erase(ahead_.begin());
      return Fate::refused;
    }
    slot = &open(level, sample.time_ms);
  }
  tally(level, *slot, sample.index).add(sample, plan_[sample.index]);
  slot->touched = true;
  slot->oldest_batch = std::min(slot->oldest_batch, sample.batch);
  ++waiting_[sample.index];
  if (base > 0) changed(sample.index);
  return Fate::counted;
}

void WindowEngine::mark_dirty(std::size_t level, std::int64_t start, std::uint32_t index,
                              std::uint32_t late) {
  dirty_[DirtyKey{level, start, index}] += late;
}

void WindowEngine::count_folded(std::uint32_t index, std::uint64_t readings) {
  if (readings == 0) return;
  folded_[plan_[index].series] += readings;
  take_from_waiting(index, readings);
}

Counts WindowEngine::waiting() const {
  Counts out = folded_;
  for (const auto& [reason, counts] : refused_) gerbang::add(out, counts);
  for (std::size_t i = 0; i < waiting_.size(); ++i)
    if (waiting_[i] > 0) out[plan_[i].series] += waiting_[i];
  return out;
}

// Batches of slower sensors need no replay: save_slow() keeps what they counted.
std::int64_t WindowEngine::replay_from() const {
  std::int64_t oldest = newest_ + 1;
  if (!levels_.empty())
    for (const Slot& slot : levels_.front().slots) oldest = std::min(oldest, slot.oldest_batch);
  return oldest;
}

// ---- times that became known later ----

std::vector<WindowEngine::Emptied> WindowEngine::take_out(const TimeSpan& within,
                                                          std::vector<std::uint64_t>& taken) {
  std::vector<Emptied> out;
  taken.resize(plan_.size());
  for (std::size_t l = 0; l < levels_.size(); ++l) {
    Level& level = levels_[l];
    for (Slot& slot : level.slots) {
      if (slot.span.end_ms <= within.start_ms || slot.span.start_ms >= within.end_ms) continue;
      bool any = false;
      for (std::uint32_t index = 0; index < plan_.size(); ++index) {
        if (places_[index].base != l) continue;
        Tally& own = tally(level, slot, index);
        if (own.readings() == 0) continue;
        any = true;
        taken[index] += own.readings();
        take_from_waiting(index, own.readings());
        own = Tally();
        if (l > 0) changed(index);
      }
      if (!any) continue;
      slot.oldest_batch = INT64_MAX;
      // What was merged or carried into it stays; without that nobody has been here.
      slot.touched = !slot.kept.empty() || !slot.carried.empty() ||
                     std::any_of(slot.merges.begin(), slot.merges.end(),
                                 [](const Merge& merge) { return !merge.empty(); });
      Emptied& one = out.emplace_back();
      one.level = l;
      one.span = slot.span;
    }
  }
  return out;
}

void WindowEngine::forget_before(std::int64_t time_ms) {
  for (Level& level : levels_) {
    std::int64_t start = options_.calendar.window(level.length_ms, time_ms).start_ms;
    for (const Slot& slot : level.slots)
      if (slot.touched) start = std::min(start, slot.span.start_ms);
    level.open_from = std::max(level.open_from, start);
    std::erase_if(level.slots, [&](const Slot& s) { return s.span.end_ms <= level.open_from; });
  }
}

// ---- closing ----

void WindowEngine::absent(std::int64_t from_ms, std::int64_t to_ms) {
  if (to_ms <= from_ms) return;
  if (absences_.size() == kMostAbsences) absences_.erase(absences_.begin());
  absences_.push_back(TimeSpan{from_ms, to_ms});
}

// Moves over windows that nobody could have filled. One step over any length of time.
void WindowEngine::skip_absent(std::size_t l) {
  Level& level = levels_[l];
  for (bool moved = true; moved;) {
    moved = false;
    std::int64_t first_slot = INT64_MAX;
    for (const Slot& slot : level.slots)
      if (slot.touched) first_slot = std::min(first_slot, slot.span.start_ms);
    for (const TimeSpan& absence : absences_) {
      TimeSpan next = options_.calendar.window(level.length_ms, level.open_from);
      std::int64_t until = absence.end_ms;
      if (level.length_ms > kShortMs) until -= kLookBackMs;
      if (next.start_ms < absence.start_ms || next.end_ms > until || first_slot <= next.start_ms)
        continue;
      std::int64_t target = options_.calendar.window(level.length_ms, until).start_ms;
      target = std::min(target, first_slot);
      if (l > 0) target = std::min(target, levels_[l - 1].open_from);
      if (l > 0) target = options_.calendar.window(level.length_ms, target).start_ms;
      if (target <= level.open_from) continue;
      level.open_from = target;
      moved = true;
    }
  }
}

bool WindowEngine::due(std::size_t l, std::int64_t now_ms) {
  skip_absent(l);
  const Level& level = levels_[l];
  std::int64_t end = options_.calendar.window(level.length_ms, level.open_from).end_ms;
  return l == 0 ? end + options_.grace_ms <= now_ms : end <= levels_[l - 1].open_from;
}

std::int64_t WindowEngine::next_due_ms() const {
  if (levels_.empty()) return INT64_MAX;
  const Level& level = levels_.front();
  return options_.calendar.window(level.length_ms, level.open_from).end_ms + options_.grace_ms;
}

std::optional<ClosedWindow> WindowEngine::close(std::int64_t now_ms, ClockTrust idle) {
  now_ms_ = std::max(now_ms_, now_ms);
  for (std::size_t l = levels_.size(); l-- > 0;)
    if (due(l, now_ms)) return finish(l, idle);
  // An absence is over once every level is past it.
  std::erase_if(absences_, [&](const TimeSpan& absence) {
    return std::all_of(levels_.begin(), levels_.end(),
                       [&](const Level& level) { return level.open_from > absence.end_ms; });
  });
  return std::nullopt;
}

ClosedWindow WindowEngine::finish(std::size_t l, ClockTrust idle) {
  Level& level = levels_[l];
  TimeSpan span = options_.calendar.window(level.length_ms, level.open_from);
  ClosedWindow out;
  out.level = l;
  out.span = span;
  Slot slot;
  if (Slot* found = find(level, span.start_ms)) {
    slot = std::move(*found);
    level.slots.erase(level.slots.begin() + (found - level.slots.data()));
  } else {
    slot = make_slot(level, span);
  }
  level.open_from = span.end_ms;
  const std::uint32_t sensors = level.merges + level.tallies;
  out.sensors.reserve(sensors);
  out.rows.reserve(sensors);
  for (std::uint32_t index = 0; index < plan_.size(); ++index) {
    const Place& place = places_[index];
    if (place.base > l || !plan_[index].takes_part(span)) continue;  // kNone is the largest
    Aggregate row = row_of(l, slot, index, idle);
    if (place.base == l) {
      const Tally& own = tally(level, slot, index);
      count_folded(index, own.readings());
      if (own.disordered()) mark_dirty(l, span.start_ms, index, 0);
      if (Anchor newest = own.newest_good();
          newest.known() && newest.time_ms >= anchors_[index].time_ms)
        anchors_[index] = newest;
      if (l > 0 && own.readings() > 0) changed(index);
    }
    if (row.received == 0 && plan_[index].since_ms >= span.end_ms) continue;
    merge_up(l, index, row);
    out.sensors.push_back(index);
    out.rows.push_back(std::move(row));
  }
  for (const auto& [index, own] : slot.kept) {
    count_folded(index, own.readings());
    changed(index);
  }
  return out;
}

Aggregate WindowEngine::row_of(std::size_t l, const Slot& slot, std::uint32_t index,
                               ClockTrust idle) const {
  const Level& level = levels_[l];
  const SeriesPlan& plan = plan_[index];
  const Place& place = places_[index];
  Aggregate row;
  if (place.base == l) {
    row = slot.tallies[place.rank - level.merges].row(plan, slot.span, anchors_[index], idle);
    if (auto before = slot.carried.find(index); before != slot.carried.end()) {
      Merge merge = before->second;
      merge.add(row);
      row = merge.row(plan, slot.span, idle);
    }
  } else {
    Merge merge = slot.merges[place.rank];
    if (auto before = slot.kept.find(index); before != slot.kept.end())
      merge.add(before->second.row(plan, slot.span, Anchor{}, idle));
    row = merge.row(plan, slot.span, idle);
  }
  complete(l, index, row);
  return row;
}

void WindowEngine::complete(std::size_t l, std::uint32_t index, Aggregate& row) const {
  row.window_ms = levels_[l].length_ms;
  row.upto = newest_;
  if (row.window_ms < kDayMs) return;
  // A day of a sensor that makes no hourly rows: its share of the day, in hours.
  auto hour = std::find(options_.lengths_ms.begin(), options_.lengths_ms.end(), kHourMs);
  bool hourly = hour != options_.lengths_ms.end() &&
                places_[index].base <= static_cast<std::size_t>(hour - options_.lengths_ms.begin());
  if (!hourly)
    row.valid_hours = static_cast<std::uint32_t>(std::floor(capture(row).value_or(0) * 24 + 1e-9));
}

void WindowEngine::merge_up(std::size_t l, std::uint32_t index, const Aggregate& row) {
  if (l + 1 == levels_.size()) return;
  Level& parent = levels_[l + 1];
  if (row.start_ms < parent.open_from) return;
  Slot& slot = open(parent, row.start_ms);
  slot.merges[places_[index].rank].add(row);
  slot.touched = true;
}

// ---- revisions ----

std::vector<DirtyWindow> WindowEngine::take_dirty(std::size_t most) {
  std::vector<DirtyWindow> out;
  auto it = dirty_.begin();
  while (it != dirty_.end()) {
    const DirtyKey& key = it->first;
    if (!to_revise(key, it->second)) {
      ++it;
      continue;
    }
    if (out.empty() || out.back().level != key.level || out.back().span.start_ms != key.start) {
      if (out.size() == most) break;
      DirtyWindow window;
      window.level = key.level;
      window.span = options_.calendar.window(levels_[key.level].length_ms, key.start);
      out.push_back(std::move(window));
    }
    DirtyWindow::Sensor sensor;
    sensor.index = key.index;
    sensor.late = it->second;
    out.back().sensors.push_back(sensor);
    it = dirty_.erase(it);
  }
  return out;
}

bool WindowEngine::to_revise(const DirtyKey& key, std::uint32_t late) const {
  if (!closed(key.level, key.start)) return false;
  // Nothing came for it: what it had was taken out, and is taken back at once.
  const bool emptied = late == 0 && !merges(key.index, key.level);
  return emptied || ended(key.level, key.start);
}

bool WindowEngine::has_dirty() const {
  return std::any_of(dirty_.begin(), dirty_.end(),
                     [&](const auto& entry) { return to_revise(entry.first, entry.second); });
}

bool WindowEngine::has_dirty(std::uint32_t index, const TimeSpan& within) const {
  for (std::size_t l = 0; l < levels_.size(); ++l) {
    const std::int64_t end = std::min(within.end_ms, levels_[l].open_from);
    if (end <= within.start_ms) continue;
    const auto last = dirty_.lower_bound(DirtyKey{l, end, 0});
    for (auto it = dirty_.lower_bound(DirtyKey{l, within.start_ms, 0}); it != last; ++it)
      if (it->first.index == index) return true;
  }
  return false;
}

bool WindowEngine::reflag(std::uint32_t index, std::int64_t time_ms) {
  const std::size_t level = places_[index].base;
  if (level == kNone || time_ms < horizon_ms_) return true;  // it is in no row, or stays as it is
  const DirtyKey key{level, window(level, time_ms).start_ms, index};
  if (dirty_.size() >= kMostDirty && !dirty_.contains(key)) return false;
  mark_dirty(level, key.start, index, 0);
  return true;
}

std::vector<DirtyWindow> WindowEngine::dirty_due(std::int64_t now_ms) const {
  std::vector<DirtyWindow> out;
  for (const auto& [key, late] : dirty_) {
    if (closed(key.level, key.start)) continue;
    const TimeSpan span = window(key.level, key.start);
    if (span.end_ms + options_.grace_ms > now_ms) continue;
    if (out.empty() || out.back().level != key.level || out.back().span.start_ms != key.start) {
      DirtyWindow& fresh = out.emplace_back();
      fresh.level = key.level;
      fresh.span = span;
    }
    DirtyWindow::Sensor sensor;
    sensor.index = key.index;
    out.back().sensors.push_back(sensor);
  }
  return out;
}

bool WindowEngine::replace(std::uint32_t index, std::size_t level, std::int64_t time_ms,
                           std::span<const Sample> readings) {
  if (places_[index].base != level) return false;
  Slot* slot = find(levels_[level], time_ms);
  if (slot == nullptr) return false;
  Tally fresh;
  for (const Sample& sample : readings) fresh.add(sample, plan_[index]);
  Tally& own = tally(levels_[level], *slot, index);
  if (fresh.readings() != own.readings()) return false;
  own = fresh;
  if (level > 0) changed(index);
  dirty_.erase(DirtyKey{level, slot->span.start_ms, index});
  return true;
}

void WindowEngine::put_back(const DirtyWindow& window) {
  for (const DirtyWindow::Sensor& sensor : window.sensors)
    mark_dirty(window.level, window.span.start_ms, sensor.index, sensor.late);
}

bool WindowEngine::touch(std::uint32_t index, std::int64_t time_ms) {
  const std::size_t level = places_[index].base;
  if (level == kNone || !closed(level, time_ms)) return false;
  mark_dirty(level, options_.calendar.window(levels_[level].length_ms, time_ms).start_ms, index, 0);
  return true;
}

Aggregate WindowEngine::recount(std::uint32_t index, std::size_t level, const TimeSpan& span,
                                std::span<const Sample> readings, const Anchor& before,
                                ClockTrust idle) const {
  Tally tally;
  for (const Sample& sample : readings) tally.add(sample, plan_[index]);
  Aggregate row = tally.row(plan_[index], span, before, idle);
  complete(level, index, row);
  return row;
}

Aggregate WindowEngine::remerge(std::uint32_t index, std::size_t level, const TimeSpan& span,
                                std::span<const Aggregate> finer, ClockTrust idle) const {
  Merge merge;
  for (const Aggregate& row : finer) merge.add(row);
  Aggregate row = merge.row(plan_[index], span, idle);
  complete(level, index, row);
  return row;
}

void WindowEngine::remerge_open(std::uint32_t index, std::size_t level, std::int64_t time_ms,
                                std::span<const Aggregate> finer) {
  if (places_[index].base > level) return;
  Merge merge;
  for (const Aggregate& row : finer) merge.add(row);
  Slot& slot = open(levels_[level], time_ms);
  slot.touched = true;
  if (places_[index].base == level)
    slot.carried[index] = std::move(merge);
  else
    slot.merges[places_[index].rank] = std::move(merge);
}

}  // namespace gerbang
