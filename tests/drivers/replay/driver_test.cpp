// SPDX-License-Identifier: Apache-2.0
//
// The driver as the host loads it, with files of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/rig.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::test {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kTime = 1759248000'000'000'000;

std::string recording(int rows) {
  std::string text = "time,v,n\n";
  for (int i = 0; i < rows; ++i)
    text +=
        std::to_string(1759248000 + i) + "," + std::to_string(i) + ".5," + std::to_string(i) + "\n";
  return text;
}

TEST(ReplayDriver, PlaysInTimeAndStampsNow) {
  TempDir folder;
  Rig rig("replay");
  rig.sensor("v", {{"column", "v"}});
  rig.sensor("n", {{"column", "n"}, {"integer", "true"}});
  ASSERT_EQ(rig.open({{"file", folder.write("a.csv", recording(4)).string()}, {"speed", "5"}}),
            GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] { return rig.logged("has ended after 4 rows"); })) << rig.log;
  const auto v = rig.of(0), n = rig.of(1);
  ASSERT_EQ(v.size(), 4u);
  ASSERT_EQ(n.size(), 4u);
  EXPECT_DOUBLE_EQ(v[3].number, 3.5);
  EXPECT_EQ(n[3].integer, 3);
  EXPECT_EQ(n[3].flags, unsigned{GERBANG_HAS_INTEGER});
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(v[i].unix_ns, 0);
  for (std::size_t i = 1; i < 4; ++i)
    EXPECT_EQ(v[i].boottime_ns - v[i - 1].boottime_ns, 200'000'000);
}

TEST(ReplayDriver, AtSpeedZeroALongFileIsTakenAtOnceWithItsOwnTimes) {
  TempDir folder;
  Rig rig("replay");
  rig.sensor("v", {{"column", "v"}});
  ASSERT_EQ(rig.open({{"file", folder.write("a.csv", recording(50'000)).string()},
                      {"speed", "0"},
                      {"start", "recorded"}}),
            GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] { return rig.logged("has ended after 50000 rows"); })) << rig.log;
  ASSERT_EQ(rig.readings.size(), 50'000u);
  EXPECT_EQ(rig.readings.back().unix_ns, kTime + 49'999 * std::int64_t{1'000'000'000});
}

TEST(ReplayDriver, GapsAreMissingAndBadLinesAreNamedOnce) {
  TempDir folder;
  const auto file = folder.write("a.csv",
                                 "time,v\n"
                                 "2025-10-01T00:00:00Z,1\n"
                                 "2025-10-01T00:00:01Z,\n"
                                 "2025-10-01T00:00:02Z,kotor\n"
                                 "soon,2\n"
                                 "2025-10-01T00:00:01Z,3\n"
                                 "2025-10-01T00:00:03Z,4");
  Rig rig("replay");
  rig.sensor("v", {{"column", "v"}});
  ASSERT_EQ(rig.open({{"file", file.string()}, {"speed", "0"}}), GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] { return rig.logged("ended"); })) << rig.log;
  ASSERT_EQ(rig.readings.size(), 4u);
  EXPECT_EQ(rig.readings[1].reason, unsigned{GERBANG_REASON_NOT_A_NUMBER});
  EXPECT_EQ(rig.readings[2].reason, unsigned{GERBANG_REASON_PROTOCOL});
  EXPECT_EQ(rig.readings[3].number, 4);
  EXPECT_THAT(rig.log, HasSubstr("a.csv:4: v: \"kotor\" is no number"));
  EXPECT_THAT(rig.log, HasSubstr("a.csv:5: \"soon\" is no time"));
  EXPECT_THAT(rig.log, HasSubstr("a.csv:6: its time is before"));
  EXPECT_EQ(rig.exchanges.size(), 4u);
  EXPECT_EQ(rig.exchanges[2].result, GERBANG_REASON_PROTOCOL);
}

TEST(ReplayDriver, ALoopGoesOnAndDoesNotNameBadLinesAgain) {
  TempDir folder;
  const auto file = folder.write("a.csv", recording(3) + "bad,1,1\n");
  Rig rig("replay");
  rig.sensor("v", {{"column", "v"}});
  ASSERT_EQ(rig.open({{"file", file.string()}, {"speed", "20"}, {"repeat", "loop"}}), GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] { return rig.readings.size() >= 8; })) << rig.log;
  for (std::size_t i = 0; i < 8; ++i)
    EXPECT_EQ(rig.readings[i].number, static_cast<double>(i % 3) + 0.5);
  for (std::size_t i = 1; i < 8; ++i)
    EXPECT_EQ(rig.readings[i].boottime_ns - rig.readings[i - 1].boottime_ns, 50'000'000) << i;
  EXPECT_EQ(rig.log.find("bad"), rig.log.rfind("bad"));
}

TEST(ReplayDriver, WaitsForAFileAndStopsForAColumn) {
  TempDir folder;
  Rig rig("replay");
  rig.sensor("v", {{"column", "v"}});
  ASSERT_EQ(rig.open({{"file", (folder / "later.csv").string()}}), GERBANG_OK);
  EXPECT_EQ(rig.poll(10ms), GERBANG_GONE);
  EXPECT_THAT(rig.log, HasSubstr("later.csv cannot be opened: No such file"));
  folder.write("later.csv", "time,kekeruhan\n1759248000,1\n");
  EXPECT_EQ(rig.poll(10ms), GERBANG_CONFIG);
  EXPECT_THAT(rig.log, HasSubstr("there is no column \"v\"; the header has: time, kekeruhan"));
}

TEST(ReplayConfig, SaysWhatDoesNotGoTogether) {
  auto refusal = [](Rig::Keys options) {
    Rig rig("replay");
    rig.sensor("v", {{"column", "v"}});
    EXPECT_EQ(rig.open(std::move(options)), GERBANG_CONFIG);
    return rig.log;
  };
  EXPECT_THAT(refusal({{"file", "a.csv"}}), HasSubstr("whole path"));
  EXPECT_THAT(refusal({{"file", "/a"}, {"repeat", "loop"}, {"start", "recorded"}}),
              HasSubstr("again and again"));
  EXPECT_THAT(refusal({{"file", "/a"}, {"timezone_offset", "WITA"}}), HasSubstr("+08:00"));
  EXPECT_THAT(refusal({{"file", "/a"}, {"separator", "comma"}, {"decimal", "comma"}}),
              HasSubstr("semicolon"));
}

}  // namespace
}  // namespace gerbang::test
