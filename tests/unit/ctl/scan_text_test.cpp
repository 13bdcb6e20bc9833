// SPDX-License-Identifier: Apache-2.0
#include "ctl/scan_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gerbang::ctl {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

TEST(ScanText, HowLongItWillTakeIsSaidOnceItIsKnown) {
  EXPECT_EQ(time_left(1s, 0.5, "eng"), "") << "too early";
  EXPECT_EQ(time_left(10s, 0, "eng"), "");
  EXPECT_EQ(time_left(10s, 0.25, "eng"), "about 30 s left");
  EXPECT_EQ(time_left(10s, 0.25, "ind"), "kira-kira 30 detik lagi");
  EXPECT_EQ(time_left(30s, 0.1, "eng"), "about 5 min left");
  EXPECT_EQ(time_left(10s, 1, "eng"), "about 0 s left");
  EXPECT_EQ(time_left(1h, 1e-9, "eng"), "") << "nobody waits for that";
}

TEST(ScanText, APortOfTheServiceIsFreedByStoppingTheService) {
  for (const char* driver : {"rs485-a", ""})
    for (const char* language : {"ind", "eng"}) {
      const std::string text =
          busy_port("/dev/ttyUSB0", driver, "process 12 (gerbang-driver-)", language);
      EXPECT_THAT(text, HasSubstr("sudo systemctl stop gerbang"));
      EXPECT_THAT(text, HasSubstr("sudo systemctl start gerbang"));
    }
  EXPECT_THAT(busy_port("/dev/ttyUSB0", "rs485-a", "", "eng"), HasSubstr("(driver \"rs485-a\")"));
  const std::string other = busy_port("/dev/ttyUSB0", "", "process 12 (mbpoll)", "eng");
  EXPECT_THAT(other, HasSubstr("/dev/ttyUSB0 is held by process 12 (mbpoll)"));
  EXPECT_THAT(other, Not(HasSubstr("systemctl")));
}

TEST(ScanText, WhatToTypeNextCanBeTyped) {
  Outcome outcome;
  EXPECT_THAT(conclusion(outcome, "eng"), HasSubstr("Nothing was found"));
  outcome.found = 2;
  EXPECT_THAT(conclusion(outcome, "ind"),
              HasSubstr("lalu: sudo gerbangctl check && sudo gerbangctl read --watch\n"));
  EXPECT_THAT(conclusion(outcome, "eng"), Not(HasSubstr("Before check")));
  outcome.left = true;
  EXPECT_THAT(conclusion(outcome, "eng"), HasSubstr("Before check"));
  outcome.unknown = true;
  EXPECT_THAT(conclusion(outcome, "eng"), HasSubstr("--profile NAME"));
}

}  // namespace
}  // namespace gerbang::ctl
