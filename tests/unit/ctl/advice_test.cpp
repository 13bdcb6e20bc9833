// SPDX-License-Identifier: Apache-2.0
#include "ctl/advice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gerbang::ctl {
namespace {

using testing::HasSubstr;
using Kind = LineFacts::Kind;
using Results = std::map<Reason, std::uint64_t>;

LineFacts line(Kind kind, std::map<std::string, Results> devices,
               std::vector<SensorFacts> sensors = {}, std::vector<std::string> said = {}) {
  LineFacts facts;
  facts.kind = kind;
  facts.said = std::move(said);
  facts.sensors = std::move(sensors);
  for (auto& [name, results] : devices) {
    DeviceCounts counts;
    counts.device = name;
    counts.results = results;
    facts.devices.push_back(std::move(counts));
  }
  return facts;
}

// "code: text" of each advice, one a line.
std::string eng(const LineFacts& facts) {
  std::string out;
  for (const Advice& a : advise(facts, "eng")) out += std::string(a.code) + ": " + a.text + "\n";
  return out;
}

TEST(Advice, AGoodLineNeedsNone) {
  EXPECT_EQ(eng(line(Kind::serial, {{"unit-1", {{Reason::none, 100}}}})), "");
  EXPECT_EQ(eng(line(Kind::serial, {})), "");
  EXPECT_EQ(eng(line(Kind::serial, {{"unit-1", {{Reason::none, 99}, {Reason::timeout, 1}}}})), "")
      << "one of a hundred is no reason to walk to the device";
  EXPECT_EQ(eng(line(Kind::serial, {{"unit-1", {{Reason::none, 5000}, {Reason::crc, 3}}}})), "");
}

TEST(Advice, AnswersWithAWrongChecksumMeanBaudOrParity) {
  EXPECT_EQ(eng(line(Kind::serial, {{"unit-1", {{Reason::crc, 3}}}})),
            "crc_always: unit 1 answers, but the CRC is wrong: baud rate or parity?\n");
  EXPECT_THAT(eng(line(Kind::serial, {{"unit-1", {{Reason::none, 90}, {Reason::crc, 10}}}})),
              HasSubstr("crc_sometimes: unit 1: 10 of 100 answers are damaged"));
}

TEST(Advice, OneSilentUnitAmongOthersIsItsOwnFault) {
  const Results good{{Reason::none, 5}}, silent{{Reason::timeout, 2}, {Reason::back_off, 3}};
  const LineFacts facts = line(
      Kind::serial, {{"unit-1", good}, {"unit-2", good}, {"unit-3", silent}, {"unit-4", good}});
  EXPECT_EQ(eng(facts),
            "silent_some: no answer from unit 3 while units 1, 2, 4 answer: its address, supply or "
            "wiring?\n");
  EXPECT_THAT(advise(facts, "ind").front().text,
              HasSubstr("unit 3 tidak menjawab, sedangkan unit 1, 2, 4 menjawab"));
  EXPECT_THAT(eng(line(Kind::serial, {{"unit-1", good}, {"unit-9", silent}})),
              HasSubstr("while unit 1 answers:"));
  EXPECT_THAT(eng(line(Kind::serial, {{"sonde a", good}, {"sonde b", silent}})),
              HasSubstr("no answer from sonde b while sonde a answers"));
}

TEST(Advice, ALineWithoutAnyAnswerDependsOnItsKind) {
  const std::map<std::string, Results> silent{{"unit-1", {{Reason::timeout, 2}}}};
  EXPECT_THAT(eng(line(Kind::serial, silent)), HasSubstr("A and B swapped"));
  EXPECT_THAT(eng(line(Kind::network, silent)), HasSubstr("connected, but no unit answers"));
  EXPECT_THAT(eng(line(Kind::other, silent)), HasSubstr("does not answer"));
}

TEST(Advice, ADeviceWhoseValueIsShownIsNotCalledSilent) {
  // Its first question was counted before its first answer was.
  const Results late{{Reason::timeout, 1}};
  EXPECT_EQ(eng(line(Kind::serial, {{"line", late}}, {{"d1", Flag::good, Reason::none}})), "");
  const auto two = [&](SensorFacts first, SensorFacts second) {
    return eng(line(Kind::serial, {{"unit-1", late}, {"unit-2", late}}, {first, second}));
  };
  const SensorFacts shown{"m1", Flag::good, Reason::none, "unit-1"};
  const SensorFacts silent{"m2", Flag::missing, Reason::timeout, "unit-2"};
  EXPECT_THAT(two(shown, silent), HasSubstr("silent_some: no answer from unit 2 while unit 1"));
  EXPECT_THAT(two(silent, silent), HasSubstr("silent_serial"));
}

TEST(Advice, AnExceptionIsAnAnswer) {
  const std::string text = eng(line(
      Kind::network, {{"unit-1", {{Reason::exception, 4}}}, {"unit-2", {{Reason::timeout, 4}}}}));
  EXPECT_THAT(text, HasSubstr("exception: unit 1 refuses 4 of 4 questions"));
  EXPECT_THAT(text, HasSubstr("no answer from unit 2 while unit 1 answers"));
}

TEST(Advice, SomeUnansweredQuestionsMeanASlowDeviceOrABadLine) {
  EXPECT_THAT(eng(line(Kind::serial, {{"unit-1", {{Reason::none, 90}, {Reason::timeout, 10}}}})),
              HasSubstr("sometimes: unit 1: 10 of 100"));
  EXPECT_THAT(eng(line(Kind::serial, {{"unit-1", {{Reason::none, 9}, {Reason::protocol, 1}}}})),
              HasSubstr("protocol: unit 1: 1 of 10 answers fit no question"));
}

TEST(Advice, ALostLineIsExplainedByWhatTheSystemSaid) {
  const auto lost = [](const char* said) {
    return eng(line(Kind::network, {}, {{"raw-ph", Flag::missing, Reason::no_connection}},
                    {"something older", said}));
  };
  EXPECT_THAT(lost("no connection: 10.0.0.1:502: Connection refused; trying again"),
              HasSubstr("refused: the connection is refused: check address and port; or the device "
                        "allows one connection"));
  EXPECT_THAT(lost("10.0.0.1:502: No route to host"), HasSubstr("unreachable: "));
  EXPECT_THAT(lost("10.0.0.1:502: Connection timed out"), HasSubstr("unreachable: "));
  EXPECT_THAT(lost("looking up plc: Name or service not known"), HasSubstr("unknown_name: "));
  EXPECT_THAT(lost("/dev/ttyUSB0: No such file or directory"), HasSubstr("no_port: "));
  EXPECT_THAT(lost("/dev/ttyUSB0: Permission denied"), HasSubstr("no_permission: "));
  EXPECT_THAT(lost("/dev/ttyUSB0: is in use by another program"), HasSubstr("in_use: "));
  EXPECT_THAT(lost("something odd"), HasSubstr("no_connection: there is no connection: something"));
}

TEST(Advice, ValuesSayWhatCountsCannot) {
  const std::map<std::string, Results> good{{"unit-1", {{Reason::none, 5}}}};
  const auto of = [&](Flag flag, Reason reason) {
    return eng(line(Kind::serial, good, {{"raw-ph", flag, reason}}));
  };
  EXPECT_THAT(of(Flag::missing, Reason::not_a_number), HasSubstr("raw-ph: the device sends no"));
  EXPECT_THAT(of(Flag::bad, Reason::range), HasSubstr("raw-ph is out of its range"));
  EXPECT_THAT(of(Flag::missing, Reason::no_target), HasSubstr("no echo"));
  EXPECT_THAT(of(Flag::missing, Reason::device_fault), HasSubstr("a fault of its own"));
  EXPECT_EQ(of(Flag::missing, Reason::timeout), "reason: raw-ph: the device does not answer\n");
}

TEST(Advice, DevicesThatSpeakByThemselvesAreJudgedByTheirSensors) {
  EXPECT_THAT(eng(line(Kind::serial, {}, {{"pm", Flag::missing, Reason::timeout}})),
              HasSubstr("quiet: pm: nothing comes"));
  EXPECT_THAT(eng(line(Kind::serial, {}, {{"pm", Flag::missing, Reason::crc}})),
              HasSubstr("garbled: pm: something comes, but damaged"));
}

TEST(Advice, EveryReasonOfAReadingHasASentence) {
  // Maintenance is no trouble. Devices that answered long and stopped: the counts do not tell it.
  const std::map<std::string, Results> counts{{"unit-1", {{Reason::none, 5000}}}};
  for (const auto& devices : {std::map<std::string, Results>{}, counts})
    for (unsigned i = 1; i < kReasonCount; ++i) {
      const Reason reason = *reason_of(i);
      if (reason == Reason::maintenance) continue;
      for (const char* language : {"ind", "eng"})
        EXPECT_FALSE(
            advise(line(Kind::network, devices, {{"ph", Flag::missing, reason}}), language).empty())
            << name(reason) << " " << language;
    }
}

TEST(Advice, AConnectionThatWasLostIsSaidAlsoWhereDevicesHadAnswered) {
  const LineFacts facts = line(Kind::network, {{"unit-1", {{Reason::none, 5000}}}},
                               {{"ph", Flag::missing, Reason::no_connection}});
  EXPECT_EQ(eng(facts),
            "no_connection: there is no connection: check the address or port, the cable and the "
            "device's supply\n");
}

}  // namespace
}  // namespace gerbang::ctl
