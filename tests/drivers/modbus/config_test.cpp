// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/rig.hpp"

namespace gerbang::test {
namespace {

using testing::HasSubstr;

std::string refusal(std::vector<Rig::Keys> addresses, Rig::Keys options) {
  Rig rig;
  for (auto& address : addresses)
    rig.sensor("s" + std::to_string(&address - addresses.data()), std::move(address));
  EXPECT_EQ(rig.open(std::move(options)), GERBANG_CONFIG);
  return rig.log;
}

TEST(ModbusConfig, SaysWhichSensorIsWrongAndWhy) {
  const Rig::Keys tcp{{"host", "127.0.0.1"}};
  EXPECT_THAT(refusal({{{"register", "1"}, {"manual", "40001"}}}, tcp), HasSubstr("sensor s0"));
  EXPECT_THAT(
      refusal({{{"register", "0"}}, {{"manual", "40001"}}}, tcp),
      HasSubstr("address: register 0 (holding) of unit 1 is read by sensor \"s0\" already"));
  EXPECT_THAT(refusal({{{"register", "0"}, {"type", "float64"}}},
                      {{"host", "127.0.0.1"}, {"max_registers", "2"}}),
              HasSubstr("max_registers"));
}

TEST(ModbusConfig, SaysWhichOptionIsMissingOrImpossible) {
  EXPECT_THAT(refusal({}, {{"transport", "tcp"}}), HasSubstr("host is not given"));
  EXPECT_THAT(refusal({}, {{"transport", "rtu"}}), HasSubstr("device is not given"));
  EXPECT_THAT(refusal({}, {{"transport", "rtu"}, {"device", "/dev/null"}, {"baud", "9601"}}),
              HasSubstr("baud = 9601"));
  EXPECT_THAT(refusal({{{"unit", "250"}, {"register", "0"}}},
                      {{"transport", "rtu"}, {"device", "/dev/null"}}),
              HasSubstr("0 to 247"));
}

TEST(ModbusConfig, BitsOfOneRegisterAreDifferentSensors) {
  Rig rig;
  rig.sensor("a", {{"register", "0"}, {"bit", "0"}});
  rig.sensor("b", {{"register", "0"}, {"bit", "1"}});
  rig.sensor("c", {{"register", "0"}});
  rig.sensor("d", {{"register", "0"}, {"bit", "0"}, {"order", "ba"}});
  EXPECT_EQ(rig.open({{"host", "127.0.0.1"}}), GERBANG_OK) << rig.log;
}

TEST(ModbusConfig, OnePlaceIsReadOnceHoweverItIsWritten) {
  const Rig::Keys tcp{{"host", "127.0.0.1"}};
  EXPECT_THAT(refusal({{{"register", "0"}, {"bit", "0"}},
                       {{"manual", "40001"}, {"bit", "8"}, {"order", "ba"}}},
                      tcp),
              HasSubstr("register 0 bit 8 (holding) of unit 1 is read by sensor \"s0\" already, as "
                        "bit 0 of the other byte order; correct one of the two"));
  EXPECT_THAT(refusal({{{"register", "0"}, {"bit", "8"}}, {{"register", "0"}, {"bit", "8"}}}, tcp),
              HasSubstr("register 0 bit 8 (holding) of unit 1 is read by sensor \"s0\" already; "));
  EXPECT_THAT(
      refusal({{{"register", "0"}}, {{"register", "0"}, {"order", "ba"}}}, tcp),
      HasSubstr("register 0 (holding) of unit 1 is read by sensor \"s0\" already; correct"));
}

TEST(ModbusConfig, ValuesShareNoRegisterUnlessEachNumberIsAValueOfItsOwn) {
  const auto values = [](Rig& rig) {
    rig.sensor("wide", {{"register", "0"}, {"type", "float32"}});
    rig.sensor("next", {{"register", "1"}, {"type", "float32"}});
  };
  Rig registers;
  values(registers);
  EXPECT_EQ(registers.open({{"host", "127.0.0.1"}}), GERBANG_CONFIG);
  EXPECT_THAT(registers.log,
              HasSubstr("sensor next: address: register 1 to 2 overlaps sensor \"wide\", "
                        "which reads 0 to 1; "));
  Rig numbers;
  values(numbers);
  EXPECT_EQ(numbers.open({{"host", "127.0.0.1"}, {"one_request_per_sensor", "true"}}), GERBANG_OK)
      << numbers.log;
}

TEST(ModbusDecode, DecodesACapturedAnswerByTypeAndOrder) {
  Rig rig;
  // Supmea SUP-LDG, its manual's flow frame, and two probes' registers.
  ASSERT_EQ(rig.decode({{"type", "float32"}, {"order", "cdab"}},
                       {0x08, 0x04, 0x04, 0x22, 0x6E, 0x41, 0x3F, 0x79, 0x61}),
            GERBANG_OK);
  ASSERT_EQ(rig.readings.size(), 1u);
  EXPECT_NEAR(rig.readings[0].number, 11.9459, 1e-4);
  rig.readings.clear();
  ASSERT_EQ(rig.decode({}, {0x01, 0x03, 0x04, 0x02, 0xBC, 0x01, 0x16, 0xBA, 0x31}), GERBANG_OK);
  ASSERT_EQ(rig.readings.size(), 2u);
  EXPECT_EQ(rig.readings[0].integer, 700);
  EXPECT_EQ(rig.readings[1].sensor, 1u);
  EXPECT_EQ(rig.readings[1].integer, 278);
  rig.readings.clear();
  ASSERT_EQ(rig.decode({{"type", "uint32"}}, {0, 1, 0, 0, 0, 4, 1, 1, 1, 0x05}), GERBANG_OK);
  ASSERT_EQ(rig.readings.size(), 8u);  // coils, whatever the type of registers is
  EXPECT_EQ(rig.readings[2].integer, 1);
}

TEST(ModbusDecode, NamesEveryReadingInItsOwnLine) {
  Rig rig;
  ASSERT_EQ(rig.decode({}, {0x01, 0x03, 0x04, 0x02, 0xBC, 0x01, 0x16, 0xBA, 0x31}), GERBANG_OK);
  EXPECT_EQ(rig.log, "holding+0\nholding+1\n");
  rig.log.clear();
  rig.readings.clear();
  // With its question the registers are known, and an answer of bits ends where it was asked to.
  ASSERT_EQ(rig.decode({}, {0, 1, 0, 0, 0, 6, 1, 1, 0, 19, 0, 3, 0, 1, 0, 0, 0, 4, 1, 1, 1, 5}),
            GERBANG_OK);
  EXPECT_EQ(rig.log, "coil[19]\ncoil[20]\ncoil[21]\n");
  EXPECT_EQ(rig.readings.size(), 3u);
}

TEST(ModbusDecode, ARegisterTooManyIsSaidAndTheRestDecoded) {
  Rig rig;
  ASSERT_EQ(rig.decode({{"type", "float32"}}, {0, 1, 0, 0, 0, 9, 1, 3, 6, 0x41, 0x20, 0, 0, 0, 7}),
            GERBANG_OK);
  ASSERT_EQ(rig.readings.size(), 1u);
  EXPECT_EQ(rig.readings[0].number, 10.0);
  EXPECT_THAT(rig.log, HasSubstr("the last 1 of 3 registers are left over"));
}

TEST(ModbusDecode, RefusesWithTheReason) {
  Rig rig;
  EXPECT_EQ(rig.decode({}, {0x01, 0x03, 0x00, 0x00, 0x00, 0x02, 0xC4, 0x0B}), GERBANG_CONFIG);
  EXPECT_THAT(rig.log, HasSubstr("This is a question"));
  EXPECT_NE(rig.decode({}, {0x01, 0x03, 0x02, 0x02, 0xBC, 0x00, 0x00}), GERBANG_OK);
  EXPECT_THAT(rig.log, HasSubstr("checksum"));
  EXPECT_NE(rig.decode({}, {0x01, 0x83, 0x02, 0xC0, 0xF1}), GERBANG_OK);
  EXPECT_THAT(rig.log, HasSubstr("ILLEGAL DATA ADDRESS"));
  EXPECT_NE(rig.decode({{"type", "float32"}}, {0x01, 0x03, 0x02, 0x00, 0x05, 0x78, 0x47}),
            GERBANG_OK);
  EXPECT_THAT(rig.log, HasSubstr("no multiple of the 2"));
  EXPECT_NE(rig.decode({}, {}), GERBANG_OK);
  EXPECT_TRUE(rig.readings.empty());
}

}  // namespace
}  // namespace gerbang::test
