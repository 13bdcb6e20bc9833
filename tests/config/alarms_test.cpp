// SPDX-License-Identifier: Apache-2.0
//
// [[alarm]] and [alarms]: what is understood, and what is said of mistakes.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "config/fixture.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::config {
namespace {

constexpr const char* kPlant = R"([gateway]
id = "g"
region = "r"
site = "s"
timezone = "Asia/Jakarta"
[[uplink]]
name = "regional"
url = "mqtt://127.0.0.1"
[[driver]]
name = "line"
plugin = "simulator"
[[sensor]]
id = "chlorine"
driver = "line"
quantity = "free_chlorine"
label = { ind = "Sisa klor", eng = "Chlorine" }
address = { signal = "a" }
[[sensor]]
id = "air"
driver = "line"
quantity = "air_temperature"
interval = "5m"
address = { signal = "b" }
[[sensor]]
id = "dust"
driver = "line"
quantity = "pm2_5"
address = { signal = "c" }
[[indicator]]
id = "ispu"
standard = "ispu"
inputs = { pm2_5 = "dust" }
)";

class AlarmKeys : public testing::Test {
 protected:
  LoadResult load_text(const std::string& more) {
    const auto path = dir_ / "gerbang.toml";
    std::ofstream(path) << kPlant << more;
    return load(path, test::context());
  }
  const Alarm& good(const std::string& more) {
    result_ = load_text(more);
    EXPECT_TRUE(result_.config) << (result_.errors.empty() ? "" : text(result_.errors[0]));
    return result_.config->alarms.all.at(0);
  }
  // The sentence of the one mistake.
  std::string wrong(const std::string& more) {
    result_ = load_text(more);
    EXPECT_FALSE(result_.config);
    std::string out;
    for (const Diagnostic& d : result_.errors)
      out += (out.empty() ? "" : " | ") + d.key + ": " + d.what + "; " + d.remedy;
    return out;
  }
  std::vector<std::string> ids() {
    std::vector<std::string> out;
    for (const Alarm& alarm : result_.config->alarms.all) out.push_back(alarm.id);
    return out;
  }

  test::TempDir dir_;
  LoadResult result_;
};

TEST_F(AlarmKeys, AThresholdCarriesItsUnitAndGetsWordsInBothLanguages) {
  const Alarm& alarm = good(R"([[alarm]]
id = "chlorine-low"
sensor = "chlorine"
below = "200 ug/L"
hysteresis = "50 ug/L"
hold = "30s"
severity = "high"
)");
  EXPECT_EQ(alarm.watch, alarm::Watch::reading);
  EXPECT_EQ(alarm.sensor, 0u);
  EXPECT_FALSE(alarm.above);
  ASSERT_TRUE(alarm.below);
  EXPECT_NEAR(*alarm.below, 0.2, 1e-12);
  EXPECT_NEAR(alarm.hysteresis, 0.05, 1e-12);
  EXPECT_EQ(alarm.hold.count(), 30'000);
  EXPECT_EQ(alarm.severity, "high");
  EXPECT_EQ(alarm.text.ind, "Sisa klor di bawah 0,2 mg/L");
  EXPECT_EQ(alarm.text.eng, "Chlorine below 0.2 mg/L");
  EXPECT_FALSE(alarm.advice.ind.empty());
  EXPECT_EQ(alarm.advice.ind.find('{'), std::string::npos);
}

TEST_F(AlarmKeys, AHysteresisIsADifferenceAndNoTemperature) {
  const Alarm& alarm = good(R"([[alarm]]
id = "hot"
sensor = "air"
above = "95 degF"
hysteresis = "9 degF"
)");
  EXPECT_NEAR(*alarm.above, 35, 1e-9);
  EXPECT_NEAR(alarm.hysteresis, 5, 1e-9);
}

TEST_F(AlarmKeys, WindowsRatesSilenceAndQuality) {
  good(R"([[alarm]]
id = "a"
sensor = "chlorine"
on = "1h"
statistic = "minimum"
below = 0.2
[[alarm]]
id = "b"
sensor = "chlorine"
on = "rate"
above = 0.5
[[alarm]]
id = "c"
sensor = "air"
on = "stale"
span = "15m"
[[alarm]]
id = "d"
sensor = "air"
on = "quality"
flag = "suspect"
hold = "1h"
text = "Lihat sensor"
[[alarm]]
id = "e"
indicator = "ispu"
categories = ["BERBAHAYA"]
)");
  const auto& all = result_.config->alarms.all;
  EXPECT_EQ(all[0].window_ms, 3'600'000);
  EXPECT_EQ(all[0].statistic, "minimum");
  EXPECT_EQ(all[0].text.eng, "Chlorine, lowest value of 1h, below 0.2 mg/L");
  EXPECT_EQ(all[1].span.count(), 60'000) << "the default of a rate";
  EXPECT_EQ(all[2].watch, alarm::Watch::stale);
  EXPECT_TRUE(all[3].suspect);
  EXPECT_EQ(all[3].text.eng, "Lihat sensor") << "one text is for both";
  EXPECT_EQ(all[4].source, "ispu");
  EXPECT_EQ(all[4].text.ind, "Indikator Indeks Standar Pencemar Udara (ISPU): Berbahaya");
  EXPECT_EQ(all[4].text.eng, "Indicator Air pollution standard index (ISPU): Hazardous");
  EXPECT_EQ(all[4].categories, std::vector<std::string>{"Berbahaya"}) << "as it is compared";
}

TEST_F(AlarmKeys, TheGatewaysOwnAreOnAndCanBeSwitchedOffOrReplaced) {
  result_ = load_text("");
  ASSERT_TRUE(result_.config);
  EXPECT_EQ(ids(),
            (std::vector<std::string>{"driver-line-down", "uplink-regional-down", "store-degraded",
                                      "store-damaged", "clock-untrusted", "no-readings"}));
  const Alarm driver = result_.config->alarms.all[0];
  EXPECT_TRUE(driver.built_in);
  EXPECT_EQ(driver.text.eng, "Driver line is not running");
  EXPECT_GT(driver.hold.count(), 0);

  good(R"([alarms]
off = ["clock-untrusted", "store-damaged"]
[[alarm]]
id = "driver-line-down"
condition = "driver-line-down"
severity = "critical"
)");
  EXPECT_EQ(ids(), (std::vector<std::string>{"driver-line-down", "uplink-regional-down",
                                             "store-degraded", "no-readings"}));
  EXPECT_EQ(result_.config->alarms.all[0].severity, "critical");
  EXPECT_EQ(result_.config->alarms.all[0].hold, driver.hold) << "not said: as built in";
  result_ = load_text("[alarms]\nbuilt_in = false\n");
  EXPECT_EQ(ids(), std::vector<std::string>{});
}

TEST_F(AlarmKeys, MistakesSayWhatToWriteInstead) {
  const std::string head = "[[alarm]]\nid = \"x\"\n";
  auto has = [&](const std::string& more, const std::string& part) {
    const std::string said = wrong(more);
    EXPECT_NE(said.find(part), std::string::npos) << said;
  };
  has(head + "above = 1\n", "it watches nothing; add sensor");
  has(head + "sensor = \"clorine\"\nabove = 1\n", "did you mean \"chlorine\"?");
  has(head + "sensor = \"chlorine\"\n", "neither above nor below");
  has(head + "sensor = \"chlorine\"\nindicator = \"ispu\"\nabove = 1\n",
      "alarm[x].indicator: sensor is given too");
  has(head + "sensor = \"chlorine\"\nabove = \"1 m\"\n", "alarm[x].above");
  has(head + "sensor = \"chlorine\"\nabove = \"much\"\n", "\"much\" is not an amount");
  has(head + "sensor = \"chlorine\"\nabove = 1\nbelow = 2\n", "nothing is left between");
  has(head + "sensor = \"chlorine\"\nabove = 1\nhysteresis = -1\n", "it is negative");
  has(head + "sensor = \"chlorine\"\non = \"2h\"\nabove = 1\n", "windows.default: \"1m\"");
  has(head + "sensor = \"air\"\non = \"1m\"\nabove = 1\n", "takes no part in these windows");
  has(head + "sensor = \"air\"\non = \"stale\"\n", "span is missing");
  has(head + "sensor = \"air\"\non = \"stale\"\nspan = \"1m\"\n", "every \"5m\" only");
  has(head + "sensor = \"air\"\non = \"rate\"\nabove = 1\n", "every \"5m\" only");
  const std::string pushed =
      "[[driver]]\nname = \"radio\"\nplugin = \"post\"\n[[sensor]]\nid = \"bin\"\ndriver = "
      "\"radio\"\n"
      "quantity = \"air_temperature\"\naddress = { topic = \"bin\" }\n";
  has(pushed + head + "sensor = \"bin\"\non = \"rate\"\nabove = 1\n",
      "the device speaks by itself");
  has(head + "sensor = \"air\"\non = \"stale\"\nspan = \"1h\"\nabove = 1\n",
      "alarm[x].above: it has no effect");
  has(head + "sensor = \"air\"\nabove = 1\nspan = \"1h\"\n", "alarm[x].span: it has no effect");
  has(head + "sensor = \"chlorine\"\non = \"1m\"\nstatistic = \"delta\"\nabove = 1\n",
      "only counters and events");
  has(head + "condition = \"driver-lime-down\"\n", "did you mean \"driver-line-down\"?");
  has(head + "indicator = \"ispu\"\n", "categories");
  has(head + "indicator = \"ispy\"\nabove = 100\n", "did you mean \"ispu\"?");
  has(head + "indicator = \"ispu\"\ncategories = [\"Sedang\", \"Tidak Shat\"]\n",
      "alarm[x].categories: \"ispu\" has no category \"Tidak Shat\"; did you mean \"Tidak "
      "Sehat\"?");
  has("[alarms]\noff = [\"driver-down\"]\n", "there is no built-in alarm \"driver-down\"");
  has(head + "sensor = \"air\"\nabove = 1\n" + head + "sensor = \"air\"\nabove = 2\n",
      "a second alarm \"x\"");
  has(head + "sensor = \"air\"\nabov = 1\nbelow = 3\n", "did you mean \"above\"?");
}

}  // namespace
}  // namespace gerbang::config
