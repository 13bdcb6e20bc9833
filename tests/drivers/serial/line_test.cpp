// SPDX-License-Identifier: Apache-2.0
//
// The shared serial port over pseudo-terminals.
#include "serial/line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "support/pty.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::serial {
namespace {

using namespace std::chrono_literals;
using test::Pty;
using testing::HasSubstr;

class SerialLine : public testing::Test {
 protected:
  SerialLine() {
    raw.size = sizeof raw;
    raw.context = this;
    raw.log = [](const gerbang_host* h, gerbang_log_level, const char* text) {
      static_cast<SerialLine*>(h->context)->log += std::string(text) + "\n";
    };
    raw.trace = [](const gerbang_host*, const char*, int, const void*, size_t) {};
  }
  std::string read(Line& line, std::chrono::milliseconds wait = 200ms) {
    const Bytes bytes = line.read_some(Clock::now() + wait);
    return {bytes.begin(), bytes.end()};
  }
  std::string read_until_open(Line& line) {
    for (int i = 0; i < 100 && !line.is_open(); ++i) read(line, 50ms);
    return line.why();
  }

  test::TempDir folder;
  std::string path = folder / "usb-adapter";
  Settings settings = [this] {
    Settings s;
    s.device = path;
    return s;
  }();
  gerbang_host raw{};
  driver::Host host{&raw};
  std::string log;
};

TEST_F(SerialLine, ReadsWhatComesAndWritesWhatItIsGiven) {
  Pty far(path);
  settings.data_bits = 7;  // which a pseudo-terminal cannot do, and need not
  settings.parity = 'E';
  Line line(host, settings, "probe");
  ASSERT_TRUE(line.open()) << line.why();
  far.send({'a', '\r', '\n', 0x03, 0x11, 0xFF});
  EXPECT_EQ(read(line), "a\r\n\x03\x11\xFF");
  EXPECT_EQ(read(line, 20ms), "");
  EXPECT_TRUE(line.is_open());
  ASSERT_TRUE(line.write(Bytes(test::from_hex("0D 0A 13 00")), Clock::now() + 1s));
  EXPECT_EQ(far.receive(1s), test::from_hex("0D 0A 13 00"));
}

TEST_F(SerialLine, WhatCameBeforeAFlushIsForgotten) {
  Pty far(path);
  Line line(host, settings, "probe");
  ASSERT_TRUE(line.open());
  far.send({'o', 'l', 'd'});
  line.flush_input();
  far.send({'n', 'e', 'w'});
  EXPECT_EQ(read(line), "new");
}

TEST_F(SerialLine, AnAdapterThatComesBackIsOpenedAgainAndSaidOnce) {
  Pty far(path);
  Line line(host, settings, "probe");
  read_until_open(line);
  line.understood();
  far.unplug();
  for (int i = 0; i < 30 && line.is_open(); ++i) read(line, 50ms);
  ASSERT_FALSE(line.is_open());
  read(line, 50ms);
  EXPECT_THAT(line.why(), HasSubstr("No such file"));
  EXPECT_EQ(read(line, 50ms), "");
  far.plug();
  read_until_open(line);
  ASSERT_TRUE(line.is_open());
  EXPECT_EQ(line.openings(), 2u);
  far.send({'x'});
  EXPECT_EQ(read(line), "x");
  EXPECT_EQ(log, "no connection: " + path + ": No such file or directory; trying again for ever\n" +
                     "connected again: " + path + "\n");
}

TEST_F(SerialLine, OnlyOneMayHoldAPort) {
  Pty far(path);
  std::optional<Line> first(std::in_place, host, settings, "first");
  ASSERT_TRUE(first->open());
  Line second(host, settings, "second");
  EXPECT_FALSE(second.open());
  EXPECT_THAT(second.why(), HasSubstr("another program has the port"));
  first.reset();
  read_until_open(second);
  EXPECT_TRUE(second.is_open());
}

TEST_F(SerialLine, AFileIsNoSerialPort) {
  settings.device = folder.write("file", "text");
  Line line(host, settings, "probe");
  EXPECT_FALSE(line.open());
  EXPECT_THAT(line.why(), HasSubstr("not a serial port"));
}

TEST_F(SerialLine, AWriteThatNobodyTakesEndsWithItsDeadline) {
  Pty far(path);
  Line line(host, settings, "probe");
  const Pty::Bytes much(1'000'000, 'x');
  const auto begin = Clock::now();
  EXPECT_FALSE(line.write(much, begin + 100ms));
  EXPECT_LT(Clock::now() - begin, 5s);
}

TEST(BackOff, DoublesFromASecondToHalfAMinuteAndBeginsAnewWhenItWorked) {
  BackOff back_off;
  const Clock::time_point now{1h};
  for (auto expected : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
    back_off.failed(now);
    EXPECT_EQ(back_off.until() - now, expected);
  }
  back_off.worked();
  EXPECT_LE(back_off.until(), now);
  back_off.failed(now);
  EXPECT_EQ(back_off.until() - now, 1s);
}

TEST(BaudRate, IsOneThatPortsHave) {
  for (std::int64_t rate : {300, 1200, 9600, 115'200, 4'000'000}) EXPECT_TRUE(is_baud_rate(rate));
  for (std::int64_t rate : {0, 301, 9601, 5'000'000}) EXPECT_FALSE(is_baud_rate(rate));
}

}  // namespace
}  // namespace gerbang::serial
