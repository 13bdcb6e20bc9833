// SPDX-License-Identifier: Apache-2.0
#include "ctl/filter.hpp"

#include <gtest/gtest.h>

namespace gerbang::ctl {
namespace {

TEST(FilterBelow, IsAllOrWhatIsAskedForBelowTheRoot) {
  EXPECT_EQ(filter_below("gerbang/v1", ""), "gerbang/v1/#");
  EXPECT_EQ(filter_below("gerbang/v1", "+/+/ipa-1/gap"), "gerbang/v1/+/+/ipa-1/gap");
}

TEST(FilterBelow, RefusesWhatNoBrokerTakesAndNamesIt) {
  for (const char* bad : {"a/#/b", "#/a", "a#", "a/+b"}) {
    auto filter = filter_below("gerbang/v1", bad);
    ASSERT_FALSE(filter) << bad;
    EXPECT_TRUE(filter.error().what.starts_with("--topic \"" + std::string(bad) + "\": not a "))
        << filter.error().what;
    EXPECT_NE(filter.error().what.find("# stands only as the last level"), std::string::npos);
  }
}

TEST(FilterBelow, RefusesARootThatIsNoNameOfLevels) {
  for (const char* bad : {"", "a/#", "+", "a+b", "/a", "a/", "a//b"}) {
    auto filter = filter_below(bad, "#");
    ASSERT_FALSE(filter) << bad;
    EXPECT_TRUE(filter.error().what.starts_with("--root \"" + std::string(bad) + "\": a root has "))
        << filter.error().what;
  }
}

}  // namespace
}  // namespace gerbang::ctl
