// SPDX-License-Identifier: Apache-2.0
#include "ranging/codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "ranging/fill.hpp"
#include "support/pty.hpp"

namespace gerbang::ranging {
namespace {

using test::from_hex;
using testing::ElementsAre;
using testing::HasSubstr;
using Raw = std::vector<std::uint8_t>;
using Kind = Event::Kind;

Raw ascii(const std::string& text) {
  return {text.begin(), text.end()};
}
Raw a02(int millimetres) {
  Raw frame{0xFF, static_cast<std::uint8_t>(millimetres / 256),
            static_cast<std::uint8_t>(millimetres % 256)};
  frame.push_back(static_cast<std::uint8_t>(serial::sum(frame)));
  return frame;
}
Captured decode(const Raw& bytes, std::optional<Model> model = std::nullopt,
                std::optional<int> no_target = std::nullopt) {
  return decode_captured(bytes, model, no_target);
}
// The counts of the distances, -1 where there is no target.
std::vector<int> counts(Codec& codec, const Raw& bytes) {
  std::vector<int> out;
  for (const Event& event : codec.feed(bytes)) {
    if (event.kind == Kind::distance) out.push_back(event.count);
    if (event.kind == Kind::no_target) out.push_back(-1);
  }
  return out;
}
std::vector<int> counts(const std::string& text, Model model = Model::maxbotix_hrxl) {
  Codec codec(model, std::nullopt);
  return counts(codec, ascii(text));
}

// DFRobot's documentation of the A02YYUW.
TEST(A02yyuw, DecodesTheDocumentedFrame) {
  const Captured captured = decode(from_hex("FF 07 A1 A7"));
  ASSERT_TRUE(captured.event) << captured.why;
  EXPECT_EQ(captured.event->count, 1953);
  EXPECT_EQ(captured.event->kind, Kind::distance);
}

TEST(A02yyuw, RefusesAWrongChecksum) {
  EXPECT_EQ(decode(from_hex("FF 07 A1 A8")).why,
            "the checksum is wrong: the frame says A8, its bytes give A7");
  Codec codec(Model::a02yyuw, std::nullopt);
  const auto events = codec.feed(from_hex("FF 07 A1 A8"));
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, Kind::broken);
}

TEST(A02yyuw, BeyondItsRangeThereIsNoTarget) {
  Codec codec(Model::a02yyuw, std::nullopt);
  EXPECT_THAT(counts(codec, a02(0)), ElementsAre(-1));
  EXPECT_THAT(counts(codec, a02(4500)), ElementsAre(4500));
  EXPECT_THAT(counts(codec, a02(4501)), ElementsAre(-1));
  EXPECT_THAT(counts(codec, from_hex("FF FF FF FD")), ElementsAre(-1));
}

TEST(A02yyuw, AFrameAfterGarbageCountsWhenAnotherFollowsIt) {
  Codec codec(Model::a02yyuw, std::nullopt);
  EXPECT_THAT(counts(codec, a02(1000)), ElementsAre(1000));
  EXPECT_THAT(counts(codec, {0x12, 0x34}), ElementsAre());
  EXPECT_THAT(counts(codec, a02(3000)), ElementsAre()) << "may be part of the garbage";
  EXPECT_THAT(counts(codec, a02(3001)), ElementsAre(3001));
  EXPECT_THAT(counts(codec, {0x12}), ElementsAre());
  EXPECT_THAT(counts(codec, a02(3010)), ElementsAre(3010)) << "is near the one before";
}

// MaxBotix' datasheet of the HRXL-MaxSonar-WR (MB7389).
TEST(MaxBotix, DecodesTheDocumentedFrames) {
  EXPECT_EQ(decode(from_hex("52 31 32 33 34 0D")).event->count, 1234);
  const Captured lost = decode(from_hex("52 35 30 30 30 0D"));
  ASSERT_TRUE(lost.event);
  EXPECT_EQ(lost.event->kind, Kind::no_target);
}

TEST(MaxBotix, ATypeOfTenMetresHasItsOwnNoTarget) {
  EXPECT_EQ(decode(ascii("R5000\r"), Model::maxbotix_hrxl, 9999).event->count, 5000);
  EXPECT_EQ(decode(ascii("R9999\r"), Model::maxbotix_hrxl, 9999).event->kind, Kind::no_target);
}

TEST(MaxBotix, UsbTypesSendASpaceAndPerhapsTheProximity) {
  EXPECT_THAT(counts("R0480 \rR0481 P1\rR0482 P0\r", Model::maxbotix_usb),
              ElementsAre(480, 481, 482));
}

TEST(MaxBotix, AtItsNearestTheDistanceIsUncertain) {
  EXPECT_TRUE(decode(ascii("R0300\r")).event->nearest);
  EXPECT_FALSE(decode(ascii("R0301\r")).event->nearest);
}

TEST(MaxBotix, ThreeDigitsAreInchesOrCentimetresAndNotGuessed) {
  EXPECT_EQ(decode(ascii("R123\r"), Model::maxbotix_lv).event->count, 123);
  EXPECT_EQ(decode(ascii("R765\r"), Model::maxbotix_xl).event->kind, Kind::no_target);
  EXPECT_DOUBLE_EQ(about(Model::maxbotix_lv).millimetres, 25.4);
  EXPECT_DOUBLE_EQ(about(Model::maxbotix_xl).millimetres, 10);
  EXPECT_THAT(decode(ascii("R123\r")).why, HasSubstr("maxbotix-lv"));
}

TEST(MaxBotix, AnotherNumberOfDigitsIsRefusedWithAHint) {
  EXPECT_THAT(decode(ascii("R123\r"), Model::maxbotix_hrxl).why,
              HasSubstr("sends 4 digits, but 3 came; is it a maxbotix-lv"));
  EXPECT_THAT(decode(ascii("R1234\r"), Model::maxbotix_xl).why, HasSubstr("is it a maxbotix-hrxl"));
}

TEST(MaxBotix, HalfFramesAndBannersGiveNothing) {
  EXPECT_THAT(counts("HRXL-MaxSonar-WR\rPN:MB7389\rRoHS 1.8b090  0713\r"), ElementsAre());
  EXPECT_THAT(counts("R12R1234\r"), ElementsAre(1234));
  EXPECT_THAT(counts("R12x34\rR12345\rR-123\r1234\r"), ElementsAre());
  Codec codec(Model::maxbotix_hrxl, std::nullopt);
  codec.feed(ascii("R12"));
  codec.silence();
  EXPECT_THAT(counts(codec, ascii("34\r")), ElementsAre());
}

TEST(Captured, TakesTheFirstFrameAfterOtherBytesAndCountsThem) {
  for (const auto& [hex, skipped] : {std::pair{"00 FF 07 A1 A7", 1},
                                     {"A1 A7 FF 07 A1 A7", 2},
                                     {"FF FF 07 A1 A7 00", 1},
                                     {"FF 07 A1 A7 00", 0}}) {
    const Captured captured = decode(from_hex(hex), Model::a02yyuw);
    ASSERT_TRUE(captured.event) << hex << ": " << captured.why;
    EXPECT_EQ(captured.event->count, 1953) << hex;
    EXPECT_EQ(captured.event->noise, static_cast<std::uint64_t>(skipped)) << hex;
  }
  EXPECT_THAT(decode(from_hex("FF 30 00 2F"), Model::a02yyuw).why, HasSubstr("farther than any"));
}

TEST(Captured, SaysWhatIsWrong) {
  EXPECT_THAT(decode(ascii("R12")).why, HasSubstr("CR (0D)"));
  EXPECT_THAT(decode({}).why, HasSubstr("no frame begins"));
  EXPECT_THAT(decode(from_hex("FF 07")).why, HasSubstr("2 of 4 bytes"));
}

// The example of a bin of 1,800 mm whose full mark is 200 mm below the sensor.
TEST(Fill, IsTheShareOfTheDepth) {
  EXPECT_DOUBLE_EQ(fill_of(600, 1800, 200).percent, 75);
  EXPECT_FALSE(fill_of(600, 1800, 200).implausible);
}

TEST(Fill, IsClampedAndSuspectFarOutside) {
  EXPECT_DOUBLE_EQ(fill_of(1850, 1800, 200).percent, 0);
  EXPECT_FALSE(fill_of(1850, 1800, 200).implausible);  // -3.1 %
  EXPECT_FALSE(fill_of(1880, 1800, 200).implausible);  // -5 %
  EXPECT_TRUE(fill_of(1890, 1800, 200).implausible);
  EXPECT_DOUBLE_EQ(fill_of(110, 1800, 200).percent, 100);
  EXPECT_TRUE(fill_of(110, 1800, 200).implausible);  // 105.6 %
}

class Split : public testing::TestWithParam<Model> {};

TEST_P(Split, WhatIsDecodedDoesNotDependOnHowTheStreamWasCutAndGarbageGivesNoValue) {
  const Model model = GetParam();
  const std::vector<Raw> good = model == Model::a02yyuw
                                    ? std::vector<Raw>{a02(700), a02(705), a02(3000), a02(0)}
                                    : std::vector<Raw>{ascii("R0700\r"), ascii("R0705 \r"),
                                                       ascii("R3000\r"), ascii("R5000\r")};
  const Raw rich = ascii(std::string("R\r R09") + "\xFF\x02\xBC\x0B");
  std::mt19937 random(99);
  std::size_t found = 0;
  for (int round = 0; round < 500; ++round) {
    Raw stream;
    for (int part = 0; part < 12; ++part) {
      const Raw& frame = good[random() % good.size()];
      switch (random() % 4) {
        case 0:
          stream.insert(stream.end(), frame.begin(),
                        frame.begin() + static_cast<std::ptrdiff_t>(random() % frame.size()));
          stream.push_back('x');  // two halves of one length are a frame to anybody
          break;
        case 1:
          for (auto n = random() % 20; n > 0; --n)
            stream.push_back(random() % 2 == 0 ? rich[random() % rich.size()]
                                               : static_cast<std::uint8_t>(random()));
          stream.push_back('x');
          break;
        default:
          stream.insert(stream.end(), frame.begin(), frame.end());
      }
    }
    Codec whole(model, std::nullopt), pieces(model, std::nullopt);
    const auto all = counts(whole, stream);
    std::vector<int> parts;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t n = std::min<std::size_t>(random() % 5 + 1, stream.size() - at);
      for (int count : counts(pieces, {stream.begin() + static_cast<std::ptrdiff_t>(at),
                                       stream.begin() + static_cast<std::ptrdiff_t>(at + n)}))
        parts.push_back(count);
      at += n;
    }
    ASSERT_EQ(all, parts);
    for (int count : all) ASSERT_THAT(count, testing::AnyOf(700, 705, 3000, -1));
    found += all.size();
  }
  EXPECT_GT(found, 500u);
}

INSTANTIATE_TEST_SUITE_P(Models, Split, testing::Values(Model::a02yyuw, Model::maxbotix_hrxl),
                         [](const auto& it) {
                           return it.param == Model::a02yyuw ? "a02yyuw" : "hrxl";
                         });

}  // namespace
}  // namespace gerbang::ranging
