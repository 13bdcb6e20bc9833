// SPDX-License-Identifier: Apache-2.0
//
// The driver over a pseudo-terminal: an indicator that behaves, and all that happens on real lines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <functional>
#include <random>
#include <thread>

#include "drivers/rig.hpp"
#include "frames.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::test {
namespace {

using testing::HasSubstr;

class WeighbridgeLine : public testing::Test {
 protected:
  TempDir folder;
  std::string path = (folder.path() / "indicator").string();
  Pty far{path};
  Rig rig{"weighbridge"};

  void sensor(const char* channel, Rig::Keys more = {}, std::chrono::nanoseconds interval = 50ms) {
    more["channel"] = channel;
    rig.sensor(channel, more, interval);
  }
  gerbang_status open(Rig::Keys more = {}) {
    more.insert({{"device", path}, {"timeout", "300ms"}});
    return rig.open(std::move(more));
  }
  void send(const FrameBytes& frame, int times = 1) {
    for (int i = 0; i < times; ++i) {
      far.send(frame);
      rig.poll(30ms);
    }
  }
  void passes(const FrameBytes& loaded, const FrameBytes& empty) {
    send(loaded, 6);
    send(empty, 6);
  }
  std::vector<double> numbers(std::uint32_t of) const {
    std::vector<double> out;
    for (const auto& r : rig.of(of))
      if (r.quality != GERBANG_MISSING)
        out.push_back((r.flags & GERBANG_HAS_INTEGER) != 0 ? static_cast<double>(r.integer)
                                                           : r.number);
    return out;
  }
  // Sends the frame again and again until so many more weights came.
  bool good_again(const FrameBytes& frame, std::size_t more = 3) {
    const auto before = numbers(0).size();
    return rig.poll_until([&] {
      far.send(frame);
      return numbers(0).size() >= before + more;
    });
  }
};

TEST_F(WeighbridgeLine, ShowsTheWeightAndSaysWhetherItIsAtRest) {
  sensor("weight");
  ASSERT_EQ(open({{"format", "st-gs"}}), GERBANG_OK);
  send(st_gs(12'340), 8);
  ASSERT_FALSE(rig.of(0).empty());
  for (const auto& r : rig.of(0)) {
    EXPECT_EQ(r.integer, 12'340);
    EXPECT_EQ(r.flags, unsigned{GERBANG_HAS_INTEGER});
    EXPECT_EQ(r.quality, static_cast<unsigned>(GERBANG_NOT_EVALUATED));
  }
  rig.readings.clear();
  send(st_gs(9'000, false), 12);
  EXPECT_EQ(rig.readings.back().integer, 9'000);
  EXPECT_EQ(rig.readings.back().quality, static_cast<unsigned>(GERBANG_SUSPECT));
  EXPECT_EQ(rig.exchanges.back().result, GERBANG_REASON_NONE);
  EXPECT_FALSE(rig.traces.empty());
}

TEST_F(WeighbridgeLine, AWeighingWithTareIsOneEventAndOneReading) {
  sensor("weighing", {}, 10s);
  sensor("gross", {}, 10s);
  sensor("tare", {}, 10s);
  ASSERT_EQ(open({{"format", "toledo"}}), GERBANG_OK);
  send(toledo(0), 3);
  send(toledo(20'320, false), 3);
  send(toledo(20'320), 5);
  passes(toledo(12'340, true, 7'980), toledo(0));
  passes(toledo(10'000, true, 7'980), toledo(0));
  ASSERT_EQ(rig.events.size(), 2u) << rig.log;
  const auto& event = rig.events[0];
  EXPECT_EQ(event.kind, "weighing");
  EXPECT_EQ(event.sensor, 0u);
  EXPECT_EQ(event.fields, (std::map<std::string, double>{
                              {"gross", 20'320}, {"tare", 7'980}, {"net", 12'340}, {"ticket", 1}}));
  EXPECT_EQ(numbers(0), (std::vector<double>{12'340, 10'000}));
  EXPECT_EQ(numbers(1), (std::vector<double>{20'320, 17'980}));
  EXPECT_EQ(numbers(2), (std::vector<double>{7'980, 7'980}));
  EXPECT_EQ(rig.of(0)[0].boottime_ns, event.boottime_ns);
  EXPECT_EQ(rig.events[1].fields.at("ticket"), 2);
}

TEST_F(WeighbridgeLine, OfLinesInTurnsTheGrossOneIsShownAndTheTareIsThatOfTheIndicator) {
  sensor("weight");
  sensor("tare", {}, 10s);
  ASSERT_EQ(open({{"format", "st-gs"}, {"timeout", "5s"}}), GERBANG_OK);
  for (const int gross : {0, 20'320, 0})
    for (int i = 0; i < 5; ++i)
      for (const char* line : {"NT", "TR", "GS"})
        send(st_gs(*line == 'G' ? gross : *line == 'T' ? 7'980 : gross - 7'980, true, line));
  EXPECT_THAT(numbers(0), testing::Each(testing::AnyOf(0, 20'320)));
  EXPECT_EQ(numbers(1), (std::vector<double>{7'980})) << rig.log;
}

TEST_F(WeighbridgeLine, AGrossWeightIsNeverCountedAsNet) {
  sensor("weighing", {}, 10s);
  sensor("gross", {}, 10s);
  ASSERT_EQ(open({{"format", "st-gs"}}), GERBANG_OK);
  send(st_gs(0), 4);
  passes(st_gs(20'320), st_gs(0));
  ASSERT_EQ(rig.events.size(), 1u);
  EXPECT_EQ(rig.events[0].fields,
            (std::map<std::string, double>{{"gross", 20'320}, {"ticket", 1}}));
  EXPECT_TRUE(rig.of(0).empty());
  EXPECT_EQ(numbers(1), (std::vector<double>{20'320}));
  EXPECT_TRUE(rig.logged("no net weight")) << rig.log;
}

TEST_F(WeighbridgeLine, AStoredTareMakesTheNetWeightAndEmptyVehiclesCountNothing) {
  sensor("weighing", {{"tare", "7980"}}, 10s);
  ASSERT_EQ(open({{"format", "yaohua-a9"}, {"equal_readings", "3"}}), GERBANG_OK);
  send(frame_of("yaohua-a9", 0), 4);
  passes(frame_of("yaohua-a9", 20'320), frame_of("yaohua-a9", 0));
  passes(frame_of("yaohua-a9", 8'000), frame_of("yaohua-a9", 0));
  ASSERT_EQ(rig.events.size(), 2u);
  EXPECT_EQ(rig.events[0].fields.at("net"), 12'340);
  EXPECT_THAT(rig.events[0].text, HasSubstr("stored tare"));
  EXPECT_EQ(rig.events[1].fields.count("net"), 0u);
  EXPECT_EQ(numbers(0), (std::vector<double>{12'340}));
}

TEST_F(WeighbridgeLine, RecognisesTheFormatAndSaysWhich) {
  sensor("weight");
  ASSERT_EQ(open(), GERBANG_OK);
  ASSERT_TRUE(good_again(frame_of("yaohua-equals", 12'340))) << rig.log;
  EXPECT_TRUE(rig.logged("format = \"yaohua-equals\"")) << rig.log;
  EXPECT_THAT(numbers(0), testing::Each(12'340));
}

TEST_F(WeighbridgeLine, AStreamThatIsNotRecognisedIsSaid) {
  sensor("weight", {}, 500ms);
  ASSERT_EQ(open(), GERBANG_OK);
  FrameBytes parity = st_gs(12'340);  // even parity in bit 7, read as 8N1
  for (auto& c : parity) c = static_cast<std::uint8_t>(c | (__builtin_parity(c) << 7));
  ASSERT_TRUE(rig.poll_until([&] {
    far.send(parity);
    return rig.logged("no format is recognised");
  })) << rig.log;
  EXPECT_TRUE(numbers(0).empty());
  EXPECT_GE(rig.count(0, GERBANG_REASON_PROTOCOL), 3u);
}

struct Trouble {
  const char* name;
  FrameBytes bytes;
  gerbang_reason reason;
};
class WeighbridgeTrouble : public WeighbridgeLine, public testing::WithParamInterface<Trouble> {};

TEST_P(WeighbridgeTrouble, IsMissingWithItsReasonAndRecovers) {
  sensor("weight");
  ASSERT_EQ(open({{"format", "toledo"}, {"checksum", "required"}}), GERBANG_OK);
  ASSERT_TRUE(good_again(toledo(12'340))) << rig.log;
  rig.readings.clear();
  ASSERT_TRUE(rig.poll_until([&] {
    if (!GetParam().bytes.empty()) far.send(GetParam().bytes);
    return rig.count(0, GetParam().reason) >= 3;
  })) << rig.log;
  EXPECT_EQ(rig.readings.back().quality, static_cast<unsigned>(GERBANG_MISSING));
  ASSERT_TRUE(good_again(toledo(12'340))) << rig.log;
  EXPECT_THAT(numbers(0), testing::Each(12'340));
}

FrameBytes changed(FrameBytes frame, std::size_t at, int mask) {
  frame[at] = static_cast<std::uint8_t>(frame[at] ^ mask);
  return frame;
}
INSTANTIATE_TEST_SUITE_P(
    Line, WeighbridgeTrouble,
    testing::Values(
        Trouble{"silence", {}, GERBANG_REASON_TIMEOUT},
        Trouble{"garbage", FrameBytes(300, 0xA5), GERBANG_REASON_PROTOCOL},
        Trouble{"checksum", changed(toledo(12'340), 6, 1), GERBANG_REASON_CRC},
        Trouble{"half", FrameBytes{0x02, '2', '0', ' ', '0', '1', '2'}, GERBANG_REASON_PROTOCOL},
        Trouble{"parity", changed(toledo(12'340), 1, 0x80), GERBANG_REASON_PROTOCOL},
        Trouble{"overload", from_hex("02 32 34 20 30 31 32 33 34 30 30 30 30 30 30 30 0D 21"),
                GERBANG_REASON_RANGE}),
    [](const testing::TestParamInfo<Trouble>& trouble) { return std::string(trouble.param.name); });

TEST_F(WeighbridgeLine, AnAdapterThatIsUnpluggedComesBackAndTicketsGoOn) {
  sensor("weight");
  sensor("weighing", {{"tare", "7980"}});
  ASSERT_EQ(open({{"format", "st-gs"}}), GERBANG_OK);
  ASSERT_TRUE(good_again(st_gs(0)));
  passes(st_gs(20'320), st_gs(0));
  far.unplug();
  for (const std::uint32_t i : {0u, 1u})
    ASSERT_TRUE(rig.poll_until([&] { return rig.count(i, GERBANG_REASON_NO_CONNECTION) > 0; }));
  far.plug();
  ASSERT_TRUE(good_again(st_gs(0))) << rig.log;
  passes(st_gs(20'320), st_gs(0));
  ASSERT_EQ(rig.events.size(), 2u) << rig.log;
  EXPECT_EQ(rig.events[1].fields.at("ticket"), 2);
}

TEST_F(WeighbridgeLine, AFloodOfGarbageCostsNoWrongWeightAndNoEndlessPoll) {
  sensor("weight");
  ASSERT_EQ(open({{"format", "st-gs"}}), GERBANG_OK);
  ASSERT_TRUE(good_again(st_gs(500)));
  std::atomic<bool> stop = false;
  std::thread flood([&] {
    std::mt19937 random(5);
    while (!stop) {
      FrameBytes bytes(64);
      for (auto& c : bytes)
        c = static_cast<std::uint8_t>("ST,GS+0123kg\r\n\x02\xFF"[random() % 16]);
      far.send(bytes);
      std::this_thread::sleep_for(1ms);  // 64 kB/s: five times the fastest line
    }
  });
  auto longest = 0ms;
  const auto end = std::chrono::steady_clock::now() + 1s;
  while (std::chrono::steady_clock::now() < end) {
    const auto begin = std::chrono::steady_clock::now();
    rig.poll(50ms);
    longest = std::max(longest, std::chrono::duration_cast<std::chrono::milliseconds>(
                                    std::chrono::steady_clock::now() - begin));
  }
  stop = true;
  flood.join();
  EXPECT_LT(longest, 1000ms);
  EXPECT_GT(rig.count(0, GERBANG_REASON_PROTOCOL) + rig.count(0, GERBANG_REASON_CONVERSION), 0u);
  ASSERT_TRUE(good_again(st_gs(500)));
  EXPECT_THAT(numbers(0), testing::Each(500));
}

TEST_F(WeighbridgeLine, AsksWhereTheIndicatorDoesNotSpeakByItself) {
  sensor("weight");
  ASSERT_EQ(open({{"format", "mt-sics"}, {"request", "si"}, {"request_interval", "50ms"}}),
            GERBANG_OK);
  std::string asked;
  ASSERT_TRUE(rig.poll_until([&] {
    for (const auto c : far.receive()) {
      asked += static_cast<char>(c);
      if (c == '\n') far.send(bytes_of("S S     45000.0 kg\r\n"));
    }
    return numbers(0).size() >= 3;
  })) << rig.log;
  EXPECT_THAT(asked, testing::StartsWith("SI\r\nSI\r\n"));
  EXPECT_THAT(numbers(0), testing::Each(45'000));
}

// An indicator that answers each SI after `late`, with the number of the question as its weight.
class Commanded : public WeighbridgeLine {
 protected:
  using SteadyTime = std::chrono::steady_clock::time_point;

  void SetUp() override {
    sensor("weight", {}, 200ms);
    ASSERT_EQ(open({{"format", "mt-sics"}, {"request", "si"}, {"request_interval", "50ms"}}),
              GERBANG_OK);
  }
  static FrameBytes answer(int number) { return frame_of("mt-sics", 1000 + number); }
  void turn() {
    const auto now = std::chrono::steady_clock::now();
    for (const auto c : far.receive())
      if (c == '\n') owed.emplace_back(now + late, ++asked);
    for (; !owed.empty() && owed.front().first <= now; owed.pop_front())
      far.send(answer(owed.front().second));
  }
  bool run(const std::function<bool()>& until, std::chrono::milliseconds limit) {
    return rig.poll_until(
        [&] {
          turn();
          return until();
        },
        limit);
  }

  std::chrono::milliseconds late = 0ms;
  int asked = 0;
  std::deque<std::pair<SteadyTime, int>> owed;
};

TEST_F(Commanded, AnAnswerThatIsLateIsNotTakenForOneToANewerQuestion) {
  ASSERT_TRUE(run([&] { return rig.good(0) >= 3; }, 5s)) << rig.log;

  late = 800ms;
  const int in_time = 1000 + asked;
  EXPECT_FALSE(run([] { return false; }, 4s));
  EXPECT_GE(rig.count(0, GERBANG_REASON_TIMEOUT), 10u);
  EXPECT_EQ(rig.count(0, GERBANG_REASON_PROTOCOL), 0u);
  EXPECT_TRUE(rig.logged("an answer came when none was due")) << rig.log;
  EXPECT_THAT(numbers(0), testing::Each(testing::Le(in_time)));

  // What was late is not remembered: each weight is the answer to one of the two newest questions.
  late = 0ms;
  auto seen = numbers(0).size();
  const auto enough = seen + 5;
  ASSERT_TRUE(run(
      [&] {
        for (const auto all = numbers(0); seen < all.size(); ++seen)
          EXPECT_GE(all[seen], 1000 + asked - 1);
        return seen >= enough;
      },
      10s))
      << rig.log;
}

TEST_F(Commanded, AQuestionThatWasLostCostsSecondsAndNoMore) {
  ASSERT_TRUE(run([&] { return rig.good(0) >= 2; }, 5s)) << rig.log;
  ASSERT_TRUE(rig.poll_until([&] { return !far.receive().empty(); }));  // and nothing is said
  const int before = asked;
  const auto good = rig.good(0);
  ASSERT_TRUE(run([&] { return rig.good(0) >= good + 3; }, 12s)) << rig.log;
  EXPECT_GE(asked - before, 3) << "the first answer only shows that they are in step again";
}

TEST_F(Commanded, AHalfAnswerIsNoSilenceAndIsAskedForAgainSoon) {
  ASSERT_TRUE(run([&] { return rig.good(0) >= 2; }, 5s)) << rig.log;
  rig.readings.clear();
  FrameBytes half = answer(1);
  half.resize(half.size() / 2);
  int halves = 0;
  ASSERT_FALSE(rig.poll_until(
      [&] {
        if (!far.receive().empty()) {
          ++halves;
          far.send(half);
        }
        return false;
      },
      4s));
  EXPECT_GE(halves, 5);
  EXPECT_LE(rig.good(0), 2u) << "of the answer before";
  EXPECT_GE(rig.count(0, GERBANG_REASON_PROTOCOL) + rig.count(0, GERBANG_REASON_TIMEOUT), 5u);
  ASSERT_TRUE(run([&] { return rig.good(0) >= 5; }, 5s)) << rig.log;
}

TEST_F(WeighbridgeLine, AnIndicatorThatSendsByItselfAndIsSeldomAskedIsTold) {
  sensor("weight", {}, 200ms);
  ASSERT_EQ(open({{"format", "mt-sics"}, {"request", "si"}, {"request_interval", "2s"}}),
            GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] {
    far.send(frame_of("mt-sics", 500));
    return rig.logged("leave request away");
  })) << rig.log;
}

TEST_F(WeighbridgeLine, RefusesAConfigurationThatCannotBeMeant) {
  sensor("weight");
  EXPECT_EQ(open({{"minimum", "100"}, {"near_zero", "100"}}), GERBANG_CONFIG);
  EXPECT_TRUE(rig.logged("near_zero"));
}

TEST_F(WeighbridgeLine, ScanFindsTheIndicatorAndGivesTextToPaste) {
  std::atomic<bool> stop = false;
  std::thread indicator([&] {
    while (!stop) {
      far.send(frame_of("cas-22", 12'340));
      std::this_thread::sleep_for(20ms);
    }
  });
  EXPECT_EQ(rig.scan({{"device", path}}), GERBANG_OK) << rig.log;
  stop = true;
  indicator.join();
  ASSERT_EQ(rig.scanned.size(), 1u);
  EXPECT_THAT(rig.scanned[0].first, HasSubstr("format = \"cas-22\""));
  EXPECT_THAT(rig.scanned[0].first, HasSubstr("device = \"" + path + "\""));
}

TEST_F(WeighbridgeLine, DecodeGivesTheValuesAndTheirNamesOrTheReason) {
  EXPECT_EQ(rig.decode({{"device", "-"}}, toledo(12'340, true, 7'980)), GERBANG_OK) << rig.log;
  EXPECT_EQ(numbers(0), (std::vector<double>{12'340}));
  EXPECT_EQ(numbers(1), (std::vector<double>{7'980}));
  EXPECT_EQ(numbers(2), (std::vector<double>{20'320}));
  EXPECT_EQ(rig.log, "net kg\ntare kg\ngross kg\n");
  EXPECT_EQ(rig.decode({{"device", "-"}}, changed(toledo(12'340), 17, 1)), GERBANG_CONFIG);
  EXPECT_TRUE(rig.logged("toledo: the checksum is wrong")) << rig.log;
  EXPECT_EQ(rig.decode({{"device", "-"}}, {1, 2, 3}), GERBANG_CONFIG);
  EXPECT_TRUE(rig.logged("no frame of any format")) << rig.log;
}

}  // namespace
}  // namespace gerbang::test
