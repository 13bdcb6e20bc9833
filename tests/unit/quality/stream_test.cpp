// SPDX-License-Identifier: Apache-2.0
#include "quality/tests.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <vector>

#include "unit/quality/seconds.hpp"

namespace gerbang::quality {
namespace {

constexpr std::int64_t kHour = 3600 * kSecond;  // long after the board's start

// Readings a second apart, with what the tests said of each in the end.
class Stream {
 public:
  explicit Stream(Rules r) : rules(r) { rules.interval_ms = 1000; }

  Stream& say(double value, Mark driver = Mark(), std::int64_t after_s = 1) {
    now += after_s * kSecond;
    Point point;
    point.time_ns = point.boot_ns = now;
    point.value = value;
    point.mark = driver;
    return take(point);
  }
  Stream& take(const Point& point) {
    auto outcome = tests.take(point, rules);
    if (outcome.before)
      for (std::size_t i = 0; i < times.size(); ++i)
        if (times[i] == outcome.before->reading.time_ns) marks[i] = outcome.before->mark;
    times.push_back(point.time_ns);
    marks.push_back(outcome.mark);
    return *this;
  }
  Stream& say_all(const std::vector<double>& values) {
    for (double value : values) say(value);
    return *this;
  }
  std::string flags() const {
    std::string out;
    for (const Mark& m : marks) out += std::to_string(static_cast<int>(m.flag));
    return out;
  }

  Rules rules;
  Tests tests;
  std::int64_t now = kHour;
  std::vector<std::int64_t> times;
  std::vector<Mark> marks;
};

TEST(Stream, ASensorWithoutRulesIsNotEvaluated) {
  EXPECT_EQ(Stream(Rules()).say_all({1, 1e9, -5, 1}).flags(), "2222");
}

TEST(Stream, OutsideOfTheSensorIsBadOutsideOfTheSiteSuspect) {
  Rules rules;
  rules.range = Range{0, 14};
  rules.expected = Range{4, 11};
  Stream stream(rules);
  EXPECT_EQ(stream.say_all({7, 4, 11, 3.9, 11.1, 0, 14, -0.1, 14.1}).flags(), "111333344");
  EXPECT_EQ(stream.marks[3].reason, Reason::range);
}

TEST(Stream, TheDriversWordStaysWhereItIsWorse) {
  Rules rules;
  rules.range = Range{0, 14};
  Stream stream(rules);
  stream.say(7, mark_of(Flag::suspect, Reason::driver)).say(7, mark_of(Flag::bad, Reason::crc));
  stream.say(0, mark_of(Flag::missing, Reason::timeout))
      .say(99, mark_of(Flag::suspect, Reason::driver));
  EXPECT_EQ(stream.flags(), "3494");
  EXPECT_EQ(stream.marks[1].reason, Reason::crc);
  EXPECT_EQ(stream.marks[2].reason, Reason::timeout);
}

TEST(Stream, NotANumberIsBadAndNoNeighbour) {
  Rules rules;
  rules.rate = 1;
  Stream stream(rules);
  EXPECT_EQ(stream.say_all({1, std::nan(""), 2, 3}).flags(), "2411");
}

TEST(Stream, WhatIsAheadOfTheClockIsNoNeighbour) {
  Rules rules;
  rules.rate = 5;
  Stream stream(rules);
  stream.say(1).say(2);
  Point wrong;
  wrong.time_ns = stream.now + 365 * 24 * kHour;
  wrong.boot_ns = stream.now;
  wrong.value = 3;
  wrong.ahead = true;
  stream.take(wrong).say(50);
  EXPECT_EQ(stream.flags(), "2123") << "it is compared with the one before";
}

TEST(Stream, TheRateIsOfTheTimeBetween) {
  Rules rules;
  rules.rate = 0.5;
  Stream stream(rules);
  stream.say(10).say(10.5).say(11.01).say(12, Mark(), 2).say(12.5);
  EXPECT_EQ(stream.flags(), "21311") << "0.5 a second is allowed, and 1 in two";
  EXPECT_EQ(stream.marks[2].reason, Reason::rate);
}

TEST(Stream, ANewLevelIsSuspectOnce) {
  Rules rules;
  rules.rate = 1;
  EXPECT_EQ(Stream(rules).say_all({1, 1, 50, 50, 50}).flags(), "21311");
}

TEST(Stream, ASpikeIsFoundWithTheNextReading) {
  Rules rules;
  rules.spike = SpikeRule{2, 5};
  Stream stream(rules);
  stream.say_all({10, 10, 16});
  EXPECT_EQ(stream.flags(), "111") << "nobody knows yet";
  stream.say_all({10, 13, 10, 12, 10});
  EXPECT_EQ(stream.flags(), "11413111") << "what stands beside a peak is not one";
  EXPECT_EQ(stream.marks[2], mark_of(Flag::bad, Reason::spike));
  EXPECT_EQ(stream.marks[4], mark_of(Flag::suspect, Reason::spike));
  EXPECT_EQ(stream.marks[6].flag, Flag::good) << "exactly at the threshold";
}

TEST(Stream, AStepIsNoSpike) {
  Rules rules;
  rules.spike = SpikeRule{2, 5};
  EXPECT_EQ(Stream(rules).say_all({3, 3, 50, 50, 50, 20, 19, 3, 3}).flags(), "111111111");
}

TEST(Stream, ASpikeNeedsBothNeighbours) {
  Rules rules;
  rules.spike = SpikeRule{1, std::nullopt};
  rules.range = Range{0, 100};
  EXPECT_EQ(Stream(rules).say(50).say(1).say(1).flags(), "111") << "the first has none before";
  Stream gap(rules);
  gap.say(1).say(1).say(50).say(1, Mark(), 4).say(1);
  EXPECT_EQ(gap.flags(), "11111") << "four seconds later is no neighbour";
  Stream missing(rules);
  missing.say(1).say(1).say(50).say(0, mark_of(Flag::missing, Reason::timeout)).say(1);
  EXPECT_EQ(missing.flags(), "11391") << "one that is missing is bridged within three intervals";
}

TEST(Stream, ASpikeOutsideOfTheRangeHasNoVerdictBesides) {
  Rules rules;
  rules.spike = SpikeRule{1, 2};
  rules.range = Range{0, 20};
  Stream stream(rules);
  stream.say_all({10, 10, 99, 10, 10});
  EXPECT_EQ(stream.flags(), "11411");
  EXPECT_EQ(stream.marks[2].reason, Reason::range);
}

TEST(Stream, AFlatLineIsSuspectThenBad) {
  Rules rules;
  rules.flat = FlatRule{0, 4, 6};
  Stream stream(rules);
  EXPECT_EQ(stream.say_all({5, 5, 5, 5, 5, 5, 5, 6, 6}).flags(), "111334411");
  EXPECT_EQ(stream.marks[3].reason, Reason::flat);
}

TEST(Stream, AFlatLineMayDriftWithinItsTolerance) {
  Rules rules;
  rules.flat = FlatRule{0.1, 3, 100};
  EXPECT_EQ(Stream(rules).say_all({5, 5.1, 5.05, 5.2, 5.15, 5.12}).flags(), "113113")
      << "5.05 … 5.2 is too much";
  EXPECT_EQ(Stream(rules).say_all({1, 1.09, 1.18, 1.27, 1.36}).flags(), "11111")
      << "a slow ramp is not flat";
}

TEST(Stream, ALongFlatLineCostsNoMemory) {
  Rules rules;
  rules.flat = FlatRule{1, 50, 100};
  Stream stream(rules);
  for (int i = 0; i < 1000; ++i) stream.say(i % 2 == 0 ? 1 : 1.5);
  EXPECT_EQ(stream.marks[48].flag, Flag::good);
  EXPECT_EQ(stream.marks[49].flag, Flag::suspect);
  EXPECT_EQ(stream.marks[98].flag, Flag::suspect);
  EXPECT_EQ(stream.marks[99].flag, Flag::bad);
  EXPECT_EQ(stream.marks[999].flag, Flag::bad);
}

TEST(Stream, WarmsUpAfterTheBoardsStartAFaultAndAnOutage) {
  Rules rules;
  rules.warm_up_ms = 3000;
  Stream boot(rules);
  boot.now = 0;
  EXPECT_EQ(boot.say_all({1, 1, 1, 1}).flags(), "3322");
  EXPECT_EQ(boot.marks[0].reason, Reason::warm_up);

  Stream fault(rules);
  fault.say(1).say(1, mark_of(Flag::suspect, Reason::device_fault)).say(1).say(1).say(1).say(1);
  EXPECT_EQ(fault.flags(), "233332");

  Stream outage(rules);
  outage.say(1).say(1, Mark(), 11).say(1).say(1).say(1);
  EXPECT_EQ(outage.flags(), "23332");
  Stream pause(rules);
  EXPECT_EQ(pause.say(1).say(1, Mark(), 10).flags(), "22") << "a short silence is no power cut";
}

TEST(Stream, ARestartOfTheProgramHoldsNothingAgainstASensor) {
  Rules rules;
  rules.warm_up_ms = 60'000;
  rules.rate = 0.1;
  rules.spike = SpikeRule{1, 2};
  rules.flat = FlatRule{0, 2, 3};
  EXPECT_EQ(Stream(rules).say(500).flags(), "1") << "long after the board's start";
}

TEST(Stream, IsStaleAfterSilence) {
  Rules rules;
  rules.stale_ms = 5000;
  Stream stream(rules);
  Tests& tests = stream.tests;
  EXPECT_FALSE(tests.stale(stream.now, rules));
  EXPECT_FALSE(tests.stale(stream.now + 4 * kSecond, rules));
  EXPECT_TRUE(tests.stale(stream.now + 5 * kSecond, rules)) << "counted from the first question";
  EXPECT_FALSE(tests.stale(stream.now + 6 * kSecond, rules)) << "said once in a while";
  EXPECT_TRUE(tests.stale(stream.now + 10 * kSecond, rules));
  stream.now += 10 * kSecond;
  stream.say(0, mark_of(Flag::missing, Reason::timeout));
  EXPECT_FALSE(tests.stale(stream.now + 4 * kSecond, rules)) << "a word that it is away is a word";
  rules.stale_ms = 0;
  EXPECT_FALSE(tests.stale(stream.now + kHour, rules));
}

TEST(Stream, WhatNobodyJudgesIsHeardAllTheSame) {
  Rules rules;
  rules.stale_ms = 5000;
  rules.warm_up_ms = 3000;
  rules.rate = 0.1;
  Stream stream(rules);
  stream.say(1);
  const auto work = [&](int seconds) {
    for (int i = 0; i < seconds; ++i) {
      stream.now += kSecond;
      Point point;
      point.time_ns = point.boot_ns = stream.now;
      point.value = 50;
      stream.tests.hear(point, stream.rules);
      EXPECT_FALSE(stream.tests.stale(stream.now, stream.rules)) << i;
    }
  };
  work(20);
  EXPECT_EQ(stream.say(1).flags(), "22") << "no neighbour of what it said before, and not cold";
  work(1);
  stream.now += 11 * kSecond;  // its plug was pulled while people worked on it
  work(1);
  EXPECT_EQ(stream.say(1).marks.back().reason, Reason::warm_up);
}

TEST(Stream, WhatIsOlderIsJudgedByItselfOnly) {
  Rules rules;
  rules.range = Range{0, 100};
  rules.rate = 1;
  Stream stream(rules);
  stream.say(10).say(10);
  Point old;
  old.time_ns = kHour - 100 * kSecond;
  old.boot_ns = stream.now;
  old.value = 90;
  stream.take(old);
  stream.say(10.5);
  EXPECT_EQ(stream.flags(), "1111");
}

// However the stream is cut into frames, the flags are the same: a Tests object sees readings only.
// What could differ is a cut that loses its memory, so the halves here are two calls of forget() at
// gaps that the rules call gaps anyway.
TEST(Stream, AGapForgetsAsMuchAsABeginning) {
  Rules rules;
  rules.range = Range{0, 100};
  rules.expected = Range{5, 95};
  rules.rate = 3;
  rules.spike = SpikeRule{2, 6};
  rules.flat = FlatRule{0.5, 4, 6};
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    Stream whole(rules), parts(rules);
    double value = 50;
    for (int i = 0; i < 60; ++i) {
      const auto dice = random() % 20;
      if (dice < 12) value += static_cast<double>(random() % 100) / 25 - 2;
      const double said = dice == 19 ? value + 8 : dice == 18 ? -1 : value;
      const bool gap = random() % 10 == 0;
      Mark driver;
      if (random() % 15 == 0) driver = mark_of(Flag::missing, Reason::timeout);
      whole.say(said, driver, gap ? 4 : 1);
      if (gap && driver.flag != Flag::missing && said >= 0) parts.tests.forget();
      parts.say(said, driver, gap ? 4 : 1);
    }
    ASSERT_EQ(whole.flags(), parts.flags()) << "round " << round;
  }
}

}  // namespace
}  // namespace gerbang::quality
