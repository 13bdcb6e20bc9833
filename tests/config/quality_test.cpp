// SPDX-License-Identifier: Apache-2.0
//
// [sensor.quality], calibration and corrections, with what quality.toml says where a sensor does
// not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "config/fixture.hpp"
#include "config/load.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kHead = R"([gateway]
id = "ipa-uji-1"
region = "maros"
site = "ipa-uji"
timezone = "Asia/Makassar"
[[driver]]
name = "d"
plugin = "simulator"
interval = "5s"
)";

LoadResult loaded(const std::string& text) {
  test::TempDir folder;
  std::ofstream(folder.path() / "gerbang.toml") << kHead << text;
  return load(folder.path() / "gerbang.toml", test::context());
}

Config good(const std::string& text) {
  LoadResult result = loaded(text);
  for (const Diagnostic& error : result.errors) ADD_FAILURE() << config::text(error);
  return result.config ? std::move(*result.config) : Config{};
}

std::string sensor(const std::string& id, const std::string& quantity,
                   const std::string& more = "") {
  return "[[sensor]]\nid = \"" + id + "\"\ndriver = \"d\"\nquantity = \"" + quantity +
         "\"\naddress = { signal = \"" + id + "\" }\n" + more + "\n";
}
std::string computed(const std::string& id, const std::string& quantity, const std::string& more) {
  return "[[sensor]]\nid = \"" + id + "\"\nquantity = \"" + quantity + "\"\n" + more + "\n";
}

// The only mistake, as "key: what; remedy".
std::string mistake(const std::string& text) {
  LoadResult result = loaded(text);
  if (result.errors.size() != 1) {
    std::string all = std::to_string(result.errors.size()) + " mistakes:";
    for (const Diagnostic& error : result.errors) all += "\n" + config::text(error);
    return all;
  }
  const Diagnostic& error = result.errors[0];
  return error.key + ": " + error.what + "; " + error.remedy;
}

TEST(Quality, DefaultsAreOfTheQuantity) {
  const Config config = good(sensor("ph", "ph") + sensor("flow", "flow"));
  const quality::Rules& ph = *config.sensors[0].rules;
  ASSERT_TRUE(ph.range && ph.expected);
  EXPECT_EQ(*ph.range, (quality::Range{0, 14}));
  EXPECT_EQ(*ph.expected, (quality::Range{4, 11}));
  EXPECT_EQ(ph.stale_ms, 15'000) << "three intervals";
  EXPECT_FALSE(ph.flat || ph.spike || ph.rate) << "what is usual differs from site to site";
  EXPECT_FALSE(config.sensors[1].rules->range);
}

TEST(Quality, ASensorSaysItsOwn) {
  const Config config = good(sensor("ph", "ph", R"(range = { low = 2.0, high = 12.0 }
[sensor.quality]
expected = { low = 6.0, high = 9.0 }
rate = { change = 0.6, within = "1m" }
spike = { suspect = 0.5, bad = 2 }
flat = { tolerance = 0.01, suspect = 60, bad = 600 }
stale = "1m"
warm_up = "2m")") + sensor("no2", "no2", "quality = { detection_limit = \"2 ug/m3\" }") +
                             sensor("raw", "ph", "quality = { defaults = false }"));
  const quality::Rules& ph = *config.sensors[0].rules;
  EXPECT_EQ(*ph.range, (quality::Range{2, 12}));
  EXPECT_EQ(*ph.expected, (quality::Range{6, 9}));
  EXPECT_NEAR(*ph.rate, 0.01, 1e-12) << "a second";
  EXPECT_EQ(*ph.spike->bad, 2);
  EXPECT_EQ(ph.flat->bad, 600u);
  EXPECT_EQ(ph.stale_ms, 60'000);
  EXPECT_EQ(ph.warm_up_ms, 120'000);
  EXPECT_NEAR(*config.sensors[1].rules->detection_limit, 2, 1e-9);
  const quality::Rules& raw = *config.sensors[2].rules;
  EXPECT_FALSE(raw.range || raw.expected || raw.stale_ms > 0);
}

TEST(Quality, SuspectReadingsCountWhereASensorSaysSo) {
  const Config config =
      good(sensor("ph", "ph", "count_suspect = true") + sensor("other", "ph") +
           sensor("no", "ph", "count_suspect = false") + sensor("meter", "volume"));
  EXPECT_TRUE(config.sensors[0].count_suspect);
  for (std::size_t i : {1, 2, 3}) EXPECT_FALSE(config.sensors[i].count_suspect) << i;
  EXPECT_EQ(mistake(sensor("meter", "volume", "count_suspect = true")),
            "sensor[meter].count_suspect: amounts of \"volume\" are of good readings only; remove "
            "it");
}

TEST(Quality, DustOfOneLineIsRelated) {
  const Config config = good(sensor("fine", "pm2_5") + sensor("coarse", "pm10"));
  ASSERT_EQ(config.sensors[0].relations.size(), 1u);
  EXPECT_EQ(config.sensors[0].relations[0].other, 1u);
  const Config two = good(sensor("a", "pm2_5") + sensor("b", "pm2_5") + sensor("c", "pm10"));
  for (const Sensor& each : two.sensors) EXPECT_TRUE(each.relations.empty()) << "which to which?";
}

TEST(Quality, CorrectionsAreComputedFromSensorsBefore) {
  const Config config =
      good(sensor("ec", "conductivity") + sensor("t", "water_temperature") +
           computed("ec-25", "conductivity_25", R"(correction = "conductivity-25"
from = ["ec", "t"]
parameters = { coefficient = 0.02 })") +
           sensor("so2-ppb", "so2_ppb") +
           computed("so2", "so2", "correction = \"ppb-to-ug-m3\"\nfrom = [\"so2-ppb\"]") +
           sensor("meter", "volume", "wrap = 65536\nscale = 0.1") +
           computed("volume", "volume", R"(correction = "totaliser-volume"
from = ["meter"]
parameters = { fastest = 500 })"));
  const Sensor& at_25 = config.sensors[2];
  ASSERT_TRUE(at_25.formula);
  EXPECT_EQ(at_25.driver, kNoDriver);
  EXPECT_THAT(at_25.from, ElementsAre(0, 1));
  EXPECT_EQ(at_25.formula->coefficient, 0.02);
  EXPECT_EQ(at_25.interval, std::chrono::seconds(5)) << "that of its first input";
  EXPECT_EQ(config.sensors[4].formula->molar_mass, 64.066);
  EXPECT_EQ(config.sensors[6].formula->wrap, 65536u);
  EXPECT_EQ(config.sensors[6].formula->factor, 0.1);
}

TEST(Quality, CalibrationIsADateAPersonAndWhenItIsDue) {
  const Config config = good(sensor(
      "ph", "ph", R"(calibration = { date = "2026-05-01", due = "2026-11-01", person = "Sari" })"));
  EXPECT_EQ(config.sensors[0].calibrated->due, "2026-11-01");
  EXPECT_EQ(config.sensors[0].calibrated->person, "Sari");
}

TEST(Quality, MistakesSayWhereAndWhatToWrite) {
  EXPECT_EQ(mistake(sensor("ph", "ph", "quality = { expectd = { low = 1 } }")),
            "sensor[ph].quality.expectd: unknown key; did you mean \"expected\"?");
  EXPECT_EQ(mistake(sensor("ph", "ph", "quality = { expected = { low = 9, high = 6 } }")),
            "sensor[ph].quality.expected: low is not below high; exchange them");
  EXPECT_EQ(mistake(sensor("q", "flow", R"(range = { low = 0.0, high = 10.0 }
quality = { expected = { low = 20.0, high = 30.0 } })")),
            "sensor[q].quality.expected: lies wholly outside of the sensor's range: nothing could "
            "be good; correct one of the two");
  EXPECT_EQ(mistake(sensor("ph", "ph", "quality = { spike = {} }")),
            "sensor[ph].quality.spike: neither suspect nor bad; write spike = { suspect = 1.0, bad "
            "= 3.0 }");
  EXPECT_EQ(mistake(sensor("ph", "ph", "quality = { flat = { suspect = 9, bad = 4 } }")),
            "sensor[ph].quality.flat: suspect comes after bad; write suspect = 4, bad = 6 or the "
            "like");
  EXPECT_EQ(mistake(sensor("a", "pm1") +
                    sensor("b", "pm4", "quality = { at_most = { sensor = \"aa\" } }")),
            "sensor[b].quality.at_most.sensor: there is no sensor \"aa\"; did you mean \"a\"?");
  EXPECT_THAT(mistake(sensor("ph", "ph", "calibration = { date = \"2026-02-30\" }")),
              HasSubstr("\"2026-02-30\" is not a date; write it as"));
  EXPECT_EQ(mistake("[[sensor]]\nid = \"ph\"\nquantity = \"ph\"\n"),
            "sensor[ph].driver: is missing; write driver = \"wtp-plc\"");
  const std::string ec = sensor("ec", "conductivity");
  EXPECT_EQ(mistake(ec + computed("x", "conductivity_25",
                                  "correction = \"conductivity-25\"\nfrom = [\"ec\"]")),
            "sensor[x].from: names 1 sensors; \"conductivity-25\" is computed from 2");
  EXPECT_THAT(mistake(computed("x", "conductivity_25",
                               "correction = \"conductivity-25\"\nfrom = [\"ec\", \"x\"]") +
                      ec),
              HasSubstr("does not stand before this sensor"));
  EXPECT_EQ(mistake(ec + "from = [\"ec\"]\n"),
            "sensor[ec].from: belongs to a correction; add correction = \"…\", or remove it");
  EXPECT_THAT(mistake(sensor("q", "flow") +
                      computed("v", "energy", "correction = \"flow-integral\"\nfrom = [\"q\"]")),
              HasSubstr("up, not \"m³/h\""));
  EXPECT_THAT(mistake(ec + computed("x", "conductivity",
                                    "correction = \"table\"\nfrom = [\"ec\"]\nparameters = { "
                                    "points_from = [0, 5, 5], points_to = [0, 1, 2] }")),
              HasSubstr("points_from: does not ascend"));
}

constexpr const char* kPost = R"([[driver]]
name = "p"
plugin = "post"
)";

std::string posted(const std::string& id, const std::string& quantity,
                   const std::string& more = "") {
  return "[[sensor]]\nid = \"" + id + "\"\ndriver = \"p\"\nquantity = \"" + quantity +
         "\"\naddress = { topic = \"" + id + "\" }\n" + more + "\n";
}

TEST(Push, NothingIsExpectedOfADeviceThatSpeaksByItself) {
  const Config config =
      good(kPost + posted("a", "fill_level") + posted("b", "fill_level", "interval = \"15m\"") +
           posted("c", "fill_level", "quality = { stale = \"2h\" }"));
  ASSERT_EQ(config.sensors.size(), 3u);
  EXPECT_EQ(expected_every(config.sensors[0]), 0);
  EXPECT_EQ(config.sensors[0].rules->interval_ms, 0);
  EXPECT_EQ(config.sensors[0].rules->stale_ms, 0);  // never stale
  EXPECT_EQ(expected_every(config.sensors[1]), 900'000);
  EXPECT_EQ(config.sensors[1].rules->stale_ms, 2'700'000);
  EXPECT_EQ(config.sensors[2].rules->stale_ms, 7'200'000);
}

TEST(Push, TheDriversIntervalIsThatOfItsDevices) {
  const Config config =
      good(std::string(kPost) + "interval = \"10m\"\n" + posted("a", "fill_level"));
  ASSERT_EQ(config.sensors.size(), 1u);
  EXPECT_EQ(expected_every(config.sensors[0]), 600'000);
}

TEST(Push, WhatNeedsAnIntervalAsksForIt) {
  EXPECT_THAT(mistake(kPost + posted("q", "flow") +
                      computed("v", "volume", "correction = \"flow-integral\"\nfrom = [\"q\"]")),
              HasSubstr("nobody knows what a gap is"));
  good(kPost + posted("q", "flow") +
       computed(
           "v", "volume",
           "correction = \"flow-integral\"\nfrom = [\"q\"]\nparameters = { max_gap = \"1h\" }"));
  EXPECT_THAT(
      mistake(kPost + posted("q", "fill_level") +
              "[[indicator]]\nid = \"c\"\nstandard = \"data-capture\"\nsensors = [\"q\"]\n"),
      AllOf(HasSubstr("nothing is expected of \"q\""), HasSubstr("interval = \"15m\"")));
}

// An hour of a counter takes part if nothing is missing before it.
TEST(Push, ACounterIsComparedWithItsFlowIfItsIntervalIsKnown) {
  const std::string flow = posted("q", "flow", "interval = \"15m\"");
  const std::string check =
      "[[indicator]]\nid = \"c\"\nstandard = \"flow-check\"\n"
      "inputs = { volume = \"v\", flow = \"q\" }\n";
  EXPECT_THAT(mistake(kPost + flow + posted("v", "volume") + check),
              AllOf(HasSubstr("inputs.volume: nothing is expected of \"v\""),
                    HasSubstr("interval = \"15m\"")));
  const Config config = good(kPost + flow + posted("v", "volume", "interval = \"15m\"") + check);
  EXPECT_EQ(config.indicators.size(), 1u);
}

}  // namespace
}  // namespace gerbang::config
