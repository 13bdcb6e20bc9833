// SPDX-License-Identifier: Apache-2.0
//
// A server that misbehaves in every way that we know of: nothing wrong is ever emitted, the right
// reason is, and the next right answer is taken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/rig.hpp"
#include "scripted_server.hpp"

namespace gerbang::test {
namespace {

using Question = ScriptedServer::Question;
using Reply = ScriptedServer::Reply;
using Replies = std::vector<Reply>;
using testing::Each;
using testing::HasSubstr;

Rig::Keys tcp(const ScriptedServer& server, Rig::Keys more = {}) {
  more.insert({{"transport", "tcp"},
               {"host", "127.0.0.1"},
               {"port", std::to_string(server.port())},
               {"timeout", "100ms"}});
  return more;
}
Rig::Keys at(int unit, int reg) {
  return {{"unit", std::to_string(unit)}, {"register", std::to_string(reg)}};
}
// Whatever was emitted with a value is the value of its own register.
void expect_only_right_values(const Rig& rig, std::uint32_t sensor, int value) {
  for (const auto& r : rig.of(sensor)) {
    if (r.quality == GERBANG_MISSING) continue;
    EXPECT_EQ(r.integer, value);
    EXPECT_EQ(r.flags, GERBANG_HAS_INTEGER);
  }
}
Reply now(ScriptedServer::Bytes bytes) {
  return {{}, std::move(bytes), Reply::keep};
}

TEST(ModbusTcp, ReadsWhatTheServerHolds) {
  ScriptedServer server(ScriptedServer::answer);
  Rig rig;
  rig.sensor("a", at(1, 0));
  rig.sensor("b", at(1, 3));
  rig.sensor("c", at(2, 7));
  ASSERT_EQ(rig.open(tcp(server)), GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] { return rig.good(2) >= 3; }));
  expect_only_right_values(rig, 0, 100);
  expect_only_right_values(rig, 1, 103);
  expect_only_right_values(rig, 2, 207);
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(rig.exchanges[0].device, "unit-1");
  EXPECT_EQ(rig.exchanges[0].result, GERBANG_REASON_NONE);
  // Two sensors, one question; the trace has the bytes as they were on the line.
  const auto first = server.questions()[0];
  EXPECT_EQ(first.count, 4);
  EXPECT_EQ(rig.traces[1].bytes, first.right());
  EXPECT_TRUE(rig.traces[0].sent);
}

TEST(ModbusTcp, AnAnswerAfterTheTimeOutIsNeverTakenForAnotherRegister) {
  // Three answers of ten come after the time-out, while the next question may already wait.
  ScriptedServer server([](const Question& q) -> Replies {
    return {{q.number * 7 % 10 < 3 ? 150ms : 0ms, q.right(), Reply::keep}};
  });
  Rig rig;
  for (int reg : {0, 200, 400}) rig.sensor("r" + std::to_string(reg), at(1, reg));
  rig.sensor("other", at(2, 0));
  ASSERT_EQ(rig.open(tcp(server, {{"retries", "3"}, {"max_back_off", "1s"}})), GERBANG_OK);
  rig.poll_for(6s);
  for (std::uint32_t s : {0u, 1u, 2u}) {
    expect_only_right_values(rig, s, 100 + static_cast<int>(s) * 200);
    EXPECT_GE(rig.good(s), 2u);
  }
  expect_only_right_values(rig, 3, 200);
}

TEST(ModbusTcp, ALateAnswerOnTheSameConnectionIsSkippedAndTheRightOneTaken) {
  ScriptedServer server([](const Question& q) -> Replies {
    if (q.number == 0) return {};
    if (q.number == 1) {  // first the answer to the question before, then the right one
      auto late = Question::frame(q.transaction - 1, {1, 3, 2, 0xDE, 0xAD});
      return {now(late), {20ms, q.right(), Reply::keep}};
    }
    return ScriptedServer::answer(q);
  });
  Rig rig;
  rig.sensor("a", at(1, 0), 1s);
  rig.sensor("b", at(2, 0), 1s);
  ASSERT_EQ(rig.open(tcp(server)), GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] { return rig.good(1) >= 1; }));
  EXPECT_EQ(rig.of(1)[0].integer, 200);
  EXPECT_EQ(server.connections(), 1);
  EXPECT_TRUE(rig.logged("late answers thrown away"));
}

// What a server may send instead of the right answer, and what is said of it.
struct Wrong {
  const char* name;
  std::function<Replies(const Question&)> reply;
  gerbang_reason reason;
};
class WrongAnswer : public testing::TestWithParam<Wrong> {};

TEST_P(WrongAnswer, IsMissingWithItsReasonAndTheNextRightOneCounts) {
  std::atomic<bool> wrong = true;
  ScriptedServer server([&](const Question& q) -> Replies {
    return wrong ? GetParam().reply(q) : ScriptedServer::answer(q);
  });
  Rig rig;
  rig.sensor("a", at(1, 5));
  ASSERT_EQ(rig.open(tcp(server, {{"retries", "0"}})), GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] { return !rig.readings.empty(); }));
  EXPECT_EQ(rig.readings[0].quality, static_cast<unsigned>(GERBANG_MISSING));
  EXPECT_EQ(rig.readings[0].reason, static_cast<unsigned>(GetParam().reason)) << rig.log;
  wrong = false;
  ASSERT_TRUE(rig.poll_until([&] { return rig.good(0) >= 3; })) << rig.log;
  expect_only_right_values(rig, 0, 105);
}

INSTANTIATE_TEST_SUITE_P(
    Server, WrongAnswer,
    testing::Values(
        Wrong{"silence", [](const Question&) { return Replies{}; }, GERBANG_REASON_TIMEOUT},
        Wrong{"transaction never asked",
              [](const Question& q) {
                return Replies{now(Question::frame(q.transaction + 9, q.body()))};
              },
              GERBANG_REASON_PROTOCOL},
        Wrong{"wrong unit",
              [](const Question& q) {
                return Replies{now(q.frame({9, 3, 2, 0xDE, 0xAD}))};
              },
              GERBANG_REASON_PROTOCOL},
        Wrong{"wrong function",
              [](const Question& q) {
                return Replies{now(q.frame({1, 4, 2, 0xDE, 0xAD}))};
              },
              GERBANG_REASON_PROTOCOL},
        Wrong{"short frame",
              [](const Question& q) {
                return Replies{now(q.frame({1, 3, 2}))};
              },
              GERBANG_REASON_PROTOCOL},
        Wrong{"too many registers",
              [](const Question& q) {
                return Replies{now(q.frame({1, 3, 4, 0xDE, 0xAD, 0xBE, 0xEF}))};
              },
              GERBANG_REASON_PROTOCOL},
        Wrong{"header longer than the answer",
              [](const Question& q) {
                auto bytes = q.right();
                bytes[5] = 40;
                return Replies{now(bytes)};
              },
              GERBANG_REASON_PROTOCOL},
        Wrong{"header shorter than the answer",
              [](const Question& q) {
                auto bytes = q.right();
                bytes[5] = 3;
                return Replies{now(bytes)};
              },
              GERBANG_REASON_PROTOCOL},
        Wrong{"half an answer",
              [](const Question& q) {
                auto bytes = q.right();
                bytes.resize(8);
                return Replies{now(bytes)};
              },
              GERBANG_REASON_PROTOCOL},
        Wrong{"another protocol",
              [](const Question&) {
                return Replies{now({'H', 'T', 'T', 'P', '/', '1', '.', '0', ' ', '4', '0', '0'})};
              },
              GERBANG_REASON_PROTOCOL},
        Wrong{"exception", [](const Question& q) { return Replies{now(q.frame(q.refusal(4)))}; },
              GERBANG_REASON_EXCEPTION},
        Wrong{"exception of a gateway",
              [](const Question& q) { return Replies{now(q.frame(q.refusal(11)))}; },
              GERBANG_REASON_EXCEPTION},
        Wrong{"closed connection",
              [](const Question&) {
                return Replies{{0ms, {}, Reply::close}};
              },
              GERBANG_REASON_NO_CONNECTION},
        Wrong{"reset connection",
              [](const Question&) {
                return Replies{{0ms, {}, Reply::reset}};
              },
              GERBANG_REASON_NO_CONNECTION}),
    [](const testing::TestParamInfo<Wrong>& wrong) {
      std::string name = wrong.param.name;
      std::replace(name.begin(), name.end(), ' ', '_');
      return name;
    });

TEST(ModbusTcp, AnAnswerInSingleBytesIsTaken) {
  ScriptedServer server([](const Question& q) {
    Replies bytes;
    for (std::uint8_t b : q.right())
      bytes.push_back({std::chrono::milliseconds(4 * bytes.size()), {b}, Reply::keep});
    return bytes;
  });
  Rig rig;
  rig.sensor("a", at(1, 5));
  ASSERT_EQ(rig.open(tcp(server, {{"timeout", "500ms"}})), GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] { return rig.good(0) >= 3; }));
  expect_only_right_values(rig, 0, 105);
}

TEST(ModbusTcp, AServerThatDripsForEverHoldsNobodyUp) {
  ScriptedServer server([](const Question& q) {
    Replies bytes;
    auto frame = q.right();
    frame[5] = 250;
    frame.resize(256);
    for (std::uint8_t b : frame)
      bytes.push_back({std::chrono::milliseconds(50 * bytes.size()), {b}, Reply::keep});
    return bytes;
  });
  Rig rig;
  rig.sensor("a", at(1, 5));
  ASSERT_EQ(rig.open(tcp(server)), GERBANG_OK);
  const auto begin = std::chrono::steady_clock::now();
  rig.poll(10ms);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 400ms);
}

TEST(ModbusTcp, AConnectionThatTheServerClosesWhenIdleCostsNoReading) {
  ScriptedServer server([](const Question& q) -> Replies {
    return {now(q.right()), {20ms, {}, Reply::close}};
  });
  Rig rig;
  rig.sensor("a", at(1, 5), 60ms);
  ASSERT_EQ(rig.open(tcp(server, {{"retries", "0"}})), GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] { return rig.readings.size() >= 10; }));
  EXPECT_EQ(rig.good(0), rig.readings.size());
  EXPECT_GE(server.connections(), 9);
}

TEST(ModbusTcp, IdleCloseLeavesTheDevicesOnlyConnectionToOthers) {
  ScriptedServer server(ScriptedServer::answer);
  Rig rig;
  rig.sensor("a", at(1, 5), 200ms);
  ASSERT_EQ(rig.open(tcp(server, {{"idle_close", "50ms"}})), GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] { return rig.good(0) >= 4; }));
  EXPECT_GE(server.connections(), 3);
  EXPECT_EQ(rig.good(0), rig.readings.size());
}

TEST(ModbusTcp, ServerAbsentThenPresentThenRestarted) {
  int port = 0;
  { port = ScriptedServer(ScriptedServer::answer).port(); }
  Rig rig;
  rig.sensor("a", at(1, 5));
  ASSERT_EQ(rig.open({{"host", "127.0.0.1"}, {"port", std::to_string(port)}}), GERBANG_OK);
  rig.poll_for(500ms);
  EXPECT_GE(rig.count(0, GERBANG_REASON_NO_CONNECTION), 4u);  // one a turn
  EXPECT_LE(rig.count(0, GERBANG_REASON_NO_CONNECTION), 7u);
  EXPECT_EQ(rig.good(0), 0u);
  for (int restart = 0; restart < 2; ++restart) {
    ScriptedServer server(ScriptedServer::answer, port);
    const auto before = rig.good(0);
    ASSERT_TRUE(rig.poll_until([&] { return rig.good(0) > before + 3; })) << rig.log;
  }
  expect_only_right_values(rig, 0, 105);
  EXPECT_TRUE(rig.logged("Connection refused"));
  EXPECT_TRUE(rig.logged("connected again"));
}

TEST(ModbusTcp, AnUnreachableHostNeverBlocksAPoll) {
  Rig rig;
  rig.sensor("a", at(1, 5));
  // A network for documentation (RFC 5737): packets go nowhere.
  ASSERT_EQ(rig.open({{"host", "192.0.2.1"}, {"connect_timeout", "300ms"}}), GERBANG_OK);
  for (int i = 0; i < 12; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    rig.poll(50ms);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 150ms);
  }
  EXPECT_GE(rig.count(0, GERBANG_REASON_NO_CONNECTION), 1u);
}

TEST(ModbusTcp, NamesAreLookedUpAndABadOneIsSaid) {
  ScriptedServer server(ScriptedServer::answer);
  Rig rig;
  rig.sensor("a", at(1, 5));
  ASSERT_EQ(rig.open({{"host", "localhost"}, {"port", std::to_string(server.port())}}), GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] { return rig.good(0) >= 1; })) << rig.log;

  Rig bad;
  bad.sensor("a", at(1, 5));
  ASSERT_EQ(bad.open({{"host", "no-such-host.invalid"}}), GERBANG_OK);
  ASSERT_TRUE(bad.poll_until([&] { return !bad.readings.empty(); }, 30s));
  EXPECT_EQ(bad.count(0, GERBANG_REASON_NO_CONNECTION), bad.readings.size());
  EXPECT_TRUE(bad.logged("no-such-host.invalid")) << bad.log;
}

TEST(ModbusTcp, ADeadUnitLeavesTheIntervalsOfNineOthersAlone) {
  ScriptedServer server([](const Question& q) -> Replies {
    return q.unit == 4 ? Replies{} : ScriptedServer::answer(q);
  });
  Rig rig;
  for (int unit = 1; unit <= 10; ++unit) rig.sensor("u" + std::to_string(unit), at(unit, 0), 250ms);
  ASSERT_EQ(rig.open(tcp(server)), GERBANG_OK);
  rig.poll_for(5s);
  for (std::uint32_t s = 0; s < 10; ++s) {
    if (s == 3) continue;
    const auto all = rig.of(s);
    ASSERT_EQ(rig.good(s), all.size());
    const double mean = static_cast<double>(all.back().boottime_ns - all.front().boottime_ns) /
                        1e6 / static_cast<double>(all.size() - 1);
    EXPECT_NEAR(mean, 250, 0.05 * 250) << "unit " << s + 1;
  }
  EXPECT_EQ(rig.good(3), 0u);
  EXPECT_GE(rig.count(3, GERBANG_REASON_TIMEOUT), 14u);  // and its own turns say so
  const auto questions = server.questions();
  const auto dead = std::count_if(questions.begin(), questions.end(),
                                  [](const Question& q) { return q.unit == 4; });
  EXPECT_LE(dead, 6);
  EXPECT_EQ(server.connections(), 1);
}

TEST(ModbusTcp, ARefusedGapIsSplitOnceAndRemembered) {
  // Registers 3 to 5 do not exist, and register 20 does not either.
  ScriptedServer server([](const Question& q) -> Replies {
    auto touches = [&](int from, int to) { return q.first <= to && q.first + q.count > from; };
    if (touches(3, 5) || touches(20, 20)) return {now(q.frame(q.refusal(2)))};
    return ScriptedServer::answer(q);
  });
  Rig rig;
  const std::vector<int> registers{0, 1, 2, 6, 7, 18, 19, 20, 21};
  for (int reg : registers) rig.sensor("r" + std::to_string(reg), at(1, reg));
  ASSERT_EQ(rig.open(tcp(server, {{"max_gap", "16"}})), GERBANG_OK);
  ASSERT_TRUE(rig.poll_until([&] { return rig.good(0) >= 5; }));
  for (std::uint32_t s = 0; s < registers.size(); ++s) {
    expect_only_right_values(rig, s, 100 + registers[s]);
    EXPECT_EQ(rig.good(s) > 0, registers[s] != 20) << registers[s];
  }
  EXPECT_EQ(rig.good(6), rig.of(6).size());  // its neighbour was not lost for one turn
  EXPECT_GE(rig.count(7, GERBANG_REASON_EXCEPTION), 4u);
  EXPECT_THAT(rig.log, HasSubstr("ILLEGAL DATA ADDRESS"));
  EXPECT_THAT(rig.log, HasSubstr("sensor r20"));
  // The first turn finds out; the others know: 0-2, 6-7, 18-19, 20, 21.
  const auto before = server.questions().size();
  const auto turns = rig.good(0);
  ASSERT_TRUE(rig.poll_until([&] { return rig.good(0) >= turns + 4; }));
  EXPECT_NEAR(static_cast<double>(server.questions().size() - before), 5 * 4, 5);
}

TEST(ModbusTcp, PausesAreKept) {
  ScriptedServer server(ScriptedServer::answer);
  Rig rig;
  for (int unit = 1; unit <= 4; ++unit) rig.sensor("u" + std::to_string(unit), at(unit, 0), 10s);
  ASSERT_EQ(rig.open(tcp(server, {{"pause_between", "60ms"}, {"pause_after_connect", "150ms"}})),
            GERBANG_OK);
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(rig.poll_until([&] { return rig.readings.size() == 4; }));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 330ms);
  for (std::size_t i = 1; i < 4; ++i)
    EXPECT_GE(rig.readings[i].boottime_ns - rig.readings[i - 1].boottime_ns, 60'000'000);
}

TEST(ModbusTcp, WaitsWithoutWakingUp) {
  ScriptedServer server(ScriptedServer::answer);
  Rig rig;
  for (int unit = 1; unit <= 10; ++unit)
    for (int reg = 0; reg < 100; ++reg)
      rig.sensor("u" + std::to_string(unit) + "-" + std::to_string(reg), at(unit, reg), 500ms);
  ASSERT_EQ(rig.open(tcp(server)), GERBANG_OK);
  auto cpu = [] {
    timespec t{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
  };
  const double before = cpu();
  for (int i = 0; i < 3; ++i) rig.poll(1s);
  EXPECT_NEAR(static_cast<double>(server.questions().size()), 70, 11);  // ten a turn
  EXPECT_NEAR(static_cast<double>(rig.readings.size()), 7000, 1000);
  EXPECT_LT(cpu() - before, 0.5);
}

}  // namespace
}  // namespace gerbang::test
