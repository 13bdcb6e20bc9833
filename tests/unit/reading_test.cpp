// SPDX-License-Identifier: Apache-2.0
#include "core/reading.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/number_text.hpp"

namespace gerbang {
namespace {

std::string shown(double raw, double scale, double offset = 0) {
  return number_text(Calibration{scale, offset, 1, 0}.apply(raw));
}

TEST(Calibration, AWholeNumberTimesADecimalIsTheDecimalThatPeopleWrite) {
  EXPECT_EQ(shown(714, 0.01), "7.14");
  EXPECT_EQ(shown(-714, 0.01), "-7.14");
  EXPECT_EQ(shown(3, 0.1), "0.3");
  EXPECT_EQ(shown(1'234'567, 0.001), "1234.567");
  EXPECT_EQ(shown(57, 0.3), "17.1");
  EXPECT_EQ(shown(1001, 1), "1001");
  EXPECT_EQ(shown(0, 0.01), "0");
}

TEST(Calibration, EveryRegisterInHundredthsReadsBackAsItself) {
  for (int raw = -32'768; raw <= 65'535; ++raw)
    ASSERT_EQ(Calibration({0.01, 0, 1, 0}).apply(raw), raw / 100.0) << raw;
}

TEST(Calibration, UnitsOfAThousandthAreExactToo) {
  EXPECT_EQ(number_text(Calibration{1, 0, 0.001, 0}.apply(4567)), "4.567");
}

TEST(Scaled, IsThePlainProductWhereNoFractionIsExact) {
  EXPECT_EQ(scaled(7.25, 0.1), 7.25 * 0.1);
  EXPECT_EQ(scaled(7, 1.0 / 3), 7 * (1.0 / 3));
  EXPECT_EQ(scaled(1e300, 0.01), 1e300 * 0.01);
  EXPECT_EQ(scaled(9e15, 0.3), 9e15 * 0.3);
  EXPECT_EQ(scaled(5, 1e-12), 5 * 1e-12);
  EXPECT_EQ(scaled(5, 1e12), 5e12);
  EXPECT_TRUE(std::isnan(scaled(std::nan(""), 0.01)));
  EXPECT_TRUE(std::isinf(scaled(std::numeric_limits<double>::infinity(), 0.01)));
}

}  // namespace
}  // namespace gerbang
