// SPDX-License-Identifier: Apache-2.0
#include "source/session.hpp"

#include <gtest/gtest.h>

#include "source/account.hpp"

namespace gerbang::source {
namespace {

using namespace std::chrono_literals;

BootTime at(std::chrono::nanoseconds t) {
  return BootTime(1000s + t);
}

// Two sensors, 10 s + 2 s between signs of life, looked at once a second as the supervisor does.
struct Life {
  Session session{Limits(), 2, 2s, at(0s)};

  Result<Step> frame(HostFrame f, BootTime now) { return session.on_frame(std::move(f), now); }
  void greet(BootTime now = at(0s)) {
    ASSERT_TRUE(frame(Hello(), now));
    ASSERT_TRUE(frame(Ready(), now));
  }
  // The first full second at which a tick fails, 0 if none does until `until`.
  int fails_at(int from, int until) {
    for (int s = from; s <= until; ++s)
      if (!session.tick(at(std::chrono::seconds(s)))) return s;
    return 0;
  }
};

Readings one_reading(std::uint32_t sensor, BootTime stamp) {
  Reading reading;
  reading.sensor = sensor;
  reading.boot_ns = nanoseconds(stamp);
  return Readings{{reading}};
}

TEST(DriverSession, ConfiguresAfterHelloAndRunsWhenReady) {
  Life life;
  EXPECT_EQ(life.session.state(), DriverState::starting);
  auto hello = life.frame(Hello{"modbus", "1.2", "", 1, 0}, at(1s));
  ASSERT_TRUE(hello);
  EXPECT_TRUE(hello->configure);
  EXPECT_EQ(life.session.version(), "1.2");
  EXPECT_EQ(life.session.state(), DriverState::starting);
  auto ready = life.frame(Ready(), at(2s));
  ASSERT_TRUE(ready);
  EXPECT_TRUE(ready->ready);
  EXPECT_EQ(life.session.state(), DriverState::running);
}

TEST(DriverSession, AHostWithoutHelloIsGivenUpAfterFiveSeconds) {
  Life life;
  EXPECT_EQ(life.fails_at(1, 60), 5);
  EXPECT_EQ(life.session.tick(at(5s)).error().what, "no hello within 5s");
}

TEST(DriverSession, AHeartbeatMayTakeTenSecondsAndTheLongestBlock) {
  Life life;
  life.greet();
  EXPECT_EQ(life.fails_at(1, 11), 0);
  ASSERT_TRUE(life.frame(Heartbeat(), at(11s)));
  EXPECT_EQ(life.fails_at(12, 60), 23);
  EXPECT_EQ(life.session.tick(at(23s)).error().what, "no heartbeat for 12s");
}

TEST(DriverSession, ReadingsAreNoSignOfLifeBecauseAHangingPollCanEmit) {
  Life life;
  life.greet();
  for (int s = 1; s < 12; ++s) {
    ASSERT_TRUE(life.session.tick(at(std::chrono::seconds(s))));
    ASSERT_TRUE(life.frame(one_reading(0, at(1s)), at(std::chrono::seconds(s))));
  }
  EXPECT_FALSE(life.session.tick(at(12s)));
}

TEST(DriverSession, TheDeadlineStandsStillWhileTheDaemonDoesNotRead) {
  Life life;
  life.greet();
  EXPECT_EQ(life.fails_at(1, 10), 0);
  life.session.pause(at(10s));
  EXPECT_EQ(life.fails_at(11, 100), 0);
  life.session.resume(at(100s));
  EXPECT_EQ(life.fails_at(101, 200), 102);  // 10 s before, 2 s after
}

TEST(DriverSession, TimeInWhichNobodyLookedDoesNotCount) {
  Life life;
  life.greet();
  EXPECT_EQ(life.fails_at(1, 5), 0);
  EXPECT_TRUE(life.session.tick(at(3600s)));  // the machine slept
  EXPECT_EQ(life.fails_at(3601, 3700), 3607);
}

TEST(DriverSession, LooksAtTheDeadlineAndOnceASecond) {
  Life life;
  EXPECT_EQ(life.session.next_look(at(0s)), at(1s));
  EXPECT_EQ(life.session.next_look(at(4500ms)), at(5s));
}

TEST(DriverSession, TroubleEndsWithReady) {
  Life life;
  life.greet();
  ASSERT_TRUE(life.frame(Trouble{Status::gone, "connection refused"}, at(1s)));
  EXPECT_EQ(life.session.state(), DriverState::trouble);
  EXPECT_EQ(life.session.trouble(), "connection refused");
  ASSERT_TRUE(life.frame(Ready(), at(2s)));
  EXPECT_EQ(life.session.state(), DriverState::running);
  EXPECT_EQ(life.session.trouble(), "");
}

TEST(DriverSession, AConfigurationThatTheDriverRefusesIsFinal) {
  Life life;
  ASSERT_TRUE(life.frame(Hello(), at(0s)));
  ASSERT_TRUE(life.frame(Trouble{Status::config, "unit 300"}, at(1s)));
  EXPECT_EQ(life.session.state(), DriverState::config_error);
}

TEST(DriverSession, ADriverThatCannotBeLoadedIsNotConfigured) {
  Life life;
  auto step = life.frame(Hello{"", "", "x.so: no symbol gerbang_driver", 0, 0}, at(0s));
  ASSERT_TRUE(step);
  EXPECT_FALSE(step->configure);
  EXPECT_EQ(life.session.state(), DriverState::config_error);
  EXPECT_EQ(life.session.trouble(), "x.so: no symbol gerbang_driver");
}

TEST(DriverSession, FramesOutOfTurnAreABrokenHost) {
  Life early;
  EXPECT_EQ(early.frame(Ready(), at(0s)).error().what,
            "the driver host sent something before its hello");
  Life twice;
  twice.greet();
  EXPECT_FALSE(twice.frame(Hello(), at(1s)));
  for (HostFrame unasked : {HostFrame(Done()), HostFrame(DriverSchema()), HostFrame(Trace())}) {
    Life life;
    life.greet();
    EXPECT_FALSE(life.frame(unasked, at(1s))) << unasked.index();
  }
}

TEST(DriverSession, RefusesReadingsOfUnknownSensorsAndImpossibleTimes) {
  Life life;
  life.greet();
  Readings readings;
  for (auto& [sensor, stamp] : {std::pair(0u, at(5s)), std::pair(2u, at(5s)), std::pair(1u, at(5s)),
                                std::pair(1u, at(7s)), std::pair(1u, BootTime())}) {
    readings.all.push_back(one_reading(sensor, stamp).all[0]);
  }
  auto step = life.frame(readings, at(5s));
  ASSERT_TRUE(step);
  ASSERT_EQ(step->readings.size(), 2u);
  EXPECT_EQ(step->readings[0].sensor, 0u);
  EXPECT_EQ(step->readings[1].sensor, 1u);
  EXPECT_EQ(step->unknown_sensor, 1u);
  EXPECT_EQ(step->bad_time, 2u);
}

TEST(DriverSession, RefusesEventsOfUnknownSensors) {
  Life life;
  life.greet();
  Event event;
  event.sensor = 2;
  auto step = life.frame(event, at(1s));
  ASSERT_TRUE(step);
  EXPECT_FALSE(step->event);
  EXPECT_EQ(step->unknown_sensor, 1u);
}

Exchanges exchanges(std::string device, std::uint64_t good, std::uint64_t timeouts,
                    std::uint64_t us, std::uint32_t slowest) {
  Exchanges out;
  out.device = std::move(device);
  out.requests = good + timeouts;
  out.results = {{Reason::none, good}, {Reason::timeout, timeouts}};
  out.microseconds = us;
  out.slowest_us = slowest;
  return out;
}

TEST(DriverAccount, AddsUpOverHeartbeatsAndProcesses) {
  Account account;
  Heartbeat beat;
  beat.polls = 10;
  beat.overruns = 1;
  beat.exchanges = {exchanges("unit 1", 4, 1, 4000, 1500)};
  account.process_started();
  account.heartbeat(beat, 111);
  beat.polls = 20;  // the host's own counters grow
  beat.exchanges = {exchanges("unit 1", 0, 2, 0, 0), exchanges("unit 0", 1, 0, 70, 70)};
  account.heartbeat(beat, 222);
  account.process_started();
  beat.polls = 3;
  beat.overruns = 0;
  beat.exchanges = {};
  account.heartbeat(beat, 333);

  DriverStatus status;
  account.report(status);
  EXPECT_EQ(status.polls, 23u);
  EXPECT_EQ(status.overruns, 1u);
  ASSERT_EQ(status.devices.size(), 2u);
  EXPECT_EQ(status.devices[0].device, "unit 0");
  const DeviceStatus& unit1 = status.devices[1];
  EXPECT_EQ(unit1.requests, 7u);
  EXPECT_EQ(unit1.results.at(Reason::none), 4u);
  EXPECT_EQ(unit1.results.at(Reason::timeout), 3u);
  EXPECT_EQ(unit1.mean_us(), 1000u);
  EXPECT_EQ(unit1.slowest_us, 1500u);
  EXPECT_EQ(unit1.last_answer_boot_ns, 111);
}

TEST(DriverAccount, KnowsSinceWhenADeviceIsSilentAndWhy) {
  Account account;
  Heartbeat beat;
  const auto said = [&](Exchanges exchanges, std::int64_t at) {
    beat.exchanges = {std::move(exchanges)};
    account.heartbeat(beat, at);
    DriverStatus status;
    account.report(status);
    return status.devices.front();
  };
  EXPECT_EQ(said(exchanges("unit 1", 1, 1, 10, 10), 100).silent_since_boot_ns, 0);
  EXPECT_EQ(said(exchanges("unit 1", 0, 1, 0, 0), 200).silent_since_boot_ns, 200);
  Exchanges not_asked = exchanges("unit 1", 0, 0, 0, 0);
  not_asked.results = {{Reason::back_off, 3}};
  const DeviceStatus silent = said(not_asked, 300);
  EXPECT_EQ(silent.silent_since_boot_ns, 200);
  EXPECT_EQ(silent.silent_reason, Reason::timeout);
  Exchanges refused = exchanges("unit 1", 0, 0, 0, 0);
  refused.results = {{Reason::exception, 1}};
  EXPECT_EQ(said(refused, 400).silent_since_boot_ns, 0) << "a refusal is an answer";
  EXPECT_EQ(said(exchanges("unit 1", 0, 1, 0, 0), 500).silent_since_boot_ns, 500);
  account.process_started();
  EXPECT_EQ(said(not_asked, 600).silent_since_boot_ns, 0) << "perhaps it has no such device now";
}

TEST(DriverAccount, WhatWasHeardIsNotSilenceThoughItWasNoGood) {
  Account account;
  Heartbeat beat;
  const auto said = [&](Reason reason, std::int64_t at) {
    Exchanges one = exchanges("lora", 0, 0, 0, 0);
    one.results = {{reason, 1}};
    beat.exchanges = {std::move(one)};
    account.heartbeat(beat, at);
    DriverStatus status;
    account.report(status);
    return status.devices.front().silent_since_boot_ns;
  };
  for (const Reason heard : {Reason::crc, Reason::protocol, Reason::conversion,
                             Reason::device_fault, Reason::no_target, Reason::exception})
    EXPECT_EQ(said(heard, 100), 0) << name(heard);
  EXPECT_EQ(said(Reason::no_connection, 200), 200);
  EXPECT_EQ(said(Reason::crc, 300), 200) << "noise is no answer";
  EXPECT_EQ(said(Reason::device_fault, 400), 0);
}

TEST(DriverAccount, IsBoundedWhateverNamesAHostInvents) {
  Account account;
  Heartbeat beat;
  for (std::size_t i = 0; i < Account::kMaxDevices + 100; ++i)
    beat.exchanges.push_back(exchanges("d" + std::to_string(i), 1, 0, 1, 1));
  beat.exchanges.push_back(exchanges(std::string(5000, 'x'), 1, 0, 1, 1));
  account.heartbeat(beat, 1);
  for (int i = 0; i < 100; ++i) account.rejected("reason " + std::to_string(i), 1);
  EXPECT_EQ(account.rejected(std::string(5000, 'x'), 1), "other");

  DriverStatus status;
  account.report(status);
  EXPECT_EQ(status.devices.size(), Account::kMaxDevices + 1);
  EXPECT_EQ(status.rejected.size(), Account::kMaxReasons + 1);
  std::uint64_t requests = 0, rejected = 0;
  for (auto& device : status.devices) requests += device.requests;
  for (auto& [reason, count] : status.rejected) rejected += count;
  EXPECT_EQ(requests, Account::kMaxDevices + 101);
  EXPECT_EQ(rejected, 101u);
}

TEST(LogLimit, LetsABurstThroughAndThenOneLineForEachSecond) {
  LogLimit limit(3, 1s);
  auto admitted = [&](std::chrono::nanoseconds t) {
    int n = 0;
    for (int i = 0; i < 100; ++i) n += limit.admit(at(t));
    return n;
  };
  EXPECT_EQ(admitted(0s), 3);
  EXPECT_EQ(admitted(900ms), 0);
  EXPECT_EQ(admitted(1s), 1);
  EXPECT_EQ(admitted(3500ms), 2);
  EXPECT_EQ(admitted(3600s), 3);
  EXPECT_EQ(limit.dropped(), 491u);
  EXPECT_EQ(limit.take_unreported(), 491u);
  EXPECT_EQ(limit.take_unreported(), 0u);
}

}  // namespace
}  // namespace gerbang::source
