// SPDX-License-Identifier: Apache-2.0
#include "particulate/codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "frames.hpp"
#include "particulate/captured.hpp"
#include "support/pty.hpp"

namespace gerbang::particulate {
namespace {

using namespace test::particulate;
using test::from_hex;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using Raw = std::vector<std::uint8_t>;
using Kind = Event::Kind;

Raw join(std::initializer_list<Raw> parts) {
  Raw all;
  for (const Raw& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}
std::vector<double> values(const Event& event) {
  return {event.values.begin(),
          event.values.begin() + static_cast<std::ptrdiff_t>(channels_of(event.model).size())};
}
std::vector<double> values(const char* hex, std::optional<Model> model = std::nullopt) {
  const Captured captured = decode_captured(from_hex(hex), model);
  EXPECT_TRUE(captured.event) << captured.why;
  return captured.event ? values(*captured.event) : std::vector<double>{};
}
std::string refusal(const std::string& hex, std::optional<Model> model = std::nullopt) {
  const Captured captured = decode_captured(from_hex(hex), model);
  EXPECT_FALSE(captured.event);
  return captured.why;
}
std::vector<Kind> kinds(const Raw& bytes, std::optional<Model> model = std::nullopt) {
  Codec codec(model);
  std::vector<Kind> out;
  for (const Event& event : codec.feed(bytes)) out.push_back(event.kind);
  return out;
}
// The checksum that a PMS frame has to have, put at its end.
Raw with_sum(Raw frame) {
  const auto sum = serial::sum(Bytes(frame).first(frame.size() - 2));
  frame[frame.size() - 2] = static_cast<std::uint8_t>(sum >> 8);
  frame[frame.size() - 1] = static_cast<std::uint8_t>(sum);
  return frame;
}

// ---- golden frames; frames.hpp names their sources
TEST(Plantower, DecodesCapturedFrames) {
  EXPECT_THAT(values(kPmsA), ElementsAre(26, 33, 41, 27, 33, 41, 11259, 1214, 107, 16, 4, 4));
  EXPECT_THAT(values(kPmsB), ElementsAre(4, 5, 8, 3, 4, 7, 795, 249, 27, 6, 3, 3));
  EXPECT_THAT(values(kPmsB, Model::pms7003), ElementsAre(4, 5, 8, 3, 4, 7, 795, 249, 27, 6, 3, 3));
}

TEST(Plantower, RefusesThePublishedFrameWhoseChecksumIsWrong) {
  EXPECT_THAT(kinds(from_hex(kPmsWrong)), ElementsAre(Kind::broken));
  EXPECT_EQ(refusal(kPmsWrong),
            "the checksum is wrong: the frame says 0x01AB, its bytes give 0x02F8");
}

TEST(Plantower, A3003HasNoCounts) {
  EXPECT_THAT(values(kPms3003), ElementsAre(4, 5, 8, 3, 4, 7));
  EXPECT_EQ(decode_captured(from_hex(kPms3003), std::nullopt).event->model, Model::pms3003);
}

TEST(Plantower, AFrameOfAnotherLengthThanTheModelsIsRefusedWithAHint) {
  EXPECT_THAT(refusal(kPms3003, Model::pms5003), HasSubstr("is it a pms3003?"));
  EXPECT_THAT(refusal(kPmsA, Model::pms3003), HasSubstr("is it a pms5003?"));
  Raw longer(40, 0);  // a PMS5003ST has temperature and formaldehyde too
  longer[0] = 0x42, longer[1] = 0x4D, longer[3] = 0x24;
  EXPECT_THAT(kinds(with_sum(longer)), ElementsAre(Kind::refused));
}

TEST(Plantower, AnErrorCodeIsAFaultAndNoValue) {
  Raw frame = from_hex(kPmsA);
  frame[29] = 2;
  EXPECT_THAT(kinds(with_sum(frame)), ElementsAre(Kind::fault));
}

TEST(Plantower, TheAnswerToACommandIsNoMeasurement) {
  EXPECT_TRUE(kinds(from_hex("42 4d 00 04 e1 00 01 74")).empty());
}

TEST(Sds011, DecodesTheCapturedFrame) {
  EXPECT_THAT(values(kSds), ElementsAre(123.6, 261.8));
}

TEST(Sds011, TheQueryIsTheOneOfItsProtocol) {
  const Raw expected = from_hex("AA B4 04 00 00 00 00 00 00 00 00 00 00 00 00 FF FF 02 AB");
  EXPECT_THAT(kSdsRead, ElementsAreArray(expected));
  EXPECT_EQ(serial::sum(Bytes(expected).subspan(2, 15)) & 0xFF, expected[17]);
}

TEST(Sds011, AWrongChecksumOrTailIsRefused) {
  EXPECT_THAT(refusal("AA C0 D4 04 3A 0A A1 60 1E AB"), HasSubstr("checksum is wrong"));
  EXPECT_THAT(refusal("AA C0 D4 04 3A 0A A1 60 1D AC"), HasSubstr("end with AB"));
}

TEST(Sps30, DecodesTheFrameOfTheDatasheet) {
  const auto all = values(kSps);
  const std::vector<double> expected{12.5, 20.25, 24, 26.75, 85, 98.5, 101, 101.5, 101.6, 0.62};
  ASSERT_EQ(all.size(), expected.size());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_NEAR(all[i], expected[i], 1e-5);
}

TEST(Sps30, KnowsThatThereIsNothingNewAndThatItHasToBeStarted) {
  EXPECT_THAT(kinds(from_hex(kSpsNoNewData)), ElementsAre(Kind::no_new_data));
  EXPECT_THAT(kinds(from_hex(kSpsIdle)), ElementsAre(Kind::idle));
  EXPECT_THAT(kinds(from_hex(kSpsStarted)), ElementsAre(Kind::started));
  EXPECT_THAT(refusal(kSpsNoNewData), HasSubstr("no new data"));
}

TEST(Sps30, AFaultIsNoValue) {
  Raw frame = from_hex(kSps);
  frame[3] = 0x80;
  frame[frame.size() - 2] = static_cast<std::uint8_t>(frame[frame.size() - 2] - 0x80);
  EXPECT_THAT(kinds(frame), ElementsAre(Kind::fault));
}

TEST(Sps30, QuestionsAreNoAnswers) {
  Raw echo(kSpsRead.begin(), kSpsRead.end());
  EXPECT_TRUE(kinds(echo).empty());
  EXPECT_THAT(kinds(join({echo, from_hex(kSps)})), ElementsAre(Kind::measurement));
}

TEST(Sps30, AnIntegerAnswerIsRefused) {
  Raw inside{0, 3, 0, 20};
  inside.resize(24, 1);
  inside.push_back(shdlc_checksum(inside));
  EXPECT_THAT(kinds(join({{0x7E}, inside, {0x7E}})), ElementsAre(Kind::refused));
}

TEST(Shdlc, TheChecksumIsStuffedToo) {
  // "Read auto-clean interval" of the datasheet: its checksum is the flag itself.
  const Raw frame = from_hex("7E 00 80 01 00 7D 5E 7E");
  const auto inside = unstuff(Bytes(frame).subspan(1, frame.size() - 2));
  ASSERT_TRUE(inside);
  EXPECT_THAT(*inside, ElementsAreArray(from_hex("00 80 01 00 7E")));
  EXPECT_EQ(shdlc_checksum(from_hex("00 80 01 00")), 0x7E);
}

TEST(Shdlc, ChecksumsOfTheDatasheetsCommands) {
  for (const char* text : {"00 00 02 01 03 F9", "00 01 00 FE", "00 03 00 FC", "00 56 00 A9",
                           "00 D3 00 2C", "00 D0 01 03 2B", "00 10 00 EF", "00 11 00 EE"}) {
    Raw frame = from_hex(text);
    const std::uint8_t sent = frame.back();
    frame.pop_back();
    EXPECT_EQ(shdlc_checksum(frame), sent) << text;
  }
}

TEST(Shdlc, OnlyFourBytesAreStuffed) {
  EXPECT_EQ(unstuff(from_hex("7D 5E 7D 5D 7D 31 7D 33")), from_hex("7E 7D 11 13"));
  EXPECT_EQ(unstuff(from_hex("7D 41")), std::nullopt);
  EXPECT_EQ(unstuff(from_hex("01 7D")), std::nullopt);
}

TEST(Captured, SaysWhatIsWrong) {
  EXPECT_THAT(refusal("42 4d 00 1c 00 03"), HasSubstr("6 of 32 bytes"));
  EXPECT_THAT(refusal("01 02 03"), HasSubstr("no frame begins"));
  EXPECT_THAT(refusal(""), HasSubstr("no frame begins"));
  EXPECT_THAT(refusal(kSds, Model::pms5003),
              HasSubstr("this frame is of model sds011, not pms5003"));
}

// The commands of Plantower's manual (PMS5003, appendix I), of Nova's (SDS011 control protocol) and
// of Sensirion's datasheet (SPS30, section SHDLC): none is a value.
TEST(Captured, SaysWhichCommandItIs) {
  const std::vector<std::pair<const char*, const char*>> commands{
      {"42 4D E1 00 00 01 70", "to be passive"},
      {"42 4D E1 00 01 01 71", "to be active"},
      {"42 4D E2 00 00 01 71", "to measure"},
      {"42 4D E4 00 00 01 73", "to sleep"},
      {"42 4D E4 00 01 01 74", "to wake up"},
      {"AA B4 04 00 00 00 00 00 00 00 00 00 00 00 00 FF FF 02 AB", "SDS011"},
      {"7E 00 00 02 01 03 F9 7E", "command \"start measuring\""},
      {"7E 00 01 00 FE 7E", "command \"stop measuring\""},
      {"7E 00 03 00 FC 7E", "command \"read values\""},
      {"7E 00 56 00 A9 7E", "command \"clean the fan\""},
      {"7E 00 D3 00 2C 7E", "command \"reset\""},
      {"7E 00 D0 01 03 2B 7E", "command \"device information\""},
      {"7E 00 80 01 00 7D 5E 7E", "command \"auto-clean\""},
      {"7E 00 10 00 EF 7E", "command \"sleep\""},
      {"7E 00 7D 31 00 EE 7E", "command \"wake up\""},
      {"7E 00 56 00 00 A9 7E", "answer to the command \"clean the fan\""},
  };
  for (const auto& [hex, what] : commands) {
    EXPECT_THAT(refusal(hex), HasSubstr(what)) << hex;
    if (refusal(hex).find("answer to the command") == std::string::npos) {
      EXPECT_THAT(refusal(hex), HasSubstr("not its answer")) << hex;
    }
  }
  EXPECT_THAT(refusal("42 4D E2 00 00 01 72"), HasSubstr("cannot have"));
  EXPECT_THAT(refusal("7E 00 03 00 FD 7E"), HasSubstr("checksum is wrong"));
}

TEST(Captured, FindsTheFrameInsideAPieceOfAStream) {
  EXPECT_THAT(values("29 00 1a 02 a2 AA C0 D4 04 3A 0A A1 60 1D AB AA C0 D4"),
              ElementsAre(123.6, 261.8));
}

// ---- the stream
class Split : public testing::TestWithParam<std::optional<Model>> {};

TEST_P(Split, WhatIsDecodedDoesNotDependOnHowTheStreamWasCutAndGarbageGivesNoValue) {
  const std::vector<Raw> good{from_hex(kPmsA), from_hex(kPmsB), from_hex(kPms3003), from_hex(kSds),
                              from_hex(kSps)};
  std::vector<std::vector<double>> right;
  for (const Raw& frame : good)
    right.push_back(values(*decode_captured(frame, std::nullopt).event));
  std::mt19937 random(4711);
  std::size_t found = 0;
  for (int round = 0; round < 300; ++round) {
    Raw stream;
    std::size_t sent = 0;
    for (int part = 0; part < 10; ++part) {
      const Raw& frame = good[random() % good.size()];
      switch (random() % 4) {
        case 0:  // half of one
          stream.insert(stream.end(), frame.begin(),
                        frame.begin() + static_cast<std::ptrdiff_t>(random() % (frame.size() / 2)));
          break;
        case 1:  // garbage, rich in headers
          for (auto n = random() % 40; n > 0; --n) {
            constexpr std::uint8_t kHeaders[] = {0x42, 0x4D, 0xAA, 0xC0, 0x7E, 0x7D, 0x00, 0x1C};
            stream.push_back(random() % 2 == 0 ? kHeaders[random() % 8]
                                               : static_cast<std::uint8_t>(random()));
          }
          break;
        default:
          stream.insert(stream.end(), frame.begin(), frame.end());
          ++sent;
      }
    }
    auto run = [&](bool cut) {
      Codec codec(GetParam());
      std::vector<std::vector<double>> out;
      for (std::size_t at = 0; at < stream.size();) {
        const std::size_t n =
            cut ? std::min<std::size_t>(random() % 9 + 1, stream.size() - at) : stream.size();
        for (const Event& event : codec.feed(Bytes(stream).subspan(at, n)))
          if (event.kind == Kind::measurement) out.push_back(values(event));
        at += n;
      }
      for (const Event& event : codec.silence())
        if (event.kind == Kind::measurement) out.push_back(values(event));
      return out;
    };
    const auto whole = run(false);
    ASSERT_EQ(whole, run(true));
    ASSERT_LE(whole.size(), sent);
    for (const auto& one : whole) ASSERT_THAT(right, testing::Contains(one));
    found += whole.size();
  }
  EXPECT_GT(found, 100u);
}

INSTANTIATE_TEST_SUITE_P(Models, Split,
                         testing::Values(std::nullopt, Model::pms5003, Model::pms3003,
                                         Model::sds011, Model::sps30),
                         [](const auto& it) {
                           return it.param ? std::string(name_of(*it.param)) : "any";
                         });

TEST(Codec, AGoodFrameAfterGarbageIsTheNextOneThatComes) {
  std::mt19937 random(1);
  for (int round = 0; round < 500; ++round) {
    Codec codec(Model::pms5003);
    Raw garbage(random() % 200);
    for (auto& byte : garbage) byte = static_cast<std::uint8_t>(random());
    codec.feed(garbage);
    codec.silence();
    const auto events = codec.feed(from_hex(kPmsA));
    ASSERT_EQ(events.size(), 1u);
    ASSERT_EQ(events[0].values[1], 33);
  }
}

}  // namespace
}  // namespace gerbang::particulate
