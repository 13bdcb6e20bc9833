// SPDX-License-Identifier: Apache-2.0
#include "moment/moment.hpp"

#include <gtest/gtest.h>

namespace gerbang::moment {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kSecond = 1'000'000'000;

// Expected seconds are what `date -u -d … +%s` prints.
TEST(Moment, ReadsRfc3339ToTheNanosecond) {
  EXPECT_EQ(of_text("2026-02-01T02:00:00Z"), 1769911200 * kSecond);
  EXPECT_EQ(of_text("2026-02-01T02:00:00.123456Z"), 1769911200 * kSecond + 123'456'000);
  EXPECT_EQ(of_text("2026-02-01 10:00:00.5+08:00"), 1769911200 * kSecond + 500'000'000);
  EXPECT_EQ(of_text("2026-01-31t18:30:00-0730"), 1769911200 * kSecond);
  EXPECT_EQ(of_text("2024-02-29T23:59:60Z"), 1709251200 * kSecond);  // a leap second
  EXPECT_EQ(of_text("1970-01-01T00:00:00Z"), 0);
}

TEST(Moment, TakesLocalTimeOnlyIfToldHowFarItIsAhead) {
  EXPECT_EQ(of_text("2026-02-01 10:00", 8h), 1769911200 * kSecond);
  EXPECT_EQ(of_text("2026-02-01 10:00:00"), std::nullopt);
  EXPECT_EQ(of_text("2026-02-01T02:00:00Z", 8h), 1769911200 * kSecond);  // its own zone wins
}

TEST(Moment, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "now", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-02-01T24:00:00Z",
        "2026-02-01T02:00:00Zx", "2026-02-01", "2026-02-01T02:00:00.Z", "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+01:00", "2262-01-01T00:00:00Z", "02/01/2026 02:00:00"})
    EXPECT_EQ(of_text(text), std::nullopt) << text;
}

TEST(Moment, CountsHaveTheUnitInWhichTheyLieInOurTime) {
  EXPECT_EQ(of_count(std::int64_t{1769911200}, likely_unit(1769911200.0)), 1769911200 * kSecond);
  EXPECT_EQ(of_count(std::int64_t{1769911200123}, likely_unit(1769911200123.0)),
            1769911200 * kSecond + 123'000'000);
  EXPECT_EQ(of_count(std::int64_t{1769911200123456789}, likely_unit(1.769911200123456789e18)),
            1769911200123456789);
  EXPECT_EQ(of_count(1769911200.25, Unit::seconds), 1769911200 * kSecond + 250'000'000);
  EXPECT_EQ(of_count(-1.0, Unit::seconds), std::nullopt);
  EXPECT_EQ(of_count(std::int64_t{9'300'000'000}, Unit::seconds), std::nullopt);
}

TEST(Moment, ReadsOffsets) {
  EXPECT_EQ(offset_of("+08:00"), 480min);
  EXPECT_EQ(offset_of("-0330"), -210min);
  EXPECT_EQ(offset_of("Z"), 0min);
  EXPECT_EQ(offset_of("8"), std::nullopt);
  EXPECT_EQ(offset_of("Asia/Makassar"), std::nullopt);
}

}  // namespace
}  // namespace gerbang::moment
