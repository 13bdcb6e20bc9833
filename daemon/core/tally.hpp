// SPDX-License-Identifier: Apache-2.0
//
// One sensor in one window: a Tally counts readings, a Merge sums up finer windows.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/aggregate.hpp"
#include "core/calendar.hpp"
#include "core/quantity.hpp"
#include "core/reading.hpp"

namespace gerbang {

// What folding must know of a sensor.
struct SeriesPlan {
  std::int32_t series = 0;
  QuantityKind kind = QuantityKind::gauge;
  std::int64_t interval_ms = 0;       // 0: not polled, nothing is expected
  double factor = 1;                  // totaliser: amount in the quantity's unit for one raw count
  std::optional<std::uint64_t> wrap;  // totaliser: counts in one turn of the register
  std::optional<double> detection_limit;  // lower values are counted as below_limit, too
  bool count_suspect = false;  // suspect readings are in the statistics and in capture, too
  std::int64_t left_ms = 0;    // not 0: removed then; takes part in windows that began before only
  // When it was added; 0: it was there from the first. Of windows that had ended by then it has a
  // row only if readings came for them.
  std::int64_t since_ms = 0;

  bool takes_part(const TimeSpan& window) const {
    return left_ms == 0 || window.start_ms <= left_ms;
  }
};

// A stored reading with what quality control said of it.
struct Sample {
  std::uint32_t index = 0;  // in the plan
  std::int64_t time_ms = 0;
  Flag flag = Flag::missing;
  Reason reason = Reason::none;
  ClockTrust clock = ClockTrust::trusted;
  Raw raw;
  double value = 0;  // in the quantity's unit; meaningless when flag is missing
  std::int64_t batch = 0;
  bool verdict = false;  // see Reading::verdict
};

// The newest good reading before a window: where a totaliser's next increment begins.
struct Anchor {
  std::int64_t time_ms = INT64_MIN;
  Raw raw;
  bool known() const { return time_ms != INT64_MIN; }
};

// Raw counts between two successive readings of a totaliser. A register that went backwards has
// wrapped if that makes a step of at most half a turn; else it was reset or replaced, and what it
// counted meanwhile is not known: 0.
double increment(const Raw& before, const Raw& after, std::optional<std::uint64_t> wrap);

// True where the contents differ by more than rounding; `revision` and `upto` are not content.
bool differ(const Aggregate& a, const Aggregate& b);

// How many readings a window of this length should bring; nullopt: not polled. Rounded down: where
// the interval does not divide the window, or the polls begin anew in it (a restart), one reading
// more can come.
std::optional<std::uint32_t> expected(const SeriesPlan& plan, const TimeSpan& span);

using ReasonCounts = std::array<std::uint32_t, kReasonCount>;

// Counts readings in any order. Only a totaliser's increments depend on the order within the
// window, and only where a register wrapped or was reset between them: disordered() says when a
// reading came between two others.
class Tally {
 public:
  void add(const Sample& sample, const SeriesPlan& plan);
  // Behind what is counted here; the other's readings are all later.
  void append(const Tally& later, const SeriesPlan& plan);

  std::uint32_t readings() const { return readings_; }  // all, missing ones too
  bool disordered() const { return disordered_; }
  // The newest good reading, if there is one.
  Anchor newest_good() const;

  // `before`: the newest good reading before the window. `idle`: the clock of a window without
  // readings. All but series, window_ms, revision and upto is filled in.
  Aggregate row(const SeriesPlan& plan, const TimeSpan& span, const Anchor& before,
                ClockTrust idle) const;

  // For the checkpoint: calls each(field) in a fixed order.
  template <class Self, class Each>
  static void fields(Self& self, Each&& each) {
    each(self.readings_);
    each(self.received_);
    each(self.good_);
    each(self.suspect_);
    each(self.bad_);
    each(self.maintenance_);
    each(self.below_limit_);
    each(self.statistics_.count);
    each(self.statistics_.mean);
    each(self.statistics_.m2);
    each(self.statistics_.minimum);
    each(self.statistics_.maximum);
    each(self.first_);
    each(self.last_);
    each(self.first_ms_);
    each(self.last_ms_);
    each(self.x_);
    each(self.y_);
    each(self.amount_);
    each(self.pairs_);
    each(self.first_raw_);
    each(self.last_raw_);
    each(self.clock_);
    each(self.disordered_);
    for (auto& n : self.blame_) each(n);
    for (auto& n : self.absent_) each(n);
  }

 private:
  void use(const Sample& sample, const SeriesPlan& plan);

  std::uint32_t readings_ = 0, received_ = 0;
  std::uint32_t good_ = 0, suspect_ = 0, bad_ = 0, maintenance_ = 0, below_limit_ = 0;
  Statistics statistics_;
  double first_ = 0, last_ = 0;
  std::int64_t first_ms_ = 0, last_ms_ = 0;
  double x_ = 0, y_ = 0;
  double amount_ = 0;         // totaliser: raw counts; event: sum of values
  std::uint32_t pairs_ = 0;   // totaliser: increments in amount_
  Raw first_raw_, last_raw_;  // totaliser
  ClockTrust clock_ = ClockTrust::trusted;
  bool disordered_ = false;
  ReasonCounts blame_{};   // bad and maintenance, by reason
  ReasonCounts absent_{};  // records of missing readings, by reason
};

// Sums up rows of finer windows. The result depends on the rows alone, so that it is the same after
// a restart.
class Merge {
 public:
  void add(const Aggregate& finer);
  bool empty() const { return rows_ == 0; }
  Aggregate row(const SeriesPlan& plan, const TimeSpan& span, ClockTrust idle) const;

 private:
  Aggregate sum_;
  ReasonCounts blame_{};
  std::uint32_t rows_ = 0;
};

}  // namespace gerbang
