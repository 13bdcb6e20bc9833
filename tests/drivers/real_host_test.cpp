// SPDX-License-Identifier: Apache-2.0
//
// The supervisor with the real host program and real drivers, good and bad.
#include <gtest/gtest.h>

#include "drivers/source_rig.hpp"
#include "source/complaints.hpp"
#include "source/once.hpp"
#include "support/run_coro.hpp"

namespace gerbang::source::test {
namespace {

constexpr const char* kHost = GERBANG_BINARY_DIR "/bin/gerbang-driver-host";
constexpr auto kInterval = 250ms;

// Two sensors, first and first + 1, every 250 ms.
DriverSpec simulator(std::uint32_t first, const std::string& fault = "none",
                     std::int64_t after_ms = 0) {
  DriverSpec spec;
  spec.name = "plant-" + std::to_string(first);
  spec.plugin = "simulator";
  spec.plugin_path = GERBANG_BINARY_DIR "/drivers/simulator.so";
  spec.max_block_ms = 500;
  spec.options = {OptionValue{"seed", OptionType::integer, "", 1, 0},
                  OptionValue{"clock", OptionType::choice, "wall", 0, 0},
                  OptionValue{"utc_offset", OptionType::duration, "", 0, 0},
                  OptionValue{"fault", OptionType::choice, fault, 0, 0},
                  OptionValue{"fault_after", OptionType::duration, "", after_ms, 0}};
  static const auto schema = describe(kHost, spec.plugin_path);
  if (!schema) throw std::runtime_error(schema.error().what);
  for (std::uint32_t i = 0; i < 2; ++i) {
    SensorSpec sensor;
    sensor.index = first + i;
    sensor.id = "sensor-" + std::to_string(first + i);
    sensor.interval = kInterval;
    sensor.address = {
        OptionValue{"signal", OptionType::choice, schema->address[0].choices[i], 0, 0},
        OptionValue{"channel", OptionType::integer, "", 1, 0}};
    spec.sensors.push_back(std::move(sensor));
  }
  return spec;
}

// One of tests/drivers.
DriverSpec bad(const std::string& name, std::uint32_t first) {
  DriverSpec spec = simulator(first);
  spec.name = name;
  spec.plugin = name;
  spec.plugin_path = GERBANG_BINARY_DIR "/bad_drivers/" + name + ".so";
  spec.options = {};
  for (SensorSpec& sensor : spec.sensors) sensor.address = {};
  return spec;
}

struct RealHostTest : ::testing::Test {
  Rig rig{kHost};
  Keeper& keeper = rig.keeper;

  void SetUp() override {
    rig.environment.limits.hello = 5s;
    rig.environment.limits.heartbeat = 1500ms;
    rig.environment.limits.stop = 2s;
    rig.environment.limits.restart = RestartLimits();
  }
  bool reaches(const std::shared_ptr<Supervisor>& driver, DriverState state) {
    return rig.until([&] { return driver->status().state == state; }, 20s);
  }
  bool delivers(std::uint32_t sensor, std::size_t more = 3) {
    const auto before = keeper.of(sensor).size();
    return rig.until([&] { return keeper.of(sensor).size() >= before + more; });
  }
  // The healthy neighbour kept its interval while the other driver failed.
  void expect_undisturbed(const std::shared_ptr<Supervisor>& driver, std::uint32_t sensor,
                          BootTime from) {
    EXPECT_EQ(driver->status().restarts, 0u);
    EXPECT_EQ(driver->status().overruns, 0u);
    EXPECT_EQ(keeper.missing(sensor, Reason::driver), 0u);
    EXPECT_LT(keeper.longest_gap(sensor, from), 2 * kInterval);
  }
};

TEST_F(RealHostTest, SimulatorReadingsArrive) {
  auto driver = rig.run(simulator(10));
  ASSERT_TRUE(delivers(10, 5));
  ASSERT_TRUE(delivers(11, 1));
  DriverStatus status = driver->status();
  EXPECT_EQ(status.state, DriverState::running);
  EXPECT_FALSE(status.version.empty());
  EXPECT_GT(status.polls, 0u);
  EXPECT_TRUE(status.rejected.empty());
  for (const Reading& reading : keeper.readings) {
    EXPECT_EQ(reading.flag, Flag::not_evaluated);
    EXPECT_LE(reading.boot_ns, nanoseconds(rig.clock.boot()));
  }
}

TEST_F(RealHostTest, StopsInLessThanASecond) {
  auto driver = rig.run(simulator(10));
  ASSERT_TRUE(delivers(10));
  const BootTime asked = rig.clock.boot();
  gerbang::test::run_coro(rig.io, driver->stop());
  EXPECT_LT(rig.clock.boot() - asked, 1s);
  EXPECT_EQ(driver->status().state, DriverState::stopped);
}

TEST_F(RealHostTest, AKilledHostIsBackInASecond) {
  auto victim = rig.run(simulator(10));
  auto other = rig.run(simulator(20));
  ASSERT_TRUE(delivers(10) && delivers(20));
  const BootTime killed = rig.clock.boot();
  ::kill(victim->status().pid, SIGKILL);
  ASSERT_TRUE(reaches(victim, DriverState::backing_off));
  ASSERT_TRUE(reaches(victim, DriverState::running));
  EXPECT_LT(rig.clock.boot() - killed, 1s + 2 * kPatience);
  ASSERT_TRUE(delivers(10));
  EXPECT_EQ(keeper.missing(10, Reason::driver), 1u);
  expect_undisturbed(other, 20, killed);
}

TEST_F(RealHostTest, AHangingPollIsKilledAtTheDeadline) {
  auto other = rig.run(simulator(20));
  ASSERT_TRUE(delivers(20));
  const BootTime from = rig.clock.boot();
  auto hanging = rig.run(simulator(10, "hang", 300));
  ASSERT_TRUE(reaches(hanging, DriverState::backing_off));
  const auto took = rig.clock.boot() - from;
  EXPECT_EQ(hanging->status().last_error, "no heartbeat for 2s; killed");
  EXPECT_GT(took, 2s);
  EXPECT_LT(took, 4s);
  EXPECT_TRUE(rig.until([&] { return keeper.missing(10, Reason::driver) == 1; }));
  ASSERT_TRUE(reaches(hanging, DriverState::running));
  expect_undisturbed(other, 20, from);
}

TEST_F(RealHostTest, AStoppedProcessIsAHangToo) {
  auto driver = rig.run(simulator(10));
  ASSERT_TRUE(delivers(10));
  ::kill(driver->status().pid, SIGSTOP);
  ASSERT_TRUE(reaches(driver, DriverState::backing_off));
  EXPECT_TRUE(delivers(10));
}

TEST_F(RealHostTest, ACrashOnLoadIsQuarantinedAfterFiveTimes) {
  rig.environment.limits.restart.first_wait = 50ms;
  auto other = rig.run(simulator(20));
  ASSERT_TRUE(delivers(20));
  const BootTime from = rig.clock.boot();
  auto crashing = rig.run(bad("crash_on_load", 10));
  ASSERT_TRUE(reaches(crashing, DriverState::quarantined));
  EXPECT_EQ(crashing->status().restarts, 4u);
  EXPECT_EQ(crashing->status().last_error, "its host was killed by signal 11 (SIGSEGV)");
  ASSERT_TRUE(delivers(20));
  EXPECT_EQ(keeper.of(10).size(), 1u);
  EXPECT_EQ(keeper.missing(10, Reason::driver), 1u);
  expect_undisturbed(other, 20, from);
}

TEST_F(RealHostTest, APollMayBlockAsLongAsTheDriverSaid) {
  DriverSpec spec = bad("probe", 10);
  spec.max_block_ms = 10'000;
  spec.options = {OptionValue{"block", OptionType::duration, "", 3000, 0},
                  OptionValue{"greeting", OptionType::string, "hello", 0, 0}};
  for (SensorSpec& sensor : spec.sensors)
    sensor.address = {OptionValue{"number", OptionType::integer, "", sensor.index, 0}};
  auto driver = rig.run(spec);
  ASSERT_TRUE(delivers(11));
  EXPECT_EQ(driver->status().restarts, 0u);
  EXPECT_EQ(keeper.of(11)[0].raw, Raw::of(std::int64_t{11}));
  EXPECT_EQ(keeper.of(11)[0].unix_ns, 11'000'000'000);
  ASSERT_FALSE(keeper.events.empty());
  EXPECT_EQ(keeper.events[0].sensor, 10u);
  ASSERT_EQ(keeper.events[0].fields.size(), 2u);
  EXPECT_EQ(keeper.events[0].fields[0].name, "net");
  ASSERT_TRUE(rig.until([&] { return !driver->status().devices.empty(); }));
  const DeviceStatus box = driver->status().devices[0];
  EXPECT_EQ(box.device, "box 1");
  EXPECT_EQ(box.mean_us(), 1500u);
  EXPECT_EQ(box.results.at(Reason::timeout), box.results.at(Reason::none));
}

TEST_F(RealHostTest, AFloodingDriverDoesNotDisturbTheOthers) {
  auto other = rig.run(simulator(20));
  ASSERT_TRUE(delivers(20));
  const BootTime from = rig.clock.boot();
  auto flooding = rig.run(simulator(10, "flood"));
  rig.turn(2s);
  EXPECT_GT(keeper.of(10).size(), 10'000u);
  EXPECT_EQ(flooding->status().restarts, 0u);
  expect_undisturbed(other, 20, from);
}

TEST_F(RealHostTest, AMissingDriverFileWaitsForTheOperator) {
  DriverSpec spec = simulator(10);
  spec.plugin_path = "/nowhere/simulator.so";
  auto driver = rig.run(spec);
  ASSERT_TRUE(reaches(driver, DriverState::config_error));
  EXPECT_TRUE(rig.until([&] { return driver->status().pid == 0; }));
  EXPECT_NE(driver->status().last_error.find("/nowhere/simulator.so"), std::string::npos);
}

struct Search {
  std::vector<Found> found;
  std::vector<Progress> progress;
  std::vector<std::string> log;

  Result<Done> run(const std::string& driver, const std::string& greeting,
                   const std::function<bool()>& interrupted) {
    OptionValues options{OptionValue{"greeting", OptionType::string, greeting, 0, 0},
                         OptionValue{"units", OptionType::string, "1-3", 0, 0}};
    Listener listener;
    listener.found = [this](const Found& one) { found.push_back(one); };
    listener.progress = [this](const Progress& one) { progress.push_back(one); };
    listener.log = [this](const LogLine& line) { log.push_back(line.text); };
    return scan(kHost, driver, options, listener, interrupted);
  }
};

TEST(Scan, BringsCandidatesAsTheDriverFindsThem) {
  Search search;
  auto done = search.run(GERBANG_BINARY_DIR "/bad_drivers/probe.so", "hello", [] { return false; });
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(done->status, Status::ok);
  ASSERT_EQ(search.found.size(), 2u);
  EXPECT_EQ(search.found[0].toml, "[[driver]]\nname = \"a\"\n") << "lines stay lines";
  EXPECT_EQ(search.found[0].note, "1-3") << "what was asked for beside the options";
  EXPECT_EQ(search.found[1].toml.find('\x01'), std::string::npos);
  EXPECT_EQ(search.found[1].note, "the second one");
  ASSERT_EQ(search.progress.size(), 1u);
  EXPECT_EQ(search.progress[0].done, 0.5);
  EXPECT_EQ(search.log, std::vector<std::string>{"something talks"});
}

TEST(Scan, WhatIsKnownComesAlsoWhenItIsInterrupted) {
  Search search;
  auto done = search.run(GERBANG_BINARY_DIR "/bad_drivers/probe.so", "wait",
                         [&] { return !search.found.empty(); });
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(search.found.size(), 2u);
}

TEST(Scan, ADriverThatCannotSaysSo) {
  Search search;
  auto done = search.run(GERBANG_BINARY_DIR "/drivers/simulator.so", "", [] { return false; });
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(done->status, Status::config);
  EXPECT_EQ(done->text, "driver simulator cannot scan");
  EXPECT_FALSE(describe(kHost, GERBANG_BINARY_DIR "/drivers/simulator.so")->can_scan);
  EXPECT_TRUE(describe(kHost, GERBANG_BINARY_DIR "/bad_drivers/probe.so")->can_scan);
}

TEST(Check, TellsWhatADriverHasAgainstItsConfiguration) {
  auto refused = check(kHost, bad("open_config", 10));
  ASSERT_TRUE(refused) << refused.error().what;
  EXPECT_EQ(*refused, "open ends with CONFIG");
  for (const DriverSpec& fine : {bad("open_gone", 10), simulator(10)}) {
    auto taken = check(kHost, fine);
    ASSERT_TRUE(taken) << taken.error().what;
    EXPECT_FALSE(*taken) << fine.name << " complains only of its line, if at all";
  }
  EXPECT_FALSE(check(kHost, bad("crash_on_load", 10))) << "that is no answer";
}

TEST(Check, NamesEveryWrongSensorOfEveryDriver) {
  DriverSpec two = simulator(10);
  SensorSpec good = two.sensors[0];
  good.index = 12;
  good.id = "good";
  two.sensors.push_back(good);
  for (std::size_t i : {0u, 1u})
    two.sensors[i].address = {OptionValue{"signal", OptionType::choice, "nonsense", 0, 0},
                              OptionValue{"channel", OptionType::integer, "", 1, 0}};
  const auto all =
      complaints(kHost, {bad("crash_on_load", 30), two, bad("open_config", 20), simulator(40)});
  ASSERT_EQ(all.size(), 3u) << "a crash is none";
  EXPECT_EQ(all[0].driver, "plant-10");
  EXPECT_EQ(all[0].sensor, 10u);
  EXPECT_EQ(all[0].text, "there is no signal nonsense");
  EXPECT_EQ(all[1].sensor, 11u);
  EXPECT_EQ(all[2].driver, "open_config");
  EXPECT_FALSE(all[2].sensor);
  EXPECT_EQ(all[2].text, "open ends with CONFIG");
}

}  // namespace
}  // namespace gerbang::source::test
