// SPDX-License-Identifier: Apache-2.0
#include "core/window.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace gerbang {
namespace {

constexpr std::int64_t kMinute = 60'000, kQuarter = 900'000;
constexpr std::int64_t kNoon = 1'735'732'800'000;  // 2025-01-01T12:00Z

WindowOptions options() {
  WindowOptions o;
  o.lengths_ms = {kMinute, kQuarter, kHourMs, kDayMs};
  return o;
}

SeriesPlan gauge(std::int32_t series, std::int64_t interval_ms = 1000) {
  SeriesPlan p;
  p.series = series;
  p.interval_ms = interval_ms;
  return p;
}

Sample good(std::uint32_t index, std::int64_t time_ms, double value, std::int64_t batch = 1) {
  Sample s;
  s.index = index;
  s.time_ms = time_ms;
  s.value = value;
  s.raw = Raw::of(value);
  s.flag = Flag::good;
  s.batch = batch;
  return s;
}

std::vector<ClosedWindow> close_all(WindowEngine& engine, std::int64_t now) {
  std::vector<ClosedWindow> out;
  engine.advance(now);
  while (auto window = engine.close(now, ClockTrust::trusted)) out.push_back(std::move(*window));
  return out;
}

const Aggregate& row(const ClosedWindow& window, std::uint32_t index) {
  for (std::size_t i = 0; i < window.sensors.size(); ++i)
    if (window.sensors[i] == index) return window.rows[i];
  throw std::runtime_error("no row");
}

TEST(WindowEngine, ClosesAWindowWhenItsGraceIsOver) {
  WindowEngine engine(options(), {gauge(1)}, kNoon);
  engine.add(good(0, kNoon + 1000, 7));
  EXPECT_EQ(engine.next_due_ms(), kNoon + kMinute + 10'000);
  EXPECT_TRUE(close_all(engine, kNoon + kMinute + 9'999).empty());
  auto closed = close_all(engine, kNoon + kMinute + 10'000);
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_EQ(closed[0].level, 0u);
  EXPECT_EQ(closed[0].span, (TimeSpan{kNoon, kNoon + kMinute}));
  EXPECT_EQ(closed[0].rows[0].series, 1);
  EXPECT_EQ(closed[0].rows[0].window_ms, kMinute);
  EXPECT_EQ(closed[0].rows[0].good, 1u);
  EXPECT_EQ(closed[0].rows[0].expected, 60u);
  EXPECT_EQ(engine.next_due_ms(), kNoon + 2 * kMinute + 10'000);
}

TEST(WindowEngine, TakesAReadingOfTheEndedWindowWithinTheGrace) {
  WindowEngine engine(options(), {gauge(1)}, kNoon);
  engine.add(good(0, kNoon + kMinute + 5'000, 1));
  EXPECT_EQ(engine.add(good(0, kNoon + kMinute - 1, 2)), WindowEngine::Fate::counted);
  auto closed = close_all(engine, kNoon + kMinute + 10'000);
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_EQ(closed[0].rows[0].good, 1u);
  EXPECT_EQ(closed[0].rows[0].statistics.mean, 2);
}

TEST(WindowEngine, MakesARowForASilentSensor) {
  WindowEngine engine(options(), {gauge(1), gauge(2)}, kNoon);
  engine.add(good(0, kNoon, 1));
  auto closed = close_all(engine, kNoon + kMinute + 10'000);
  ASSERT_EQ(closed.size(), 1u);
  ASSERT_EQ(closed[0].rows.size(), 2u);
  EXPECT_EQ(row(closed[0], 1).received, 0u);
  EXPECT_EQ(row(closed[0], 1).missing(), 60u);
}

TEST(WindowEngine, MergesLongerWindowsWhenTheirLastShorterOneCloses) {
  WindowEngine engine(options(), {gauge(1, 60'000)}, kNoon);
  for (int m = 0; m < 60; ++m) {
    engine.add(good(0, kNoon + m * kMinute, m));
    auto closed = close_all(engine, kNoon + (m + 1) * kMinute + 10'000);
    ASSERT_EQ(closed.size(), m == 59 ? 3u : m % 15 == 14 ? 2u : 1u) << m;
    EXPECT_EQ(closed[0].level, 0u);
    if (m == 59) {
      EXPECT_EQ(closed[2].span, (TimeSpan{kNoon, kNoon + kHourMs}));
      EXPECT_EQ(closed[2].rows[0].good, 60u);
      EXPECT_EQ(closed[2].rows[0].expected, 60u);
      EXPECT_DOUBLE_EQ(closed[2].rows[0].statistics.mean, 29.5);
      EXPECT_EQ(closed[2].rows[0].last, 59);
    }
  }
}

TEST(WindowEngine, LetsASensorTakePartFromItsIntervalOn) {
  WindowEngine engine(options(), {gauge(1, 5 * kMinute), gauge(2, 2 * kDayMs), gauge(3)}, kNoon);
  EXPECT_EQ(engine.base(0), 1u);
  EXPECT_EQ(engine.base(1), std::nullopt);
  for (int i = 0; i < 3; ++i) engine.add(good(0, kNoon + i * 5 * kMinute, i));
  EXPECT_EQ(engine.add(good(1, kNoon, 1)), WindowEngine::Fate::refused);
  auto closed = close_all(engine, kNoon + kQuarter + 10'000);
  ASSERT_EQ(closed.size(), 16u);
  for (int m = 0; m < 15; ++m)
    EXPECT_EQ(closed[static_cast<std::size_t>(m)].sensors, std::vector<std::uint32_t>{2});
  EXPECT_EQ(closed[15].sensors, (std::vector<std::uint32_t>{0, 2}));
  EXPECT_EQ(row(closed[15], 0).expected, 3u);
  EXPECT_EQ(row(closed[15], 0).good, 3u);
  EXPECT_EQ(sum(engine.take_refused().at("no_window")), 1u);
}

TEST(WindowEngine, CountsTheHoursOfAChangingDay) {
  using namespace std::chrono;
  auto utc = [](year_month_day date, int hour) {
    return duration_cast<milliseconds>((sys_days(date) + hours(hour)).time_since_epoch()).count();
  };
  for (auto [day, hours_of_day] :
       {std::pair(2025y / March / 30, 23), {2025y / October / 26, 25}, {2025y / June / 1, 24}}) {
    WindowOptions o = options();
    o.calendar = Calendar({{utc(2024y / October / 27, 1), 3600},
                           {utc(2025y / March / 30, 1), 7200},
                           {utc(2025y / October / 26, 1), 3600}});
    std::int64_t start = o.calendar.day(utc(day, 12)).start_ms;
    WindowEngine engine(o, {gauge(1, kMinute)}, start);
    std::vector<ClosedWindow> days;
    int hours_closed = 0;
    for (int m = 0; m < hours_of_day * 60; ++m) {
      std::int64_t t = start + m * kMinute;
      engine.advance(t);
      ASSERT_EQ(engine.add(good(0, t, 1)), WindowEngine::Fate::counted);
      for (auto& window : close_all(engine, t + kMinute + 10'000)) {
        if (window.level == 2) ++hours_closed;
        if (window.level == 3) days.push_back(std::move(window));
      }
    }
    ASSERT_EQ(days.size(), 1u);
    EXPECT_EQ(hours_closed, hours_of_day);
    EXPECT_EQ(days[0].rows[0].expected, static_cast<std::uint32_t>(hours_of_day * 60));
    EXPECT_EQ(days[0].rows[0].missing(), 0u);
    EXPECT_EQ(days[0].rows[0].valid_hours, static_cast<std::uint32_t>(hours_of_day));
    EXPECT_EQ(verdict(days[0].rows[0]), Verdict::valid);
  }
}

TEST(WindowEngine, JudgesADayWithoutHourlyRowsByItsShare) {
  WindowEngine engine(options(), {gauge(1, 6 * kHourMs)}, kNoon - 12 * kHourMs);
  for (int i = 0; i < 3; ++i) engine.add(good(0, kNoon - 12 * kHourMs + i * 6 * kHourMs, 1));
  auto closed = close_all(engine, kNoon + 12 * kHourMs + 10'000);
  const ClosedWindow& day = closed.back();
  ASSERT_EQ(day.level, 3u);
  EXPECT_EQ(day.rows[0].valid_hours, 18u);
  EXPECT_EQ(verdict(day.rows[0]), Verdict::valid);
}

TEST(WindowEngine, AWindowThatTheClockClosedTooEarlyIsRevisedWhenItHasEnded) {
  WindowEngine engine(options(), {gauge(1)}, kNoon);
  close_all(engine, kNoon + kHourMs);  // the clock was ahead, and is set right again
  engine.advance(kNoon + 30'000);
  for (int t = 0; t < 30; ++t)
    EXPECT_EQ(engine.add(good(0, kNoon + t * 1'000, 1)), WindowEngine::Fate::late);
  EXPECT_FALSE(engine.has_dirty()) << "half a minute is no minute";
  EXPECT_TRUE(engine.take_dirty(10).empty());
  engine.remerge_later(0, 1, kNoon);
  engine.advance(kNoon + kMinute + 9'999);
  EXPECT_FALSE(engine.has_dirty()) << "of the grace time";
  engine.advance(kNoon + kMinute + 10'000);
  EXPECT_TRUE(engine.has_dirty());
  auto dirty = engine.take_dirty(10);
  ASSERT_EQ(dirty.size(), 1u);
  EXPECT_EQ(dirty[0].level, 0u);
  EXPECT_EQ(dirty[0].sensors[0].late, 30u);
  engine.advance(kNoon + kQuarter + 10'000);
  dirty = engine.take_dirty(10);
  ASSERT_EQ(dirty.size(), 1u);
  EXPECT_EQ(dirty[0].level, 1u);
  EXPECT_TRUE(engine.merges(dirty[0].sensors[0].index, dirty[0].level));
}

TEST(WindowEngine, MarksTheWindowOfALateReadingDirty) {
  WindowEngine engine(options(), {gauge(1), gauge(2)}, kNoon);
  close_all(engine, kNoon + kMinute + 10'000);
  EXPECT_EQ(engine.add(good(1, kNoon + 5, 1)), WindowEngine::Fate::late);
  EXPECT_EQ(engine.add(good(1, kNoon + 6, 1)), WindowEngine::Fate::late);
  ASSERT_TRUE(engine.has_dirty());
  EXPECT_EQ(sum(engine.waiting()), 2u);
  auto dirty = engine.take_dirty(10);
  ASSERT_EQ(dirty.size(), 1u);
  EXPECT_EQ(dirty[0].span, (TimeSpan{kNoon, kNoon + kMinute}));
  ASSERT_EQ(dirty[0].sensors.size(), 1u);
  EXPECT_EQ(dirty[0].sensors[0].index, 1u);
  EXPECT_EQ(dirty[0].sensors[0].late, 2u);
  EXPECT_FALSE(engine.has_dirty());
  engine.revised(1, 2);
  EXPECT_EQ(sum(engine.waiting()), 0u);
}

TEST(WindowEngine, RefusesWhatIsTooOldOrInTheFuture) {
  WindowEngine engine(options(), {gauge(1)}, kNoon);
  engine.set_horizon(kNoon - kHourMs);
  EXPECT_EQ(engine.add(good(0, kNoon - kHourMs - 1, 1)), WindowEngine::Fate::refused);
  EXPECT_EQ(engine.add(good(0, kNoon - kHourMs, 1)), WindowEngine::Fate::late);
  EXPECT_EQ(engine.add(good(0, kNoon + 2 * kMinute - 1, 1)), WindowEngine::Fate::counted);
  EXPECT_EQ(engine.add(good(0, kNoon + 3 * kMinute, 1)), WindowEngine::Fate::refused);
  EXPECT_EQ(engine.add(good(0, INT64_MAX / 2, 1)), WindowEngine::Fate::refused);
  auto refused = engine.take_refused();
  EXPECT_EQ(sum(refused.at("too_old")), 1u);
  EXPECT_EQ(sum(refused.at("future")), 2u);
  EXPECT_TRUE(engine.take_refused().empty());
}

TEST(WindowEngine, BoundsWhatWaitsForARevision) {
  WindowEngine engine(options(), {gauge(1)}, kNoon);
  std::uint64_t late = 0;
  for (int i = 0; i < 30'000; ++i)
    if (engine.add(good(0, kNoon - (i + 1) * kMinute, 1)) == WindowEngine::Fate::late) ++late;
  EXPECT_EQ(late, 20'000u);
  EXPECT_EQ(sum(engine.take_refused().at("too_many_late")), 10'000u);
  EXPECT_EQ(engine.add(good(0, kNoon - 1, 1)), WindowEngine::Fate::late)
      << "a window that is dirty already takes more";
}

TEST(WindowEngine, CountsEveryReadingFoldedOnce) {
  WindowEngine engine(options(), {gauge(1), gauge(2, 5 * kMinute)}, kNoon);
  for (int i = 0; i < 10; ++i) engine.add(good(0, kNoon + i, 1));
  engine.add(good(1, kNoon, 1));
  EXPECT_EQ(sum(engine.waiting()), 11u);
  close_all(engine, kNoon + kMinute + 10'000);
  EXPECT_EQ(sum(engine.waiting()), 11u) << "nobody has committed them";
  EXPECT_EQ(engine.take_folded(), (Counts{{1, 10}}));
  EXPECT_EQ(sum(engine.waiting()), 1u);
  close_all(engine, kNoon + kHourMs + 10'000);
  EXPECT_EQ(engine.take_folded(), (Counts{{2, 1}}));
  EXPECT_EQ(sum(engine.waiting()), 0u);
}

TEST(WindowEngine, NamesTheOldestBatchOfAnOpenWindow) {
  WindowEngine engine(options(), {gauge(1), gauge(2, 5 * kMinute)}, kNoon);
  engine.add(good(1, kNoon, 1, 3));
  engine.folded(3);
  EXPECT_EQ(engine.replay_from(), 4) << "a slower sensor's readings are in the saved state";
  engine.add(good(0, kNoon + 30'000, 1, 5));
  engine.folded(5);
  engine.add(good(0, kNoon + kMinute, 1, 9));
  engine.folded(9);
  EXPECT_EQ(engine.replay_from(), 5);
  close_all(engine, kNoon + kMinute + 10'000);
  EXPECT_EQ(engine.replay_from(), 9);
  close_all(engine, kNoon + 2 * kMinute + 10'000);
  EXPECT_EQ(engine.replay_from(), 10);
}

TEST(WindowEngine, MakesNoShortRowsOfAnAbsenceAndLongOnesFor48Hours) {
  WindowEngine engine(options(), {gauge(1)}, kNoon);
  engine.add(good(0, kNoon + 30'000, 1));
  std::int64_t back = kNoon + 30 * kDayMs + 30'000;
  engine.absent(kNoon + 40'000, back);
  auto closed = close_all(engine, back + kDayMs);
  std::map<std::size_t, int> before_return;
  for (const auto& window : closed)
    if (window.span.end_ms <= back) ++before_return[window.level];
  EXPECT_EQ(before_return[0], 1) << "the minute that has a reading";
  EXPECT_EQ(before_return[1], 1) << "the quarter that has it";
  EXPECT_EQ(before_return[2], 1 + 48);
  EXPECT_EQ(before_return[3], 1 + 2) << "the days that ended in the last 48 hours";
  for (const auto& window : closed)
    if (window.level == 2 && window.span.end_ms <= back && window.span.start_ms > kNoon) {
      EXPECT_EQ(window.rows[0].received, 0u);
      EXPECT_EQ(window.rows[0].missing(), 3600u);
    }
}

TEST(WindowEngine, ClosesEveryWindowOnceAndInOrder) {
  WindowEngine engine(options(), {gauge(1)}, kNoon);
  engine.absent(kNoon + 5 * kHourMs + 1, kNoon + 9 * kHourMs + 7);
  std::map<std::size_t, std::int64_t> end;
  for (const auto& window : close_all(engine, kNoon + 3 * kDayMs)) {
    EXPECT_GE(window.span.start_ms, end[window.level]);
    end[window.level] = window.span.end_ms;
  }
  EXPECT_EQ(end[3], kNoon + 3 * kDayMs - 12 * kHourMs);
}

TEST(WindowEngine, GivesASensorsTotaliserTheIncrementAcrossAGap) {
  SeriesPlan p = gauge(1);
  p.kind = QuantityKind::totaliser;
  WindowEngine engine(options(), {p}, kNoon);
  auto reading = [](std::int64_t t, std::int64_t raw) {
    Sample s = good(0, t, static_cast<double>(raw));
    s.raw = Raw::of(raw);
    return s;
  };
  engine.add(reading(kNoon + 1000, 100));
  engine.add(reading(kNoon + 2000, 104));
  auto first = close_all(engine, kNoon + kMinute + 10'000);
  EXPECT_EQ(first[0].rows[0].delta, 4);
  auto silent = close_all(engine, kNoon + 3 * kMinute + 10'000);
  ASSERT_EQ(silent.size(), 2u);
  EXPECT_FALSE(silent[0].rows[0].delta);
  engine.add(reading(kNoon + 3 * kMinute + 10'000, 130));
  auto after = close_all(engine, kNoon + 4 * kMinute + 10'000);
  EXPECT_EQ(after[0].rows[0].delta, 26);
}

TEST(WindowEngine, KeepsTheOpenWindowOfASeriesOverAReload) {
  WindowEngine engine(options(), {gauge(1), gauge(2)}, kNoon);
  engine.add(good(0, kNoon, 1));
  engine.add(good(1, kNoon, 2));
  engine.reconfigure({gauge(5), gauge(2)});
  engine.add(good(1, kNoon + 1, 4));
  auto minute = close_all(engine, kNoon + kMinute + 10'000);
  EXPECT_EQ(row(minute[0], 1).good, 2u);
  EXPECT_EQ(row(minute[0], 0).series, 5);
  EXPECT_EQ(row(minute[0], 0).good, 0u);
  EXPECT_EQ(sum(engine.take_refused().at("removed")), 1u) << "series 1 is in no plan";
}

TEST(WindowEngine, ClosesTheOpenWindowsOfARemovedSensorAsTheyAre) {
  WindowEngine engine(options(), {gauge(1), gauge(2)}, kNoon);
  engine.add(good(0, kNoon, 1));
  SeriesPlan left = gauge(1);
  left.left_ms = kNoon + 30'000;
  engine.reconfigure({gauge(2), left});
  EXPECT_EQ(engine.add(good(1, kNoon + kMinute, 1)), WindowEngine::Fate::refused);
  auto closed = close_all(engine, kNoon + 12 * kHourMs);
  EXPECT_FALSE(engine.finished(1)) << "its day is open";
  for (auto& window : close_all(engine, kNoon + 13 * kHourMs)) closed.push_back(std::move(window));
  EXPECT_TRUE(engine.finished(1));
  EXPECT_FALSE(engine.finished(0)) << "it never left";
  int rows = 0;
  for (const auto& window : closed) {
    bool open_then = window.span.contains(kNoon + 30'000);
    EXPECT_EQ(window.sensors.size(), open_then ? 2u : 1u);
    if (open_then) {
      EXPECT_EQ(row(window, 1).good, 1u);
      ++rows;
    }
  }
  EXPECT_EQ(rows, 4);
}

TEST(WindowEngine, GoesOnWithASensorThatComesBack) {
  WindowEngine engine(options(), {gauge(1)}, kNoon);
  engine.add(good(0, kNoon, 1));
  SeriesPlan left = gauge(1);
  left.left_ms = kNoon + 20'000;
  engine.reconfigure({left});
  engine.reconfigure({gauge(1)});
  engine.add(good(0, kNoon + 40'000, 3));
  auto minute = close_all(engine, kNoon + kMinute + 10'000);
  ASSERT_EQ(minute.size(), 1u);
  EXPECT_EQ(minute[0].rows[0].good, 2u);
}

TEST(WindowEngine, CarriesAnOpenWindowToANewInterval) {
  for (auto [before, after] : {std::pair(1000, 5 * kMinute), {5 * kMinute, std::int64_t{1000}}}) {
    WindowEngine engine(options(), {gauge(1, before)}, kNoon);
    for (int m = 0; m < 5; ++m) {
      engine.add(good(0, kNoon + m * kMinute, m));
      close_all(engine, kNoon + m * kMinute + 10'000);
    }
    engine.reconfigure({gauge(1, after)});
    close_all(engine, kNoon + 10 * kMinute);
    engine.add(good(0, kNoon + 10 * kMinute, 10));
    auto closed = close_all(engine, kNoon + kHourMs + 10'000);
    for (const auto& window : closed)
      if (window.level == 1 && window.span.start_ms == kNoon) {
        EXPECT_EQ(window.rows[0].good, 6u);
        EXPECT_EQ(window.rows[0].statistics.maximum, 10);
        EXPECT_DOUBLE_EQ(window.rows[0].statistics.mean, 20.0 / 6);
      }
    EXPECT_EQ(closed.back().level, 2u);
    EXPECT_EQ(closed.back().rows[0].good, 6u);
    EXPECT_EQ(sum(engine.take_folded()), 6u);
    EXPECT_EQ(sum(engine.waiting()), 0u);
  }
}

// Its configuration came while a window was still open that had ended: of that it says nothing,
// unless it has readings of then.
TEST(Windows, OneThatCameLaterHasNoRowOfBefore) {
  std::vector<SeriesPlan> plan = {gauge(1), gauge(2), gauge(3)};
  WindowEngine engine(options(), plan, kNoon);
  plan[1].since_ms = plan[2].since_ms = kNoon + kMinute + 5'000;
  engine.reconfigure(plan);
  engine.advance(kNoon + kMinute + 6'000);
  for (std::uint32_t i : {0u, 2u})
    EXPECT_EQ(engine.add(good(i, kNoon + 5'000, 7)), WindowEngine::Fate::counted);
  const auto closed = close_all(engine, kNoon + 3 * kMinute);
  ASSERT_EQ(closed.size(), 2u);
  EXPECT_EQ(closed[0].sensors, (std::vector<std::uint32_t>{0, 2}));
  EXPECT_EQ(closed[1].sensors, (std::vector<std::uint32_t>{0, 1, 2})) << "it was added in this one";
  EXPECT_EQ(row(closed[1], 1).received, 0u);
}

}  // namespace
}  // namespace gerbang
