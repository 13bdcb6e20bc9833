// SPDX-License-Identifier: Apache-2.0
//
// What was said of a day before a sensor was added stays so when the day is computed again.
#include <gtest/gtest.h>

#include "indicator/compute.hpp"

namespace gerbang::indicator {
namespace {

constexpr TimeSpan kYesterday{1'767'225'600'000, 1'767'225'600'000 + kDayMs};

Plan two_sensors(Method method) {
  auto standard = std::make_shared<Standard>();
  standard->id = "test";
  standard->method = method;
  Plan out;
  out.standard = standard;
  out.averaging = *averaging_of("1d");
  for (const char* name : {"old", "new"}) {
    Input input;
    input.quantity = input.sensor = name;
    input.series = static_cast<std::int32_t>(out.inputs.size()) + 1;
    input.interval_ms = kHourMs;
    out.inputs.push_back(input);
  }
  out.inputs[1].since_ms = kYesterday.end_ms + 5 * kHourMs;
  return out;
}
Aggregate day_of(std::int32_t series, std::uint32_t received, int days_on = 0) {
  Aggregate row;
  row.series = series;
  row.window_ms = kDayMs;
  row.start_ms = kYesterday.start_ms + days_on * kDayMs;
  row.end_ms = row.start_ms + kDayMs;
  row.expected = 24;
  row.received = row.good = received;
  for (std::uint32_t i = 0; i < received; ++i) row.statistics.add(1);
  return row;
}

TEST(Since, ASensorThatWasAddedLaterIsNoInputOfTheDay) {
  for (Method method : {Method::capture, Method::availability}) {
    const Plan p = two_sensors(method);
    const Outcome out = compute(p, kYesterday, "", {day_of(1, 18)});
    EXPECT_EQ(out.value, 75);
    EXPECT_EQ(out.inputs.size(), 1u);
    // Of the day on which it was added it is one, also without a word.
    const TimeSpan today{kYesterday.end_ms, kYesterday.end_ms + kDayMs};
    EXPECT_EQ(*compute(p, today, "", {day_of(1, 24, 1), day_of(2, 0, 1)}).value, 50);
  }
  const Outcome alive = compute(two_sensors(Method::inventory), kYesterday, "", {day_of(1, 18)});
  EXPECT_EQ(alive.value, 1);
  EXPECT_TRUE(alive.critical.empty());
}

TEST(Since, OneThatWasThereIsMissedThoughItHasNoRow) {
  Plan p = two_sensors(Method::availability);
  for (std::int64_t since : {std::int64_t{0}, kYesterday.start_ms - kDayMs}) {
    p.inputs[1].since_ms = since;
    EXPECT_EQ(*compute(p, kYesterday, "", {day_of(1, 24)}).value, 50) << since;
  }
}

// A logger that brings what it kept from before.
TEST(Since, WhatCameOfTheDayCounts) {
  const Plan p = two_sensors(Method::availability);
  EXPECT_EQ(*compute(p, kYesterday, "", {day_of(1, 24), day_of(2, 12)}).value, 75);
}

TEST(Since, OfALongWindowNothingIsExpectedBeforeIt) {
  Plan p = two_sensors(Method::availability);
  p.inputs.erase(p.inputs.begin());
  const TimeSpan days{kYesterday.start_ms - 10 * kDayMs, kYesterday.end_ms + 2 * kDayMs};
  // Added on the day after, of which it has its row; nothing of the day after that one.
  EXPECT_EQ(*compute(p, days, "", {day_of(2, 24, 1)}).value, 50);
}

}  // namespace
}  // namespace gerbang::indicator
