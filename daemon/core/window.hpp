// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "core/aggregate.hpp"
#include "core/calendar.hpp"
#include "core/counts.hpp"
#include "core/tally.hpp"

namespace gerbang {

struct WindowOptions {
  std::vector<std::int64_t> lengths_ms;  // ascending, each divides the next, at most a day
  std::int64_t grace_ms = 10'000;        // how long an ended window waits for late readings
  Calendar calendar;
};

// A window that ended, with a row for every sensor that takes part in it.
struct ClosedWindow {
  std::size_t level = 0;  // in WindowOptions::lengths_ms
  TimeSpan span;
  std::vector<std::uint32_t> sensors;  // index in the plan, for each row
  std::vector<Aggregate> rows;         // revision 0
};

// A closed window that readings came for.
struct DirtyWindow {
  std::size_t level = 0;
  TimeSpan span;
  struct Sensor {
    std::uint32_t index = 0;
    std::uint32_t late = 0;  // readings that are counted as folded when the revision is committed
  };
  std::vector<Sensor> sensors;
};

// Tumbling windows in event time for all sensors of a plan. Pure: every time is an argument.
//
// Each sensor is counted in its own finest window: the smallest that is not shorter than its
// interval. Longer windows are merged from the rows of the next shorter one. A window closes when
// it ended more than the grace time ago; what comes later makes it dirty.
//
// What a restart needs is in three places that are written in one transaction with the rows: the
// rows themselves; save(); and save_slow() for sensors whose own finest window is not the finest of
// all. The readings of batches from replay_from() on bring the rest.
//
// Memory: about 300 bytes for each sensor and open window. Readings more than two windows (at least
// a minute) ahead of the clock are refused, so that few windows are open at a time.
class WindowEngine {
 public:
  enum class Fate {
    counted,  // in an open window
    late,     // its window is closed, and dirty now
    known,    // replay: it was counted before
    refused,  // it will never be in a row; take_refused() says why
  };

  // The first open windows are those that hold `now`.
  WindowEngine(WindowOptions options, std::vector<SeriesPlan> plan, std::int64_t now_ms);

  const std::vector<SeriesPlan>& plan() const { return plan_; }
  const WindowOptions& options() const { return options_; }
  // The level that counts the sensor's readings; nullopt: its interval is longer than any window.
  std::optional<std::size_t> base(std::uint32_t index) const;

  // ---- readings ----

  // What time it is.
  void advance(std::int64_t now_ms) { now_ms_ = now_ms; }
  Fate add(const Sample& sample);
  // True for a time so far ahead of `now` that add() refuses it. UTC milliseconds.
  bool is_ahead(std::uint32_t index, std::int64_t time_ms, std::int64_t now_ms) const;
  // A verdict: the window that counted the reading of this time is to be counted again, before it
  // closes or as a revision. False: there are too many of them.
  bool reflag(std::uint32_t index, std::int64_t time_ms);
  // Every reading of batches up to this one was added.
  void folded(std::int64_t batch);
  std::int64_t newest() const { return newest_; }

  // Readings older than this are gone from the store, or their rows are.
  void set_horizon(std::int64_t oldest_ms) { horizon_ms_ = oldest_ms; }

  // From `from` to `to` nobody was looking: the gateway was off, or the clock jumped ahead. Windows
  // that lie wholly in there and have no reading make no rows if they are at most 15 minutes long;
  // longer ones only for the last 48 hours of it.
  void absent(std::int64_t from_ms, std::int64_t to_ms);

  // ---- times that became known later ----

  // An open window whose readings were taken out.
  struct Emptied {
    std::size_t level = 0;
    TimeSpan span;
  };
  // Takes the readings that counted in open windows within [from, to) out again, to be added anew
  // with the times that hold now. They are counted into `taken`, by index, and wait no more.
  std::vector<Emptied> take_out(const TimeSpan& within, std::vector<std::uint64_t>& taken);
  // Readings that were taken out and lie in closed windows: the ledger has them as folded with the
  // next commit, their windows are revised after it.
  void count_as_folded(std::uint32_t index, std::uint64_t readings) {
    folded_[plan_[index].series] += readings;
  }
  // The newest good reading of a totaliser in closed windows, as stored.
  void set_anchor(std::uint32_t index, const Anchor& anchor) { anchors_[index] = anchor; }
  // Nobody was here before this: windows before it that have nothing are not open.
  void forget_before(std::int64_t time_ms);
  // Windows before this are closed.
  std::int64_t open_from(std::size_t level) const { return levels_[level].open_from; }

  // ---- closing ----

  // When the next window is due.
  std::int64_t next_due_ms() const;
  // Closes the next window that was due at `now`, shorter before longer; nullopt: none was. `idle`:
  // the clock of rows without readings.
  std::optional<ClosedWindow> close(std::int64_t now_ms, ClockTrust idle);
  bool has_due(std::int64_t now_ms) const { return next_due_ms() <= now_ms; }

  // Readings whose windows closed, and why others will never be in a row, since the last call.
  Counts take_folded() { return std::exchange(folded_, {}); }
  Reasons take_refused() { return std::exchange(refused_, {}); }
  // Readings that no commit has accounted for: in open or dirty windows, or not taken yet by the
  // two functions above.
  Counts waiting() const;
  std::int64_t replay_from() const;

  // ---- revisions ----

  // Closed windows that are to be revised now. After the clock was set back there are closed ones
  // that have not ended: what comes for them waits until they have.
  bool has_dirty() const;
  // Of this sensor, with start in `within`.
  bool has_dirty(std::uint32_t index, const TimeSpan& within) const;
  // The oldest dirty windows; they are clean from now on. The caller revises and commits them.
  std::vector<DirtyWindow> take_dirty(std::size_t most);
  void revised(std::uint32_t index, std::uint64_t late) { take_from_waiting(index, late); }
  // Dirty again: it could not be revised now.
  void put_back(const DirtyWindow& window);
  // Dirty: its finer rows were revised before it ended, and it is merged from them once it has.
  void remerge_later(std::uint32_t index, std::size_t level, std::int64_t start_ms) {
    mark_dirty(level, start_ms, index, 0);
  }
  // By the clock and the grace time; closed windows have, unless the clock was set back.
  bool ended(std::size_t level, std::int64_t time_ms) const {
    return window(level, time_ms).end_ms + options_.grace_ms <= now_ms_;
  }
  // Recomputes the window that holds `time_ms` when it is closed, for a totaliser whose reading
  // before it has changed. False: it is open, or none.
  bool touch(std::uint32_t index, std::int64_t time_ms);

  TimeSpan window(std::size_t level, std::int64_t time_ms) const {
    return options_.calendar.window(options_.lengths_ms[level], time_ms);
  }
  bool closed(std::size_t level, std::int64_t time_ms) const {
    return time_ms < levels_[level].open_from;
  }
  // Windows that are due at `now` and have readings whose flags have changed. replace() counts one
  // again, from all readings of the sensor in it; false: they are not all that it counted, and it
  // stays dirty until it is closed.
  std::vector<DirtyWindow> dirty_due(std::int64_t now_ms) const;
  bool replace(std::uint32_t index, std::size_t level, std::int64_t time_ms,
               std::span<const Sample> readings);

  // The row of a dirty window, from all readings of the sensor in it, in order of time. `before`:
  // the newest good reading before them.
  Aggregate recount(std::uint32_t index, std::size_t level, const TimeSpan& span,
                    std::span<const Sample> readings, const Anchor& before, ClockTrust idle) const;
  // True where the sensor's rows of this level are merged from those of the level below.
  bool merges(std::uint32_t index, std::size_t level) const { return places_[index].base < level; }
  // The row of a longer window, from all rows of the next shorter one in order of time.
  Aggregate remerge(std::uint32_t index, std::size_t level, const TimeSpan& span,
                    std::span<const Aggregate> finer, ClockTrust idle) const;
  // The same for a window that is still open: what was merged is replaced.
  void remerge_open(std::uint32_t index, std::size_t level, std::int64_t time_ms,
                    std::span<const Aggregate> finer);

  // ---- restart ----

  std::string save() const;
  // Sensors with a longer finest window whose state changed since the last call: series → text,
  // empty where nothing is open.
  std::vector<std::pair<std::int32_t, std::string>> save_slow();

  // Call in this order, before anything is added. Text that save() did not write: false, and
  // nothing is changed.
  bool load(std::string_view saved);
  bool load_slow(std::uint32_t index, std::string_view saved);
  // Rows of this level with start in [from, to) belong to open windows of the next one; restore()
  // takes each, in order of start.
  TimeSpan rows_to_restore(std::size_t level) const;
  void restore(std::uint32_t index, std::size_t level, const Aggregate& row);
  // As add(), for readings that may have been counted before the restart.
  Fate replay(const Sample& sample);
  // For a store without a saved state: no window before this is open.
  void begin(std::int64_t time_ms);
  // A stored reading of a series that is not in the plan.
  void replay_unknown(std::int32_t series, std::int64_t time_ms, std::int64_t batch);
  // When the state was saved; 0: nothing was loaded.
  std::int64_t saved_at_ms() const { return saved_at_ms_; }

  // ---- reload ----

  // Open windows of series that are in the new plan go on, whatever else of them changed. A removed
  // sensor stays in the plan, with left_ms set, until finished(): its open windows close in their
  // time as they are. Follow with a commit of save() and save_slow().
  void reconfigure(std::vector<SeriesPlan> plan);
  // True for a sensor that left and has no window open.
  bool finished(std::uint32_t index) const;

 private:
  static constexpr std::size_t kNone = SIZE_MAX;

  // A sensor at a level: `tallies` where the level is its base, `merges` above. The two maps hold
  // the part of a window from before its base changed: rows below a tally, readings below a merge.
  struct Slot {
    TimeSpan span;
    std::int64_t oldest_batch = INT64_MAX;
    bool touched = false;
    std::vector<Tally> tallies;
    std::vector<Merge> merges;
    std::map<std::uint32_t, Merge> carried;
    std::map<std::uint32_t, Tally> kept;
  };
  struct Level {
    std::int64_t length_ms = 0;
    std::int64_t open_from = 0;  // windows before this are closed
    std::uint32_t merges = 0;    // sensors whose base is below: ranks [0, merges)
    std::uint32_t tallies = 0;   // whose base this is: ranks [merges, merges + tallies)
    std::vector<Slot> slots;     // by start
  };
  struct Place {
    std::size_t base = kNone;
    std::uint32_t rank = 0;  // sensors ordered by base, then index
  };
  struct DirtyKey {
    std::size_t level;
    std::int64_t start;
    std::uint32_t index;
    auto operator<=>(const DirtyKey&) const = default;
  };

  void arrange();
  Slot* find(Level& level, std::int64_t time_ms);
  Slot& open(Level& level, std::int64_t time_ms);
  Slot make_slot(const Level& level, const TimeSpan& span) const;
  Tally& tally(Level& level, Slot& slot, std::uint32_t index) const {
    return slot.tallies[places_[index].rank - level.merges];
  }
  bool due(std::size_t level, std::int64_t now_ms);
  void skip_absent(std::size_t level);
  ClosedWindow finish(std::size_t level, ClockTrust idle);
  Aggregate row_of(std::size_t level, const Slot& slot, std::uint32_t index, ClockTrust idle) const;
  void complete(std::size_t level, std::uint32_t index, Aggregate& row) const;
  void merge_up(std::size_t level, std::uint32_t index, const Aggregate& row);
  void mark_dirty(std::size_t level, std::int64_t start, std::uint32_t index, std::uint32_t late);
  bool to_revise(const DirtyKey& key, std::uint32_t late) const;
  void refuse(const char* reason, std::int32_t series, std::uint64_t count = 1) {
    if (count > 0) refused_[reason][series] += count;
  }
  void take_from_waiting(std::uint32_t index, std::uint64_t count) {
    waiting_[index] -= std::min(waiting_[index], count);
  }
  void count_folded(std::uint32_t index, std::uint64_t readings);
  void changed(std::uint32_t index) { slow_changed_[index] = true; }
  struct Part {
    Tally tally;
    Merge merge;
  };
  void move(std::size_t level, const TimeSpan& span, std::uint32_t index, const Part& part);

  WindowOptions options_;
  std::vector<SeriesPlan> plan_;
  std::vector<Place> places_;           // by index
  std::vector<std::uint32_t> by_rank_;  // rank → index
  std::vector<Level> levels_;
  std::vector<Anchor> anchors_;  // totalisers: the newest good reading of closed windows
  std::vector<bool> slow_changed_;
  // Batches up to this are in what save_slow() says of the sensor. Of use where its base has become
  // the finest level: later ones are not in there then.
  std::vector<std::int64_t> slow_upto_;
  std::vector<TimeSpan> absences_;
  std::map<DirtyKey, std::uint32_t> dirty_;
  // Of batches that a restart replays: readings that were refused as ahead of the clock, by batch,
  // series and time. At most kMostAhead; of older ones it is decided anew.
  std::set<std::tuple<std::int64_t, std::int32_t, std::int64_t>> ahead_;
  std::vector<std::uint64_t> waiting_;  // by index: in open or dirty windows
  Reasons refused_;
  Counts folded_;
  std::int64_t now_ms_ = 0, newest_ = 0, horizon_ms_ = INT64_MIN;
  std::int64_t saved_at_ms_ = 0, saved_batch_ = 0;
  std::int64_t saved_open_from_ = INT64_MIN;  // of the finest windows when the state was saved
};

}  // namespace gerbang
