// SPDX-License-Identifier: Apache-2.0
//
// The supervisor against a driver host that misbehaves on command (fake_host.cpp).
#include "source/supervisor.hpp"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <sstream>

#include "core/text.hpp"
#include "drivers/source_rig.hpp"
#include "support/run_coro.hpp"

namespace gerbang::source::test {
namespace {

constexpr const char* kFake = GERBANG_BINARY_DIR "/bin/fake_driver_host";

// Two sensors with the indices first and first + 1.
DriverSpec fake(const std::string& mode, std::uint32_t first = 0) {
  DriverSpec spec;
  spec.name = mode + std::to_string(first);
  spec.plugin = mode;
  spec.plugin_path = "/nowhere/" + mode;
  spec.sensors.resize(2);
  for (std::uint32_t i = 0; i < 2; ++i) {
    spec.sensors[i].index = first + i;
    spec.sensors[i].id = "s" + std::to_string(first + i);
    spec.sensors[i].interval = 20ms;
  }
  return spec;
}

struct SupervisorTest : ::testing::Test {
  Rig rig{kFake};
  Keeper& keeper = rig.keeper;

  bool reaches(const std::shared_ptr<Supervisor>& driver, DriverState state) {
    return rig.until([&] { return driver->status().state == state; }, 30s);
  }
};

// What is logged while it lives.
class LogCapture {
 public:
  LogCapture() : before_(spdlog::default_logger()) {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_st>(text_)));
  }
  ~LogCapture() { spdlog::set_default_logger(before_); }
  std::string text() const { return text_.str(); }

 private:
  std::shared_ptr<spdlog::logger> before_;
  std::ostringstream text_;
};

// The values of a sensor count upwards without a hole from its first reading on.
void expect_no_hole(const std::vector<Reading>& readings) {
  ASSERT_FALSE(readings.empty());
  for (std::size_t i = 1; i < readings.size(); ++i)
    ASSERT_EQ(readings[i].raw.integer, readings[i - 1].raw.integer + 1) << i;
}

TEST_F(SupervisorTest, ReadingsArriveUnderTheIndicesOfTheConfiguration) {
  auto driver = rig.run(fake("good", 40));
  ASSERT_TRUE(rig.until([&] { return keeper.of(41).size() >= 5; }));
  expect_no_hole(keeper.of(40));
  expect_no_hole(keeper.of(41));
  EXPECT_EQ(keeper.of(40).size() + keeper.of(41).size(), keeper.readings.size());
  DriverStatus status = driver->status();
  EXPECT_EQ(status.state, DriverState::running);
  EXPECT_EQ(status.version, "9.8");
  EXPECT_TRUE(exists(status.pid));
  EXPECT_EQ(status.restarts, 0u);
  EXPECT_EQ(status.last_error, "");
  EXPECT_EQ(status.readings, keeper.readings.size());
  EXPECT_GE(status.polls, 4u);
  ASSERT_EQ(status.devices.size(), 1u);
  EXPECT_EQ(status.devices[0].device, "unit 1");
  EXPECT_EQ(status.devices[0].mean_us(), 250u);
  EXPECT_GT(status.devices[0].last_answer_boot_ns, 0);
}

struct Broken {
  const char* mode;
  const char* error;
};
std::string mode_name(const ::testing::TestParamInfo<Broken>& test) {
  std::string name = test.param.mode;
  std::erase(name, '-');
  return name;
}
struct BrokenHost : SupervisorTest, ::testing::WithParamInterface<Broken> {};

TEST_P(BrokenHost, IsStartedAgainFourTimesThenQuarantinedAndItsSensorsAreMissingOnce) {
  auto driver = rig.run(fake(GetParam().mode));
  ASSERT_TRUE(reaches(driver, DriverState::quarantined));
  rig.turn(100ms);
  DriverStatus status = driver->status();
  EXPECT_EQ(status.state, DriverState::quarantined);
  EXPECT_EQ(status.restarts, 4u);
  std::string error = GetParam().error;
  if (auto at = error.find("PATIENCE"); at != std::string::npos)
    error.replace(at, 8, format_duration(kPatience));
  EXPECT_EQ(status.last_error, error);
  EXPECT_EQ(status.pid, 0);
  EXPECT_EQ(keeper.readings.size(), 2u);
  EXPECT_EQ(keeper.missing(0, Reason::driver), 1u);
  EXPECT_EQ(keeper.missing(1, Reason::driver), 1u);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BrokenHost,
    ::testing::Values(
        Broken{"never-hello", "no hello within PATIENCE; killed"},
        Broken{"hang", "no heartbeat for PATIENCE; killed"},
        Broken{"crash-on-load", "its host was killed by signal 11 (SIGSEGV)"},
        Broken{"crash", "its host was killed by signal 11 (SIGSEGV)"},
        Broken{"exit-0", "its host ended with 0"},
        Broken{"early", "the driver host sent something before its hello; killed"},
        Broken{"garbage",
               "the driver host sent a frame of 4294967295 bytes, at most 4194304; killed"},
        Broken{"unparsable", "the driver host sent a frame that cannot be parsed; killed"},
        Broken{"unknown-frame", "the driver host sent a frame of unknown kind; killed"}),
    mode_name);

TEST_F(SupervisorTest, AHostThatCannotBeStartedIsQuarantinedToo) {
  rig.environment.host = "/nowhere/gerbang-driver-host";
  auto driver = rig.run(fake("good"));
  ASSERT_TRUE(reaches(driver, DriverState::quarantined));
  EXPECT_EQ(driver->status().last_error,
            "cannot start /nowhere/gerbang-driver-host: No such file or directory");
}

struct Wrong : SupervisorTest, ::testing::WithParamInterface<Broken> {};

TEST_P(Wrong, ConfigurationStopsTheDriverForGood) {
  auto driver = rig.run(fake(GetParam().mode));
  ASSERT_TRUE(rig.until([&] {
    return driver->status().state == DriverState::config_error && driver->status().pid == 0;
  }));
  rig.turn(300ms);
  DriverStatus status = driver->status();
  EXPECT_EQ(status.state, DriverState::config_error);
  EXPECT_EQ(status.restarts, 0u);
  EXPECT_EQ(status.last_error, GetParam().error);
  EXPECT_EQ(keeper.missing(0, Reason::driver), 1u);
}

INSTANTIATE_TEST_SUITE_P(Table, Wrong,
                         ::testing::Values(Broken{"config", "unit 300 is not possible"},
                                           Broken{"exit-78", "its host ended with 78"},
                                           Broken{"load-error", "fake.so: no such symbol"}),
                         mode_name);

TEST_F(SupervisorTest, AKilledHostIsBackInASecondAndTheOthersDoNotNotice) {
  rig.environment.limits.restart = RestartLimits();
  auto victim = rig.run(fake("good", 0));
  auto other = rig.run(fake("good", 10));
  ASSERT_TRUE(rig.until([&] { return keeper.of(0).size() > 5 && keeper.of(10).size() > 5; }));

  const BootTime killed = rig.clock.boot();
  ::kill(victim->status().pid, SIGKILL);
  ASSERT_TRUE(reaches(victim, DriverState::backing_off));
  EXPECT_EQ(victim->status().last_error, "its host was killed by signal 9 (SIGKILL)");
  EXPECT_EQ(keeper.missing(0, Reason::driver), 1u);
  ASSERT_TRUE(reaches(victim, DriverState::running));
  const auto away = rig.clock.boot() - killed;
  rig.turn(100ms);

  EXPECT_GT(away, 900ms);
  EXPECT_LT(away, 1s + 2 * kPatience);
  EXPECT_EQ(victim->status().restarts, 1u);
  EXPECT_EQ(other->status().restarts, 0u);
  expect_no_hole(keeper.of(10));
  EXPECT_LT(keeper.longest_gap(10, killed), away / 2);
  EXPECT_GT(keeper.longest_gap(0, killed), away / 2);
}

TEST_F(SupervisorTest, ASecondFailureIsSaidAgain) {
  auto driver = rig.run(fake("good"));
  for (std::size_t i = 1; i <= 2; ++i) {
    const auto before = keeper.readings.size();
    ASSERT_TRUE(rig.until([&] { return keeper.readings.size() > before + 10; }));
    ::kill(driver->status().pid, SIGKILL);
    ASSERT_TRUE(reaches(driver, DriverState::backing_off));
    EXPECT_TRUE(rig.until([&] { return keeper.missing(0, Reason::driver) == i; }));
  }
}

TEST_F(SupervisorTest, WhileADriverStaysDownItsSensorsSaySoNowAndAgain) {
  rig.environment.limits.missing = 100ms;
  auto driver = rig.run(fake("config"));
  ASSERT_TRUE(reaches(driver, DriverState::config_error));
  rig.turn(550ms);
  EXPECT_GE(keeper.missing(0, Reason::driver), 3u);
  EXPECT_LE(keeper.missing(0, Reason::driver), 6u);
}

TEST_F(SupervisorTest, ASinkWithoutRoomIsNotTheDriversFault) {
  auto driver = rig.run(fake("good"));
  ASSERT_TRUE(rig.until([&] { return keeper.of(0).size() > 3; }));
  keeper.room.close();
  rig.turn(3 * kPatience);
  EXPECT_EQ(driver->status().state, DriverState::running);
  const auto before = keeper.of(0).size();
  keeper.room.open();
  ASSERT_TRUE(rig.until([&] { return keeper.of(0).size() > before + 30; }));
  EXPECT_EQ(driver->status().restarts, 0u);
  expect_no_hole(keeper.of(0));
}

TEST_F(SupervisorTest, AFloodIsTakenWholeAndStarvesNobody) {
  auto flood = rig.run(fake("flood", 0));
  auto other = rig.run(fake("good", 10));
  ASSERT_TRUE(rig.until([&] { return keeper.of(10).size() > 5; }));
  const BootTime from = rig.clock.boot();
  rig.turn(700ms);
  EXPECT_GT(keeper.of(0).size(), 1000u);
  expect_no_hole(keeper.of(0));
  expect_no_hole(keeper.of(10));
  EXPECT_LT(keeper.longest_gap(10, from), kPatience);
  EXPECT_EQ(flood->status().restarts, 0u);
}

TEST_F(SupervisorTest, AReadingOfAnUnknownSensorIsCountedAndTheRestTaken) {
  auto driver = rig.run(fake("bad-index"));
  ASSERT_TRUE(rig.until([&] { return keeper.of(0).size() > 3; }));
  EXPECT_EQ(keeper.rejected, (std::map<std::string, std::uint64_t>{{"unknown_sensor", 1}}));
  EXPECT_EQ(driver->status().rejected, keeper.rejected);
  EXPECT_EQ(keeper.of(1).size(), keeper.of(0).size() + 1);
}

TEST_F(SupervisorTest, EventsComeUnderTheIndexOfTheirSensor) {
  rig.run(fake("event", 70));
  ASSERT_TRUE(rig.until([&] { return !keeper.events.empty(); }));
  EXPECT_EQ(keeper.events[0].sensor, 71u);
  EXPECT_EQ(keeper.events[0].kind, "weighing");
}

TEST_F(SupervisorTest, TroubleIsShownInOneCleanLine) {
  auto driver = rig.run(fake("trouble"));
  ASSERT_TRUE(reaches(driver, DriverState::trouble));
  EXPECT_EQ(driver->status().last_error, "connection refused  [31m");
  EXPECT_EQ(driver->status().restarts, 0u);
}

TEST_F(SupervisorTest, AFloodOfLogLinesIsBoundedAndCounted) {
  LogCapture capture;
  auto driver = rig.run(fake("log-flood"));
  ASSERT_TRUE(rig.until([&] { return keeper.of(0).size() > 3; }));
  const std::string log = capture.text();
  const auto lines = std::count(log.begin(), log.end(), '\n');
  EXPECT_GE(lines, 20);
  EXPECT_LE(lines, 40);  // 20 at once, one a second, and our own
  EXPECT_GE(driver->status().log_lines_dropped, 4950u);
  EXPECT_NE(log.find("driver log-flood0: line 0 driver=log-flood0"), std::string::npos);
}

TEST_F(SupervisorTest, StopDeliversTheLastWordsAndLeavesNoProcess) {
  auto driver = rig.run(fake("good"));
  ASSERT_TRUE(rig.until([&] { return keeper.of(0).size() > 3; }));
  const pid_t pid = driver->status().pid;
  gerbang::test::run_coro(rig.io, driver->stop());
  EXPECT_EQ(driver->status().state, DriverState::stopped);
  EXPECT_EQ(driver->status().pid, 0);
  EXPECT_FALSE(exists(pid));
  EXPECT_EQ(keeper.of(0).back().raw.integer, -1);
  EXPECT_EQ(keeper.missing(0, Reason::driver), 0u);
  gerbang::test::run_coro(rig.io, driver->stop());  // again is harmless
}

TEST_F(SupervisorTest, AHostThatIgnoresStopAndSigtermIsKilled) {
  auto driver = rig.run(fake("ignore-stop"));
  ASSERT_TRUE(rig.until([&] { return keeper.of(0).size() > 3; }));
  const pid_t pid = driver->status().pid;
  const BootTime asked = rig.clock.boot();
  gerbang::test::run_coro(rig.io, driver->stop());
  const auto took = rig.clock.boot() - asked;
  EXPECT_FALSE(exists(pid));
  EXPECT_EQ(driver->status().state, DriverState::stopped);
  EXPECT_GE(took, 600ms);
  EXPECT_LT(took, 1500ms);
  expect_no_hole(keeper.of(0));
}

TEST_F(SupervisorTest, StopComesBackEvenIfTheSinkStandsStill) {
  auto driver = rig.run(fake("good"));
  ASSERT_TRUE(rig.until([&] { return keeper.of(0).size() > 3; }));
  keeper.room.close();
  rig.turn(100ms);
  const pid_t pid = driver->status().pid;
  gerbang::test::run_coro(rig.io, driver->stop());
  EXPECT_FALSE(exists(pid));
  keeper.room.open();
}

TEST_F(SupervisorTest, StopsAtOnceWhileItWaitsForTheNextStart) {
  rig.environment.limits.restart.first_wait = 60s;
  rig.environment.limits.restart.longest_wait = 60s;
  auto driver = rig.run(fake("crash"));
  ASSERT_TRUE(reaches(driver, DriverState::backing_off));
  const BootTime asked = rig.clock.boot();
  gerbang::test::run_coro(rig.io, driver->stop());
  EXPECT_LT(rig.clock.boot() - asked, 500ms);
  EXPECT_EQ(driver->status().state, DriverState::stopped);
}

struct DriversTest : SupervisorTest {
  std::unique_ptr<Drivers> drivers;

  void apply(std::vector<DriverSpec> specs) {
    if (!drivers) drivers = std::make_unique<Drivers>(rig.environment);
    gerbang::test::run_coro(rig.io, drivers->apply(std::move(specs)));
  }
  void TearDown() override { gerbang::test::run_coro(rig.io, drivers->stop_all()); }
  bool all_run() {
    return rig.until([&] {
      for (auto& status : drivers->statuses())
        if (status.state != DriverState::running) return false;
      return true;
    });
  }
  pid_t pid(std::size_t i) { return drivers->statuses().at(i).pid; }
};

TEST_F(DriversTest, AReloadTouchesOnlyWhatChanged) {
  apply({fake("good", 0), fake("good", 10), fake("good", 20)});
  ASSERT_TRUE(all_run());
  const pid_t unchanged = pid(0), changed = pid(1), removed = pid(2);

  DriverSpec slower = fake("good", 10);
  slower.sensors[0].interval = 1s;
  apply({fake("good", 30), slower, fake("good", 0)});
  ASSERT_TRUE(all_run());
  ASSERT_EQ(drivers->statuses().size(), 3u);
  EXPECT_EQ(drivers->statuses()[0].name, "good30");
  EXPECT_EQ(pid(2), unchanged);
  EXPECT_NE(pid(1), changed);
  EXPECT_FALSE(exists(changed));
  EXPECT_FALSE(exists(removed));
}

TEST_F(DriversTest, NewIndicesDoNotRestartADriver) {
  apply({fake("good", 0)});
  ASSERT_TRUE(rig.until([&] { return keeper.of(0).size() > 3; }));
  const pid_t before = pid(0);
  DriverSpec moved = fake("good", 0);
  moved.sensors[0].index = 5;
  moved.sensors[1].index = 6;
  apply({moved});
  ASSERT_TRUE(rig.until([&] { return keeper.of(5).size() > 3; }));
  EXPECT_EQ(pid(0), before);
  EXPECT_EQ(keeper.of(5).front().raw.integer, keeper.of(0).back().raw.integer + 1);
}

TEST_F(DriversTest, AReloadTriesAgainWhatTheConfigurationHadStopped) {
  apply({fake("config")});
  ASSERT_TRUE(rig.until([&] { return keeper.missing(0, Reason::driver) == 1; }));
  apply({fake("config")});
  EXPECT_TRUE(rig.until([&] { return keeper.missing(0, Reason::driver) == 2; }));
}

TEST_F(DriversTest, AfterStopAllNothingRunsAndNothingStarts) {
  apply({fake("good", 0), fake("ignore-stop", 10), fake("crash", 20)});
  ASSERT_TRUE(rig.until([&] { return keeper.of(0).size() > 3 && keeper.of(10).size() > 3; }));
  const pid_t one = pid(0), two = pid(1);
  const BootTime asked = rig.clock.boot();
  gerbang::test::run_coro(rig.io, drivers->stop_all());
  EXPECT_LT(rig.clock.boot() - asked, 1500ms);  // all at once
  EXPECT_FALSE(exists(one));
  EXPECT_FALSE(exists(two));
  apply({fake("good", 0)});
  for (auto& status : drivers->statuses()) EXPECT_EQ(status.state, DriverState::stopped);
}

}  // namespace
}  // namespace gerbang::source::test
