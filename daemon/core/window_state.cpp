// SPDX-License-Identifier: Apache-2.0
//
// WindowEngine over a restart and a reload. The saved state is words of text, so that it can be
// read with any SQLite shell and on any board.
#include <array>
#include <charconv>

#include "core/window.hpp"

namespace gerbang {
namespace {

class Words {
 public:
  template <class Number>
  void number(Number value) {
    std::array<char, 32> text;
    auto end = std::to_chars(text.data(), text.data() + text.size(), value);
    word(std::string_view(text.data(), static_cast<std::size_t>(end.ptr - text.data())));
  }
  void word(std::string_view text) {
    if (!out_.empty()) out_ += ' ';
    out_ += text;
  }
  void raw(const Raw& value) {
    number(value.is_integer ? 1 : 0);
    value.is_integer ? number(value.integer) : number(value.number);
  }
  void field(const Raw& value) { raw(value); }
  void field(ClockTrust value) { number(static_cast<int>(value)); }
  void field(bool value) { number(value ? 1 : 0); }
  template <class Number>
  void field(Number value) {
    number(value);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

// After the first word that does not fit, failed() holds and every number is 0.
class WordReader {
 public:
  explicit WordReader(std::string_view in) : in_(in) {}

  std::string_view word() {
    auto end = std::min(in_.find(' '), in_.size());
    auto out = in_.substr(0, end);
    in_.remove_prefix(std::min(end + 1, in_.size()));
    if (out.empty()) failed_ = true;
    return out;
  }
  template <class Number>
  Number number() {
    auto text = word();
    Number value{};
    auto end = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end.ec != std::errc() || end.ptr != text.data() + text.size()) failed_ = true;
    return failed_ ? Number{} : value;
  }
  Raw raw() {
    if (number<int>() == 1) return Raw::of(number<std::int64_t>());
    return Raw::of(number<double>());
  }
  // How many items follow; each needs at least two characters.
  std::size_t count() {
    auto n = number<std::size_t>();
    if (n > in_.size()) failed_ = true;
    return failed_ ? 0 : n;
  }
  void field(Raw& value) { value = raw(); }
  void field(ClockTrust& value) {
    int n = number<int>();
    if (n < 1 || n > 3) failed_ = true;
    value = failed_ ? ClockTrust::untrusted : static_cast<ClockTrust>(n);
  }
  void field(bool& value) { value = number<int>() == 1; }
  template <class Number>
  void field(Number& value) {
    value = number<Number>();
  }
  bool failed() const { return failed_; }
  bool at_end() const { return in_.empty(); }

 private:
  std::string_view in_;
  bool failed_ = false;
};

constexpr int kVersion = 1;

void write(Words& words, const Tally& tally) {
  Tally::fields(tally, [&](const auto& field) { words.field(field); });
}
void read(WordReader& words, Tally& tally) {
  Tally::fields(tally, [&](auto& field) { words.field(field); });
}

}  // namespace

// ---- save ----

std::string WindowEngine::save() const {
  Words words;
  words.number(kVersion);
  words.number(now_ms_);
  words.number(newest_);
  words.number(levels_.size());
  for (const Level& level : levels_) {
    words.number(level.length_ms);
    words.number(level.open_from);
  }
  std::size_t anchors = 0;
  for (std::size_t i = 0; i < plan_.size(); ++i)
    if (anchors_[i].known() && plan_[i].kind == QuantityKind::totaliser) ++anchors;
  words.number(anchors);
  for (std::size_t i = 0; i < plan_.size(); ++i) {
    if (!anchors_[i].known() || plan_[i].kind != QuantityKind::totaliser) continue;
    words.number(plan_[i].series);
    words.number(anchors_[i].time_ms);
    words.raw(anchors_[i].raw);
  }
  words.number(dirty_.size());
  for (const auto& [key, late] : dirty_) {
    words.number(plan_[key.index].series);
    words.number(levels_[key.level].length_ms);
    words.number(key.start);
    words.number(late);
  }
  if (ahead_.empty()) return words.take();  // as it was before there were any
  words.number(ahead_.size());
  for (const auto& [batch, series, time] : ahead_) {
    words.number(batch);
    words.number(series);
    words.number(time);
  }
  return words.take();
}

std::vector<std::pair<std::int32_t, std::string>> WindowEngine::save_slow() {
  std::vector<std::pair<std::int32_t, std::string>> out;
  for (std::uint32_t index = 0; index < plan_.size(); ++index) {
    if (!slow_changed_[index]) continue;
    slow_changed_[index] = false;
    struct Open {
      const Level* level;
      const Slot* slot;
      const Tally* tally;
    };
    std::vector<Open> open;
    for (std::size_t l = 1; l < levels_.size(); ++l)
      for (Slot& slot : levels_[l].slots) {
        auto kept = slot.kept.find(index);
        const Tally* own = kept != slot.kept.end()    ? &kept->second
                           : places_[index].base == l ? &tally(levels_[l], slot, index)
                                                      : nullptr;
        if (own != nullptr && own->readings() > 0) open.push_back({&levels_[l], &slot, own});
      }
    std::string text;
    if (!open.empty()) {
      Words words;
      words.number(kVersion);
      words.number(places_[index].base > 0 ? newest_ : slow_upto_[index]);
      words.number(open.size());
      for (const Open& one : open) {
        words.number(one.level->length_ms);
        words.number(one.slot->span.start_ms);
        write(words, *one.tally);
      }
      text = words.take();
    }
    out.emplace_back(plan_[index].series, std::move(text));
  }
  return out;
}

// ---- load ----

bool WindowEngine::load(std::string_view saved) {
  WordReader words(saved);
  if (words.number<int>() != kVersion) return false;
  auto saved_at = words.number<std::int64_t>();
  auto newest = words.number<std::int64_t>();
  std::map<std::int64_t, std::int64_t> open_from;  // by length
  for (std::size_t n = words.count(); n > 0; --n) {
    auto length = words.number<std::int64_t>();
    open_from[length] = words.number<std::int64_t>();
  }
  std::map<std::int32_t, std::uint32_t> index_of;
  for (std::uint32_t i = 0; i < plan_.size(); ++i) index_of[plan_[i].series] = i;
  std::vector<Anchor> anchors(plan_.size());
  for (std::size_t n = words.count(); n > 0; --n) {
    auto found = index_of.find(words.number<std::int32_t>());
    Anchor anchor;
    anchor.time_ms = words.number<std::int64_t>();
    anchor.raw = words.raw();
    if (found != index_of.end()) anchors[found->second] = anchor;
  }
  std::map<DirtyKey, std::uint32_t> dirty;
  std::vector<std::uint64_t> waiting(plan_.size(), 0);
  Counts dropped;
  for (std::size_t n = words.count(); n > 0; --n) {
    auto series = words.number<std::int32_t>();
    auto found = index_of.find(series);
    auto length = words.number<std::int64_t>();
    DirtyKey key{0, words.number<std::int64_t>(), 0};
    auto late = words.number<std::uint32_t>();
    auto level = std::find(options_.lengths_ms.begin(), options_.lengths_ms.end(), length);
    if (found == index_of.end() || level == options_.lengths_ms.end()) {
      dropped[series] += late;
      continue;
    }
    key.level = static_cast<std::size_t>(level - options_.lengths_ms.begin());
    key.index = found->second;
    dirty[key] = late;
    waiting[key.index] += late;
  }
  decltype(ahead_) ahead;
  for (std::size_t n = words.at_end() ? 0 : words.count(); n > 0; --n) {
    const auto batch = words.number<std::int64_t>();
    const auto series = words.number<std::int32_t>();
    ahead.emplace(batch, series, words.number<std::int64_t>());
  }
  if (words.failed() || !words.at_end() || open_from.empty()) return false;

  saved_at_ms_ = saved_at;
  saved_batch_ = newest_ = newest;
  anchors_ = std::move(anchors);
  dirty_ = std::move(dirty);
  ahead_ = std::move(ahead);
  waiting_ = std::move(waiting);
  for (const auto& [series, late] : dropped) refuse("removed", series, late);
  // A length that is new begins with the window that was open; what closed of it in windows of
  // other lengths is not in its first row, and the counts say so.
  saved_open_from_ = open_from.begin()->second;
  for (Level& level : levels_) {
    auto before = open_from.find(level.length_ms);
    level.open_from = before != open_from.end()
                          ? before->second
                          : options_.calendar.window(level.length_ms, saved_open_from_).start_ms;
  }
  return true;
}

bool WindowEngine::load_slow(std::uint32_t index, std::string_view saved) {
  if (saved.empty()) return true;
  struct Saved {
    std::size_t level;
    std::int64_t start;
    Tally tally;
  };
  std::vector<Saved> parts;
  WordReader words(saved);
  if (words.number<int>() != kVersion) return false;
  auto upto = words.number<std::int64_t>();
  for (std::size_t n = words.count(); n > 0; --n) {
    Saved part;
    auto length = words.number<std::int64_t>();
    part.start = words.number<std::int64_t>();
    read(words, part.tally);
    auto level = std::find(options_.lengths_ms.begin(), options_.lengths_ms.end(), length);
    part.level = static_cast<std::size_t>(level - options_.lengths_ms.begin());
    parts.push_back(std::move(part));
  }
  if (words.failed() || !words.at_end()) return false;
  slow_upto_[index] = upto;
  const std::size_t base = places_[index].base;
  for (Saved& part : parts) {
    if (part.level >= levels_.size()) part.level = base;  // windows of that length are no more
    if (base == kNone || closed(std::max(base, part.level), part.start)) {
      refuse("no_window", plan_[index].series, part.tally.readings());
      continue;
    }
    waiting_[index] += part.tally.readings();
    std::size_t level = std::max(base, part.level);
    Slot& slot = open(levels_[level], part.start);
    slot.touched = true;
    if (level == base)
      tally(levels_[level], slot, index).append(part.tally, plan_[index]);
    else
      slot.kept[index].append(part.tally, plan_[index]);
  }
  return true;
}

TimeSpan WindowEngine::rows_to_restore(std::size_t level) const {
  TimeSpan out;
  if (level + 1 >= levels_.size()) return out;
  out.start_ms = levels_[level + 1].open_from;
  out.end_ms = levels_[level].open_from;
  return out;
}

void WindowEngine::restore(std::uint32_t index, std::size_t level, const Aggregate& row) {
  const std::size_t above = level + 1, base = places_[index].base;
  if (above >= levels_.size() || base > above || closed(above, row.start_ms)) return;
  Slot& slot = open(levels_[above], row.start_ms);
  slot.touched = true;
  if (base == above)
    slot.carried[index].add(row);
  else
    slot.merges[places_[index].rank].add(row);
}

WindowEngine::Fate WindowEngine::replay(const Sample& sample) {
  const std::size_t base = places_[sample.index].base;
  const bool before = sample.batch <= saved_batch_;
  if (before && (base == kNone || closed(base, sample.time_ms))) return Fate::known;
  if (before && ahead_.contains({sample.batch, plan_[sample.index].series, sample.time_ms}))
    return Fate::known;
  if (sample.batch <= slow_upto_[sample.index]) return Fate::known;
  // A sensor that had a finer window when the state was saved: its readings of then closed windows
  // are in rows.
  if (before && sample.time_ms < saved_open_from_) return Fate::known;
  return add(sample);
}

// Its windows are lost with the sensor: what they held is counted, and what closed before is not
// counted again.
void WindowEngine::replay_unknown(std::int32_t series, std::int64_t time_ms, std::int64_t batch) {
  const bool before = batch <= saved_batch_;
  if (before && (time_ms < saved_open_from_ || ahead_.contains({batch, series, time_ms}))) return;
  refuse("removed", series);
}

// ---- reload ----

bool WindowEngine::finished(std::uint32_t index) const {
  const std::int64_t left = plan_[index].left_ms;
  return left != 0 && std::all_of(levels_.begin(), levels_.end(),
                                  [&](const Level& level) { return level.open_from > left; });
}

void WindowEngine::reconfigure(std::vector<SeriesPlan> plan) {
  std::map<std::int32_t, std::uint32_t> new_index;
  for (std::uint32_t i = 0; i < plan.size(); ++i) new_index[plan[i].series] = i;
  // The old arrangement is kept while its slots are moved into the new one.
  const auto old_plan = std::exchange(plan_, std::move(plan));
  const auto old_places = std::exchange(places_, {});
  const auto old_anchors = std::exchange(anchors_, std::vector<Anchor>(plan_.size()));
  const auto old_dirty = std::exchange(dirty_, {});
  const auto old_waiting = std::exchange(waiting_, std::vector<std::uint64_t>(plan_.size(), 0));
  for (std::uint32_t old = 0; old < old_plan.size(); ++old)
    if (auto found = new_index.find(old_plan[old].series); found != new_index.end())
      waiting_[found->second] = old_waiting[old];
  auto old_levels = levels_;
  arrange();
  slow_changed_.assign(plan_.size(), false);
  const auto old_upto = std::exchange(slow_upto_, std::vector<std::int64_t>(plan_.size(), 0));
  for (Level& level : levels_) level.slots.clear();

  for (std::size_t l = 0; l < levels_.size(); ++l)
    for (Slot& was : old_levels[l].slots) {
      // It may be open already: a base that moved up brings readings to a longer window.
      Slot& now = open(levels_[l], was.span.start_ms);
      now.touched = now.touched || was.touched;
      now.oldest_batch = was.oldest_batch;
      for (std::uint32_t old = 0; old < old_plan.size(); ++old) {
        const std::size_t from = old_places[old].base;
        if (from > l) continue;
        Part part;
        if (from == l) {
          part.tally = was.tallies[old_places[old].rank - old_levels[l].merges];
          if (auto it = was.carried.find(old); it != was.carried.end()) part.merge = it->second;
        } else {
          part.merge = was.merges[old_places[old].rank];
          if (auto it = was.kept.find(old); it != was.kept.end()) part.tally = it->second;
        }
        auto found = new_index.find(old_plan[old].series);
        if (found == new_index.end()) {
          refuse("removed", old_plan[old].series, part.tally.readings());
        } else {
          move(l, was.span, found->second, part);
          if (from > 0) changed(found->second);
        }
      }
    }
  for (std::uint32_t old = 0; old < old_plan.size(); ++old)
    if (auto found = new_index.find(old_plan[old].series); found != new_index.end()) {
      anchors_[found->second] = old_anchors[old];
      slow_upto_[found->second] = old_places[old].base > 0 ? newest_ : old_upto[old];
    }
  for (const auto& [key, late] : old_dirty) {
    auto found = new_index.find(old_plan[key.index].series);
    if (found == new_index.end())
      refuse("removed", old_plan[key.index].series, late);
    else
      dirty_[DirtyKey{key.level, key.start, found->second}] = late;
  }
}

// Puts what was open of a sensor at level l where its base is now.
void WindowEngine::move(std::size_t l, const TimeSpan& span, std::uint32_t index,
                        const Part& part) {
  const std::size_t base = places_[index].base;
  const bool counted = part.tally.readings() > 0, merged = !part.merge.empty();
  if (!counted && !merged) return;
  const SeriesPlan& plan = plan_[index];
  if (base == kNone) {
    refuse("no_window", plan.series, part.tally.readings());
    take_from_waiting(index, part.tally.readings());
    return;
  }
  const std::size_t to = std::max(l, base);
  Slot& slot = open(levels_[to], span.start_ms);
  slot.touched = true;
  if (base > 0) changed(index);
  if (base < l) {
    if (counted) slot.kept[index] = part.tally;
    if (merged) slot.merges[places_[index].rank] = part.merge;
    return;
  }
  if (counted) tally(levels_[to], slot, index).append(part.tally, plan);
  if (merged && to == l) slot.carried[index] = part.merge;
  if (merged && to > l) {
    Aggregate row = part.merge.row(plan, span, ClockTrust::trusted);
    row.window_ms = levels_[l].length_ms;
    slot.carried[index].add(row);
  }
}

}  // namespace gerbang
