// SPDX-License-Identifier: Apache-2.0
#include "iio/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace gerbang::iio {
namespace {

using testing::ElementsAre;

// As a kernel prints it.
constexpr const char* kW1 =
    "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n";

TEST(IioText, ReadsTheNumbersOfSysfs) {
  EXPECT_EQ(number_of("25080\n")->integer, 25080);
  EXPECT_TRUE(number_of("-5\n")->is_integer);
  EXPECT_DOUBLE_EQ(number_of("100.653250000\n")->real, 100.65325);
  EXPECT_DOUBLE_EQ(number_of("0.000000015\n")->real, 1.5e-8);
  EXPECT_DOUBLE_EQ(number_of("1.5 dB\n")->real, 1.5);
  for (const char* text : {"", "\n", "x\n", "12x\n"})
    EXPECT_EQ(number_of(text).error().reason, GERBANG_REASON_PROTOCOL) << text;
  EXPECT_EQ(number_of("nan\n").error().reason, GERBANG_REASON_NOT_A_NUMBER);
}

TEST(IioText, AppliesOffsetBeforeScaleAsTheKernelSays) {
  // The manual's example: (raw + offset) × scale.
  const Number raw{true, 1000, 0};
  EXPECT_DOUBLE_EQ(processed(raw, Number{true, -200, 0}, Number{false, 0, 0.125}).real, 100);
  EXPECT_DOUBLE_EQ(processed(raw, std::nullopt, Number{false, 0, 0.5}).real, 500);
  EXPECT_DOUBLE_EQ(processed(raw, Number{true, 5, 0}, std::nullopt).real, 1005);
  EXPECT_TRUE(processed(raw, std::nullopt, std::nullopt).is_integer);
}

TEST(IioText, ATemperatureOfOneWireNeedsItsChecksum) {
  EXPECT_EQ(w1_of(kW1)->integer, 23125);
  EXPECT_EQ(w1_of("f8 ff 4b 46 7f ff 0c 10 5b : crc=5b YES\nf8 ff 4b 46 7f ff 0c 10 5b t=-500\n")
                ->integer,
            -500);
  EXPECT_EQ(w1_of("72 01 4b 46 7f ff 0e 10 57 : crc=00 NO\n72 01 4b 46 7f ff 0e 10 57 t=23125\n")
                .error()
                .reason,
            GERBANG_REASON_CRC);
  EXPECT_EQ(w1_of("00 00 00 00 00 00 00 00 00 : crc=00 YES\n00 00 00 00 00 00 00 00 00 t=0\n")
                .error()
                .reason,
            GERBANG_REASON_DEVICE_FAULT);
  for (const char* text : {"", "23125\n", "72 : crc=57 YES\n", "72 : crc=57 YES\n72 t=\n",
                           "72 : crc=57 YES\n72 t=1.5\n"})
    EXPECT_EQ(w1_of(text).error().reason, GERBANG_REASON_PROTOCOL) << text;
}

TEST(IioText, EightyFiveDegreesOutOfNowhereIsThePowerOnValue) {
  EXPECT_TRUE(looks_like_power_on(85'000, std::nullopt));
  EXPECT_TRUE(looks_like_power_on(85'000, 27'000));
  EXPECT_FALSE(looks_like_power_on(85'000, 84'500));
  EXPECT_FALSE(looks_like_power_on(84'937, 27'000));
}

TEST(IioText, ChannelsAndTheirScales) {
  EXPECT_EQ(channel_of("in_temp_input"), "temp");
  EXPECT_EQ(channel_of("in_voltage0_raw"), "voltage0");
  EXPECT_EQ(channel_of("temp1_input"), "temp1");
  EXPECT_EQ(channel_of("massconcentration_pm2p5"), "massconcentration_pm2p5");
  EXPECT_THAT(owners_of("voltage0"), ElementsAre("voltage0", "voltage"));
  EXPECT_THAT(owners_of("concentration_co2"),
              ElementsAre("concentration_co2", "concentration_co", "concentration"));
  EXPECT_THAT(owners_of("voltage0-voltage1"), ElementsAre("voltage0-voltage1", "voltage-voltage"));
}

TEST(IioText, UnitsAreThoseOfTheKernelsAbi) {
  EXPECT_EQ(unit_of(Bus::iio, "temp"), "milli-°C");
  EXPECT_EQ(unit_of(Bus::iio, "massconcentration_pm10"), "µg/m³");
  EXPECT_EQ(unit_of(Bus::iio, "concentration_co2"), "%");
  EXPECT_EQ(unit_of(Bus::iio, "voltage3"), "mV");
  EXPECT_EQ(unit_of(Bus::hwmon, "in0"), "mV");
  EXPECT_EQ(unit_of(Bus::hwmon, "intrusion0"), "");
  EXPECT_EQ(unit_of(Bus::hwmon, "curr1"), "mA");
  EXPECT_EQ(unit_of(Bus::w1, ""), "milli-°C");
}

TEST(IioText, ErrorsOfTheKernelHaveTheirReasons) {
  EXPECT_EQ(reason_of(EAGAIN), GERBANG_REASON_TIMEOUT);
  EXPECT_EQ(reason_of(ETIMEDOUT), GERBANG_REASON_TIMEOUT);
  EXPECT_EQ(reason_of(EIO), GERBANG_REASON_DEVICE_FAULT);
  EXPECT_EQ(reason_of(ENODEV), GERBANG_REASON_NO_CONNECTION);
  EXPECT_EQ(reason_of(EBADMSG), GERBANG_REASON_CRC);
}

}  // namespace
}  // namespace gerbang::iio
