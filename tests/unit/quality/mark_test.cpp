// SPDX-License-Identifier: Apache-2.0
#include "quality/mark.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace gerbang::quality {
namespace {

std::optional<Range> range(std::optional<double> low, std::optional<double> high) {
  Range r;
  r.low = low;
  r.high = high;
  return r;
}

TEST(Range, FlagsWhatTheSensorCannotSay) {
  auto ph = range(0, 14);
  EXPECT_EQ(check(mark_of(Flag::not_evaluated), 7, ph), mark_of(Flag::good));
  EXPECT_EQ(check(mark_of(Flag::not_evaluated), 0, ph), mark_of(Flag::good));
  EXPECT_EQ(check(mark_of(Flag::not_evaluated), 14, ph), mark_of(Flag::good));
  EXPECT_EQ(check(mark_of(Flag::not_evaluated), 14.01, ph), mark_of(Flag::bad, Reason::range));
  EXPECT_EQ(check(mark_of(Flag::good), -0.1, ph), mark_of(Flag::bad, Reason::range));
}

TEST(Range, MayHaveOneEnd) {
  EXPECT_EQ(check(mark_of(Flag::not_evaluated), -5, range({}, 10)), mark_of(Flag::good));
  EXPECT_EQ(check(mark_of(Flag::not_evaluated), 11, range({}, 10)),
            mark_of(Flag::bad, Reason::range));
  EXPECT_EQ(check(mark_of(Flag::not_evaluated), 1e9, range(0, {})), mark_of(Flag::good));
}

TEST(Range, DoesNotEvaluateWithoutARange) {
  EXPECT_EQ(check(mark_of(Flag::not_evaluated), 7, std::nullopt), mark_of(Flag::not_evaluated));
  EXPECT_EQ(check(mark_of(Flag::good), 7, std::nullopt), mark_of(Flag::good));
}

TEST(Range, CallsWhatIsNotANumberBad) {
  for (double value :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    EXPECT_EQ(check(mark_of(Flag::good), value, std::nullopt),
              mark_of(Flag::bad, Reason::not_a_number));
}

TEST(Range, NeverImprovesWhatTheDriverSaid) {
  auto ph = range(0, 14);
  EXPECT_EQ(check(mark_of(Flag::suspect, Reason::warm_up), 7, ph),
            mark_of(Flag::suspect, Reason::warm_up));
  EXPECT_EQ(check(mark_of(Flag::suspect, Reason::warm_up), 70, ph),
            mark_of(Flag::bad, Reason::range));
  EXPECT_EQ(check(mark_of(Flag::bad, Reason::device_fault), 7, ph),
            mark_of(Flag::bad, Reason::device_fault));
  EXPECT_EQ(check(mark_of(Flag::missing, Reason::timeout), 7, ph),
            mark_of(Flag::missing, Reason::timeout));
}

}  // namespace
}  // namespace gerbang::quality
