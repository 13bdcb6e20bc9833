// SPDX-License-Identifier: Apache-2.0
#include "core/calendar.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "core/aggregate.hpp"

namespace gerbang {
namespace {

using namespace std::chrono;

constexpr std::int64_t kMinute = 60'000;

std::int64_t utc(int y, unsigned m, unsigned d, int hour = 0, int minute = 0) {
  sys_days days{year(y) / month(m) / day(d)};
  return duration_cast<milliseconds>((days + hours(hour) + minutes(minute)).time_since_epoch())
      .count();
}

// Europe/Berlin around 2025: +1h, summer +2h from 30 March 01:00 UTC to 26 October 01:00 UTC.
Calendar berlin() {
  return Calendar(
      {{utc(2024, 10, 27, 1), 3600}, {utc(2025, 3, 30, 1), 7200}, {utc(2025, 10, 26, 1), 3600}});
}

TEST(Calendar, KnowsNothingButUtcWithoutATable) {
  Calendar calendar;
  EXPECT_EQ(calendar.day(utc(2025, 1, 1, 13, 5)), (TimeSpan{utc(2025, 1, 1), utc(2025, 1, 2)}));
  EXPECT_EQ(calendar.date(utc(2025, 1, 1) - 1), "2024-12-31");
}

TEST(Calendar, BeginsADayAtLocalMidnight) {
  Calendar makassar({{0, 8 * 3600}});
  EXPECT_EQ(makassar.day(utc(2025, 1, 1, 16)),
            (TimeSpan{utc(2025, 1, 1, 16), utc(2025, 1, 2, 16)}));
  EXPECT_EQ(makassar.day(utc(2025, 1, 1, 15, 59)).start_ms, utc(2024, 12, 31, 16));
  EXPECT_EQ(makassar.date(utc(2025, 1, 1, 16)), "2025-01-02");
}

TEST(Calendar, WorksBefore1970) {
  Calendar kathmandu({{0, 20700}});
  std::int64_t t = -1;
  EXPECT_EQ(kathmandu.day(t).end_ms - kathmandu.day(t).start_ms, kDayMs);
  EXPECT_TRUE(kathmandu.day(t).contains(t));
  EXPECT_EQ(kathmandu.date(t), "1970-01-01");
  EXPECT_EQ(kathmandu.date(t - kDayMs), "1969-12-31");
}

TEST(Calendar, HasDaysOf23And25Hours) {
  Calendar calendar = berlin();
  EXPECT_EQ(calendar.day(utc(2025, 3, 30, 12)),
            (TimeSpan{utc(2025, 3, 29, 23), utc(2025, 3, 30, 22)}));
  EXPECT_EQ(calendar.day(utc(2025, 3, 30, 0)), calendar.day(utc(2025, 3, 30, 12)));
  EXPECT_EQ(calendar.day(utc(2025, 10, 26, 12)),
            (TimeSpan{utc(2025, 10, 25, 22), utc(2025, 10, 26, 23)}));
  EXPECT_EQ(calendar.day(utc(2025, 10, 25, 23)), calendar.day(utc(2025, 10, 26, 12)));
  EXPECT_EQ(calendar.date(utc(2025, 10, 26, 22, 59)), "2025-10-26");
}

TEST(Calendar, BeginsADayWithoutMidnightAtTheChange) {
  // Clocks jump from 24:00 to 01:00 on the 7th.
  Calendar calendar({{0, -4 * 3600}, {utc(2025, 9, 7, 4), -3 * 3600}});
  EXPECT_EQ(calendar.day(utc(2025, 9, 7, 12)), (TimeSpan{utc(2025, 9, 7, 4), utc(2025, 9, 8, 3)}));
  EXPECT_EQ(calendar.day(utc(2025, 9, 7, 3)), (TimeSpan{utc(2025, 9, 6, 4), utc(2025, 9, 7, 4)}));
}

TEST(Calendar, CutsTheDayIntoWindowsWithoutGapOrOverlap) {
  Calendar calendar = berlin();
  for (std::int64_t length : {kMinute, 15 * kMinute, kHourMs, 6 * kHourMs, kDayMs})
    for (std::int64_t day : {utc(2025, 3, 29), utc(2025, 10, 25), utc(2025, 6, 1)}) {
      std::int64_t t = calendar.day(day).start_ms, end = t + 4 * kDayMs;
      while (t < end) {
        TimeSpan window = calendar.window(length, t);
        ASSERT_EQ(window.start_ms, t);
        ASSERT_GT(window.end_ms, t);
        ASSERT_EQ(calendar.window(length, window.end_ms - 1), window);
        ASSERT_LE(window.end_ms, calendar.day(t).end_ms);
        t = window.end_ms;
      }
    }
}

TEST(Calendar, CutsTheLastWindowOfALongDayShort) {
  Calendar calendar = berlin();
  TimeSpan last = calendar.window(6 * kHourMs, utc(2025, 10, 26, 22, 30));
  EXPECT_EQ(last.length_ms(), kHourMs);
}

TEST(Calendar, NestsEachWindowInTheNextLonger) {
  Calendar calendar(
      {{0, 34200}, {utc(2025, 4, 5, 15), 37800}, {utc(2025, 10, 4, 16), 34200 + 1800}});
  for (std::int64_t t = utc(2025, 4, 5); t < utc(2025, 4, 7); t += 7 * kMinute) {
    std::int64_t lengths[] = {kMinute, 15 * kMinute, kHourMs, kDayMs};
    for (int i = 0; i + 1 < 4; ++i) {
      TimeSpan fine = calendar.window(lengths[i], t), coarse = calendar.window(lengths[i + 1], t);
      EXPECT_GE(fine.start_ms, coarse.start_ms);
      EXPECT_LE(fine.end_ms, coarse.end_ms);
    }
  }
}

}  // namespace
}  // namespace gerbang
