// SPDX-License-Identifier: Apache-2.0
#include "store/aggregate_code.hpp"

#include <gtest/gtest.h>

#include <random>

namespace gerbang::store {
namespace {

Aggregate full() {
  Aggregate a;
  a.series = 7;
  a.window_ms = 60'000;
  a.start_ms = 1'767'225'600'000;
  a.end_ms = a.start_ms + 60'000;
  a.expected = 60;
  a.received = 58;
  a.good = 50;
  a.suspect = 4;
  a.bad = 3;
  a.maintenance = 1;
  a.below_limit = 2;
  for (int i = 0; i < 50; ++i) a.statistics.add(7.0 + i / 17.0);
  a.first = 7.0;
  a.last = 7.0 + 49 / 17.0;
  a.first_ms = a.start_ms + 12;
  a.last_ms = a.start_ms + 59'012;
  a.x = 0.5;
  a.y = -1.0 / 3;
  a.delta = 12.25;
  a.reason = Reason::timeout;
  a.clock = ClockTrust::estimated;
  a.valid_hours = 23;
  a.upto = 123'456'789;
  return a;
}

Aggregate back(const Aggregate& a) {
  Aggregate out;
  out.series = a.series;
  out.window_ms = a.window_ms;
  out.start_ms = a.start_ms;
  auto done = decode(encode(a), out);
  EXPECT_TRUE(done) << done.error().what;
  return out;
}

void expect_same(const Aggregate& a, const Aggregate& b) {
  EXPECT_EQ(a.end_ms, b.end_ms);
  EXPECT_EQ(a.expected, b.expected);
  EXPECT_EQ(a.received, b.received);
  EXPECT_EQ(a.good, b.good);
  EXPECT_EQ(a.suspect, b.suspect);
  EXPECT_EQ(a.bad, b.bad);
  EXPECT_EQ(a.maintenance, b.maintenance);
  EXPECT_EQ(a.below_limit, b.below_limit);
  EXPECT_EQ(a.statistics.count, b.statistics.count);
  EXPECT_EQ(a.statistics.mean, b.statistics.mean);
  EXPECT_EQ(a.statistics.m2, b.statistics.m2);
  EXPECT_EQ(a.statistics.minimum, b.statistics.minimum);
  EXPECT_EQ(a.statistics.maximum, b.statistics.maximum);
  EXPECT_EQ(a.first, b.first);
  EXPECT_EQ(a.last, b.last);
  EXPECT_EQ(a.first_ms, b.first_ms);
  EXPECT_EQ(a.last_ms, b.last_ms);
  EXPECT_EQ(a.x, b.x);
  EXPECT_EQ(a.y, b.y);
  EXPECT_EQ(a.delta, b.delta);
  EXPECT_EQ(a.reason, b.reason);
  EXPECT_EQ(a.clock, b.clock);
  EXPECT_EQ(a.valid_hours, b.valid_hours);
  EXPECT_EQ(a.upto, b.upto);
}

TEST(AggregateCode, GivesBackEveryField) {
  expect_same(back(full()), full());
}

TEST(AggregateCode, GivesBackAWindowWithoutReadings) {
  Aggregate silent;
  silent.start_ms = 1'767'225'600'000;
  silent.end_ms = silent.start_ms + 90'000'000;  // a day of 25 hours
  silent.reason = Reason::no_connection;
  silent.expected = 0;
  expect_same(back(silent), silent);
  silent.expected.reset();
  expect_same(back(silent), silent);
}

TEST(AggregateCode, RefusesTruncationsAndSurvivesAnyBytes) {
  std::string body = encode(full());
  Aggregate out;
  for (std::size_t size = 0; size < body.size(); ++size)
    EXPECT_FALSE(decode(std::string_view(body).substr(0, size), out)) << size;
  EXPECT_FALSE(decode(body + "x", out));
  std::mt19937_64 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string broken = body;
    for (int i = 0; i < 3; ++i) broken[random() % broken.size()] = static_cast<char>(random());
    Aggregate any;
    any.start_ms = 1;
    if (decode(broken, any)) {
      EXPECT_LT(static_cast<int>(any.reason), int{kReasonCount});
    }
  }
}

}  // namespace
}  // namespace gerbang::store
