// SPDX-License-Identifier: Apache-2.0
//
// What happens on real serial lines, made on a pseudo-terminal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <mutex>

#include "drivers/rig.hpp"
#include "scripted_rtu.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::test {
namespace {

using Bytes = ScriptedRtu::Bytes;
using Question = ScriptedRtu::Question;
using Reply = ScriptedRtu::Reply;
using Replies = std::vector<Reply>;

Rig::Keys at(int unit, int reg) {
  return {{"unit", std::to_string(unit)}, {"register", std::to_string(reg)}};
}
Reply now(Bytes bytes) {
  return {{}, std::move(bytes), Reply::keep};
}
Bytes join(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
void expect_only_right_values(const Rig& rig, std::uint32_t sensor, int value) {
  for (const auto& r : rig.of(sensor)) {
    if (r.quality == GERBANG_MISSING) continue;
    EXPECT_EQ(r.integer, value);
  }
}

class ModbusRtu : public testing::Test {
 protected:
  TempDir folder;
  std::string path = (folder.path() / "usb-adapter").string();
  Rig rig;

  gerbang_status open(Rig::Keys more = {}) {
    more.insert({{"transport", "rtu"}, {"device", path}, {"baud", "115200"}, {"timeout", "100ms"}});
    return rig.open(std::move(more));
  }
};

TEST_F(ModbusRtu, ReadsWhatTheUnitsHold) {
  ScriptedRtu line(path, ScriptedRtu::answer);
  rig.sensor("a", at(1, 0));
  rig.sensor("b", at(1, 3));
  rig.sensor("c", at(247, 7));
  ASSERT_EQ(open(), GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] { return rig.good(2) >= 3; })) << rig.log;
  expect_only_right_values(rig, 0, 100);
  expect_only_right_values(rig, 1, 103);
  expect_only_right_values(rig, 2, 24'707);
  ASSERT_TRUE(rig.traces[0].sent);
  EXPECT_EQ(rig.traces[0].bytes, ScriptedRtu::with_crc({1, 3, 0, 0, 0, 4}));
}

TEST_F(ModbusRtu, NoiseAndEchoBeforeTheAnswerDoNoHarm) {
  ScriptedRtu line(path, [](const Question& q) -> Replies {
    const Bytes echo = ScriptedRtu::with_crc({q.unit, q.function, 0, 5, 0, 1});
    switch (q.number % 3) {
      case 0:
        return {now(join({0x00}, ScriptedRtu::right(q)))};
      case 1:
        return {now(echo), {5ms, ScriptedRtu::right(q), Reply::keep}};
      default:
        return {now({0xFF, 0x00, 0x55}), {5ms, ScriptedRtu::right(q), Reply::keep}};
    }
  });
  rig.sensor("a", at(1, 5), 30ms);
  ASSERT_EQ(open(), GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] { return rig.readings.size() >= 12; }));
  EXPECT_EQ(rig.good(0), rig.readings.size()) << rig.log;
  expect_only_right_values(rig, 0, 105);
}

struct Wrong {
  const char* name;
  Replies (*reply)(const Question&);
  gerbang_reason reason;
};
class WrongRtuAnswer : public ModbusRtu, public testing::WithParamInterface<Wrong> {};

TEST_P(WrongRtuAnswer, IsMissingWithItsReasonAndTheNextRightOneCounts) {
  std::atomic<bool> wrong = true;
  ScriptedRtu line(path, [&](const Question& q) -> Replies {
    return wrong ? GetParam().reply(q) : ScriptedRtu::answer(q);
  });
  rig.sensor("a", at(1, 5));
  ASSERT_EQ(open({{"retries", "0"}}), GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] { return !rig.readings.empty(); }));
  EXPECT_EQ(rig.readings[0].quality, static_cast<unsigned>(GERBANG_MISSING));
  EXPECT_EQ(rig.readings[0].reason, static_cast<unsigned>(GetParam().reason)) << rig.log;
  wrong = false;
  ASSERT_TRUE(rig.poll_until([&] { return rig.good(0) >= 3; })) << rig.log;
  expect_only_right_values(rig, 0, 105);
}

INSTANTIATE_TEST_SUITE_P(
    Line, WrongRtuAnswer,
    testing::Values(
        Wrong{"silence", [](const Question&) { return Replies{}; }, GERBANG_REASON_TIMEOUT},
        Wrong{"checksum",
              [](const Question& q) {
                Bytes bytes = ScriptedRtu::right(q);
                bytes.back() ^= 1;
                return Replies{now(bytes)};
              },
              GERBANG_REASON_CRC},
        Wrong{"half",
              [](const Question& q) {
                Bytes bytes = ScriptedRtu::right(q);
                bytes.resize(4);
                return Replies{now(bytes)};
              },
              GERBANG_REASON_PROTOCOL},
        Wrong{"unit",
              [](const Question&) {
                return Replies{now(ScriptedRtu::with_crc({9, 3, 2, 0xDE, 0xAD}))};
              },
              GERBANG_REASON_PROTOCOL},
        Wrong{"length",
              [](const Question& q) {
                return Replies{now(ScriptedRtu::with_crc({q.unit, 3, 4, 0xDE, 0xAD, 0xBE, 0xEF}))};
              },
              GERBANG_REASON_PROTOCOL},
        Wrong{"noise", [](const Question&) { return Replies{now(Bytes(40, 0xA5))}; },
              GERBANG_REASON_CRC},
        Wrong{"exception",
              [](const Question& q) { return Replies{now(ScriptedRtu::with_crc(q.refusal(2)))}; },
              GERBANG_REASON_EXCEPTION}),
    [](const testing::TestParamInfo<Wrong>& wrong) { return std::string(wrong.param.name); });

TEST_F(ModbusRtu, AnAnswerAfterTheTimeOutIsNeverTakenForAnotherRegister) {
  // Four answers of ten come after the time-out. RTU has nothing that tells them apart.
  ScriptedRtu line(path, [](const Question& q) -> Replies {
    return {{q.number * 7 % 10 < 4 ? 170ms : 0ms, ScriptedRtu::right(q), Reply::keep}};
  });
  for (int reg : {0, 200, 400}) rig.sensor("r" + std::to_string(reg), at(1, reg), 200ms);
  rig.sensor("other", at(2, 0), 1s);
  ASSERT_EQ(open({{"retries", "9"}}), GERBANG_OK);
  rig.poll_for(6s);
  for (std::uint32_t s : {0u, 1u, 2u}) {
    expect_only_right_values(rig, s, 100 + static_cast<int>(s) * 200);
    EXPECT_GE(rig.good(s), 5u);
  }
  expect_only_right_values(rig, 3, 200);
  EXPECT_GE(std::count_if(rig.exchanges.begin(), rig.exchanges.end(),
                          [](auto& e) { return e.result != GERBANG_REASON_NONE; }),
            4);
}

// Two requests that look alike, of which nobody can tell the answers apart.
TEST_F(ModbusRtu, AUnitThatWasSilentForSecondsIsBackWithinASecondOrTwo) {
  std::atomic<bool> silent = false;
  ScriptedRtu line(path,
                   [&](const Question& q) { return silent ? Replies{} : ScriptedRtu::answer(q); });
  for (int reg : {0, 200}) rig.sensor("r" + std::to_string(reg), at(1, reg), 200ms);
  ASSERT_EQ(open(), GERBANG_OK);
  for (const auto outage : {3700ms, 4700ms}) {
    ASSERT_TRUE(rig.poll_until([&] { return rig.good(0) >= 3 && rig.good(1) >= 3; })) << rig.log;
    silent = true;
    rig.poll_for(outage);
    silent = false;
    rig.readings.clear();
    EXPECT_TRUE(rig.poll_until([&] { return rig.good(0) >= 1 && rig.good(1) >= 1; }, 2500ms))
        << rig.log;
  }
  for (std::uint32_t s : {0u, 1u})
    expect_only_right_values(rig, s, 100 + static_cast<int>(s) * 200);
}

// The answers to all that was asked meanwhile come at once: they are of then, not of now.
TEST_F(ModbusRtu, AnswersThatWereHeldUpForSecondsAreNobodysValues) {
  std::atomic<bool> held = false;
  std::atomic<int> counter = 0;
  std::vector<Reply> owed;
  ScriptedRtu line(path, [&](const Question& q) {
    Reply reply = now(ScriptedRtu::with_crc(
        {q.unit, q.function, 2, 0, static_cast<std::uint8_t>(std::min(255, ++counter))}));
    owed.push_back(reply);
    return held ? Replies{} : std::exchange(owed, {});
  });
  rig.sensor("count", at(1, 0), 100ms);
  ASSERT_EQ(open(), GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] { return rig.good(0) >= 3; })) << rig.log;
  held = true;
  rig.poll_for(3700ms);
  const int asked = counter;
  held = false;
  rig.readings.clear();
  ASSERT_TRUE(rig.poll_until([&] { return rig.good(0) >= 3; }, 20s)) << rig.log;
  for (const auto& r : rig.of(0))
    if (r.quality != GERBANG_MISSING) {
      EXPECT_GT(r.integer, asked);
    }
}

// One that answers each question 3 s late, and then at once, so that new answers overtake old ones.
TEST_F(ModbusRtu, NoLateAnswerIsBelievedWhenNewOnesOvertakeIt) {
  using Clock = std::chrono::steady_clock;
  std::atomic<bool> slow = false;
  std::atomic<int> counter = 0;
  std::mutex mutex;
  std::deque<std::pair<Clock::time_point, Bytes>> owed;
  ScriptedRtu line(path, [&](const Question& q) {
    const Bytes bytes = ScriptedRtu::with_crc(
        {q.unit, q.function, 2, 0, static_cast<std::uint8_t>(std::min(255, ++counter))});
    if (!slow) return Replies{now(bytes)};
    const std::lock_guard lock(mutex);
    owed.emplace_back(Clock::now() + 3s, bytes);
    return Replies{};
  });
  rig.sensor("count", at(1, 0), 100ms);
  ASSERT_EQ(open(), GERBANG_OK);
  int in_time = 0;
  const auto begin = Clock::now();
  ASSERT_TRUE(rig.poll_until(
      [&] {
        const auto since = Clock::now() - begin;
        slow = since > 500ms && since < 6s;
        const std::lock_guard lock(mutex);
        for (; !owed.empty() && owed.front().first <= Clock::now(); owed.pop_front())
          line.send(owed.front().second);
        if (since < 500ms) in_time = counter;
        return since > 8s && !rig.readings.empty() && rig.readings.back().reason == 0;
      },
      30s))
      << rig.log;
  int newest = 0;
  for (const auto& r : rig.of(0)) {
    if (r.quality == GERBANG_MISSING) continue;
    EXPECT_GT(r.integer, newest) << "of a question before the newest";
    newest = static_cast<int>(r.integer);
  }
  EXPECT_GE(newest, in_time);
}

TEST_F(ModbusRtu, BytesThatNobodyAskedForAreThrownAway) {
  ScriptedRtu line(path, ScriptedRtu::answer);
  rig.sensor("a", at(1, 5), 30ms);
  ASSERT_EQ(open(), GERBANG_OK);
  for (int i = 0; i < 20; ++i) {
    line.send(ScriptedRtu::with_crc({1, 3, 2, 0xDE, 0xAD}));
    std::this_thread::sleep_for(5ms);
    rig.poll(30ms);
  }
  EXPECT_GE(rig.good(0), 15u);
  expect_only_right_values(rig, 0, 105);
}

TEST_F(ModbusRtu, AnAdapterThatIsUnpluggedAndComesBackIsOpenedAgain) {
  ScriptedRtu line(path, ScriptedRtu::answer);
  rig.sensor("a", at(1, 5));
  ASSERT_EQ(open(), GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] { return rig.good(0) >= 2; }));
  for (int i = 0; i < 2; ++i) {
    line.unplug();
    ASSERT_TRUE(rig.poll_until([&] { return rig.count(0, GERBANG_REASON_NO_CONNECTION) > 0; }));
    line.plug();
    const auto before = rig.good(0);
    ASSERT_TRUE(rig.poll_until([&] { return rig.good(0) >= before + 3; })) << rig.log;
  }
  expect_only_right_values(rig, 0, 105);
  EXPECT_TRUE(rig.logged("No such file"));
}

TEST_F(ModbusRtu, APortThatIsAbsentAtFirstIsNoReasonToEnd) {
  rig.sensor("a", at(1, 5));
  ASSERT_EQ(open(), GERBANG_OK);
  rig.poll_for(300ms);
  EXPECT_GE(rig.count(0, GERBANG_REASON_NO_CONNECTION), 2u);
  ScriptedRtu line(path, ScriptedRtu::answer);
  ASSERT_TRUE(rig.poll_until([&] { return rig.good(0) >= 2; })) << rig.log;
}

TEST_F(ModbusRtu, ADeadUnitLeavesTheIntervalsOfTheOthersAlone) {
  ScriptedRtu line(path, [](const Question& q) -> Replies {
    return q.unit == 2 ? Replies{} : ScriptedRtu::answer(q);
  });
  for (int unit = 1; unit <= 4; ++unit) rig.sensor("u" + std::to_string(unit), at(unit, 0), 300ms);
  ASSERT_EQ(open(), GERBANG_OK);
  rig.poll_for(6s);
  for (std::uint32_t s : {0u, 2u, 3u}) {
    const auto all = rig.of(s);
    ASSERT_EQ(rig.good(s), all.size());
    const double mean = static_cast<double>(all.back().boottime_ns - all.front().boottime_ns) /
                        1e6 / static_cast<double>(all.size() - 1);
    EXPECT_NEAR(mean, 300, 0.05 * 300);
  }
  EXPECT_GE(rig.count(1, GERBANG_REASON_TIMEOUT), 15u);
}

}  // namespace
}  // namespace gerbang::test
