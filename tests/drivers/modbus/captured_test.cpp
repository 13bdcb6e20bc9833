// SPDX-License-Identifier: Apache-2.0
#include "modbus/captured.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace gerbang::modbus {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Kind = Captured::Kind;
using Data = std::vector<std::uint8_t>;

Data operator+(Data a, const Data& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Data with_crc(Data body) {
  const std::uint16_t crc = crc16(body);
  body.push_back(static_cast<std::uint8_t>(crc & 0xFF));
  body.push_back(static_cast<std::uint8_t>(crc >> 8));
  return body;
}

// Of the pH probe: asked for two registers, and the answer.
const Data kQuestion{0x01, 0x03, 0x00, 0x00, 0x00, 0x02, 0xC4, 0x0B};
const Data kAnswer{0x01, 0x03, 0x04, 0x02, 0xBC, 0x01, 0x16, 0xBA, 0x31};

std::string refusal(const Data& bytes) {
  const auto capture = read_capture(bytes);
  return capture ? "taken: " + text_of(capture->frames.front()) : capture.error();
}

TEST(Captured, QuestionsOfManualsAreRecognised) {
  struct Case {
    Data bytes;
    const char* text;
  };
  for (const Case& c : std::vector<Case>{
           {{0x11, 0x03, 0x00, 0x6B, 0x00, 0x03, 0x76, 0x87},
            "unit 17 is asked for 3 holding registers from 107 on (40108 in manuals)"},
           {{0x01, 0x03, 0x00, 0x00, 0x00, 0x01, 0x84, 0x0A},
            "1 holding register from 0 on (40001"},
           {{0x01, 0x04, 0x00, 0x00, 0x00, 0x02, 0x71, 0xCB}, "2 input registers from 0 on (30001"},
           {{0x08, 0x04, 0x00, 0x63, 0x00, 0x02, 0x81, 0x4C}, "2 input registers from 99 on"},
           {{0x08, 0x04, 0x00, 0x6B, 0x00, 0x04, 0x80, 0x8C}, "4 input registers from 107 on"},
           {{0x00, 0x03, 0x00, 0x00, 0x00, 0x01, 0x85, 0xDB}, "unit 0 is asked for 1 holding"},
           {{0x00, 0x03, 0x00, 0x02, 0x00, 0x01, 0x24, 0x1B}, "unit 0 is asked for"},
           {{0x01, 0x03, 0x00, 0x00, 0x00, 0x03, 0x05, 0xCB}, "unit 1 is asked for 3 holding"},
           {{0x11, 0x03, 0x00, 0x00, 0x00, 0x02, 0xC6, 0x9B}, "unit 17 is asked for"},
           {{0xF7, 0x03, 0x00, 0x00, 0x00, 0x02, 0xD0, 0x9D}, "unit 247 is asked for"},
           {{0x61, 0x03, 0x00, 0x28, 0x00, 0x06, 0x4C, 0x60}, "6 holding registers from 40 on"},
           {{0x01, 0x03, 0x00, 0x65, 0x00, 0x01, 0x94, 0x15}, "from 101 on (40102 in manuals)"},
           {{0xFE, 0x03, 0x00, 0x50, 0x00, 0x00, 0x51, 0xD4}, "unit 254 is asked for 0"},
           {with_crc({1, 3, 0x27, 0x10, 0, 1}), "from 10000 on (410001 in manuals)"},
           {{0, 1, 0, 0, 0, 6, 5, 2, 0, 0, 0, 8}, "unit 5 is asked for 8 discrete inputs"}}) {
    const auto capture = read_capture(c.bytes);
    ASSERT_TRUE(capture) << capture.error();
    EXPECT_EQ(capture->frames.front().kind, Kind::question) << c.text;
    EXPECT_THAT(text_of(capture->frames.front()), HasSubstr(c.text));
  }
}

TEST(Captured, ExceptionsAndWritesAreExplained) {
  const auto text = [](const Data& bytes) {
    return text_of(read_capture(bytes).value().frames.front());
  };
  EXPECT_THAT(text({0x01, 0x83, 0x02, 0xC0, 0xF1}),
              HasSubstr("unit 1 refuses function code 3: exception 2, ILLEGAL DATA ADDRESS"));
  EXPECT_THAT(text({0, 9, 0, 0, 0, 3, 7, 0x84, 11}), HasSubstr("FAILED TO RESPOND"));
  // Longrun LRF-3000S: sets the address to 2. A gateway never sends this.
  EXPECT_THAT(text({0x01, 0x06, 0x10, 0x03, 0x00, 0x02, 0xFC, 0xCB}),
              HasSubstr("writes 2 into register 4099"));
  // Dragino's answer to a search for its address: a good checksum, and no data.
  EXPECT_THAT(text({0x01, 0x03, 0x00, 0x20, 0xF0}), HasSubstr("without any value"));
  EXPECT_THAT(text(with_crc({1, 0x2B, 0x0E, 1, 0})), HasSubstr("function code 43"));
}

TEST(Captured, SeveralFramesAndNoiseAreTakenApart) {
  const Data mixed = Data{0x00, 0xFF} + kQuestion + Data{0x7E} + kAnswer;
  const auto capture = read_capture(mixed);
  ASSERT_TRUE(capture) << capture.error();
  ASSERT_EQ(capture->frames.size(), 2u);
  EXPECT_EQ(capture->skipped, 3u);
  EXPECT_EQ(capture->frames[0].count, 2u);
  EXPECT_THAT(capture->frames[1].data, ElementsAre(0x02, 0xBC, 0x01, 0x16));
  const Data two = Data{0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1,  //
                        0, 1, 0, 0, 0, 5, 1, 3, 2, 1, 2};
  const auto tcp = read_capture(two);
  ASSERT_TRUE(tcp) << tcp.error();
  ASSERT_EQ(tcp->frames.size(), 2u);
  EXPECT_TRUE(tcp->frames[1].tcp);
  EXPECT_THAT(tcp->frames[1].data, ElementsAre(1, 2));
}

TEST(Captured, AQuestionForCoilsIsToldFromAnAnswerByWhatFollows) {
  const Data question = with_crc({1, 1, 3, 0xE8, 0, 8});  // eight coils from 1000 on
  ASSERT_EQ(read_capture(question).value().frames.front().kind, Kind::answer) << "nobody can know";
  const Data both_frames = question + with_crc({1, 1, 1, 0x55});
  const auto both = read_capture(both_frames);
  ASSERT_TRUE(both) << both.error();
  EXPECT_EQ(both->frames[0].kind, Kind::question);
  EXPECT_EQ(both->frames[0].first, 1000u);
  EXPECT_EQ(both->frames[1].kind, Kind::answer);
}

TEST(Captured, SaysWhatMayHaveHappenedToAFrame) {
  Data flipped = kAnswer;
  flipped.back() ^= 1;
  EXPECT_THAT(refusal(flipped), HasSubstr("checksum (CRC) is BA 30, these bytes need BA 31"));
  Data swapped = kAnswer;
  std::swap(swapped[7], swapped[8]);
  EXPECT_THAT(refusal(swapped), HasSubstr("swapped"));
  EXPECT_THAT(refusal(Data(kAnswer.begin(), kAnswer.end() - 2)), HasSubstr("append BA 31"));
  EXPECT_THAT(refusal(Data(kAnswer.begin(), kAnswer.end() - 4)),
              HasSubstr("has 9 bytes, here are 5"));
  EXPECT_THAT(refusal({1, 3}), HasSubstr("too few"));
  EXPECT_THAT(refusal({}), HasSubstr("0 bytes"));
  EXPECT_THAT(refusal({0, 1, 0, 0, 0, 9, 1, 3, 2, 1, 2}), HasSubstr("announces 9 bytes"));
}

TEST(Captured, AFrameThatFitsAndContradictsItselfIsSaidToDoSo) {
  const std::string announces = "it is an answer that announces 4 bytes of data and holds 2";
  EXPECT_EQ(refusal(with_crc({1, 3, 4, 1, 2})), "the checksum (CRC) fits, but " + announces);
  EXPECT_EQ(refusal({0, 1, 0, 0, 0, 5, 1, 1, 4, 1, 2}),
            "a Modbus TCP header that fits, but " + announces);
  EXPECT_THAT(refusal(with_crc({1, 3, 1, 7})), HasSubstr("1 bytes of data ends within a register"));
  EXPECT_THAT(refusal(with_crc({1, 6, 0, 1, 0, 2, 9})),
              HasSubstr("function code 6 cannot have 7 bytes without header"));
  EXPECT_THAT(refusal(with_crc({1, 0x83, 2, 9})), HasSubstr("code 3 cannot have 4 bytes"));
}

TEST(Captured, SuggestsOrdersThatMakeSense) {
  EXPECT_EQ(likely_floats(Data{0x42, 0xF6, 0xCC, 0xCD}).substr(0, 10), "abcd 123.4");
  EXPECT_THAT(likely_floats(Data{0xCC, 0xCD, 0x42, 0xF6}), HasSubstr("cdab 123.4"));
  EXPECT_THAT(likely_floats(Data{0xF6, 0x42, 0xCD, 0xCC}), HasSubstr("badc 123.4"));
  EXPECT_THAT(likely_floats(Data{0xCD, 0xCC, 0xF6, 0x42}), HasSubstr("dcba 123.4"));
  EXPECT_EQ(likely_floats(Data{0, 0, 0, 0}), "");
  EXPECT_EQ(likely_floats(Data{0, 1}), "");
}

// Wherever frames stand in noise, they are found, and nothing else is.
TEST(Captured, FramesAreFoundInRandomNoise) {
  std::mt19937 random(20'261'122);
  for (int round = 0; round < 2'000; ++round) {
    Data noise(random() % 40);
    // No function code that a frame could begin with.
    for (auto& byte : noise) byte = static_cast<std::uint8_t>(0x40 | (random() & 0x2F));
    const Data tail(random() % 8, 0x55);
    const Data all = noise + kAnswer + tail;
    const auto capture = read_capture(all);
    ASSERT_TRUE(capture) << capture.error();
    ASSERT_EQ(capture->frames.size(), 1u);
    EXPECT_EQ(capture->skipped, noise.size() + tail.size());
    EXPECT_THAT(capture->frames[0].data, ElementsAre(0x02, 0xBC, 0x01, 0x16));
  }
}

}  // namespace
}  // namespace gerbang::modbus
