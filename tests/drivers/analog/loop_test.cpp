// SPDX-License-Identifier: Apache-2.0
#include "analog/loop.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gerbang::analog {
namespace {

Measured at(double milliamperes) {
  Loop loop;
  loop.low = 0;
  loop.high = 10;  // bar
  return measure(loop, milliamperes);
}

TEST(Loop, IsAStraightLineThroughItsTwoPoints) {
  EXPECT_DOUBLE_EQ(at(4).value, 0);
  EXPECT_DOUBLE_EQ(at(12).value, 5);
  EXPECT_DOUBLE_EQ(at(20).value, 10);
  Loop falling;
  falling.low = 5;
  falling.high = -5;
  EXPECT_DOUBLE_EQ(measure(falling, 8).value, 2.5);
}

TEST(Loop, TheBandsOfNe43AreFaultSuspectMeasureSuspectFault) {
  const struct {
    double current;
    gerbang_quality quality;
    gerbang_reason reason;
  } cases[] = {
      {0, GERBANG_MISSING, GERBANG_REASON_DEVICE_FAULT},
      {3.5999, GERBANG_MISSING, GERBANG_REASON_DEVICE_FAULT},
      {3.6, GERBANG_SUSPECT, GERBANG_REASON_RANGE},
      {3.7999, GERBANG_SUSPECT, GERBANG_REASON_RANGE},
      {3.8, GERBANG_NOT_EVALUATED, GERBANG_REASON_NONE},
      {20.5, GERBANG_NOT_EVALUATED, GERBANG_REASON_NONE},
      {20.5001, GERBANG_SUSPECT, GERBANG_REASON_RANGE},
      {21, GERBANG_SUSPECT, GERBANG_REASON_RANGE},
      {21.0001, GERBANG_MISSING, GERBANG_REASON_DEVICE_FAULT},
      {-1, GERBANG_MISSING, GERBANG_REASON_DEVICE_FAULT},
      {std::numeric_limits<double>::infinity(), GERBANG_MISSING, GERBANG_REASON_NOT_A_NUMBER},
      {std::nan(""), GERBANG_MISSING, GERBANG_REASON_NOT_A_NUMBER},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(at(c.current).quality, c.quality) << c.current;
    EXPECT_EQ(at(c.current).reason, c.reason) << c.current;
  }
  EXPECT_NEAR(at(3.7).value, -0.1875, 1e-12);  // beyond the span, in a straight line
  EXPECT_NEAR(at(20.8).value, 10.5, 1e-12);
}

TEST(Loop, ALimitAsAModuleRoundsItIsTheLimit) {
  for (const double limit : {3.6, 3.8, 20.5, 21.0}) {
    const double rounded = static_cast<float>(limit);
    EXPECT_EQ(at(rounded).quality, at(limit).quality) << limit;
    EXPECT_EQ(at(rounded).reason, at(limit).reason) << limit;
  }
  Loop amperes;
  amperes.high = 10;
  amperes.scale = 1000;
  for (const float number : {0.0036F, 0.021F})
    EXPECT_EQ(measure(amperes, number).quality, GERBANG_SUSPECT) << number;
  for (const float number : {0.0038F, 0.0205F})
    EXPECT_EQ(measure(amperes, number).quality, GERBANG_NOT_EVALUATED) << number;
}

TEST(Loop, CountsOfAModuleBecomeMilliamperes) {
  Loop loop;
  loop.low = 0;
  loop.high = 250;  // m³/h
  loop.scale = 16.0 / 32767;
  loop.offset = 4;
  EXPECT_NEAR(measure(loop, 16383.5).value, 125, 1e-9);
  EXPECT_EQ(measure(loop, -1000).quality, GERBANG_MISSING);
}

}  // namespace
}  // namespace gerbang::analog
