// SPDX-License-Identifier: Apache-2.0
//
// The driver against servers that we did not write (pymodbus, over TCP and over a serial line of
// socat): what is read equals what was served, value for value and in order.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "drivers/rig.hpp"
#include "support/temp_dir.hpp"

extern char** environ;

namespace gerbang::test {
namespace {

// A program that ends with the test; its output goes to a file.
class Program {
 public:
  Program(std::vector<std::string> arguments, std::filesystem::path output)
      : output_(std::move(output)) {
    std::vector<char*> argv;
    for (auto& a : arguments) argv.push_back(a.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 1, output_.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                       0600);
    ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    const int error = ::posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw std::runtime_error(arguments[0] + " does not start");
  }
  ~Program() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  std::vector<std::string> lines() const {
    std::ifstream file(output_);
    std::vector<std::string> out;
    for (std::string line; std::getline(file, line);) out.push_back(line);
    return out;
  }
  // What it says after "ready".
  std::string ready() const {
    for (int i = 0; i < 300; ++i) {
      for (auto& line : lines())
        if (line.starts_with("ready ")) return line.substr(6);
      std::this_thread::sleep_for(50ms);
    }
    throw std::runtime_error("the plant did not start");
  }
  // The values that were served of a point.
  std::vector<double> served(int unit, const std::string& point) const {
    std::vector<double> out;
    for (auto& line : lines()) {
      int of = 0;
      char name[32] = {};
      double value = 0;
      if (std::sscanf(line.c_str(), "[%d, \"%31[^\"]\", %lf]", &of, name, &value) == 3 &&
          of == unit && point == name)
        out.push_back(value);
    }
    return out;
  }

 private:
  std::filesystem::path output_;
  pid_t pid_ = 0;
};

std::vector<std::string> plant(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(),
                   {"/usr/bin/python3", GERBANG_SOURCE_DIR "/tests/support/modbus_plant.py"});
  return arguments;
}

struct PlantSensor {
  const char* name;
  Rig::Keys address;
  double scale = 1;
};
const std::vector<PlantSensor> kPlant{
    {"ph", {{"manual", "40001"}, {"register", "0"}, {"type", "uint16"}}, 0.01},
    {"turbidity", {{"register", "10"}, {"type", "float32"}, {"order", "abcd"}}},
    {"chlorine", {{"manual", "400021"}, {"type", "float32"}, {"order", "cdab"}}},
    {"flow", {{"table", "input"}, {"register", "30"}, {"type", "float32"}, {"order", "dcba"}}},
    {"total", {{"register", "40"}, {"type", "uint32"}, {"order", "cdab"}}},
    {"temperature", {{"table", "input"}, {"manual", "30051"}, {"type", "int16"}}, 0.1},
    {"pump", {{"table", "coil"}, {"register", "0"}}}};

void add_plant(Rig& rig, int unit, std::chrono::milliseconds interval) {
  for (const auto& s : kPlant) {
    auto address = s.address;
    address["unit"] = std::to_string(unit);
    rig.sensor(s.name, address, interval);
  }
}
void expect_what_was_served(const Rig& rig, const Program& program, std::size_t first, int unit) {
  for (std::size_t i = 0; i < kPlant.size(); ++i) {
    const auto readings = rig.of(static_cast<std::uint32_t>(first + i));
    const auto served = program.served(unit, kPlant[i].name);
    ASSERT_GE(readings.size(), 5u);
    ASSERT_EQ(readings.size(), served.size()) << kPlant[i].name;
    for (std::size_t n = 0; n < readings.size(); ++n) {
      ASSERT_NE(readings[n].quality, static_cast<unsigned>(GERBANG_MISSING)) << rig.log;
      const bool whole = (readings[n].flags & GERBANG_HAS_INTEGER) != 0;
      const double raw = whole ? static_cast<double>(readings[n].integer) : readings[n].number;
      EXPECT_DOUBLE_EQ(raw * kPlant[i].scale, served[n]) << kPlant[i].name;
    }
  }
}

TEST(ModbusPlant, TcpReadingsEqualWhatWasServed) {
  TempDir folder;
  Program server(plant({"--port", "0", "--units", "2", "--live", "--print"}),
                 folder.path() / "log");
  Rig rig;
  add_plant(rig, 1, 150ms);
  add_plant(rig, 2, 150ms);
  ASSERT_EQ(rig.open({{"host", "127.0.0.1"}, {"port", server.ready()}}), GERBANG_OK);
  rig.poll_for(2s);
  expect_what_was_served(rig, server, 0, 1);
  expect_what_was_served(rig, server, kPlant.size(), 2);
}

TEST(ModbusPlant, RtuReadingsEqualWhatWasServed) {
  TempDir folder;
  const auto ours = (folder.path() / "ours").string(), theirs = (folder.path() / "theirs").string();
  Program line({"socat", "pty,raw,echo=0,link=" + ours, "pty,raw,echo=0,link=" + theirs},
               folder.path() / "socat");
  for (int i = 0; i < 100 && !std::filesystem::exists(theirs); ++i)
    std::this_thread::sleep_for(20ms);
  Program server(plant({"--serial", theirs, "--baud", "19200", "--units", "3", "--silent", "2",
                        "--live", "--print"}),
                 folder.path() / "log");
  server.ready();
  Rig rig;
  add_plant(rig, 1, 250ms);
  add_plant(rig, 3, 250ms);
  ASSERT_EQ(rig.open({{"transport", "rtu"}, {"device", ours}, {"baud", "19200"}}), GERBANG_OK);
  rig.poll_for(3s);
  expect_what_was_served(rig, server, 0, 1);
  expect_what_was_served(rig, server, kPlant.size(), 3);
}

TEST(ModbusPlant, RegistersThatCountTheirReadsMissNone) {
  TempDir folder;
  Program server(plant({"--port", "0", "--count"}), folder.path() / "log");
  Rig rig;
  for (int reg = 0; reg < 20; ++reg)
    rig.sensor("r" + std::to_string(reg), {{"register", std::to_string(reg)}}, 20ms);
  ASSERT_EQ(rig.open({{"host", "127.0.0.1"}, {"port", server.ready()}}), GERBANG_OK);
  rig.poll_for(1s);
  for (std::uint32_t s = 0; s < 20; ++s) {
    const auto readings = rig.of(s);
    ASSERT_GE(readings.size(), 20u);
    for (std::size_t n = 0; n < readings.size(); ++n)
      ASSERT_EQ(readings[n].integer, static_cast<std::int64_t>(n + 1));
  }
}

TEST(ModbusPlant, APlantThatIsRestartedIsReadAgain) {
  TempDir folder;
  auto server = std::make_unique<Program>(plant({"--port", "0"}), folder.path() / "first");
  const std::string port = server->ready();
  Rig rig;
  add_plant(rig, 1, 100ms);
  ASSERT_EQ(rig.open({{"host", "127.0.0.1"}, {"port", port}}), GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] { return rig.good(0) >= 3; }));
  server.reset();
  ASSERT_TRUE(rig.poll_until([&] { return rig.count(0, GERBANG_REASON_NO_CONNECTION) >= 3; }));
  server = std::make_unique<Program>(plant({"--port", port}), folder.path() / "second");
  const auto before = rig.good(0);
  ASSERT_TRUE(rig.poll_until([&] { return rig.good(0) >= before + 3; }, 20s)) << rig.log;
  EXPECT_EQ(rig.of(0).back().integer, 700);
}

}  // namespace
}  // namespace gerbang::test
