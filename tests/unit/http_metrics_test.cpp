// SPDX-License-Identifier: Apache-2.0
#include "http/metrics.hpp"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "support/http_example.hpp"

namespace gerbang::http {
namespace {

using test::example_snapshot;
using test::give;

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(Metrics, TheNamesOfTheContractAreThere) {
  std::string text = metrics_text(example_snapshot());
  for (const char* line : {
           "gerbang_build_info{version=\"0.1.0\",commit=\"abcdef123456\"} 1",
           "gerbang_sensor_value{sensor=\"raw-ph\",quantity=\"ph\",unit=\"1\"} 7.214",
           "gerbang_sensor_last_reading_timestamp_seconds{sensor=\"raw-ph\"} 1767247379.6",
           "gerbang_readings_total{sensor=\"raw-ph\",flag=\"good\"} 1",
           "gerbang_driver_up{driver=\"wtp-plc\"} 1",
           "gerbang_driver_up{driver=\"rs485-a\"} 0",
           "gerbang_driver_restarts_total{driver=\"rs485-a\"} 5",
           "gerbang_device_requests_total{driver=\"wtp-plc\",device=\"unit 1\",result=\"ok\"} 7180",
           "gerbang_uplink_connected{uplink=\"ministry\"} 0",
           "gerbang_uplink_waiting_messages{uplink=\"ministry\"} 400",
           "gerbang_uplink_oldest_waiting_timestamp_seconds{uplink=\"regional\"} 1767247378.5",
           "gerbang_uplink_unheard_total{uplink=\"regional\"} 0",
           "gerbang_store_bytes 12582912",
           "gerbang_store_commit_seconds_sum 14.4",
           "gerbang_store_commit_seconds_count 7200",
           "gerbang_clock_trusted 1",
           "gerbang_ledger_difference 0",
           "gerbang_ledger_sensor_readings_total{sensor=\"raw-ph\",quantity=\"ph\",stage=\"taken\"}"
           " 606",
           "gerbang_ledger_sensor_waiting_readings{sensor=\"raw-ph\",quantity=\"ph\",for="
           "\"folding\"} 19",
           "gerbang_ledger_sensor_readings_total{sensor=\"\",quantity=\"\",stage=\"rejected\"} 4",
           "gerbang_ledger_sensor_difference{sensor=\"raw-ph\",quantity=\"ph\"} 0",
           "gerbang_journal_on 1",
       })
    EXPECT_TRUE(has_line(text, line)) << line << "\n" << text;
}

TEST(Metrics, BadAndMissingValuesAreAbsent) {
  std::string text = metrics_text(example_snapshot());
  EXPECT_EQ(text.find("gerbang_sensor_value{sensor=\"chlorine\""), std::string::npos);
  EXPECT_EQ(text.find("gerbang_sensor_value{sensor=\"total\""), std::string::npos);
  EXPECT_TRUE(has_line(text, "gerbang_sensor_flag{sensor=\"chlorine\"} 4"));
  EXPECT_TRUE(has_line(text, "gerbang_sensor_flag{sensor=\"total\"} 9"));
}

TEST(Metrics, SensorsThatLeftShareOneSetOfLines) {
  Snapshot now = example_snapshot();
  std::size_t before = metrics_text(now).size();
  for (int i = 0; i < 1000; ++i) {
    now.ledger.push_back(now.ledger[1]);
    now.ledger.back().sensor = "gone-" + std::to_string(i);
  }
  EXPECT_LT(metrics_text(now).size(), before + 200);
}

TEST(Metrics, LabelsAreEscapedAndStayUtf8) {
  Snapshot now = example_snapshot();
  now.drivers[0].devices[0].device = "a\"b\\c\nd\xFF é";
  std::string text = metrics_text(now);
  EXPECT_NE(text.find("device=\"a\\\"b\\\\c\\nd\xEF\xBF\xBD é\""), std::string::npos) << text;
}

TEST(Metrics, EverySampleFollowsItsHelpAndTypeAndNoneIsRepeated) {
  std::istringstream lines(metrics_text(example_snapshot()));
  std::string line, family, type;
  std::set<std::string> families, samples;
  while (std::getline(lines, line)) {
    if (line.starts_with("# HELP ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(families.insert(family).second) << family;
      ASSERT_TRUE(std::getline(lines, line));
      ASSERT_TRUE(line.starts_with("# TYPE " + family + " ")) << line;
      type = line.substr(("# TYPE " + family + " ").size());
      EXPECT_EQ(type == "counter", family.ends_with("_total")) << family;
      continue;
    }
    std::string sample = line.substr(0, line.rfind(' '));
    EXPECT_TRUE(samples.insert(sample).second) << sample;
    EXPECT_TRUE(sample.starts_with(family)) << sample;
  }
}

TEST(Metrics, NumbersThatAreNoneAreWrittenAsPrometheusReadsThem) {
  Snapshot now = example_snapshot();
  now.loop.last_lag_seconds = std::numeric_limits<double>::infinity();
  now.store.commit_seconds_max = std::numeric_limits<double>::quiet_NaN();
  std::string text = metrics_text(now);
  EXPECT_TRUE(has_line(text, "gerbang_loop_lag_seconds +Inf"));
  EXPECT_TRUE(has_line(text, "gerbang_store_worst_commit_seconds NaN"));
}

}  // namespace
}  // namespace gerbang::http
