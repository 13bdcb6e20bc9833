// SPDX-License-Identifier: Apache-2.0
#include "config/refusal.hpp"

#include <gtest/gtest.h>

namespace gerbang::config {
namespace {

// Two sensors of one driver; the second of a device.
LoadResult loaded() {
  Config config;
  config.files = {"main.toml", "lines.toml"};
  Driver driver;
  driver.name = "plc";
  driver.plugin = "modbus";
  driver.place = {"lines.toml", 3, 1};
  config.drivers.push_back(std::move(driver));
  Sensor by_hand, of_device;
  by_hand.id = "flow";
  by_hand.place = {"main.toml", 20, 1};
  of_device.id = "reservoir-ph";
  of_device.device = "reservoir";
  of_device.place = {"main.toml", 9, 1};
  config.sensors = {by_hand, of_device};
  LoadResult out;
  out.config = std::move(config);
  return out;
}

TEST(Refusal, IsAMistakeWhereItWasWritten) {
  LoadResult result = loaded();
  refuse(result, {{"plc", std::nullopt, "host is not given"},
                  {"plc", 0, "bit = 16 is outside 0 to 15; write 15"},
                  {"plc", 1, "unit = 248 is outside 0 to 247 on RTU"}});
  EXPECT_FALSE(result.config);
  ASSERT_EQ(result.errors.size(), 3u);
  EXPECT_EQ(text(result.errors[0]),
            "main.toml:9:1: device[reservoir].ph.address: unit = 248 is outside 0 to 247 on RTU; "
            "gerbangctl drivers modbus lists what it understands");
  EXPECT_EQ(text(result.errors[1]),
            "main.toml:20:1: sensor[flow].address: bit = 16 is outside 0 to 15; write 15");
  EXPECT_EQ(text(result.errors[2]),
            "lines.toml:3:1: driver[plc]: host is not given; gerbangctl drivers modbus lists what "
            "it understands");
}

TEST(Refusal, OfNobodyLeavesTheConfiguration) {
  LoadResult result = loaded();
  refuse(result, {});
  EXPECT_TRUE(result.config);
  EXPECT_TRUE(result.errors.empty());
}

}  // namespace
}  // namespace gerbang::config
