// SPDX-License-Identifier: Apache-2.0
// What gerbang-driver-host does with drivers that are right.
#include <gerbang/driver.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "drivers/host_process.hpp"

namespace gerbang::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr Ended kDone{false, 0};
const std::string kSimulator = GERBANG_BINARY_DIR "/drivers/simulator.so";

void set(host::v1::Value& value, const char* name, const char* text) {
  value.set_name(name);
  value.set_type(GERBANG_CHOICE);
  value.set_text(text);
}
void set(host::v1::Value& value, const char* name, gerbang_type type, std::int64_t integer) {
  value.set_name(name);
  value.set_type(static_cast<unsigned>(type));
  value.set_integer(integer);
}

// Two signals of the simulator.
host::v1::ToDriverHost simulate(const char* fault, std::int64_t interval_ms = 100) {
  host::v1::ToDriverHost frame;
  host::v1::Configure& configure = *frame.mutable_configure();
  configure.set_instance("plant");
  set(*configure.add_options(), "seed", GERBANG_INTEGER, 1);
  set(*configure.add_options(), "clock", "boot");
  set(*configure.add_options(), "utc_offset", GERBANG_DURATION, 0);
  set(*configure.add_options(), "fault", fault);
  set(*configure.add_options(), "fault_after", GERBANG_DURATION, 0);
  std::uint32_t index = 100;
  for (const char* signal : {"flow", "total"}) {
    host::v1::Sensor& sensor = *configure.add_sensors();
    sensor.set_index(index++);
    sensor.set_id(signal);
    sensor.set_interval_ns(interval_ms * 1'000'000);
    set(*sensor.add_address(), "signal", signal);
    set(*sensor.add_address(), "channel", GERBANG_INTEGER, 1);
  }
  return frame;
}

std::string output_of(const std::string& arguments, int& status) {
  std::string text;
  std::FILE* pipe = popen((host_program() + " " + arguments + " 2>&1").c_str(), "r");
  for (int c; (c = std::fgetc(pipe)) != EOF;) text += static_cast<char>(c);
  status = WEXITSTATUS(pclose(pipe));
  return text;
}

TEST(DriverHost, SaysHelloThenDescribesThenPolls) {
  HostProcess host(bad_driver("probe"));
  ASSERT_TRUE(host.until([&] { return host.hello.has_value(); }));
  EXPECT_EQ(host.hello->name(), "probe");
  EXPECT_EQ(host.hello->version(), "1.0");
  EXPECT_EQ(host.hello->abi_major(), GERBANG_ABI_MAJOR);

  host::v1::ToDriverHost ask;
  ask.mutable_describe();
  host.send(ask);
  ASSERT_TRUE(host.until([&] { return !host.descriptions.empty(); }));
  const host::v1::Description& description = host.descriptions[0];
  ASSERT_EQ(description.options_size(), 2);
  EXPECT_EQ(description.options(0).name(), "block");
  EXPECT_TRUE(description.options(0).has_fallback());
  EXPECT_EQ(description.options(0).fallback(), "0s");
  EXPECT_EQ(description.options(0).maximum(), 10'000);
  EXPECT_EQ(description.address(0).flags(), GERBANG_REQUIRED | GERBANG_IDENTITY);
  EXPECT_EQ(description.max_block_ms(), 10'000u);

  host.send(configure());
  ASSERT_TRUE(host.until([&] { return host.readies == 1 && host.readings.size() >= 4; }));
  EXPECT_TRUE(host.logged("line-1: hello, 2 sensors"));
  host.send(ask);  // also while it polls
  ASSERT_TRUE(host.until([&] { return host.descriptions.size() == 2; }));
  host.stop();
  EXPECT_EQ(host.ended(), kDone);
  EXPECT_TRUE(host.logged("closed"));
}

TEST(DriverHost, ReadingsArriveAsTheDriverSaidThem) {
  HostProcess host(bad_driver("probe"));
  host.send(configure());
  ASSERT_TRUE(host.until([&] { return host.readings.size() >= 2; }));
  const Received& first = host.readings[0];
  EXPECT_EQ(first.sensor, 7u);
  EXPECT_EQ(first.flag, unsigned{GERBANG_GOOD});
  EXPECT_TRUE(first.is_integer);
  EXPECT_EQ(first.integer, 70);
  EXPECT_EQ(first.unix_ns, 70'000'000'000);
  EXPECT_EQ(host.readings[1].integer, 90);
  EXPECT_EQ(host.readings[1].unix_ns, 90'000'000'000);
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  EXPECT_NEAR(static_cast<double>(first.boot_ns) * 1e-9, static_cast<double>(now.tv_sec), 10);
}

TEST(DriverHost, EventsKeepTheirFields) {
  HostProcess host(bad_driver("probe"));
  host.send(configure());
  ASSERT_TRUE(host.until([&] { return !host.events.empty(); }));
  const host::v1::Event& event = host.events[0];
  EXPECT_EQ(event.sensor(), 7u);
  EXPECT_EQ(event.kind(), "weighing");
  EXPECT_EQ(event.text(), "DD 1234 AB");
  ASSERT_EQ(event.fields_size(), 2);
  EXPECT_EQ(event.fields(0).name(), "net");
  EXPECT_EQ(event.fields(0).unit(), "kg");
  EXPECT_EQ(event.fields(0).value(), 12340);
  EXPECT_GT(event.boot_ns(), 0);
}

TEST(DriverHost, HeartbeatsCarryWhatWasAskedOfEachDevice) {
  HostProcess host(bad_driver("probe"));
  host.send(configure());
  ASSERT_TRUE(host.until([&] { return host.heartbeats.size() >= 4; }));
  const host::v1::Heartbeat& first = host.heartbeats[0];
  ASSERT_EQ(first.exchanges_size(), 1);
  EXPECT_EQ(first.exchanges(0).device(), "box 1");
  EXPECT_EQ(first.exchanges(0).requests(), 2u);
  EXPECT_THAT(first.exchanges(0).result(), testing::ElementsAre(0u, 1u));
  EXPECT_THAT(first.exchanges(0).count(), testing::ElementsAre(1u, 1u));
  EXPECT_EQ(first.exchanges(0).microseconds(), 1500u);  // of the answered one only
  EXPECT_GT(host.heartbeats[3].polls(), host.heartbeats[2].polls());
}

TEST(DriverHost, FastPollsDoNotMakeMoreThanFiveHeartbeatsASecond) {
  HostProcess host(bad_driver("probe"));  // polls a hundred times a second
  host.send(configure());
  ASSERT_TRUE(host.until([&] { return !host.heartbeats.empty(); }));
  std::size_t before = host.heartbeats.size();
  host.until([] { return false; }, 2000ms);
  EXPECT_LE(host.heartbeats.size() - before, 11u);
  EXPECT_GE(host.heartbeats.size() - before, 2u);
}

TEST(DriverHost, RawBytesAreSentOnlyWhenAskedFor) {
  HostProcess quiet(bad_driver("probe"));
  quiet.send(configure());
  ASSERT_TRUE(quiet.until([&] { return quiet.readings.size() >= 6; }));
  EXPECT_TRUE(quiet.traces.empty());

  HostProcess host(bad_driver("probe"));
  host::v1::ToDriverHost frame = configure();
  frame.mutable_configure()->set_trace(true);
  host.send(frame);
  ASSERT_TRUE(host.until([&] { return host.traces.size() >= 2; }));
  EXPECT_TRUE(host.traces[0].sent());
  EXPECT_EQ(host.traces[0].data(), "\x01\x02");
  EXPECT_FALSE(host.traces[1].sent());
  EXPECT_EQ(host.traces[1].device(), "box 1");
}

TEST(DriverHost, ReadingsOfOnePollTravelTogether) {
  HostProcess host(kSimulator);
  host.send(simulate("none"));
  ASSERT_TRUE(host.until([&] { return host.readings.size() >= 6; }));
  EXPECT_EQ(host.reading_frames * 2, host.readings.size());
}

TEST(DriverHost, OnceReadsEverySensorAndIsDone) {
  HostProcess host(kSimulator);
  host::v1::ToDriverHost frame = simulate("none", 3'600'000);
  frame.mutable_configure()->set_once(true);
  host.send(frame);
  ASSERT_TRUE(host.until([&] { return !host.dones.empty(); }, 5s));
  EXPECT_EQ(host.dones[0].status(), unsigned{GERBANG_OK});
  EXPECT_EQ(host.readings.size(), 2u);
  host.send(frame);  // and may be asked again
  ASSERT_TRUE(host.until([&] { return host.dones.size() == 2; }, 5s));
  host.stop();
  EXPECT_EQ(host.ended(), kDone);
}

TEST(DriverHost, OnceOverALostLineSaysSoAtOnce) {
  HostProcess host(kSimulator);
  host::v1::ToDriverHost frame = simulate("gone");
  frame.mutable_configure()->set_once(true);
  host.send(frame);
  ASSERT_TRUE(host.until([&] { return !host.dones.empty(); }, 5s));
  EXPECT_EQ(host.dones[0].status(), unsigned{GERBANG_GONE});
  EXPECT_THAT(host.dones[0].text(), HasSubstr("the simulated line is gone"));
  ASSERT_EQ(host.readings.size(), 2u);
  EXPECT_EQ(host.readings[0].reason, unsigned{GERBANG_REASON_NO_CONNECTION});
}

TEST(DriverHost, OnceNamesTheSensorsThatNeverAnswered) {
  HostProcess host(kSimulator);
  host::v1::ToDriverHost frame = simulate("silent");
  frame.mutable_configure()->set_once(true);
  host.send(frame);
  ASSERT_TRUE(host.until([&] { return !host.dones.empty(); }, 30s));  // 8 s and what it may block
  EXPECT_EQ(host.dones[0].status(), unsigned{GERBANG_RETRY});
  EXPECT_THAT(host.dones[0].text(), HasSubstr("no answer of flow, total"));
}

TEST(DriverHost, ALostLineIsMissingAtOnceAndOpenedAgainEverMoreRarely) {
  HostProcess host(kSimulator);
  host.send(simulate("gone"));
  ASSERT_TRUE(host.until([&] { return host.troubles.size() >= 3; }, 10s));  // after 0, 1, 3 s
  EXPECT_EQ(host.readies, 3u);
  EXPECT_GE(host.readings.size(), 4u);
  for (const Received& reading : host.readings) {
    EXPECT_EQ(reading.flag, unsigned{GERBANG_MISSING});
    EXPECT_EQ(reading.reason, unsigned{GERBANG_REASON_NO_CONNECTION});
  }
  EXPECT_GE(host.heartbeats.size(), 3u);  // about one a second, also while it is closed
  host.stop();
  EXPECT_EQ(host.ended(500ms), kDone);  // also in the middle of a pause
}

TEST(DriverHost, DecodesWithoutADevice) {
  HostProcess host(bad_driver("probe"));
  host::v1::ToDriverHost frame;
  frame.mutable_decode()->set_data("\x05\x07");
  host.send(frame);
  ASSERT_TRUE(host.until([&] { return host.dones.size() == 1; }));
  EXPECT_EQ(host.dones[0].status(), unsigned{GERBANG_OK});
  ASSERT_EQ(host.readings.size(), 2u);
  EXPECT_EQ(host.readings[1].sensor, 1u);
  EXPECT_EQ(host.readings[1].number, 7);

  frame.mutable_decode()->set_data("");
  host.send(frame);
  ASSERT_TRUE(host.until([&] { return host.dones.size() == 2; }));
  EXPECT_EQ(host.dones[1].status(), unsigned{GERBANG_RETRY});
  EXPECT_EQ(host.dones[1].text(), "an empty frame");
}

TEST(DriverHost, SaysThatADriverCannotDecode) {
  HostProcess host(kSimulator);
  host::v1::ToDriverHost frame;
  frame.mutable_decode()->set_data("x");
  host.send(frame);
  ASSERT_TRUE(host.until([&] { return !host.dones.empty(); }));
  EXPECT_EQ(host.dones[0].status(), unsigned{GERBANG_CONFIG});
  EXPECT_THAT(host.dones[0].text(), HasSubstr("simulator cannot decode"));
}

TEST(DriverHost, EndsWhenTheDaemonGoesAway) {
  HostProcess host(bad_driver("probe"));
  host.send(configure());
  ASSERT_TRUE(host.until([&] { return !host.readings.empty(); }));
  host.close_socket();
  EXPECT_EQ(host.ended(2s), kDone);
}

TEST(DriverHost, SigtermIsAStop) {
  HostProcess host(bad_driver("probe"));
  host.send(configure());
  ASSERT_TRUE(host.until([&] { return !host.readings.empty(); }));
  host.signal(SIGTERM);
  EXPECT_EQ(host.ended(2s), kDone);
  EXPECT_TRUE(host.logged("closed"));
}

TEST(DriverHost, SigtermEndsItBeforeItIsConfiguredToo) {
  HostProcess host(bad_driver("probe"));
  ASSERT_TRUE(host.until([&] { return host.hello.has_value(); }));
  host.signal(SIGTERM);
  EXPECT_EQ(host.ended(2s), kDone);
}

TEST(DriverHost, CtrlCIsTheDaemonsAffair) {
  HostProcess host(bad_driver("probe"));
  host.send(configure());
  ASSERT_TRUE(host.until([&] { return !host.readings.empty(); }));
  host.signal(SIGINT);
  host.signal(SIGHUP);
  EXPECT_FALSE(host.ended(300ms));
}

// The socket holds a few hundred KiB; after that a flooding driver waits inside emit.
TEST(DriverHost, ADaemonThatDoesNotReadStopsTheDriverAndLosesNothing) {
  HostProcess host(kSimulator);
  host.send(simulate("flood"));
  std::this_thread::sleep_for(700ms);
  auto before = host.cpu();
  std::this_thread::sleep_for(300ms);
  EXPECT_LT(host.cpu() - before, 20ms);  // blocked, not spinning
  ASSERT_TRUE(host.until([&] { return host.readings.size() >= 250'000; }));
  EXPECT_TRUE(host.refused.empty());
}

TEST(DriverHost, SigtermEndsItEvenWhileTheDaemonDoesNotRead) {
  HostProcess host(kSimulator);
  host.send(simulate("flood"));
  std::this_thread::sleep_for(500ms);
  host.signal(SIGTERM);
  int status = 0;
  pid_t ended = 0;
  for (int i = 0; i < 400 && ended == 0; ++i) {
    ended = waitpid(host.pid(), &status, WNOHANG);
    std::this_thread::sleep_for(5ms);
  }
  ASSERT_EQ(ended, host.pid());
  EXPECT_TRUE(WIFEXITED(status));
}

TEST(DriverHost, AFrameThatIsNoneEndsItWithAnInternalError) {
  HostProcess host(bad_driver("probe"));
  ASSERT_TRUE(host.until([&] { return host.hello.has_value(); }));
  host.send_bytes(std::string("\xff\xff\xff\xff", 4));
  EXPECT_EQ(host.ended(2s), (Ended{false, 70}));
}

TEST(DriverHost, ASecondConfigurationIsRefused) {
  HostProcess host(bad_driver("probe"));
  host.send(configure());
  host.send(configure());
  ASSERT_TRUE(host.until([&] { return host.logged("already configured"); }));
  EXPECT_EQ(host.readies, 1u);
}

TEST(DriverHost, SecondsInWhichAPollStillRanAreOverruns) {
  HostProcess host(bad_driver("probe"));
  host::v1::ToDriverHost frame = configure();
  add_option(frame, "block", 3200);
  host.send(frame);
  ASSERT_TRUE(host.until([&] { return !host.heartbeats.empty(); }));
  EXPECT_EQ(host.heartbeats[0].overruns(), 2u);
}

// A driver that hangs cannot outlive a daemon that was killed.
TEST(DriverHost, DiesWithItsParent) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // so that the orphan comes to us
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  int sockets[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
  pid_t parent = fork();
  if (parent == 0) {
    pid_t child = fork();
    if (child == 0) {
      dup2(sockets[1], 3);
      std::string driver = bad_driver("hang_on_load");
      execl(host_program().c_str(), "gerbang-driver-host", "--driver", driver.c_str(), nullptr);
      _exit(127);
    }
    (void)!write(pipe_ends[1], &child, sizeof child);
    pause();
    _exit(0);
  }
  pid_t child = 0;
  ASSERT_EQ(read(pipe_ends[0], &child, sizeof child), ssize_t{sizeof child});
  std::this_thread::sleep_for(500ms);               // until it hangs
  ASSERT_EQ(waitpid(child, nullptr, WNOHANG), -1);  // not ours yet
  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);
  int status = 0;
  pid_t ended = 0;
  for (int i = 0; i < 400 && ended == 0; ++i) {
    ended = waitpid(child, &status, WNOHANG);
    std::this_thread::sleep_for(5ms);
  }
  EXPECT_EQ(ended, child);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  for (int descriptor : {pipe_ends[0], pipe_ends[1], sockets[0], sockets[1]}) close(descriptor);
}

TEST(DriverHost, RunsConfined) {
  HostProcess host(bad_driver("probe"));
  ASSERT_TRUE(host.until([&] { return host.hello.has_value(); }));
  std::ifstream status("/proc/" + std::to_string(host.pid()) + "/status");
  std::ostringstream text;
  text << status.rdbuf();
  EXPECT_THAT(text.str(), HasSubstr("NoNewPrivs:\t1"));
  std::ifstream limits("/proc/" + std::to_string(host.pid()) + "/limits");
  std::string line, core, files, memory;
  while (std::getline(limits, line)) {
    if (line.starts_with("Max core file size")) core = line;
    if (line.starts_with("Max open files")) files = line;
    if (line.starts_with("Max address space")) memory = line;
  }
  EXPECT_THAT(core, testing::ContainsRegex("size +0 +0"));
  EXPECT_THAT(files, testing::ContainsRegex("files +256 +256"));
#ifndef GERBANG_SANITIZED
  EXPECT_THAT(memory, testing::Not(HasSubstr("unlimited")));
  EXPECT_LT(host.private_bytes(), 2 << 20);
#endif
}

TEST(DriverHostProgram, DescribesADriverForPeople) {
  int status = 0;
  std::string text = output_of("--describe " + kSimulator, status);
  EXPECT_EQ(status, 0);
  EXPECT_THAT(text, HasSubstr("simulator 1.0.0 (driver ABI 1.1)"));
  EXPECT_THAT(text, HasSubstr("seed (integer, 0 to 1000000000, default \"1\")"));
  text = output_of("--describe " + bad_driver("wrong_major"), status);
  EXPECT_EQ(status, 78);
  EXPECT_THAT(text, HasSubstr("build it against the installed gerbang/driver.h"));
}

TEST(DriverHostProgram, ExplainsItself) {
  int status = 0;
  EXPECT_THAT(output_of("--version", status), HasSubstr("driver ABI 1.1"));
  EXPECT_EQ(status, 0);
  EXPECT_THAT(output_of("--help", status), HasSubstr("--describe DRIVER.so"));
  EXPECT_EQ(status, 0);
  output_of("--nonsense", status);
  EXPECT_EQ(status, 64);
  EXPECT_THAT(output_of("--driver " + kSimulator + " 3</dev/null", status),
              HasSubstr("descriptor 3 is no socket"));
  EXPECT_EQ(status, 64);
}

}  // namespace
}  // namespace gerbang::test
