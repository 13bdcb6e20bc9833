// SPDX-License-Identifier: Apache-2.0
// Every driver of tests/drivers/bad with the one outcome that is right for it.
#include <gerbang/driver.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <string>

#include "drivers/host_process.hpp"

namespace gerbang::test {
namespace {

using namespace std::chrono_literals;

constexpr Ended kStopped{false, 0};  // went on until it was told to stop
constexpr Ended kConfig{false, 78};
constexpr Ended kKilled{true, SIGKILL};  // did not end by itself: somebody has to

struct Row {
  const char* driver;
  Ended ending;
  const char* load_error = "";  // part of what Hello says
  unsigned status = GERBANG_OK;
  const char* trouble = "";  // part of what Trouble says
  const char* refused = "";  // the reason in Heartbeat
  const char* log = "";
  std::size_t readings = 0;  // at least so many, numbers and missing ones
  bool never_says_hello = false;
};

void PrintTo(const Row& row, std::ostream* out) {
  *out << row.driver;
}

// Sanitizers allow no memory limit: the leak goes on until Stop, and LeakSanitizer reports it then.
#if defined(__SANITIZE_ADDRESS__)
constexpr Ended kOutOfMemory{false, 1};
constexpr bool kLeakLives = true;
#elif defined(__SANITIZE_THREAD__)
constexpr Ended kOutOfMemory = kStopped;
constexpr bool kLeakLives = true;
#else
constexpr Ended kOutOfMemory{true, SIGABRT};
constexpr bool kLeakLives = false;
#endif

const Row kRows[] = {
    // Refused when loading; the sentence says what is wrong.
    {.driver = "does_not_exist", .ending = kConfig, .load_error = "No such file"},
    {.driver = "no_symbol", .ending = kConfig, .load_error = "exports no gerbang_driver()"},
    {.driver = "wrong_major",
     .ending = kConfig,
     .load_error = "built for driver ABI 2.1, this host speaks 1.1"},
    {.driver = "null_table", .ending = kConfig, .load_error = "returned no table"},
    {.driver = "null_poll", .ending = kConfig, .load_error = "its table has no poll"},
    {.driver = "table_too_small",
     .ending = kConfig,
     .load_error = "its table has 56 bytes, at least 64"},
    {.driver = "table_without_version",
     .ending = kConfig,
     .load_error = "does not even hold a version"},
    {.driver = "null_description", .ending = kConfig, .load_error = "describe() returned nothing"},
    {.driver = "wrong_default",
     .ending = kConfig,
     .load_error = "key 1 (port): default \"70000\" is out of its bounds"},
    {.driver = "crash_on_load", .ending = {true, SIGSEGV}, .never_says_hello = true},
    {.driver = "hang_on_load", .ending = kKilled, .never_says_hello = true},

    // Older and newer ones are welcome.
    {.driver = "higher_minor", .ending = kStopped, .readings = 4},
    {.driver = "old_table", .ending = kStopped, .readings = 2},

    // What open and poll return.
    {.driver = "open_retry",
     .ending = kStopped,
     .status = GERBANG_GONE,
     .trouble = "open ends with RETRY",
     .readings = 2},
    {.driver = "open_gone",
     .ending = kStopped,
     .status = GERBANG_GONE,
     .trouble = "open ends with GONE",
     .readings = 2},
    {.driver = "open_config",
     .ending = kConfig,
     .status = GERBANG_CONFIG,
     .trouble = "open ends with CONFIG"},
    {.driver = "open_nonsense",
     .ending = kStopped,
     .status = GERBANG_GONE,
     .trouble = "open returned 17, which is no status"},
    {.driver = "poll_retry",
     .ending = kStopped,
     .status = GERBANG_RETRY,
     .trouble = "poll returned RETRY and logged no reason"},
    {.driver = "poll_gone",
     .ending = kStopped,
     .status = GERBANG_GONE,
     .trouble = "poll returned GONE",
     .readings = 2},
    {.driver = "poll_config",
     .ending = kConfig,
     .status = GERBANG_CONFIG,
     .trouble = "poll returned CONFIG"},

    // Faults of the code.
    {.driver = "throws", .ending = {true, SIGABRT}},
    {.driver = "throws_behind_driver_hpp",
     .ending = kStopped,
     .status = GERBANG_GONE,
     .trouble = "poll: vector::_M_range_check"},
    {.driver = "hang_in_poll", .ending = kKilled},
    {.driver = "hang_in_close", .ending = kKilled, .readings = 1},
    {.driver = "crash_in_poll", .ending = {true, SIGSEGV}},
    {.driver = "exit_in_poll", .ending = {false, 3}},
    {.driver = "leak", .ending = kOutOfMemory, .readings = 10},
    {.driver = "busy", .ending = kStopped, .readings = 3},
    {.driver = "closes_descriptors", .ending = {false, 70}},

    // Faults of what it hands over.
    {.driver = "million_readings",
     .ending = kStopped,
     .refused = "flood",
     .log = "more than 200000 readings in one call",
     .readings = 200'000},
    {.driver = "not_a_number", .ending = kStopped, .readings = 3},
    {.driver = "unknown_sensor",
     .ending = kStopped,
     .refused = "unknown_sensor",
     .log = "unknown_sensor (sensor 4242)"},
    {.driver = "wrong_quality",
     .ending = kStopped,
     .refused = "quality",
     .log = "quality (quality 7)"},
    {.driver = "wrong_time", .ending = kStopped, .log = "corrected: time", .readings = 3},
    {.driver = "short_readings",
     .ending = kStopped,
     .refused = "struct_size",
     .log = "readings of 16 bytes"},
    {.driver = "emits_after_close",
     .ending = kStopped,
     .refused = "outside_call",
     .log = "from another thread",
     .readings = 2},
    {.driver = "giant_log", .ending = kStopped, .log = "lines of the driver were dropped"},
    {.driver = "broken_text", .ending = kStopped, .log = "caf?  [2J ?? end"},
};

class BadDriver : public testing::TestWithParam<Row> {};

TEST_P(BadDriver, HasItsOneOutcome) {
  const Row& row = GetParam();
  HostProcess host(bad_driver(row.driver));

  const bool spoke = host.until([&] { return host.hello.has_value(); },
                                row.ending == kKilled && row.never_says_hello ? 300ms : 10'000ms);
  ASSERT_NE(spoke, row.never_says_hello);
  if (spoke) {
    EXPECT_NE(host.hello->load_error().find(row.load_error), std::string::npos)
        << host.hello->load_error();
    if (host.hello->load_error().empty()) host.send(configure());
  }
  const bool lives = row.ending == kStopped || (row.ending == kKilled && spoke) ||
                     (kLeakLives && row.ending == kOutOfMemory);
  if (lives && std::string_view(row.driver) != "hang_in_poll") {
    EXPECT_TRUE(host.until([&] {
      return host.readings.size() >= row.readings && (!*row.log || host.logged(row.log)) &&
             (!*row.refused || host.refused.contains(row.refused)) &&
             (!*row.trouble || !host.troubles.empty()) && host.heartbeats.size() >= 2;
    }));
    host.stop();
  }

  if (row.ending == kKilled) {
    EXPECT_FALSE(host.ended(1500ms));
    host.signal(SIGKILL);
  }
  EXPECT_EQ(host.ended(), row.ending);
  EXPECT_GE(host.readings.size(), row.readings);
  EXPECT_EQ(host.troubles.empty(), row.status == GERBANG_OK);
  if (!host.troubles.empty()) {
    EXPECT_EQ(host.troubles.front().status(), row.status);
    EXPECT_NE(host.troubles.front().text().find(row.trouble), std::string::npos)
        << host.troubles.front().text();
  }
  EXPECT_EQ(host.refused.size(), *row.refused ? 1u : 0u);
  for (const Received& reading : host.readings) {
    ASSERT_TRUE(reading.sensor == 7 || reading.sensor == 9);
    ASSERT_GT(reading.boot_ns, 0);
    ASSERT_FALSE(reading.flag == GERBANG_MISSING && reading.reason == GERBANG_REASON_NONE);
  }
}

INSTANTIATE_TEST_SUITE_P(Table, BadDriver, testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.driver); });

TEST(BadDrivers, NoNumbersAreMissingForThatReason) {
  HostProcess host(bad_driver("not_a_number"));
  host.send(configure());
  ASSERT_TRUE(host.until([&] { return host.readings.size() >= 3; }));
  for (const Received& reading : host.readings) {
    EXPECT_EQ(reading.flag, unsigned{GERBANG_MISSING});
    EXPECT_EQ(reading.reason, unsigned{GERBANG_REASON_NOT_A_NUMBER});
  }
}

TEST(BadDrivers, AFloodIsCountedToTheLastReading) {
  HostProcess host(bad_driver("million_readings"));
  host.send(configure());
  ASSERT_TRUE(host.until([&] { return host.refused.contains("flood"); }));
  host.stop();
  ASSERT_TRUE(host.ended());
  EXPECT_EQ((host.readings.size() + host.refused["flood"]) % 1'000'000, 0u);
  EXPECT_EQ(host.readings.size() * 4, host.refused["flood"]);
}

TEST(BadDrivers, ABusyDriverDoesNotTakeTheProcessor) {
  HostProcess host(bad_driver("busy"));
  host.send(configure());
  ASSERT_TRUE(host.until([&] { return host.readings.size() >= 2; }));
  auto before = host.cpu();
  host.until([] { return false; }, 1000ms);
  EXPECT_LT(host.cpu() - before, 100ms);
}

TEST(BadDrivers, GiantLinesAreCutAndFewReachTheDaemon) {
  HostProcess host(bad_driver("giant_log"));
  host.send(configure());
  ASSERT_TRUE(host.until([&] { return host.logged("lines of the driver were dropped"); }));
  EXPECT_LT(host.longest_log, 2200u);
  EXPECT_LT(host.logs.size(), 300u);
}

TEST(BadDrivers, NothingThatAThreadEmitsIsTaken) {
  HostProcess host(bad_driver("emits_after_close"));
  host.send(configure());
  ASSERT_TRUE(host.until([&] { return host.refused.contains("outside_call"); }));
  host.stop();
  EXPECT_EQ(host.ended(), kStopped);
  for (const Received& reading : host.readings) EXPECT_NE(reading.number, 666);
  EXPECT_FALSE(host.logged("from a thread"));
}

TEST(BadDrivers, ACheckFindsWhatOpenRefusesAndNothingElse) {
  for (const Row& row : kRows) {
    const std::string name = row.driver;
    if (!name.starts_with("open_")) continue;
    HostProcess host(bad_driver(name));
    host::v1::ToDriverHost frame = configure();
    frame.mutable_configure()->set_check(true);
    host.send(frame);
    ASSERT_TRUE(host.until([&] { return !host.dones.empty(); })) << name;
    const bool refused = name == "open_config";
    EXPECT_EQ(host.dones[0].status(), static_cast<unsigned>(refused ? GERBANG_CONFIG : GERBANG_OK))
        << name;
    EXPECT_EQ(host.dones[0].text() == "open ends with CONFIG", refused) << name;
    EXPECT_TRUE(host.readings.empty()) << name;
    host.stop();
    EXPECT_EQ(host.ended(), kStopped) << name;
  }
}

TEST(BadDrivers, ACheckOpensAndClosesAGoodDriverAndPollsNothing) {
  HostProcess host(bad_driver("probe"));
  host::v1::ToDriverHost frame = configure();
  frame.mutable_configure()->set_check(true);
  host.send(frame);
  ASSERT_TRUE(host.until([&] { return !host.dones.empty(); }));
  EXPECT_EQ(host.dones[0].status(), unsigned{GERBANG_OK});
  EXPECT_EQ(host.dones[0].text(), "");
  EXPECT_TRUE(host.logged("closed"));
  EXPECT_TRUE(host.readings.empty());
  host.stop();
  EXPECT_EQ(host.ended(), kStopped);
}

}  // namespace
}  // namespace gerbang::test
