// SPDX-License-Identifier: Apache-2.0
//
// What goes over the line when, with probes that are a few lines of script and a clock that is a
// number.
#include "sdi12/bus.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace gerbang::sdi12 {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Time = Bus::Time;

struct Reply {
  Time after;
  std::string text;
};
using Replies = std::vector<Reply>;
using Script = std::function<Replies(const std::string& command)>;

// The answers to a command, each 15 ms after it, whatever how often it comes.
Script says(std::map<std::string, std::string> answers) {
  return [answers](const std::string& command) -> Replies {
    const auto found = answers.find(command);
    if (found == answers.end()) return {};
    return {{15ms, found->second + "\r\n"}};
  };
}

class BusOfProbes : public testing::Test {
 protected:
  void run(Time duration) {
    const Time end = now + duration;
    for (;;) {
      if (const auto command = bus.next_command(now)) {
        commands.push_back(*command);
        at.push_back(now);
        now += 30ms + 8333us * static_cast<long>(command->size());
        bus.sent(now);
        for (const Reply& reply : script(*command))
          on_the_way.emplace(now + reply.after, reply.text);
      }
      for (const auto& outcome : bus.take_outcomes()) outcomes.push_back(outcome);
      Time next = std::min(bus.wake(now), end);
      if (!on_the_way.empty()) next = std::min(next, on_the_way.begin()->first);
      if (next >= end) break;
      ASSERT_LT(++steps, 100'000) << "it turns in circles";
      now = std::max(now, next);
      while (!on_the_way.empty() && on_the_way.begin()->first <= now) {
        const std::string text = on_the_way.begin()->second;
        on_the_way.erase(on_the_way.begin());
        bus.take({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, now);
      }
      bus.advance(now);
    }
    now = end;
  }
  std::size_t want(char address, const char* command) {
    const auto m = bus.add(address, *command_of(command));
    bus.want(m, now);
    return m;
  }
  Bus::Outcome only() const {
    EXPECT_EQ(outcomes.size(), 1u);
    return outcomes.empty() ? Bus::Outcome{} : outcomes[0];
  }

  Bus bus{{}};
  Script script = [](const std::string&) { return Replies{}; };
  Time now = 1000s;
  int steps = 0;
  std::vector<std::string> commands;
  std::vector<Time> at;
  std::vector<Bus::Outcome> outcomes;
  std::multimap<Time, std::string> on_the_way;
};

TEST_F(BusOfProbes, AMeasurementEndsWithTheServiceRequest) {
  script = [](const std::string& command) -> Replies {
    if (command == "0M!") return {{15ms, "00302\r\n"}, {2s, "0\r\n"}};
    if (command == "0D0!") return {{15ms, "0+3.14-2\r\n"}};
    return {};
  };
  want('0', "M");
  run(60s);
  EXPECT_THAT(commands, ElementsAre("0M!", "0D0!"));
  EXPECT_EQ(only().reason, GERBANG_REASON_NONE);
  EXPECT_THAT(only().values, ElementsAre(3.14, -2));
  EXPECT_LT(at[1] - at[0], 2100ms);  // and not after 30 s
}

TEST_F(BusOfProbes, AServiceRequestThatDoesNotComeIsWaitedForNoLongerThanPromised) {
  script = says({{"0M!", "00052"}, {"0D0!", "0+1+2"}});
  want('0', "M");
  run(60s);
  EXPECT_THAT(only().values, ElementsAre(1, 2));
  EXPECT_GE(at[1] - at[0], 5s);
  EXPECT_LT(at[1] - at[0], 6s);
}

TEST_F(BusOfProbes, ValuesThatAreReadyAtOnceHaveNoServiceRequest) {
  script = says({{"0M1!", "00001"}, {"0D0!", "0+1"}});
  want('0', "M1");
  run(2s);
  EXPECT_THAT(commands, ElementsAre("0M1!", "0D0!"));
  EXPECT_THAT(only().values, ElementsAre(1));
}

TEST_F(BusOfProbes, ValuesAreFetchedUntilAllThatWerePromisedAreThere) {
  script = says({{"0C!", "000007"}, {"0D0!", "0+1+2+3"}, {"0D1!", "0+4+5+6"}, {"0D2!", "0+7"}});
  want('0', "C");
  run(5s);
  EXPECT_THAT(commands, ElementsAre("0C!", "0D0!", "0D1!", "0D2!"));
  EXPECT_THAT(only().values, ElementsAre(1, 2, 3, 4, 5, 6, 7));
}

TEST_F(BusOfProbes, ContinuousValuesNeedNoMeasurement) {
  script = says({{"0R0!", "0+1.5"}, {"1RC1!", "1+3" + crc_of("1+3")}});
  want('0', "R0");
  want('1', "RC1");
  run(2s);
  EXPECT_THAT(commands, ElementsAre("0R0!", "1RC1!"));
  EXPECT_THAT(outcomes.at(0).values, ElementsAre(1.5));
  EXPECT_THAT(outcomes.at(1).values, ElementsAre(3));
}

TEST_F(BusOfProbes, ConcurrentMeasurementsDoNotKeepOthersWaiting) {
  script = says({{"0C!", "006001"},
                 {"0D0!", "0+60"},
                 {"1C!", "103001"},  // address, 030 s, 01 value
                 {"1D0!", "1+30"},
                 {"2M!", "20001"},
                 {"2D0!", "2+2"}});
  for (const char address : {'0', '1'}) want(address, "C");
  want('2', "M");
  run(2s);
  EXPECT_THAT(commands, ElementsAre("0C!", "1C!", "2M!", "2D0!"));
  run(70s);
  EXPECT_THAT(commands, ElementsAre("0C!", "1C!", "2M!", "2D0!", "1D0!", "0D0!"));
  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_THAT(outcomes[1].values, ElementsAre(30));
  EXPECT_THAT(outcomes[2].values, ElementsAre(60));
}

TEST_F(BusOfProbes, AMeasurementThatHoldsTheLineIsNotDisturbed) {
  script = says({{"0M!", "00101"}, {"0D0!", "0+1"}, {"1R0!", "1+2"}});
  want('0', "M");
  run(1s);
  want('1', "R0");
  run(8s);
  EXPECT_THAT(commands, ElementsAre("0M!"));
  run(8s);
  EXPECT_THAT(commands, ElementsAre("0M!", "0D0!", "1R0!"));
}

TEST_F(BusOfProbes, ADeviceGetsNoSecondCommandWhileItMeasures) {
  script = says({{"0C!", "001001"}, {"0D0!", "0+1"}, {"0R0!", "0+2"}});
  want('0', "C");
  want('0', "R0");
  run(5s);
  EXPECT_THAT(commands, ElementsAre("0C!"));
  EXPECT_LT(steps, 10);  // and waits for it quietly
  run(20s);
  EXPECT_THAT(commands, ElementsAre("0C!", "0D0!", "0R0!"));
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_THAT(outcomes[0].values, ElementsAre(1));
  EXPECT_THAT(outcomes[1].values, ElementsAre(2));
}

TEST_F(BusOfProbes, SilenceIsRetriedThreeTimesAndThenOnceATurn) {
  want('0', "M");
  run(20s);
  EXPECT_EQ(commands.size(), 4u);
  EXPECT_EQ(only().reason, GERBANG_REASON_TIMEOUT);
  want('0', "M");
  run(20s);
  EXPECT_EQ(commands.size(), 5u);
  script = says({{"0M!", "00001"}, {"0D0!", "0+1"}});
  want('0', "M");
  run(20s);
  EXPECT_EQ(outcomes.back().reason, GERBANG_REASON_NONE);
  script = [](const std::string&) { return Replies{}; };
  want('0', "M");
  run(20s);
  EXPECT_EQ(commands.size(), 11u);  // it has its retries again
}

TEST_F(BusOfProbes, AWrongCrcIsFetchedAgain) {
  int times = 0;
  script = [&](const std::string& command) -> Replies {
    if (command == "0MC!") return {{15ms, "00001\r\n"}};
    return {{15ms, ++times < 3 ? "0+3.14OqX\r\n" : "0+3.14OqZ\r\n"}};
  };
  want('0', "MC");
  run(10s);
  EXPECT_THAT(commands, ElementsAre("0MC!", "0D0!", "0D0!", "0D0!"));
  EXPECT_THAT(only().values, ElementsAre(3.14));
  const auto exchanges = bus.take_exchanges();
  EXPECT_EQ(std::count_if(exchanges.begin(), exchanges.end(),
                          [](const auto& e) { return e.result == GERBANG_REASON_CRC; }),
            2);
}

TEST_F(BusOfProbes, ALineWithoutItsCrcIsWrongWhereOneWasAskedFor) {
  script = says({{"0RC0!", "0+3.14"}});
  want('0', "RC0");
  run(20s);
  EXPECT_EQ(only().reason, GERBANG_REASON_CRC);
}

struct Wrong {
  const char* name;
  const char* command;
  std::map<std::string, std::string> answers;
  gerbang_reason reason;
  const char* why;
};
void PrintTo(const Wrong& wrong, std::ostream* out) {
  *out << wrong.name;
}
class WrongAnswer : public BusOfProbes, public testing::WithParamInterface<Wrong> {};
TEST_P(WrongAnswer, GivesNoValue) {
  script = says(GetParam().answers);
  want('0', GetParam().command);
  run(60s);
  EXPECT_EQ(only().reason, GetParam().reason) << only().why;
  EXPECT_THAT(only().values, IsEmpty());
  EXPECT_THAT(only().why, HasSubstr(GetParam().why));
  EXPECT_LE(commands.size(), 6u);
}
INSTANTIATE_TEST_SUITE_P(
    Line, WrongAnswer,
    testing::Values(
        Wrong{"Foreign", "R0", {{"0R0!", "1+3.14"}}, GERBANG_REASON_PROTOCOL, "address 1"},
        Wrong{"ForeignPromise", "M", {{"0M!", "10001"}}, GERBANG_REASON_PROTOCOL, "address 1"},
        Wrong{"PromiseOfAnotherKind", "M", {{"0M!", "000001"}}, GERBANG_REASON_PROTOCOL, "atttn"},
        Wrong{"NoValuesAtAll", "M", {{"0M!", "00000"}}, GERBANG_REASON_EXCEPTION, "no values"},
        Wrong{"BrokenOff",
              "M",
              {{"0M!", "00001"}, {"0D0!", "0"}},
              GERBANG_REASON_PROTOCOL,
              "broken off"},
        Wrong{"TooMany",
              "M",
              {{"0M!", "00001"}, {"0D0!", "0+1+2"}},
              GERBANG_REASON_PROTOCOL,
              "promised"},
        Wrong{"TooFew",
              "M",
              {{"0M!", "00002"}, {"0D0!", "0+1"}},
              GERBANG_REASON_TIMEOUT,
              "no answer"},
        Wrong{"NoSign", "R0", {{"0R0!", "03.14"}}, GERBANG_REASON_PROTOCOL, "+ or -"},
        Wrong{"TwoPoints", "R0", {{"0R0!", "0+3.1.4"}}, GERBANG_REASON_PROTOCOL, "digits"},
        Wrong{"Garbage", "R0", {{"0R0!", "0+3\x80.14"}}, GERBANG_REASON_PROTOCOL, "parity"}),
    [](const testing::TestParamInfo<Wrong>& wrong) { return std::string(wrong.param.name); });

TEST_F(BusOfProbes, AnAnswerBehindAForeignOneCounts) {
  script = [](const std::string&) -> Replies { return {{5ms, "1+9\r\n"}, {20ms, "0+3.14\r\n"}}; };
  want('0', "R0");
  run(5s);
  EXPECT_THAT(only().values, ElementsAre(3.14));
  EXPECT_EQ(bus.foreign(), 1u);
}

TEST_F(BusOfProbes, HalfAnAnswerIsNone) {
  script = [](const std::string&) -> Replies { return {{5ms, "0+3.1"}}; };
  want('0', "R0");
  run(20s);
  EXPECT_EQ(only().reason, GERBANG_REASON_PROTOCOL);
  EXPECT_THAT(only().why, HasSubstr("half"));
}

TEST_F(BusOfProbes, EndlessGarbageDoesNotHoldTheLine) {
  script = [](const std::string&) -> Replies {
    Replies replies;
    for (int i = 0; i < 1000; ++i) replies.push_back({i * 20ms, "7+7\r\nx"});
    return replies;
  };
  want('0', "R0");
  run(15s);
  EXPECT_EQ(only().reason, GERBANG_REASON_PROTOCOL);
}

// Answers that come after the time-out are never taken for those of the next command.
class LateAnswers : public BusOfProbes, public testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Retries, LateAnswers, testing::Values(0, 3));
TEST_P(LateAnswers, AreNeverTakenForOthers) {
  Bus::Settings settings;
  settings.retries = GetParam();
  bus = Bus(settings);
  std::mt19937 random(1);
  script = [&](const std::string& command) -> Replies {
    const Time late = random() % 3 == 0 ? 100ms * static_cast<int>(random() % 20) : 15ms;
    if (command == "0C!") return {{late, "000003\r\n"}};
    if (command == "0D0!") return {{late, "0+1\r\n"}};
    if (command == "0D1!") return {{late, "0+2\r\n"}};
    if (command == "0D2!") return {{late, "0+3\r\n"}};
    if (command == "0R0!") return {{late, "0+77\r\n"}};
    return {};
  };
  std::size_t good = 0;
  for (int i = 0; i < 300; ++i) {
    const auto c = want('0', "C");
    want('0', "R0");
    run(40s);
    for (const auto& outcome : std::exchange(outcomes, {})) {
      if (outcome.reason != GERBANG_REASON_NONE) continue;
      ++good;
      if (outcome.measurement == c)
        ASSERT_THAT(outcome.values, ElementsAre(1, 2, 3));
      else
        ASSERT_THAT(outcome.values, ElementsAre(77));
    }
  }
  EXPECT_GT(good, 200u);
}

// Each answer is the number of its command, so that it is seen of when it is.
TEST_F(BusOfProbes, AnAnswerThatComesAfterEveryRetryIsNotTakenForOneToALaterTurn) {
  for (const Time late : {Time(15ms), Time(6s), Time(15ms)}) {
    script = [&](const std::string&) -> Replies {
      return {{late, "0+" + std::to_string(commands.size()) + "\r\n"}};
    };
    outcomes.clear();
    std::size_t good = 0;
    for (int turn = 0; turn < 60; ++turn) {
      want('0', "R0");
      run(1s);
      for (const auto& outcome : std::exchange(outcomes, {})) {
        if (outcome.reason != GERBANG_REASON_NONE) continue;
        ++good;
        const auto whose = static_cast<std::size_t>(outcome.values.at(0));
        EXPECT_LT(now - at.at(whose - 1), 2s)
            << "the value of the question before " << late.count();
      }
    }
    if (late < 1s)
      EXPECT_GE(good, 50u);
    else
      EXPECT_EQ(good, 0u);
  }
}

TEST_F(BusOfProbes, TheLineThatIsLostEndsWhatIsUnderWay) {
  script = says({{"0C!", "006001"}});
  want('0', "C");
  want('1', "M");
  run(1s);
  bus.line_lost();
  const auto lost = bus.take_outcomes();
  ASSERT_EQ(lost.size(), 2u);
  for (const auto& outcome : lost) EXPECT_EQ(outcome.reason, GERBANG_REASON_NO_CONNECTION);
  EXPECT_FALSE(bus.under_way(0));
  EXPECT_EQ(bus.wake(now), Time::max());
  script = says({{"0C!", "000001"}, {"0D0!", "0+1"}});
  want('0', "C");
  run(5s);
  EXPECT_THAT(outcomes.back().values, ElementsAre(1));
}

TEST_F(BusOfProbes, AWantedMeasurementThatIsUnderWayIsNotStartedAgain) {
  script = says({{"0C!", "000501"}, {"0D0!", "0+1"}});
  want('0', "C");
  run(1s);
  want('0', "C");
  run(30s);
  EXPECT_THAT(commands, ElementsAre("0C!", "0D0!"));
}

// Bytes in any pieces mean the same.
TEST_F(BusOfProbes, AnswersMayComeInPieces) {
  for (std::size_t cut = 1; cut < 8; ++cut) {
    script = [cut](const std::string&) -> Replies {
      const std::string whole = "0+3.14\r\n";
      return {{15ms, whole.substr(0, cut)}, {150ms, whole.substr(cut)}};
    };
    want('0', "R0");
    run(3s);
    EXPECT_THAT(outcomes.back().values, ElementsAre(3.14)) << cut;
  }
}

}  // namespace
}  // namespace gerbang::sdi12
