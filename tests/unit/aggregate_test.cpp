// SPDX-License-Identifier: Apache-2.0
#include "core/aggregate.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace gerbang {
namespace {

Statistics of(const std::vector<double>& values) {
  Statistics s;
  for (double v : values) s.add(v);
  return s;
}

TEST(Statistics, AreThoseOfThePopulation) {
  Statistics s = of({2, 4, 4, 4, 5, 5, 7, 9});
  EXPECT_EQ(s.count, 8u);
  EXPECT_DOUBLE_EQ(s.mean, 5);
  EXPECT_DOUBLE_EQ(s.stddev(), 2);
  EXPECT_EQ(s.minimum, 2);
  EXPECT_EQ(s.maximum, 9);
}

TEST(Statistics, MergedFromAnySplitAreTheSame) {
  std::vector<double> values = {1e6 + 1, 1e6 + 2, -3, 0, 7.25, 1e6 - 5, 12};
  Statistics whole = of(values);
  for (std::size_t cut = 0; cut <= values.size(); ++cut) {
    auto middle = values.begin() + static_cast<std::ptrdiff_t>(cut);
    Statistics left = of({values.begin(), middle}), right = of({middle, values.end()});
    right.merge(left);
    EXPECT_EQ(right.count, whole.count);
    EXPECT_NEAR(right.mean, whole.mean, 1e-9 * 1e6);
    EXPECT_NEAR(right.stddev(), whole.stddev(), 1e-9 * 1e6);
    EXPECT_EQ(right.minimum, whole.minimum);
    EXPECT_EQ(right.maximum, whole.maximum);
  }
}

TEST(Aggregate, CountsMissingOnlyWhenSomethingWasExpected) {
  Aggregate a;
  EXPECT_FALSE(a.missing());
  a.expected = 60;
  a.received = 58;
  EXPECT_EQ(a.missing(), 2u);
  a.received = 61;
  EXPECT_EQ(a.missing(), 0u);
}

}  // namespace
}  // namespace gerbang
