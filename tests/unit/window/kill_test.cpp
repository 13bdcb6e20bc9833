// SPDX-License-Identifier: Apache-2.0
//
// What a restart in the middle of a window does to what is counted in it.
#include <gtest/gtest.h>

#include <memory>

#include "unit/window/simulated_gateway.hpp"

namespace gerbang::test::kill {
namespace {

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kStart = 1'735'732'800'000;

WindowOptions options() {
  WindowOptions o;
  o.lengths_ms = {kMinute, kHourMs};
  return o;
}

SeriesPlan gauge(std::int32_t series, std::int64_t interval_ms) {
  SeriesPlan p;
  p.series = series;
  p.interval_ms = interval_ms;
  return p;
}

// The polls begin anew, at their own time: one more has a place in the minute.
TEST(Kill, ThatShiftsThePollsBringsOneReadingMoreAndNoCaptureAboveOne) {
  SimulatedDisk disk;
  const std::vector<SeriesPlan> one = {gauge(3, 5'000)};
  auto gateway = std::make_unique<SimulatedGateway>(disk, options(), one, kStart);
  Sample s;
  s.index = 3;
  s.flag = Flag::good;
  std::int64_t now = kStart;
  const auto poll_until = [&](std::int64_t end) {
    for (; now <= end; now += 5'000) {
      s.time_ms = now;
      gateway->store({s}, now);
      gateway->close(now);
    }
  };
  poll_until(kStart + 30'000);
  now = kStart + 32'000;
  gateway = std::make_unique<SimulatedGateway>(disk, options(), one, now);
  poll_until(kStart + kHourMs + 15'000);
  for (const std::int64_t length : {kMinute, kHourMs}) {
    const Aggregate row = disk.rows.at({length, kStart, 3});
    EXPECT_EQ(row.expected, length / 5'000);
    EXPECT_EQ(row.good, *row.expected + 1);
    EXPECT_EQ(row.missing(), 0u);
    EXPECT_EQ(capture(row), 1.0);
  }
  EXPECT_EQ((disk.rows.at({kMinute, kStart + kMinute, 3}).good), 12u);
}

// A device whose clock is ahead: by a year, and by so little that its time has come at the restart;
// of what no commit has refused it is decided anew then.
TEST(Kill, CountsAReadingThatWasAheadOfTheClockOnce) {
  for (const std::int64_t ahead_ms : {2 * kMinute, 2 * kMinute + 20'000, 365 * kDayMs}) {
    SimulatedDisk disk;
    const std::vector<SeriesPlan> both = {gauge(3, 1000), gauge(4, 1000)};
    auto gateway = std::make_unique<SimulatedGateway>(disk, options(), both, kStart);
    Sample right, wrong;
    right.flag = wrong.flag = Flag::good;
    right.index = 3;
    wrong.index = 4;
    std::uint64_t given = 0;
    for (std::int64_t now = kStart; now < kStart + 6 * kMinute; now += 1000) {
      right.time_ms = now;
      wrong.time_ms = now + ahead_ms;
      gateway->store({right, wrong}, now);
      ++given;
      gateway->close(now);
      if (now % 7'000 == 0)
        gateway = std::make_unique<SimulatedGateway>(disk, options(), both, now);
      ASSERT_EQ(gateway->difference(), 0) << ahead_ms << ", " << (now - kStart) / 1000 << " s";
    }
    gateway->close(kStart + kHourMs);
    const std::uint64_t refused = sum(disk.not_folded["future"]);
    EXPECT_EQ(sum(disk.folded) + refused, 2 * given) << ahead_ms;
    EXPECT_LE(refused, given) << ahead_ms;
    EXPECT_GE(refused, ahead_ms > kDayMs ? given : 0) << ahead_ms;
  }
}

}  // namespace
}  // namespace gerbang::test::kill
