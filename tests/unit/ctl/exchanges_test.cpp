// SPDX-License-Identifier: Apache-2.0
#include "ctl/exchanges.hpp"

#include <gtest/gtest.h>

namespace gerbang::ctl {
namespace {

source::Trace passed(bool sent, const char* device, const char* data) {
  source::Trace trace;
  trace.sent = sent;
  trace.device = device;
  trace.data = data;
  return trace;
}

OptionValues unit_address(std::int64_t unit) {
  return {{"unit", OptionType::integer, "", unit, 0}};
}

Reading read_with(Reason reason) {
  Reading reading;
  reading.reason = reason;
  return reading;
}

TEST(Exchanges, ASensorIsShownTheBytesOfItsOwnUnit) {
  Exchanges line;
  line.take(passed(true, "unit-2", "q2"));
  line.take(passed(false, "unit-2", "damaged"));
  line.take(passed(true, "unit-3", "q3"));
  // Unit 2 is given up after unit 3 was asked.
  const Exchange second = line.of(read_with(Reason::crc), unit_address(2));
  EXPECT_EQ(second.sent, "q2");
  EXPECT_EQ(second.received, "damaged");
  const Exchange third = line.of(read_with(Reason::timeout), unit_address(3));
  EXPECT_EQ(third.sent, "q3");
  EXPECT_EQ(third.received, "");
  EXPECT_EQ(line.of(read_with(Reason::timeout), unit_address(4)).sent, "") << "was not asked yet";
}

TEST(Exchanges, AnAnswerIsNotThatOfAQuestionWithoutOne) {
  Exchanges line;
  line.take(passed(true, "unit-1", "q1"));
  line.take(passed(false, "unit-1", "a1"));
  EXPECT_EQ(line.of(read_with(Reason::timeout), unit_address(1)).sent, "");
  EXPECT_EQ(line.of(read_with(Reason::none), unit_address(1)).received, "a1");
}

TEST(Exchanges, ADeviceThatSpeaksByItselfBeginsANewExchangeAfterAReading) {
  Exchanges line;
  line.take(passed(false, "line", "fr"));
  line.take(passed(false, "line", "ame"));
  EXPECT_EQ(line.of(read_with(Reason::none), {}).received, "frame");
  line.take(passed(false, "line", "next"));
  EXPECT_EQ(line.of(read_with(Reason::none), {}).received, "next");
}

}  // namespace
}  // namespace gerbang::ctl
