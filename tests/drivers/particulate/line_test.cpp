// SPDX-License-Identifier: Apache-2.0
//
// The driver as the host loads it, on a pseudo-terminal: what happens on real lines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <bit>
#include <deque>
#include <functional>

#include "drivers/rig.hpp"
#include "frames.hpp"
#include "particulate/codec.hpp"
#include "support/pty.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::test {
namespace {

using namespace particulate;
using Bytes = Pty::Bytes;

class Particulate : public testing::Test {
 protected:
  TempDir folder;
  Pty far{folder / "usb-adapter"};
  Rig rig{"particulate"};

  void sensor(const std::string& channel, std::chrono::nanoseconds interval = 200ms) {
    rig.sensor(channel, {{"channel", channel}}, interval);
  }
  gerbang_status open(Rig::Keys more = {}) {
    more.insert({"device", far.path()});
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
  void expect_only(std::uint32_t index, double right) {
    for (const auto& r : rig.of(index)) {
      if (r.quality == GERBANG_MISSING) continue;
      const bool whole = (r.flags & GERBANG_HAS_INTEGER) != 0;
      EXPECT_DOUBLE_EQ(whole ? static_cast<double>(r.integer) : r.number, right);
    }
  }
  std::size_t exchanges(gerbang_reason reason) const {
    return static_cast<std::size_t>(
        std::count_if(rig.exchanges.begin(), rig.exchanges.end(),
                      [&](const auto& e) { return e.result == reason; }));
  }
};

TEST_F(Particulate, APmsIsRecognisedAndRead) {
  sensor("pm2_5");
  sensor("pm10_cf1");
  sensor("count_0_3");
  ASSERT_EQ(open(), GERBANG_OK);
  ASSERT_TRUE(stream(from_hex(kPmsA), [&] { return rig.good(2) >= 3; })) << rig.log;
  expect_only(0, 33);
  expect_only(1, 41);
  expect_only(2, 11'259);
  EXPECT_TRUE(rig.logged("recognised pms5003"));
  EXPECT_GE(exchanges(GERBANG_REASON_NONE), 3u);
}

TEST_F(Particulate, AnSds011IsRecognisedAndSaysWhichChannelItLacks) {
  sensor("pm2_5");
  sensor("pm1");
  ASSERT_EQ(open(), GERBANG_OK);
  ASSERT_TRUE(stream(from_hex(kSds), [&] { return rig.good(0) >= 2; })) << rig.log;
  expect_only(0, 123.6);
  EXPECT_EQ(rig.good(1), 0u);
  EXPECT_GE(rig.count(1, GERBANG_REASON_PROTOCOL), 2u);
  EXPECT_TRUE(rig.logged("sensor pm1: address: sds011 has no channel pm1; it has pm2_5, pm10"));
}

TEST_F(Particulate, AChannelThatTheGivenModelLacksIsRefusedAtOnce) {
  sensor("typical_size");
  EXPECT_EQ(open({{"model", "pms7003"}}), GERBANG_CONFIG);
  EXPECT_TRUE(rig.logged("pms7003 has no channel typical_size; it has pm1, pm2_5, pm10"));
}

TEST_F(Particulate, AWrongChecksumIsMissingAndCountedAndTheNextRightFrameCounts) {
  sensor("pm2_5");
  ASSERT_EQ(open({{"model", "pms5003"}}), GERBANG_OK);
  ASSERT_TRUE(stream(from_hex(kPmsWrong), [&] { return rig.count(0, GERBANG_REASON_CRC) >= 2; }));
  EXPECT_EQ(rig.good(0), 0u);
  EXPECT_GE(exchanges(GERBANG_REASON_CRC), 4u);
  ASSERT_TRUE(stream(from_hex(kPmsB), [&] { return rig.good(0) >= 2; }));
  expect_only(0, 5);
}

TEST_F(Particulate, SilenceIsMissingAndAnOldFrameIsNotUsedTwice) {
  sensor("pm2_5");
  ASSERT_EQ(open({{"model", "pms5003"}}), GERBANG_OK);
  rig.poll(20ms);
  far.send(from_hex(kPmsA));
  ASSERT_TRUE(rig.poll_until([&] { return rig.good(0) == 1; }));
  ASSERT_TRUE(rig.poll_until([&] { return rig.count(0, GERBANG_REASON_TIMEOUT) >= 3; }));
  EXPECT_EQ(rig.good(0), 1u);
  ASSERT_TRUE(stream(from_hex(kPmsA), [&] { return rig.good(0) >= 3; }));
}

TEST_F(Particulate, GarbageAndHalfFramesGiveNoValue) {
  sensor("pm2_5");
  ASSERT_EQ(open({{"model", "pms5003"}}), GERBANG_OK);
  Bytes half = from_hex(kPmsA);
  half.resize(20);
  ASSERT_TRUE(stream(half, [&] { return rig.readings.size() >= 3; }));
  ASSERT_TRUE(stream(Bytes(64, 0xA5), [&] { return rig.readings.size() >= 6; }));
  EXPECT_EQ(rig.good(0), 0u);
  EXPECT_GE(rig.count(0, GERBANG_REASON_PROTOCOL), 2u);
  EXPECT_TRUE(
      rig.logged("another baud rate, another model, or a bad cable? Bytes that are in no frame at "
                 "9600 8N1: "));
  ASSERT_TRUE(stream(from_hex(kPmsA), [&] { return rig.good(0) >= 2; }));
  expect_only(0, 33);
}

TEST_F(Particulate, AFloodGivesOneReadingATurn) {
  sensor("pm2_5", 100ms);
  ASSERT_EQ(open({{"model", "pms5003"}}), GERBANG_OK);
  std::atomic<bool> stop = false;
  std::thread flood([&] {
    while (!stop)
      if (far.send(from_hex(kPmsB)) == 0) std::this_thread::sleep_for(1ms);
  });
  rig.poll_for(1s);
  stop = true;
  flood.join();
  EXPECT_GE(rig.good(0), 5u);
  EXPECT_LE(rig.good(0), 12u);
  expect_only(0, 5);
}

TEST_F(Particulate, AnAdapterThatIsUnpluggedAndComesBackIsReadAgain) {
  sensor("pm2_5");
  ASSERT_EQ(open(), GERBANG_OK);
  ASSERT_TRUE(stream(from_hex(kPmsA), [&] { return rig.good(0) >= 2; }));
  far.send({0x42, 0x4D, 0x00});  // cut in the middle of a frame
  far.unplug();
  ASSERT_TRUE(rig.poll_until([&] { return rig.count(0, GERBANG_REASON_NO_CONNECTION) >= 2; }));
  far.plug();
  const auto before = rig.good(0);
  ASSERT_TRUE(stream(from_hex(kPmsB), [&] { return rig.good(0) >= before + 2; })) << rig.log;
  EXPECT_EQ(rig.of(0).back().integer, 5);
}

TEST_F(Particulate, AnErrorCodeOfThePmsIsADeviceFault) {
  sensor("pm2_5");
  ASSERT_EQ(open(), GERBANG_OK);
  Bytes frame = from_hex(kPmsA);
  frame[29] = 1;
  ++frame[31];
  ASSERT_TRUE(stream(frame, [&] { return rig.count(0, GERBANG_REASON_DEVICE_FAULT) >= 2; }));
  EXPECT_EQ(rig.good(0), 0u);
  ASSERT_TRUE(stream(from_hex(kPmsA), [&] { return rig.good(0) >= 1; }));
}

TEST_F(Particulate, APassiveSensorIsAskedOnceATurnAndNothingElseIsSent) {
  sensor("pm2_5");
  sensor("pm10");
  ASSERT_EQ(open({{"model", "pms5003"}, {"mode", "passive"}}), GERBANG_OK);
  int asked = 0;
  ASSERT_TRUE(rig.poll_until([&] {
    if (const Bytes question = far.receive(); !question.empty()) {
      EXPECT_EQ(question, from_hex("42 4D E2 00 00 01 71"));
      ++asked;
      far.send(from_hex(kPmsA));
    }
    return rig.good(0) >= 4;
  })) << rig.log;
  EXPECT_LE(asked, 6);
  expect_only(1, 41);
}

TEST_F(Particulate, AnSps30IsFoundStartedAndAsked) {
  sensor("pm4", 300ms);
  ASSERT_EQ(open(), GERBANG_OK);
  bool started = false;
  int reads = 0;
  std::vector<Bytes> sent;
  auto device = [&] {
    const Bytes question = far.receive();
    if (question.empty()) return;
    sent.push_back(question);
    if (question == from_hex("7E 00 00 02 01 03 F9 7E")) {
      started = true;
      far.send(from_hex(kSpsStarted));
    } else if (question == from_hex("7E 00 03 00 FC 7E")) {
      ++reads;
      far.send(from_hex(!started ? kSpsIdle : reads % 2 == 0 ? kSpsNoNewData : kSps));
    }
  };
  ASSERT_TRUE(rig.poll_until([&] {
    device();
    return rig.count(0, GERBANG_REASON_WARM_UP) >= 3;
  })) << rig.log;
  EXPECT_TRUE(started);
  EXPECT_EQ(rig.of(0).back().quality, static_cast<unsigned>(GERBANG_SUSPECT));
  expect_only(0, 24);
  for (const Bytes& question : sent)
    EXPECT_THAT(question,
                testing::AnyOf(from_hex("7E 00 00 02 01 03 F9 7E"), from_hex("7E 00 03 00 FC 7E")));
  EXPECT_TRUE(rig.logged("recognised sps30 at 115200 8N1"));
}

TEST_F(Particulate, AnSps30ThatNeverHasNewDataIsMissing) {
  sensor("pm2_5", 300ms);
  ASSERT_EQ(open({{"model", "sps30"}}), GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] {
    if (!far.receive().empty()) far.send(from_hex(kSpsNoNewData));
    return rig.count(0, GERBANG_REASON_TIMEOUT) >= 3;
  }));
  EXPECT_EQ(rig.good(0), 0u);
}

// An answer to a read whose every number is this one.
Bytes sps_answer(float number) {
  Bytes inside{0x00, 0x03, 0x00, 40};
  const auto bits = std::bit_cast<std::uint32_t>(number);
  for (int i = 0; i < 10; ++i)
    for (int shift = 24; shift >= 0; shift -= 8)
      inside.push_back(static_cast<std::uint8_t>(bits >> shift));
  inside.push_back(gerbang::particulate::shdlc_checksum(inside));
  Bytes frame{0x7E};
  for (const std::uint8_t byte : inside) {
    const bool stuffed = byte == 0x7D || byte == 0x7E || byte == 0x11 || byte == 0x13;
    if (stuffed) frame.push_back(0x7D);
    frame.push_back(stuffed ? byte ^ 0x20 : byte);
  }
  frame.push_back(0x7E);
  return frame;
}

// An SPS30 that answers each read after `late`, with the number of the question.
struct LateSps30 {
  const Pty& far;
  std::chrono::milliseconds late;
  int asked = 0;
  std::deque<std::pair<std::chrono::steady_clock::time_point, int>> owed{};

  void turn() {
    const auto now = std::chrono::steady_clock::now();
    for (Bytes all = far.receive(); all.size() >= 6; all.erase(all.begin(), all.begin() + 6))
      owed.emplace_back(now + late, ++asked);
    for (; !owed.empty() && owed.front().first <= now; owed.pop_front())
      far.send(sps_answer(static_cast<float>(owed.front().second)));
  }
};

TEST_F(Particulate, AnAnswerThatIsLateIsNotTakenForOneToANewerQuestion) {
  sensor("pm2_5", 200ms);
  ASSERT_EQ(open({{"model", "sps30"}, {"warm_up", "0"}}), GERBANG_OK);
  LateSps30 device{far, 0ms};
  auto run = [&](const std::function<bool()>& until, std::chrono::milliseconds limit) {
    return rig.poll_until(
        [&] {
          device.turn();
          return until();
        },
        limit);
  };
  ASSERT_TRUE(run([&] { return rig.good(0) >= 3; }, 5s)) << rig.log;

  device.late = 800ms;
  const auto before = rig.readings.size();
  EXPECT_FALSE(run([] { return false; }, 4s));
  EXPECT_GE(rig.count(0, GERBANG_REASON_TIMEOUT), 10u);
  EXPECT_TRUE(rig.logged("an answer came when none was due"));
  for (std::size_t i = before; i < rig.readings.size(); ++i)
    EXPECT_EQ(rig.readings[i].quality, static_cast<unsigned>(GERBANG_MISSING))
        << rig.readings[i].number;

  // What was late is not remembered: each value is the answer to the newest question.
  device.late = 0ms;
  const auto good = rig.good(0);
  auto newest = rig.readings.size();
  ASSERT_TRUE(run(
      [&] {
        for (; newest < rig.readings.size(); ++newest)
          if (rig.readings[newest].quality != GERBANG_MISSING) {
            EXPECT_EQ(rig.readings[newest].number, device.asked);
          }
        return rig.good(0) >= good + 5;
      },
      10s))
      << rig.log;
}

TEST_F(Particulate, AQuestionThatWasLostCostsSecondsAndNoMore) {
  sensor("pm2_5", 200ms);
  ASSERT_EQ(open({{"model", "sps30"}, {"warm_up", "0"}}), GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] { return !far.receive().empty(); }));  // and nothing is said
  LateSps30 device{far, 0ms};
  ASSERT_TRUE(rig.poll_until(
      [&] {
        device.turn();
        return rig.good(0) >= 2;
      },
      10s))
      << rig.log;
  EXPECT_GE(device.asked, 3) << "the first answer only shows that they are in step again";
}

TEST_F(Particulate, AHalfAnswerIsNoSilenceAndIsAskedForAgainSoon) {
  sensor("pm2_5", 200ms);
  ASSERT_EQ(open({{"model", "sps30"}, {"warm_up", "0"}}), GERBANG_OK);
  Bytes half = sps_answer(5);
  half.resize(half.size() / 2);
  int asked = 0;
  ASSERT_FALSE(rig.poll_until(
      [&] {
        if (!far.receive().empty()) {
          ++asked;
          far.send(half);
        }
        return false;
      },
      3s));
  EXPECT_GE(asked, 4);
  EXPECT_EQ(rig.good(0), 0u);
  EXPECT_GE(rig.count(0, GERBANG_REASON_PROTOCOL), 2u);
}

// Sends a frame every 50 ms, or answers questions, beside a scan.
class Beside {
 public:
  explicit Beside(std::function<void()> turn)
      : thread_([this, turn = std::move(turn)] {
          for (; !stop_; std::this_thread::sleep_for(50ms)) turn();
        }) {}
  ~Beside() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

TEST_F(Particulate, AScanRecognisesAStreamAndWritesItsConfiguration) {
  Beside device([&] { far.send(from_hex(kPmsA)); });
  ASSERT_EQ(rig.scan({{"device", far.path()}}), GERBANG_OK);
  ASSERT_EQ(rig.scanned.size(), 1u);
  EXPECT_THAT(rig.scanned[0].first, testing::HasSubstr("device = \"" + far.path() +
                                                       "\"\n"
                                                       "model = \"pms5003\"\n"));
  EXPECT_THAT(rig.scanned[0].first, testing::HasSubstr("address = { channel = \"pm10\" }\n"));
  EXPECT_THAT(rig.scanned[0].second,
              testing::StartsWith("pms5003 at 9600 8N1, PM2.5 is now 33 µg/m³"));
  EXPECT_TRUE(far.receive().empty()) << "to a device that speaks nothing is said";
}

TEST_F(Particulate, AScanAsksForAnSps30OnlyWhereNothingIsHeard) {
  Beside device([&] {
    if (!far.receive().empty()) far.send(from_hex(kSpsNoNewData));
  });
  ASSERT_EQ(rig.scan({{"device", far.path()}}), GERBANG_OK);
  ASSERT_EQ(rig.scanned.size(), 1u);
  EXPECT_THAT(rig.scanned[0].first, testing::HasSubstr("model = \"sps30\""));
}

TEST_F(Particulate, AScanFindsNothingInAnotherDevicesStreamAndSaysNothingToIt) {
  std::atomic<std::size_t> asked = 0;
  Beside device([&] {
    asked += far.receive().size();
    far.send({'S', 'T', ',', 'G', 'S', '\r', '\n'});
  });
  ASSERT_EQ(rig.scan({{"device", far.path()}}), GERBANG_OK);
  EXPECT_TRUE(rig.scanned.empty());
  EXPECT_EQ(asked.load(), 0u);
  EXPECT_TRUE(rig.logged("something sends at 9600 8N1 that is no particle counter"));
  EXPECT_TRUE(rig.logged("53 54 2C 47 53 0D 0A"));
}

TEST_F(Particulate, AScanOfAPortThatIsNotThereSaysWhy) {
  EXPECT_EQ(rig.scan({{"device", "/dev/gerbang-none"}}), GERBANG_GONE);
  EXPECT_TRUE(rig.logged("/dev/gerbang-none: No such file"));
}

TEST_F(Particulate, DecodeNamesWhatItEmits) {
  ASSERT_EQ(rig.decode({{"device", "-"}}, from_hex(kSds)), GERBANG_OK);
  EXPECT_EQ(rig.log, "pm2_5 µg/m³\npm10 µg/m³\n");
  ASSERT_EQ(rig.readings.size(), 2u);
  EXPECT_DOUBLE_EQ(rig.readings[0].number, 123.6);
  EXPECT_EQ(rig.decode({{"device", "-"}}, from_hex(kPmsWrong)), GERBANG_CONFIG);
  rig.readings.clear();
  ASSERT_EQ(rig.decode({{"device", "-"}, {"channel", "pm10"}}, from_hex(kPmsA)), GERBANG_OK);
  ASSERT_EQ(rig.readings.size(), 1u);
  EXPECT_EQ(rig.readings[0].integer, 41);
  EXPECT_EQ(rig.decode({{"device", "-"}, {"channel", "pm4"}}, from_hex(kPmsA)), GERBANG_CONFIG);
  EXPECT_TRUE(rig.logged("the frame says 0x01AB, its bytes give 0x02F8"));
}

}  // namespace
}  // namespace gerbang::test
