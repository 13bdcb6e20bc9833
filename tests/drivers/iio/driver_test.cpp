// SPDX-License-Identifier: Apache-2.0
//
// The driver over a tree that looks like the kernel's: folders of devices, and links by number.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "drivers/rig.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class Sys {
 public:
  Sys() {
    fs::create_directories(folder_ / "bus/iio/devices");
    fs::create_directories(folder_ / "class/hwmon");
    fs::create_directories(folder_ / "bus/w1/devices");
  }
  std::string root() const { return folder_.path().string(); }

  // A chip at a place of a bus, and the link by which it is found: iio:deviceN.
  std::string iio(int number, const std::string& place, const std::string& name) {
    return device("bus/iio/devices/iio:device" + std::to_string(number),
                  "devices/platform/" + place + "/iio:device" + std::to_string(number), name);
  }
  std::string hwmon(int number, const std::string& name) {
    return device("class/hwmon/hwmon" + std::to_string(number),
                  "devices/virtual/hwmon" + std::to_string(number), name);
  }
  std::string w1(const std::string& id) {
    return device("bus/w1/devices/" + id, "devices/w1_bus_master1/" + id, id);
  }
  void write(const std::string& file, const std::string& text) { folder_.write(file, text + "\n"); }
  void remove(const std::string& place) {
    for (const char* bus : {"bus/iio/devices", "class/hwmon", "bus/w1/devices"})
      for (const auto& link : fs::directory_iterator(folder_ / bus))
        if (fs::weakly_canonical(link.path()) == fs::weakly_canonical(folder_ / place))
          fs::remove(link.path());
    fs::remove_all(folder_ / place);
  }

 private:
  std::string device(const std::string& link, const std::string& place, const std::string& name) {
    folder_.write(place + "/name", name + "\n");
    fs::create_directory_symlink(folder_ / place, folder_ / link);
    return place;
  }
  TempDir folder_;
};

class IioDriver : public testing::Test {
 protected:
  Sys sys;
  Rig rig{"iio"};
  Rig::Keys options() const { return {{"root", sys.root()}}; }
  gerbang_reading next(std::uint32_t sensor) {
    rig.readings.clear();
    EXPECT_TRUE(rig.poll_until([&] { return !rig.of(sensor).empty(); })) << rig.log;
    return rig.of(sensor).empty() ? gerbang_reading{} : rig.of(sensor).front();
  }
};

TEST_F(IioDriver, ReadsInputsAndRawChannelsWithScaleAndOffset) {
  const auto bme = sys.iio(0, "i2c-1/1-0076", "bme280");
  sys.write(bme + "/in_temp_input", "25080");
  sys.write(bme + "/in_pressure_input", "100.653250000");
  const auto adc = sys.iio(1, "spi0/spi0.0", "mcp3208");
  sys.write(adc + "/in_voltage0_raw", "1000");
  sys.write(adc + "/in_voltage_scale", "0.805664");
  sys.write(adc + "/in_voltage1_raw", "1000");
  sys.write(adc + "/in_voltage1_scale", "2");  // its own wins
  sys.write(adc + "/in_voltage1_offset", "-24");
  rig.sensor("t", {{"device", "bme280"}, {"channel", "temp"}});
  rig.sensor("p", {{"device", "bme280"}, {"channel", "in_pressure_input"}});
  rig.sensor("v0", {{"device", "mcp3208"}, {"channel", "voltage0"}});
  rig.sensor("v1", {{"device", "mcp3208"}, {"channel", "voltage1"}});
  ASSERT_EQ(rig.open(options()), GERBANG_OK) << rig.log;
  ASSERT_TRUE(rig.poll_until([&] { return rig.good(3) > 0; })) << rig.log;
  EXPECT_EQ(rig.of(0)[0].integer, 25080);
  EXPECT_DOUBLE_EQ(rig.of(1)[0].number, 100.65325);
  EXPECT_DOUBLE_EQ(rig.of(2)[0].number, 805.664);
  EXPECT_DOUBLE_EQ(rig.of(3)[0].number, 1952);
  EXPECT_EQ(rig.exchanges.at(0).device, "bme280");
}

TEST_F(IioDriver, FindsDevicesByNameAndPlaceAndNeverByNumber) {
  sys.write(sys.iio(0, "i2c-1/1-0076", "bme280") + "/in_temp_input", "1");
  sys.write(sys.iio(1, "i2c-3/3-0076", "bme280") + "/in_temp_input", "2");
  rig.sensor("second", {{"device", "bme280"}, {"path", "3-0076"}, {"channel", "temp"}});
  rig.sensor("either", {{"device", "bme280"}, {"channel", "temp"}});
  ASSERT_EQ(rig.open(options()), GERBANG_OK) << rig.log;
  EXPECT_EQ(next(0).integer, 2);
  EXPECT_EQ(next(1).reason, unsigned{GERBANG_REASON_NO_CONNECTION});
  EXPECT_THAT(rig.log, HasSubstr("2 devices are called bme280"));
  EXPECT_THAT(rig.log, HasSubstr("path"));
}

TEST_F(IioDriver, ADeviceThatIsUnpluggedIsMissingAndComesBackUnderAnotherNumber) {
  const auto place = sys.iio(0, "usb1/1-1", "sps30");
  sys.write(place + "/in_massconcentration_pm2p5_input", "12.34");
  rig.sensor("pm", {{"device", "sps30"}, {"channel", "massconcentration_pm2p5"}});
  ASSERT_EQ(rig.open(options()), GERBANG_OK);
  EXPECT_DOUBLE_EQ(next(0).number, 12.34);
  sys.remove(place);
  EXPECT_EQ(next(0).reason, unsigned{GERBANG_REASON_NO_CONNECTION});
  next(0);  // is looked for by name now
  EXPECT_THAT(rig.log, HasSubstr("there is no sps30"));
  sys.write(sys.iio(7, "usb1/1-2", "sps30") + "/in_massconcentration_pm2p5_input", "9.5");
  ASSERT_TRUE(rig.poll_until([&] { return rig.good(0) > 0; })) << rig.log;
  EXPECT_DOUBLE_EQ(rig.readings.back().number, 9.5);
  EXPECT_THAT(rig.log, HasSubstr("it is read again"));
}

TEST_F(IioDriver, ErrorsOfTheKernelAreMissingWithAReason) {
  const auto place = sys.iio(0, "i2c-1/1-0062", "scd4x");
  fs::create_directories(sys.root() + "/" + place + "/in_concentration_co2_input");  // EISDIR
  sys.write(place + "/in_temp_input", "warm");
  rig.sensor("co2", {{"device", "scd4x"}, {"channel", "concentration_co2"}});
  rig.sensor("t", {{"device", "scd4x"}, {"channel", "temp"}});
  rig.sensor("h", {{"device", "scd4x"}, {"channel", "humidity"}});
  ASSERT_EQ(rig.open(options()), GERBANG_OK);
  EXPECT_EQ(next(0).reason, unsigned{GERBANG_REASON_DEVICE_FAULT});
  EXPECT_EQ(next(1).reason, unsigned{GERBANG_REASON_PROTOCOL});
  EXPECT_EQ(next(2).reason, unsigned{GERBANG_REASON_PROTOCOL});
  EXPECT_THAT(rig.log, HasSubstr("scd4x has no channel humidity; it has: concentration_co2, temp"));
}

TEST_F(IioDriver, ReadsHwmonAndOneWire) {
  sys.write(sys.hwmon(3, "cpu_thermal") + "/temp1_input", "48312");
  const auto probe = sys.w1("28-0000098e8f2d");
  sys.write(probe + "/w1_slave",
            "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125");
  sys.write(sys.w1("28-000000000001") + "/temperature", "85000");
  rig.sensor("board", {{"hwmon", "cpu_thermal"}, {"channel", "temp1"}});
  rig.sensor("water", {{"w1", "28-0000098e8f2d"}});
  rig.sensor("cold-start", {{"w1", "28-000000000001"}});
  ASSERT_EQ(rig.open(options()), GERBANG_OK) << rig.log;
  EXPECT_EQ(next(0).integer, 48312);
  EXPECT_EQ(next(1).integer, 23125);
  const auto power_on = next(2);
  EXPECT_EQ(power_on.quality, unsigned{GERBANG_SUSPECT});
  EXPECT_EQ(power_on.reason, unsigned{GERBANG_REASON_WARM_UP});
  sys.write(probe + "/w1_slave",
            "72 01 4b 46 7f ff 0e 10 57 : crc=11 NO\n72 01 4b 46 7f ff 0e 10 57 t=23125");
  ASSERT_TRUE(rig.poll_until([&] { return rig.count(1, GERBANG_REASON_CRC) > 0; })) << rig.log;
}

TEST_F(IioDriver, CurrentLoopsHaveASpanAndFaultBands) {
  const auto adc = sys.iio(0, "i2c-1/1-0048", "ads1115");
  sys.write(adc + "/in_voltage0_input", "1200");  // over 100 Ω: 12 mA
  sys.write(adc + "/in_voltage1_input", "35");    // 0.35 mA: the wire is broken
  sys.write(adc + "/in_current2_input", "20.8");
  for (const char* channel : {"voltage0", "voltage1"})
    rig.sensor(channel, {{"device", "ads1115"},
                         {"channel", channel},
                         {"low", "0"},
                         {"high", "10"},
                         {"shunt", "100"}});
  rig.sensor("c", {{"device", "ads1115"}, {"channel", "current2"}, {"low", "0"}, {"high", "16"}});
  ASSERT_EQ(rig.open(options()), GERBANG_OK) << rig.log;
  EXPECT_DOUBLE_EQ(next(0).number, 5);
  EXPECT_EQ(next(1).reason, unsigned{GERBANG_REASON_DEVICE_FAULT});
  const auto saturated = next(2);
  EXPECT_EQ(saturated.quality, unsigned{GERBANG_SUSPECT});
  EXPECT_NEAR(saturated.number, 16.8, 1e-9);
}

TEST_F(IioDriver, AScanShowsEveryDeviceWithItsValuesReadyToPaste) {
  const auto place = sys.iio(0, "i2c-1/1-0076", "bme280");
  sys.write(place + "/in_temp_input", "25080");
  sys.write(place + "/in_humidityrelative_input", "61250");
  sys.write(sys.iio(1, "i2c-3/3-0076", "bme280") + "/in_temp_input", "26000");
  sys.write(sys.w1("28-0000098e8f2d") + "/temperature", "23125");
  sys.w1("00-400000000000");  // an adapter: no thermometer
  ASSERT_EQ(rig.scan(options()), GERBANG_OK) << rig.log;
  ASSERT_EQ(rig.scanned.size(), 3u);
  EXPECT_THAT(rig.scanned[0].second,
              HasSubstr("humidityrelative 61250 milli-%, temp 25080 milli-°C"));
  EXPECT_THAT(rig.scanned[0].first, HasSubstr("plugin = \"iio\""));
  EXPECT_THAT(rig.scanned[0].first, HasSubstr(R"(id = "1-0076-bme280-temp")"));
  EXPECT_THAT(rig.scanned[0].first,
              HasSubstr(R"(address = { device = "bme280", path = "1-0076", channel = "temp" })"));
  EXPECT_THAT(rig.scanned[1].first, HasSubstr(R"(path = "3-0076")"));
  EXPECT_THAT(rig.scanned[1].first, Not(HasSubstr("[[driver]]")));
  EXPECT_THAT(rig.scanned[2].first, HasSubstr(R"(address = { w1 = "28-0000098e8f2d" })"));
}

TEST(IioConfig, SaysWhatAnAddressLacks) {
  auto refusal = [](Rig::Keys address) {
    Rig rig("iio");
    rig.sensor("s", std::move(address));
    EXPECT_EQ(rig.open({}), GERBANG_CONFIG);
    return rig.log;
  };
  EXPECT_THAT(refusal({{"channel", "temp"}}), HasSubstr("name one of device"));
  EXPECT_THAT(refusal({{"device", "a"}, {"w1", "b"}}), HasSubstr("name one of device"));
  EXPECT_THAT(refusal({{"device", "bme280"}}), HasSubstr("channel is missing"));
  EXPECT_THAT(refusal({{"device", "../../etc"}, {"channel", "temp"}}), HasSubstr("no slash"));
  EXPECT_THAT(refusal({{"device", "a"}, {"channel", "voltage0"}, {"low", "0"}, {"high", "1"}}),
              HasSubstr("shunt"));
  EXPECT_THAT(refusal({{"device", "a"}, {"channel", "temp"}, {"low", "0"}, {"high", "1"}}),
              HasSubstr("must be a current"));
  EXPECT_THAT(refusal({{"device", "a"}, {"channel", "temp"}, {"shunt", "100"}}),
              HasSubstr("low and high too"));
}

TEST(IioDecode, ReadsWhatCatPrinted) {
  Rig rig("iio");
  const std::string text =
      "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n";
  ASSERT_EQ(rig.decode({}, {text.begin(), text.end()}), GERBANG_OK);
  EXPECT_EQ(rig.readings.at(0).integer, 23125);
  EXPECT_EQ(rig.log, "temperature milli-°C\n");
  const std::string bad = "hello\n";
  EXPECT_EQ(rig.decode({}, {bad.begin(), bad.end()}), GERBANG_CONFIG);
  EXPECT_THAT(rig.log, HasSubstr("no number"));
}

}  // namespace
}  // namespace gerbang::test
