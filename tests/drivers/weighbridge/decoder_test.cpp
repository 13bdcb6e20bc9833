// SPDX-License-Identifier: Apache-2.0
//
// Streams: cut anywhere, with garbage between, with lost characters.
#include "weighbridge/decoder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "frames.hpp"

namespace gerbang::weighbridge {
namespace {

using test::bytes_of;
using test::frame_of;
using test::FrameBytes;
using test::join;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<double> weights(const std::vector<Item>& items) {
  std::vector<double> out;
  for (const Item& item : items)
    if (item.good()) out.push_back(item.weight.kg());
  return out;
}
std::vector<std::pair<int, double>> all(const std::vector<Item>& items) {
  std::vector<std::pair<int, double>> out;
  for (const Item& item : items) out.emplace_back(item.reason, item.good() ? item.weight.kg() : 0);
  return out;
}

class EveryFormat : public testing::TestWithParam<Format> {
 protected:
  std::string name{name_of(GetParam())};
  FrameBytes repeated(int kg, int times) const {
    FrameBytes out;
    for (int i = 0; i < times; ++i) out = join(out, frame_of(name, kg));
    return out;
  }
};
INSTANTIATE_TEST_SUITE_P(Formats, EveryFormat, testing::ValuesIn(kFormats),
                         [](const testing::TestParamInfo<Format>& format) {
                           std::string name(name_of(format.param));
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

constexpr std::string_view kLikeFrames = "\x02\x03\r\n=STUGws,+kg 0123\x80\xFF";

TEST_P(EveryFormat, GivesTheSameForAnySplitOfTheStream) {
  std::mt19937 random(7);
  FrameBytes stream;
  for (int i = 0; i < 60; ++i) {
    stream = join(stream, frame_of(name, static_cast<int>(random() % 80'000)));
    if (i % 7 == 3)  // garbage with much that looks like the beginning of a frame
      for (auto n = random() % 40; n > 0; --n)
        stream.push_back(static_cast<std::uint8_t>(kLikeFrames[random() % kLikeFrames.size()]));
  }
  Decoder whole(GetParam());
  const auto expected = all(whole.feed(stream));
  ASSERT_GE(expected.size(), 40u);
  for (int round = 0; round < 50; ++round) {
    Decoder pieces(GetParam());
    std::vector<std::pair<int, double>> got;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t n =
          std::min<std::size_t>(round == 0 ? 1 : random() % 30, stream.size() - at);
      for (const auto& item : all(pieces.feed(Bytes(stream).subspan(at, n)))) got.push_back(item);
      at += n;
    }
    ASSERT_EQ(got, expected) << "round " << round;
  }
}

TEST_P(EveryFormat, FindsFramesAgainBehindGarbageAndGivesNothingElse) {
  std::mt19937 random(11);
  for (int round = 0; round < 100; ++round) {
    Decoder decoder(GetParam());
    decoder.feed(repeated(41'320, 3));
    FrameBytes garbage(random() % 200);
    for (auto& c : garbage) c = static_cast<std::uint8_t>(random());
    auto got = weights(decoder.feed(join(garbage, repeated(41'320, 6))));
    EXPECT_GE(got.size(), 3u) << round;
    EXPECT_THAT(got, testing::Each(41'320));
  }
}

TEST_P(EveryFormat, NeverTakesAFrameThatLostCharactersForAWeight) {
  const FrameBytes frame = frame_of(name, 41'320);
  for (std::size_t lost = 0; lost < frame.size(); ++lost)
    for (std::size_t count = 1; lost + count <= frame.size(); ++count) {
      Decoder decoder(GetParam());
      decoder.feed(repeated(41'320, 3));
      FrameBytes damaged = frame;
      damaged.erase(damaged.begin() + static_cast<std::ptrdiff_t>(lost),
                    damaged.begin() + static_cast<std::ptrdiff_t>(lost + count));
      auto got = weights(decoder.feed(join(damaged, repeated(41'320, 4))));
      EXPECT_THAT(got, testing::Each(41'320)) << lost << "+" << count;
      EXPECT_GE(got.size(), 1u);
    }
}

TEST_P(EveryFormat, HoldsNoMoreThanTheLongestFrameHoweverLongTheGarbage) {
  Decoder decoder(GetParam());
  for (const char* filler : {"ST,GS,+0", "=", "\x02", "S S 0", "ww0"}) {
    FrameBytes flood;
    for (const std::string piece = filler; flood.size() < 20'000;)
      flood.insert(flood.end(), piece.begin(), piece.end());
    EXPECT_THAT(weights(decoder.feed(flood)), IsEmpty());
  }
  EXPECT_GT(decoder.noise(), 80'000u);
  // A sign of equality in front of the first frame of that format makes two frames of different
  // length.
  EXPECT_FALSE(weights(decoder.feed(repeated(41'320, 20))).empty());
}

TEST_P(EveryFormat, IsRecognisedByItsFrames) {
  std::mt19937 random(3);
  Recogniser recogniser;
  FrameBytes garbage(100);
  for (auto& c : garbage) c = static_cast<std::uint8_t>(random());
  EXPECT_EQ(recogniser.feed(garbage), std::nullopt);
  EXPECT_EQ(recogniser.feed(repeated(41'320, 8)), GetParam());
}

TEST(Recogniser, GivesNoAnswerWhenTwoFormatsSpeak) {
  Recogniser recogniser;
  FrameBytes stream;
  for (int i = 0; i < 10; ++i)
    stream = join(stream, join(frame_of("st-gs", 100), frame_of("yaohua-a9", 100)));
  EXPECT_EQ(recogniser.feed(stream), std::nullopt);
}

TEST(DecoderOfLines, TakesAnotherLengthOnceTwoFramesInARowHaveIt) {
  Decoder decoder(Format::st_gs);
  auto line = [](const char* text) { return bytes_of(std::string(text) + "\r\n"); };
  EXPECT_THAT(weights(decoder.feed(line("ST,GS,+0001234kg"))), IsEmpty());
  EXPECT_THAT(weights(decoder.feed(line("ST,GS,+0001235kg"))), ElementsAre(1235));
  EXPECT_THAT(weights(decoder.feed(line("ST,GS,+000123kg"))), IsEmpty());  // a digit was lost
  EXPECT_THAT(weights(decoder.feed(line("ST,GS,+0001236kg"))), ElementsAre(1236));
  EXPECT_THAT(weights(decoder.feed(line("ST,GS,+001237.0kg"))), IsEmpty());
  EXPECT_THAT(weights(decoder.feed(line("ST,GS,+001238.0kg"))), ElementsAre(1238));
}

TEST(DecoderOfLines, SaysNothingOfTheFirstFrame) {
  Decoder decoder(Format::st_gs);
  EXPECT_THAT(decoder.feed(test::st_gs(100)), IsEmpty());
  EXPECT_THAT(weights(decoder.feed(test::st_gs(100))), ElementsAre(100));
  decoder.reset();
  EXPECT_THAT(decoder.feed(bytes_of("ST,GS,+010kg\r\n")), IsEmpty());
}

TEST(DecoderOfToledo, TellsAChecksumFromTheNextFrame) {
  for (const bool checksum : {true, false}) {
    Decoder decoder(Format::toledo);
    FrameBytes stream;
    for (int kg = 0; kg < 300; ++kg)  // among them are those whose checksum is 02, like STX
      stream = join(stream, test::toledo(kg, true, 0, checksum));
    auto got = weights(decoder.feed(stream));
    EXPECT_EQ(got.size(), checksum ? 300u : 299u);  // the last one waits for what follows
    EXPECT_THAT(got, testing::ElementsAreArray(std::vector<double>([&] {
                  std::vector<double> v;
                  for (std::size_t i = 0; i < got.size(); ++i) v.push_back(static_cast<double>(i));
                  return v;
                }())));
  }
}

TEST(DecoderOfLines, FindsAFrameThatWasHiddenBehindHalfAFrameWhenTheLineFallsSilent) {
  Decoder decoder(Format::st_gs);
  decoder.feed(join(test::st_gs(100), test::st_gs(100)));
  EXPECT_THAT(decoder.feed(bytes_of("ST,GS,+00")), IsEmpty());
  EXPECT_THAT(decoder.silence(), IsEmpty());
  EXPECT_THAT(weights(decoder.feed(test::st_gs(120))), ElementsAre(120));
}

}  // namespace
}  // namespace gerbang::weighbridge
