// SPDX-License-Identifier: Apache-2.0
#include "source/catalogue.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "support/temp_dir.hpp"

namespace gerbang::source {
namespace {

using namespace std::chrono_literals;

constexpr const char* kFake = GERBANG_BINARY_DIR "/bin/fake_driver_host";
constexpr const char* kHost = GERBANG_BINARY_DIR "/bin/gerbang-driver-host";
constexpr const char* kTestDrivers = GERBANG_BINARY_DIR "/bad_drivers";
constexpr const char* kDrivers = GERBANG_BINARY_DIR "/drivers";

std::vector<std::string> names(const Catalogue& catalogue) {
  std::vector<std::string> out;
  for (const auto& entry : catalogue.list()) out.push_back(entry.plugin);
  return out;
}

TEST(Catalogue, ListsDriversByNameAndTheFirstFolderWins) {
  gerbang::test::TempDir folder;
  folder.write("first/beta.so", "");
  folder.write("second/beta.so", "");
  folder.write("second/alpha.so", "");
  folder.write("second/README.md", "");
  folder.write("second/Not A Name.so", "");
  Catalogue catalogue(kFake, {folder / "first", folder / "second", folder / "absent"});
  EXPECT_EQ(names(catalogue), (std::vector<std::string>{"alpha", "beta"}));
  EXPECT_EQ(*catalogue.find("beta"), (folder / "first/beta.so").string());
}

TEST(Catalogue, SaysWhereItLookedAndWhatIsNearest) {
  gerbang::test::TempDir folder;
  folder.write("modbus.so", "");
  folder.write("simulator.so", "");
  Catalogue catalogue(kFake, {folder.path()});
  const std::string where = folder.path().string();
  EXPECT_EQ(catalogue.find("modbuss").error().what,
            "no driver \"modbuss\" in " + where + "; did you mean \"modbus\"?");
  EXPECT_EQ(catalogue.find("weighbridge").error().what,
            "no driver \"weighbridge\" in " + where + "; installed: modbus, simulator");
  Catalogue empty(kFake, {folder / "absent"});
  EXPECT_EQ(empty.find("modbus").error().what,
            "no driver \"modbus\" in " + where + "/absent; no drivers are installed there");
}

TEST(Catalogue, ANameIsNotAPath) {
  gerbang::test::TempDir folder;
  folder.write("inner/x.so", "");
  folder.write("x.so", "");
  Catalogue catalogue(kFake, {folder / "inner"});
  EXPECT_FALSE(catalogue.find("../x"));
  EXPECT_FALSE(catalogue.find(""));
}

TEST(Catalogue, TheEnvironmentNamesTheFolders) {
  const char* before = std::getenv("GERBANG_DRIVER_PATH");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("GERBANG_DRIVER_PATH", "/opt/a::/opt/b:", 1);
  EXPECT_EQ(driver_folders(), (std::vector<std::filesystem::path>{"/opt/a", "/opt/b"}));
  ::unsetenv("GERBANG_DRIVER_PATH");
  auto standard = driver_folders();
  ASSERT_EQ(standard.size(), 2u);
  EXPECT_TRUE(std::filesystem::equivalent(standard[0], kDrivers));
  if (before != nullptr) ::setenv("GERBANG_DRIVER_PATH", kept.c_str(), 1);
}

TEST(Catalogue, ASchemaIsAskedForOnceUntilTheFileChanges) {
  gerbang::test::TempDir folder;
  auto file = folder.write("describes.so", "");
  // A host that leaves a mark each time.
  auto host = folder.write("host", "#!/bin/sh\necho run >>" + (folder / "runs").string() +
                                       "\nexec " + kFake + " \"$@\"\n");
  std::filesystem::permissions(host, std::filesystem::perms::owner_all);
  auto runs = [&] {
    std::error_code ignored;
    auto size = std::filesystem::file_size(folder / "runs", ignored);
    return ignored ? 0 : size / 4;
  };
  Catalogue catalogue(host, {folder.path()});
  auto schema = catalogue.schema("describes");
  ASSERT_TRUE(schema) << schema.error().what;
  EXPECT_EQ(schema->name, "describes");
  EXPECT_EQ(schema->version, "9.8");
  EXPECT_EQ(schema->summary, "a fake");
  EXPECT_EQ(schema->abi_major, 1u);
  ASSERT_TRUE(catalogue.schema("describes"));
  EXPECT_EQ(runs(), 1u);
  std::filesystem::last_write_time(file, std::filesystem::last_write_time(file) + 1s);
  ASSERT_TRUE(catalogue.schema("describes"));
  EXPECT_EQ(runs(), 2u);
}

TEST(Catalogue, ADriverThatCannotDescribeItselfSaysWhy) {
  gerbang::test::TempDir folder;
  for (const char* mode : {"load-error", "crash-on-load", "early", "garbage"})
    folder.write(mode + std::string(".so"), "");
  Catalogue catalogue(kFake, {folder.path()});
  auto error = [&](const std::string& plugin) {
    auto schema = catalogue.schema(plugin);
    return schema ? "" : schema.error().what;
  };
  auto prefix = [&](const std::string& plugin) {
    return "driver \"" + plugin + "\" (" + (folder / (plugin + ".so")).string() + "): ";
  };
  EXPECT_EQ(error("load-error"), prefix("load-error") + "fake.so: no such symbol");
  EXPECT_EQ(error("crash-on-load"),
            prefix("crash-on-load") + "the driver host was killed by signal 11 (SIGSEGV)");
  EXPECT_EQ(error("early"), prefix("early") + "the driver host sent something before its hello");
}

TEST(Describe, GivesUpAtTheDeadline) {
  for (const char* mode : {"/nowhere/never-hello", "/nowhere/silent"}) {
    const auto began = std::chrono::steady_clock::now();
    auto schema = describe(kFake, mode, 300ms);
    ASSERT_FALSE(schema);
    EXPECT_EQ(schema.error().code, std::errc::timed_out);
    EXPECT_EQ(schema.error().what, "the driver did not answer within 300ms");
    EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
  }
}

TEST(RealHost, DescribesTheSimulator) {
  Catalogue catalogue(kHost, {kDrivers});
  auto schema = catalogue.schema("simulator");
  ASSERT_TRUE(schema) << schema.error().what;
  EXPECT_EQ(schema->name, "simulator");
  EXPECT_FALSE(schema->summary.empty());
  EXPECT_EQ(schema->max_block_ms, 3000u);
  ASSERT_FALSE(schema->address.empty());
  EXPECT_EQ(schema->address[0].name, "signal");
  EXPECT_EQ(schema->address[0].type, OptionType::choice);
  EXPECT_TRUE(schema->address[0].required);
  EXPECT_TRUE(schema->address[0].identity);
  EXPECT_GT(schema->address[0].choices.size(), 1u);
}

TEST(RealHost, RefusesWhatIsNoDriverWithItsName) {
  gerbang::test::TempDir folder;
  auto file = folder.write("text.so", "this is no shared object");
  Catalogue catalogue(kHost, {folder.path()});
  auto schema = catalogue.schema("text");
  ASSERT_FALSE(schema);
  EXPECT_NE(schema.error().what.find(file.string()), std::string::npos) << schema.error().what;
}

TEST(RealHost, SaysThatADriverCannotDecode) {
  Catalogue catalogue(kHost, {kDrivers});
  auto decoded = catalogue.decode("simulator", {}, "\x01\x02");
  ASSERT_TRUE(decoded) << decoded.error().what;
  EXPECT_EQ(decoded->status, Status::config);
  EXPECT_NE(decoded->text.find("cannot decode"), std::string::npos);
}

TEST(RealHost, DecodesCapturedBytes) {
  Catalogue catalogue(kHost, {kTestDrivers});
  auto decoded = catalogue.decode("probe", {}, std::string_view("\x07\x00\xff", 3));
  ASSERT_TRUE(decoded) << decoded.error().what;
  EXPECT_EQ(decoded->status, Status::ok);
  ASSERT_EQ(decoded->readings.size(), 3u);
  EXPECT_EQ(decoded->readings[2].sensor, 2u);
  EXPECT_EQ(decoded->readings[2].raw, Raw::of(255.0));
}

TEST(RealHost, SaysWhyADriverRefusesBytes) {
  Catalogue catalogue(kHost, {kTestDrivers});
  auto decoded = catalogue.decode("probe", {}, "");
  ASSERT_TRUE(decoded) << decoded.error().what;
  EXPECT_EQ(decoded->status, Status::retry);
  EXPECT_EQ(decoded->text, "an empty frame");
  ASSERT_EQ(decoded->log.size(), 1u);
}

DriverSpec simulator(const std::string& fault) {
  DriverSpec spec;
  spec.name = "plant";
  spec.plugin = "simulator";
  spec.plugin_path = std::string(kDrivers) + "/simulator.so";
  spec.options = {OptionValue{"seed", OptionType::integer, "", 1, 0},
                  OptionValue{"clock", OptionType::choice, "wall", 0, 0},
                  OptionValue{"utc_offset", OptionType::duration, "", 0, 0},
                  OptionValue{"fault", OptionType::choice, fault, 0, 0},
                  OptionValue{"fault_after", OptionType::duration, "", 0, 0}};
  auto schema = describe(kHost, spec.plugin_path);
  if (!schema) throw std::runtime_error(schema.error().what);
  for (std::uint32_t i = 0; i < 2; ++i) {
    SensorSpec sensor;
    sensor.index = 30 + i;
    sensor.id = "sensor-" + std::to_string(i);
    sensor.interval = 1h;
    sensor.address = {
        OptionValue{"signal", OptionType::choice, schema->address[0].choices[i], 0, 0},
        OptionValue{"channel", OptionType::integer, "", 1, 0}};
    spec.sensors.push_back(std::move(sensor));
  }
  return spec;
}

TEST(RealHost, ReadsEverySensorOnce) {
  std::vector<std::uint32_t> sensors;
  std::uint64_t polls = 0;
  Listener listener;
  listener.reading = [&](const Reading& reading) {
    sensors.push_back(reading.sensor);
    EXPECT_EQ(reading.flag, Flag::not_evaluated);
    EXPECT_GT(reading.boot_ns, 0);
  };
  listener.heartbeat = [&](const Heartbeat& beat) { polls = beat.polls; };
  auto done = read_once(kHost, simulator("none"), listener, 10s);
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(done->status, Status::ok);
  EXPECT_EQ(sensors, (std::vector<std::uint32_t>{30, 31}));
  EXPECT_GT(polls, 0u);
}

TEST(RealHost, ReadingOnceShowsTheBytesOnTheLine) {
  DriverSpec spec;
  spec.name = "line";
  spec.plugin_path = std::string(kTestDrivers) + "/probe.so";
  spec.options = {OptionValue{"block", OptionType::duration, "", 0, 0},
                  OptionValue{"greeting", OptionType::string, "hello", 0, 0}};
  spec.sensors.resize(1);
  spec.sensors[0].index = 9;
  spec.sensors[0].id = "s";
  spec.sensors[0].interval = 1s;
  spec.sensors[0].address = {OptionValue{"number", OptionType::integer, "", 77, 0}};
  std::string bytes, log;
  std::vector<Reading> readings;
  std::vector<Event> events;
  std::uint64_t requests = 0;
  Listener listener;
  listener.trace = [&](const Trace& trace) { bytes += (trace.sent ? ">" : "<") + trace.data; };
  listener.log = [&](const LogLine& line) { log += line.text + "\n"; };
  listener.reading = [&](const Reading& reading) { readings.push_back(reading); };
  listener.event = [&](const Event& event) { events.push_back(event); };
  listener.heartbeat = [&](const Heartbeat& beat) {
    for (auto& device : beat.exchanges) requests += device.requests;
  };
  auto done = read_once(kHost, spec, listener, 10s);
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(bytes, ">\x01\x02<\x03");
  EXPECT_EQ(log, "line: hello, 1 sensors\nclosed\n");
  ASSERT_EQ(readings.size(), 1u);
  EXPECT_EQ(readings[0].sensor, 9u);
  EXPECT_EQ(readings[0].raw, Raw::of(std::int64_t{77}));
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].sensor, 9u);
  EXPECT_EQ(requests, 2u);
}

TEST(RealHost, ReadingOnceEndsAtTheDeadline) {
  auto done = read_once(kHost, simulator("hang"), Listener(), 1s);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().what, "driver plant: the driver did not answer within 1s");
}

}  // namespace
}  // namespace gerbang::source
