// SPDX-License-Identifier: Apache-2.0
//
// Loops behind a Modbus module, through the driver as the host loads it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/rig.hpp"
#include "scripted_server.hpp"

namespace gerbang::test {
namespace {

using testing::HasSubstr;

TEST(AnalogOverModbus, CurrentsInMicroamperesAreValuesFaultsAndSuspects) {
  // Register r of unit 1 holds 100 + r: with loop_scale each register is another current.
  ScriptedServer server(&ScriptedServer::answer);
  const Rig::Keys options{{"host", "127.0.0.1"}, {"port", std::to_string(server.port())}};
  Rig rig;
  auto loop = [&](const char* id, const char* reg, const char* scale) {
    rig.sensor(id, {{"register", reg}, {"low", "0"}, {"high", "10"}, {"loop_scale", scale}});
  };
  loop("half", "20", "0.1");        // 120 → 12 mA
  loop("broken", "0", "0.01");      // 100 → 1 mA
  loop("saturated", "106", "0.1");  // 206 → 20.6 mA
  rig.sensor("plain", {{"register", "1"}});
  ASSERT_EQ(rig.open(options), GERBANG_OK) << rig.log;
  ASSERT_TRUE(rig.poll_until([&] {
    return !rig.of(0).empty() && !rig.of(1).empty() && !rig.of(2).empty() && !rig.of(3).empty();
  })) << rig.log;
  EXPECT_DOUBLE_EQ(rig.of(0)[0].number, 5);
  EXPECT_EQ(rig.of(0)[0].quality, unsigned{GERBANG_NOT_EVALUATED});
  EXPECT_EQ(rig.of(1)[0].quality, unsigned{GERBANG_MISSING});
  EXPECT_EQ(rig.of(1)[0].reason, unsigned{GERBANG_REASON_DEVICE_FAULT});
  EXPECT_EQ(rig.of(2)[0].quality, unsigned{GERBANG_SUSPECT});
  EXPECT_NEAR(rig.of(2)[0].number, 10.375, 1e-9);
  EXPECT_EQ(rig.of(3)[0].integer, 101);  // sensors without low and high are as they were
}

TEST(AnalogOverModbus, ACapturedAnswerIsDecodedWithItsSpan) {
  Rig rig;
  ASSERT_EQ(rig.decode({{"low", "0"}, {"high", "10"}}, {0x07, 0x04, 0x02, 0x2E, 0xE0, 0x2D, 0x18}),
            GERBANG_OK)
      << rig.log;
  ASSERT_EQ(rig.readings.size(), 1u);
  EXPECT_DOUBLE_EQ(rig.readings[0].number, 5);  // 12,000 µA
}

TEST(AnalogOverModbus, SaysWhatIsMissingOfASpan) {
  auto refusal = [](Rig::Keys address, Rig::Keys options = {}) {
    Rig rig;
    address["register"] = "0";
    options["host"] = "127.0.0.1";
    rig.sensor("s", std::move(address));
    EXPECT_EQ(rig.open(std::move(options)), GERBANG_CONFIG);
    return rig.log;
  };
  EXPECT_THAT(refusal({{"low", "0"}}), HasSubstr("low and high belong together"));
  EXPECT_THAT(refusal({{"low", "1"}, {"high", "1"}}), HasSubstr("the same"));
  EXPECT_THAT(refusal({{"low", "0"}, {"high", "1"}}, {{"loop_fault_low", "3.9"}}),
              HasSubstr("must not fall"));
}

}  // namespace
}  // namespace gerbang::test
