// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"

#include <gtest/gtest.h>

#include <array>

namespace gerbang {
namespace {

using namespace std::chrono_literals;

TEST(Duration, IsAWholeNumberAndOneUnit) {
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("1s"), 1000ms);
  EXPECT_EQ(parse_duration("15m"), 15min);
  EXPECT_EQ(parse_duration("30d"), 24h * 30);
  EXPECT_EQ(parse_duration("0s"), 0ms);
}

TEST(Duration, RefusesEverythingElse) {
  for (const char* text : {"", "5", "s", "1.5s", "-1s", " 1s", "1s ", "1 s", "1sec", "1S", "1m30s",
                           "99999999999999999999s", "40000000d"})
    EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(Duration, PrintsTheLargestUnitThatDivides) {
  EXPECT_EQ(format_duration(60s), "1m");
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(24h), "1d");
  EXPECT_EQ(format_duration(1500ms), "1500ms");
  EXPECT_EQ(format_duration(0ms), "0ms");
}

TEST(Size, IsANumberOfBytesOrABinaryUnit) {
  EXPECT_EQ(parse_size("64KiB"), 65536u);
  EXPECT_EQ(parse_size("2GiB"), 2147483648u);
  EXPECT_EQ(parse_size("512"), 512u);
  for (const char* text : {"", "KiB", "2GB", "1.5MiB", "-1", "99999999999TiB"})
    EXPECT_FALSE(parse_size(text)) << text;
  EXPECT_EQ(format_size(2147483648u), "2GiB");
}

TEST(Counted, OneIsNotMany) {
  EXPECT_EQ(counted(0, "mistake"), "0 mistakes");
  EXPECT_EQ(counted(1, "mistake"), "1 mistake");
  EXPECT_EQ(counted(2, "mistake"), "2 mistakes");
}

TEST(Nearest, NamesALikelyTypingErrorOnly) {
  constexpr std::array<std::string_view, 3> keys = {"interval", "plugin", "name"};
  EXPECT_EQ(nearest("intervall", keys), "interval");
  EXPECT_EQ(nearest("plugn", keys), "plugin");
  EXPECT_FALSE(nearest("password", keys));
}

TEST(OneWord, HasNoWhiteSpaceAndIsNeverEmpty) {
  EXPECT_EQ(one_word("1b4e28ba-2fa1"), "1b4e28ba-2fa1");
  EXPECT_EQ(one_word("a board\tof\nmine "), "a-board-of-mine-");
  EXPECT_EQ(one_word(""), "-");
}

}  // namespace
}  // namespace gerbang
