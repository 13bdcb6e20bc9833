// SPDX-License-Identifier: Apache-2.0
//
// The driver as the host loads it, on a pseudo-terminal: what happens on real lines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>

#include "drivers/rig.hpp"
#include "support/pty.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::test {
namespace {

using Bytes = Pty::Bytes;

Bytes ascii(const std::string& text) {
  return {text.begin(), text.end()};
}

class Ranging : public testing::Test {
 protected:
  TempDir folder;
  Pty far{folder / "usb-adapter"};
  Rig rig{"ranging"};

  void distance(std::chrono::nanoseconds interval = 200ms) { rig.sensor("level", {}, interval); }
  void fill(const std::string& empty, const std::string& full) {
    rig.sensor("bin", {{"channel", "fill"}, {"empty", empty}, {"full", full}}, 200ms);
  }
  gerbang_status open(const std::string& model, Rig::Keys more = {}) {
    more.insert({{"device", far.path()}, {"model", model}});
    return rig.open(std::move(more));
  }
  // A sensor that sends this every 50 ms, while the driver is polled.
  bool stream(const Bytes& frame, const std::function<bool()>& until,
              std::chrono::milliseconds limit = 5s) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!until()) {
      if (std::chrono::steady_clock::now() > end) return false;
      far.send(frame);
      rig.poll_for(50ms);
    }
    return true;
  }
  void expect_only(std::uint32_t index, std::int64_t right) {
    for (const auto& r : rig.of(index)) {
      if (r.quality == GERBANG_MISSING) continue;
      EXPECT_EQ(r.integer, right);
    }
  }
};

TEST_F(Ranging, AnA02IsReadAsDistanceAndAsFill) {
  distance();
  fill("3500", "500");
  ASSERT_EQ(open("a02yyuw"), GERBANG_OK);
  ASSERT_TRUE(stream(from_hex("FF 07 A1 A7"), [&] { return rig.good(1) >= 3; })) << rig.log;
  expect_only(0, 1953);
  EXPECT_NEAR(rig.of(1).back().number, 51.57, 0.01);
}

TEST_F(Ranging, AMaxBotixIsRead) {
  distance();
  ASSERT_EQ(open("maxbotix-hrxl"), GERBANG_OK);
  ASSERT_TRUE(stream(ascii("R1234\r"), [&] { return rig.good(0) >= 3; })) << rig.log;
  expect_only(0, 1234);
}

TEST_F(Ranging, InchesAndCentimetresBecomeMillimetres) {
  distance();
  ASSERT_EQ(open("maxbotix-lv"), GERBANG_OK);
  ASSERT_TRUE(stream(ascii("R100\r"), [&] { return rig.good(0) >= 1; }));
  EXPECT_DOUBLE_EQ(rig.of(0).back().number, 2540);
}

TEST_F(Ranging, WithoutATargetDistanceAndFillAreMissing) {
  distance();
  fill("1800", "200");
  ASSERT_EQ(open("maxbotix-hrxl"), GERBANG_OK);
  ASSERT_TRUE(
      stream(ascii("R5000\r"), [&] { return rig.count(1, GERBANG_REASON_NO_TARGET) >= 2; }));
  EXPECT_GE(rig.count(0, GERBANG_REASON_NO_TARGET), 2u);
  EXPECT_EQ(rig.good(0) + rig.good(1), 0u);
  ASSERT_TRUE(stream(ascii("R0600\r"), [&] { return rig.good(1) >= 2; }));
  EXPECT_DOUBLE_EQ(rig.of(1).back().number, 75);
}

TEST_F(Ranging, AFillFarOutsideIsSuspect) {
  fill("1800", "200");
  ASSERT_EQ(open("maxbotix-hrxl"), GERBANG_OK);
  ASSERT_TRUE(stream(ascii("R2500\r"), [&] { return rig.readings.size() >= 2; }));
  EXPECT_EQ(rig.of(0).back().quality, static_cast<unsigned>(GERBANG_SUSPECT));
  EXPECT_EQ(rig.of(0).back().reason, static_cast<unsigned>(GERBANG_REASON_RANGE));
  EXPECT_DOUBLE_EQ(rig.of(0).back().number, 0);
}

TEST_F(Ranging, AFillWithoutItsDistancesIsRefused) {
  rig.sensor("bin", {{"channel", "fill"}, {"empty", "1800"}});
  EXPECT_EQ(open("a02yyuw"), GERBANG_CONFIG);
  EXPECT_TRUE(rig.logged("sensor bin: address: fill needs empty and full"));
}

TEST_F(Ranging, AFillThatIsUpsideDownIsRefused) {
  fill("200", "1800");
  EXPECT_EQ(open("a02yyuw"), GERBANG_CONFIG);
  EXPECT_TRUE(rig.logged("empty must be larger than full"));
}

struct Wrong {
  const char* name;
  const char* model;
  Bytes bytes;
  gerbang_reason reason;
  Bytes right;
};
class WrongStream : public Ranging, public testing::WithParamInterface<Wrong> {};

TEST_P(WrongStream, IsMissingWithItsReasonAndTheRightOneCountsAgain) {
  distance();
  ASSERT_EQ(open(GetParam().model), GERBANG_OK);
  ASSERT_TRUE(stream(GetParam().bytes, [&] { return rig.count(0, GetParam().reason) >= 2; }))
      << rig.log;
  EXPECT_EQ(rig.good(0), 0u);
  ASSERT_TRUE(stream(GetParam().right, [&] { return rig.good(0) >= 2; })) << rig.log;
  expect_only(0, 1953);
}

INSTANTIATE_TEST_SUITE_P(
    Line, WrongStream,
    testing::Values(
        Wrong{"checksum", "a02yyuw", from_hex("FF 07 A1 A8"), GERBANG_REASON_CRC,
              from_hex("FF 07 A1 A7")},
        Wrong{"garbage", "a02yyuw", Bytes(50, 0xA5), GERBANG_REASON_PROTOCOL,
              from_hex("FF 07 A1 A7")},
        Wrong{"half", "maxbotix-hrxl", ascii("R19"), GERBANG_REASON_PROTOCOL, ascii("R1953\r")},
        Wrong{"digits", "maxbotix-hrxl", ascii("R195\r"), GERBANG_REASON_PROTOCOL,
              ascii("R1953\r")},
        Wrong{"silence", "maxbotix-hrxl", {}, GERBANG_REASON_TIMEOUT, ascii("R1953\r")}),
    [](const auto& wrong) { return std::string(wrong.param.name); });

TEST_F(Ranging, AnOldDistanceIsNotUsedTwice) {
  distance();
  ASSERT_EQ(open("maxbotix-hrxl"), GERBANG_OK);
  rig.poll(20ms);
  far.send(ascii("R1953\r"));
  ASSERT_TRUE(rig.poll_until([&] { return rig.count(0, GERBANG_REASON_TIMEOUT) >= 3; }));
  EXPECT_EQ(rig.good(0), 1u);
}

TEST_F(Ranging, TwoHalvesWithAPauseAreNoFrame) {
  distance();
  ASSERT_EQ(open("maxbotix-hrxl"), GERBANG_OK);
  rig.poll(20ms);
  far.send(ascii("R12"));
  rig.poll_for(400ms);
  far.send(ascii("34\r"));
  rig.poll_for(400ms);
  EXPECT_EQ(rig.good(0), 0u);
}

TEST_F(Ranging, AFloodGivesOneReadingATurn) {
  distance(100ms);
  ASSERT_EQ(open("a02yyuw"), GERBANG_OK);
  std::atomic<bool> stop = false;
  std::thread flood([&] {
    while (!stop)
      if (far.send(from_hex("FF 07 A1 A7")) == 0) std::this_thread::sleep_for(1ms);
  });
  rig.poll_for(1s);
  stop = true;
  flood.join();
  EXPECT_GE(rig.good(0), 5u);
  EXPECT_LE(rig.good(0), 12u);
  expect_only(0, 1953);
}

TEST_F(Ranging, AnAdapterThatIsUnpluggedAndComesBackIsReadAgain) {
  distance();
  ASSERT_EQ(open("maxbotix-hrxl"), GERBANG_OK);
  ASSERT_TRUE(stream(ascii("R1953\r"), [&] { return rig.good(0) >= 2; }));
  far.send(ascii("R12"));
  far.unplug();
  ASSERT_TRUE(rig.poll_until([&] { return rig.count(0, GERBANG_REASON_NO_CONNECTION) >= 2; }));
  far.plug();
  const auto before = rig.good(0);
  ASSERT_TRUE(stream(ascii("34\rR1953\r"), [&] { return rig.good(0) >= before + 2; })) << rig.log;
  expect_only(0, 1953);
}

TEST_F(Ranging, HalfAFrameBeforeAReplugAndHalfAfterItAreNoFrame) {
  distance();
  ASSERT_EQ(open("maxbotix-hrxl"), GERBANG_OK);
  ASSERT_TRUE(stream(ascii("R1953\r"), [&] { return rig.good(0) >= 1; }));
  far.send(ascii("R12"));
  rig.poll_for(40ms);
  far.unplug();
  far.plug();
  rig.poll_for(40ms);  // opened again at once
  far.send(ascii("34\r"));
  rig.poll_for(300ms);
  expect_only(0, 1953);
  ASSERT_TRUE(stream(ascii("R1953\r"), [&] { return rig.good(0) >= 3; }));
}

TEST_F(Ranging, AScanRecognisesAStreamAndWritesItsConfiguration) {
  for (const auto& [frame, model, note] :
       {std::tuple(from_hex("FF 07 A1 A7"), "a02yyuw", "a02yyuw at 9600 8N1, now 1953 mm"),
        std::tuple(ascii("R1234\r"), "maxbotix-hrxl", "now 1234 mm"),
        std::tuple(ascii("R123\r"), "maxbotix-xl", "three digits are centimetres, or inches")}) {
    std::atomic<bool> stop = false;
    std::thread device([&, bytes = frame] {
      for (; !stop; std::this_thread::sleep_for(50ms)) far.send(bytes);
    });
    rig.scanned.clear();
    EXPECT_EQ(rig.scan({{"device", far.path()}, {"model", model}}), GERBANG_OK);
    stop = true;
    device.join();
    ASSERT_EQ(rig.scanned.size(), 1u) << model;
    EXPECT_THAT(rig.scanned[0].first, testing::HasSubstr(std::string("model = \"") + model + "\""));
    EXPECT_THAT(rig.scanned[0].second, testing::HasSubstr(note));
  }
}

TEST_F(Ranging, DecodeNamesWhatItEmits) {
  ASSERT_EQ(rig.decode({{"device", "-"}, {"model", "a02yyuw"}}, from_hex("FF 07 A1 A7")),
            GERBANG_OK);
  EXPECT_EQ(rig.log, "distance mm\n");
  ASSERT_EQ(rig.readings.size(), 1u);
  EXPECT_EQ(rig.readings[0].integer, 1953);
  ASSERT_EQ(rig.decode({{"device", "-"}, {"model", "a02yyuw"}}, from_hex("00 FF 07 A1 A7")),
            GERBANG_OK);
  EXPECT_EQ(rig.readings.at(1).integer, 1953);
  EXPECT_TRUE(rig.logged("1 bytes before the frame")) << rig.log;
  EXPECT_EQ(rig.decode({{"device", "-"}, {"model", "a02yyuw"}}, from_hex("FF 07 A1 A8")),
            GERBANG_CONFIG);
  rig.readings.clear();
  ASSERT_EQ(rig.decode({{"channel", "fill"}, {"empty", "1800"}, {"full", "200"}}, ascii("R0600\r")),
            GERBANG_OK);
  EXPECT_TRUE(rig.logged("fill %"));
  EXPECT_DOUBLE_EQ(rig.readings.at(0).number, 75);
}

}  // namespace
}  // namespace gerbang::test
