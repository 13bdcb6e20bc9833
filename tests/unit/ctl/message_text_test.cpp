// SPDX-License-Identifier: Apache-2.0
//
// What `gerbangctl subscribe` shows of each kind of message.
#include "ctl/message_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace gerbang::ctl {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> lines(std::string_view suffix, std::string_view text,
                               std::string_view language = "eng") {
  return message_lines(suffix, boost::json::parse(text).as_object(), language);
}

TEST(MessageText, AWindowWithALineForEachSensor) {
  EXPECT_THAT(
      lines("aggregate/water/1m",
            R"({"windowStartMs":1767225600000,"windowEndMs":1767225660000,"aggregates":[
        {"sensor":"ph","unit":"pH","mean":7.203079713,"minimum":7.1,"maximum":7.25,"good":60,"expected":60,"verdict":"VALID"},
        {"sensor":"volume","unit":"m³","delta":9,"first":4000000001,"last":4000000010,"good":11,"expected":12,"verdict":"VALID"},
        {"sensor":"truck-net","unit":"kg","good":0,"verdict":"NONE"},
        {"sensor":"flow","unit":"m³/h","good":0,"expected":60,"verdict":"NONE","reason":"TIMEOUT"}]})"),
      ElementsAre(
          "window from 2026-01-01T00:00:00Z to 2026-01-01T00:01:00Z",
          "ph                       mean 7.2031 pH  min 7.1  max 7.25  good 60 of 60  VALID",
          "volume                   increase 9 m³  from 4000000001 to 4000000010  good 11 of 12  "
          "VALID",
          "truck-net                nothing  NONE",
          "flow                     nothing  good 0 of 60  NONE  TIMEOUT"));
}

TEST(MessageText, AnAlarmInTheLanguageOfTheReader) {
  constexpr auto kRaised =
      R"({"state":"RAISED","severity":"HIGH","textInd":"Keruh","textEng":"Turbid","adviceInd":"Periksa",
          "adviceEng":"Check","value":5.25,"unit":"NTU","sinceMs":1767225600000})";
  EXPECT_THAT(
      lines("alarm/turbid", kRaised, "ind"),
      ElementsAre("RAISED  HIGH  Keruh  (5.25 NTU)  since 2026-01-01T00:00:00Z", "Periksa"));
  EXPECT_EQ(lines("alarm/turbid", kRaised)[1], "Check");
}

TEST(MessageText, AnIndicatorWithItsStandard) {
  EXPECT_THAT(
      lines(
          "indicator/ispu",
          R"({"standard":"ispu","standardVersion":"P.14/2020","value":63,"labelInd":"Sedang","labelEng":"Moderate",
          "critical":["pm2-5","pm10"],"provisional":true,"capture":0.875,"windowStartMs":1767139200000,"windowEndMs":1767225600000})"),
      ElementsAre("63  Moderate  because of pm2-5, pm10  provisional  capture 0.875",
                  "ispu (P.14/2020), window from 2025-12-31T00:00:00Z to 2026-01-01T00:00:00Z"));
  EXPECT_EQ(lines("indicator/ispu", R"({"provisional":false})")[0], "no data");
}

TEST(MessageText, EventsGapsAndReadings) {
  EXPECT_THAT(
      lines("event/weighing", R"({"timeMs":1767225600000,"sensor":"bridge","text":"ticket 17",
          "values":[{"name":"net","value":8120,"unit":"kg"}]})"),
      ElementsAre("2026-01-01T00:00:00Z  bridge  ticket 17  net 8120 kg"));
  EXPECT_THAT(lines("gap", R"({"first":7,"last":12,"reason":"no_room"})"),
              ElementsAre("#7 to #12 will not come: no_room"));
  EXPECT_THAT(lines("reading/water",
                    R"({"readings":[{"sensor":"ph","timeMs":1767225600000,"value":7.25,"unit":"pH"},
          {"sensor":"ph","timeMs":1767225601000,"unit":"pH","reason":"TIMEOUT"}]})"),
              ElementsAre("ph                       2026-01-01T00:00:00Z  7.25 pH",
                          "ph                       2026-01-01T00:00:01Z  - pH  TIMEOUT"));
}

TEST(MessageText, TheGatewayAndWhatIsWrongWithIt) {
  EXPECT_THAT(
      lines(
          "state",
          R"({"online":true,"version":"0.1.0","clock":"TRUSTED","lastSequence":12,"store":{"degraded":true},
          "drivers":[{"name":"plc","state":"running"},{"name":"pond","state":"quarantined","lastError":"no port"}]})"),
      ElementsAre("online  version 0.1.0  clock TRUSTED  newest #12  store degraded",
                  "driver pond quarantined  no port"));
  EXPECT_EQ(lines("state", R"({"online":false,"reason":"LOST"})")[0], "OFFLINE LOST  newest #-");
  EXPECT_THAT(
      lines(
          "description",
          R"({"siteKind":"landfill","timezone":"Asia/Makassar","sensors":[{},{}],"alarms":[{}]})"),
      ElementsAre("landfill in Asia/Makassar: 2 sensors, 0 indicators, 1 alarms"));
}

// Another program's message: shown or left out, never a crash.
TEST(MessageText, WhatIsNotAsExpectedIsShownAsItIs) {
  EXPECT_THAT(lines("other", R"({"source":{},"a":1})"), ElementsAre(R"({"a":1})"));
  EXPECT_EQ(
      lines("aggregate/x/1m", R"({"aggregates":[1,{"sensor":2}],"windowStartMs":"x"})").size(), 2u);
  EXPECT_EQ(lines("event/x", R"({"values":{}})").size(), 1u);
}

}  // namespace
}  // namespace gerbang::ctl
