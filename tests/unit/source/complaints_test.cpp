// SPDX-License-Identifier: Apache-2.0
#include "source/complaints.hpp"

#include <gtest/gtest.h>

namespace gerbang::source {
namespace {

DriverSpec line_of(const std::vector<std::string>& ids) {
  DriverSpec spec;
  spec.name = "plc";
  for (const std::string& id : ids) {
    SensorSpec sensor;
    sensor.index = static_cast<std::uint32_t>(10 + spec.sensors.size());
    sensor.id = id;
    spec.sensors.push_back(std::move(sensor));
  }
  return spec;
}

TEST(ComplaintOf, TakesTheNameOfTheSensorOff) {
  const DriverSpec spec = line_of({"raw", "raw-ph"});
  for (const char* said :
       {"open: sensor raw-ph: address: bit is 16; write 0 to 15",
        "sensor raw-ph: address: bit is 16; write 0 to 15", "raw-ph: bit is 16; write 0 to 15"}) {
    const Complaint out = complaint_of(spec, said);
    EXPECT_EQ(out.driver, "plc");
    EXPECT_EQ(out.sensor, 11u) << said;
    EXPECT_EQ(out.text, "bit is 16; write 0 to 15");
  }
}

TEST(ComplaintOf, MeansTheSensorThatIsNamedFirst) {
  const DriverSpec spec = line_of({"raw", "raw-ph"});
  EXPECT_EQ(
      complaint_of(spec, "open: sensor raw-ph: address: is read by sensor raw already").sensor,
      11u);
  const Complaint late = complaint_of(spec, "no room for sensor raw-ph beside sensor raw");
  EXPECT_EQ(late.sensor, 11u);
  EXPECT_EQ(late.text, "no room for sensor raw-ph beside sensor raw");
}

TEST(ComplaintOf, MayBeOfTheWholeLine) {
  const DriverSpec spec = line_of({"raw", "raw-ph"});
  for (const char* said :
       {"device is not given", "sensor raw-p: address: x", "rawness: too much"}) {
    const Complaint out = complaint_of(spec, said);
    EXPECT_FALSE(out.sensor) << said;
    EXPECT_EQ(out.text, said);
  }
}

}  // namespace
}  // namespace gerbang::source
