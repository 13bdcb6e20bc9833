// SPDX-License-Identifier: Apache-2.0
#include "modbus/frame.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string_view>
#include <vector>

#include "modbus/captured.hpp"

namespace gerbang::modbus {
namespace {

using Kind = Parsed::Kind;
using Data = std::vector<std::uint8_t>;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

constexpr Question kTwo{1, Table::holding, 0, 2};

Data with_crc(Data frame) {
  const std::uint16_t crc = crc16(frame);
  frame.push_back(static_cast<std::uint8_t>(crc & 0xFF));
  frame.push_back(static_cast<std::uint8_t>(crc >> 8));
  return frame;
}
Data join(Data a, const Data& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
const Data kAnswer{0x01, 0x03, 0x04, 0x02, 0xBC, 0x01, 0x16, 0xBA, 0x31};

TEST(Frame, ChecksumHasTheKnownCheckValue) {
  const std::string_view text = "123456789";
  EXPECT_EQ(crc16(Data(text.begin(), text.end())), 0x4B37);
}

TEST(Frame, RequestsAreThoseOfTheManuals) {
  EXPECT_THAT(rtu_request({0x11, Table::holding, 0x6B, 3}),
              ElementsAre(0x11, 0x03, 0x00, 0x6B, 0x00, 0x03, 0x76, 0x87));
  EXPECT_THAT(rtu_request({8, Table::input, 0x6B, 4}),
              ElementsAre(0x08, 0x04, 0x00, 0x6B, 0x00, 0x04, 0x80, 0x8C));
  EXPECT_THAT(tcp_request({0x11, Table::holding, 0x6B, 3}, 0x1501),
              ElementsAre(0x15, 0x01, 0, 0, 0, 6, 0x11, 0x03, 0x00, 0x6B, 0x00, 0x03));
}

TEST(FrameRtu, TakesTheAnswerOnceItIsWhole) {
  for (std::size_t n = 0; n < kAnswer.size(); ++n)
    EXPECT_EQ(parse_rtu(kTwo, Bytes(kAnswer).first(n)).kind, Kind::incomplete) << n;
  const Parsed parsed = parse_rtu(kTwo, kAnswer);
  ASSERT_EQ(parsed.kind, Kind::answer);
  EXPECT_THAT(parsed.data, ElementsAre(0x02, 0xBC, 0x01, 0x16));
  EXPECT_EQ(parsed.used, kAnswer.size());
}

TEST(FrameRtu, TakesAnExceptionForWhatItIs) {
  const Data refusal{0x01, 0x83, 0x02, 0xC0, 0xF1};
  const Parsed parsed = parse_rtu(kTwo, refusal);
  ASSERT_EQ(parsed.kind, Kind::exception);
  EXPECT_EQ(parsed.exception, 2);
  EXPECT_EQ(parsed.reason, GERBANG_REASON_EXCEPTION);
  EXPECT_EQ(parsed.why, "ILLEGAL DATA ADDRESS");
}

TEST(FrameRtu, OneWrongBitAnywhereIsNeverAnAnswer) {
  for (std::size_t bit = 0; bit < 8 * kAnswer.size(); ++bit) {
    Data damaged = kAnswer;
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ 1 << (bit % 8));
    EXPECT_NE(parse_rtu(kTwo, damaged).kind, Kind::answer) << bit;
    const Parsed last = give_up_rtu(kTwo, damaged);
    EXPECT_EQ(last.kind, Kind::broken) << bit;
    EXPECT_NE(last.reason, GERBANG_REASON_NONE) << bit;
  }
}

TEST(FrameRtu, WrongChecksumIsSaidAtOnce) {
  Data damaged = kAnswer;
  damaged[4] ^= 1;
  const Parsed parsed = parse_rtu(kTwo, damaged);
  ASSERT_EQ(parsed.kind, Kind::broken);
  EXPECT_EQ(parsed.reason, GERBANG_REASON_CRC);
}

TEST(FrameRtu, FindsTheAnswerBehindNoiseEchoAndAnotherUnitsAnswer) {
  const auto request = rtu_request(kTwo);
  const Data echo(request.begin(), request.end());
  const Data foreign = with_crc({9, 3, 4, 1, 2, 3, 4});
  for (const Data& before :
       {Data{0x00}, Data{0xFF, 0x00, 0x7F}, echo, foreign, join({0x00}, echo)}) {
    const Data all = join(before, kAnswer);
    for (std::size_t n = 1; n < all.size(); ++n)
      EXPECT_EQ(parse_rtu(kTwo, Bytes(all).first(n)).kind, Kind::incomplete) << n;
    const Parsed parsed = parse_rtu(kTwo, all);
    ASSERT_EQ(parsed.kind, Kind::answer);
    EXPECT_THAT(parsed.data, ElementsAre(0x02, 0xBC, 0x01, 0x16));
    EXPECT_EQ(parsed.used, all.size());
  }
}

TEST(FrameRtu, AnswersToOtherQuestionsAreNotTaken) {
  const Data of_another_unit = with_crc({9, 3, 4, 1, 2, 3, 4});
  EXPECT_NE(parse_rtu(kTwo, of_another_unit).kind, Kind::answer);
  EXPECT_THAT(give_up_rtu(kTwo, of_another_unit).why, HasSubstr("unit 9"));
  for (const Data& other : {with_crc({1, 3, 2, 1, 2}), with_crc({1, 3, 6, 1, 2, 3, 4, 5, 6}),
                            with_crc({1, 4, 4, 1, 2, 3, 4})}) {
    EXPECT_NE(parse_rtu(kTwo, other).kind, Kind::answer);
    const Parsed last = give_up_rtu(kTwo, other);
    EXPECT_EQ(last.kind, Kind::broken);
    EXPECT_EQ(last.reason, GERBANG_REASON_PROTOCOL) << last.why;
  }
}

TEST(FrameRtu, SaysWhatCameWhenTheTimeIsOver) {
  EXPECT_EQ(give_up_rtu(kTwo, {}).reason, GERBANG_REASON_TIMEOUT);
  EXPECT_EQ(give_up_rtu(kTwo, rtu_request(kTwo)).reason, GERBANG_REASON_TIMEOUT);
  const Parsed half = give_up_rtu(kTwo, Bytes(kAnswer).first(4));
  EXPECT_EQ(half.reason, GERBANG_REASON_PROTOCOL);
  EXPECT_THAT(half.why, HasSubstr("4 bytes, 5 are missing"));
}

Data tcp(std::uint16_t transaction, Data body, int length = -1) {
  const auto size = static_cast<std::uint8_t>(length < 0 ? static_cast<int>(body.size()) : length);
  return join({static_cast<std::uint8_t>(transaction >> 8),
               static_cast<std::uint8_t>(transaction & 0xFF), 0, 0, 0, size},
              body);
}

TEST(FrameTcp, TakesTheAnswerOnceItIsWhole) {
  const Data answer = tcp(7, {1, 3, 4, 0x02, 0xBC, 0x01, 0x16});
  for (std::size_t n = 0; n < answer.size(); ++n)
    EXPECT_EQ(parse_tcp(kTwo, 7, Bytes(answer).first(n)).kind, Kind::incomplete) << n;
  const Parsed parsed = parse_tcp(kTwo, 7, answer);
  ASSERT_EQ(parsed.kind, Kind::answer);
  EXPECT_THAT(parsed.data, ElementsAre(0x02, 0xBC, 0x01, 0x16));
}

TEST(FrameTcp, AnotherTransactionIsAStrayWhateverItHolds) {
  const Parsed parsed = parse_tcp(kTwo, 8, tcp(7, {1, 3, 4, 0x02, 0xBC, 0x01, 0x16}));
  ASSERT_EQ(parsed.kind, Kind::stray);
  EXPECT_EQ(parsed.transaction, 7);
  EXPECT_EQ(parsed.used, 13u);
}

TEST(FrameTcp, WhatDisagreesWithTheQuestionIsBroken) {
  const std::vector<Data> wrong{tcp(7, {2, 3, 4, 1, 2, 3, 4}),        // unit
                                tcp(7, {1, 4, 4, 1, 2, 3, 4}),        // function code
                                tcp(7, {1, 3, 2, 1, 2}),              // fewer registers
                                tcp(7, {1, 3, 6, 1, 2, 3, 4, 5, 6}),  // more registers
                                tcp(7, {1, 3, 4, 1, 2}),              // count and length differ
                                tcp(7, {1, 3, 2, 1, 2, 3, 4}),
                                tcp(7, {1, 0x83, 2, 9}),  // an exception that is too long
                                tcp(7, {1, 0x84, 2}),     // an exception to another function
                                tcp(7, {1, 3, 4, 1, 2, 3, 4}, 1),  // impossible lengths
                                tcp(7, {1, 3, 4, 1, 2, 3, 4}, 255),
                                {0, 7, 0, 1, 0, 7, 1, 3, 4, 1, 2, 3, 4},  // another protocol
                                {'H', 'T', 'T', 'P', '/', '1', '.', '1', ' ', '4', '0', '0'}};
  for (const Data& bytes : wrong) {
    const Parsed parsed = parse_tcp(kTwo, 7, bytes);
    EXPECT_EQ(parsed.kind, Kind::broken) << testing::PrintToString(bytes);
    EXPECT_EQ(parsed.reason, GERBANG_REASON_PROTOCOL);
    EXPECT_FALSE(parsed.why.empty());
  }
}

TEST(Frame, AnAnswerOfAnotherLengthIsToldFromOneThatContradictsItself) {
  EXPECT_EQ(parse_tcp(kTwo, 7, tcp(7, {1, 3, 2, 1, 2})).why,
            "an answer with 2 bytes of data, expected were 4");
  EXPECT_EQ(parse_tcp(kTwo, 7, tcp(7, {1, 3, 2, 1, 2, 3, 4})).why,
            "an answer that announces 2 bytes of data and holds 4");
  EXPECT_EQ(give_up_rtu({1, Table::coil, 0, 9}, with_crc({1, 1, 9, 0xCD, 1})).why,
            "an answer that announces 9 bytes of data and holds 2");
}

TEST(FrameTcp, TakesExceptionsAndBits) {
  const Parsed refusal = parse_tcp(kTwo, 7, tcp(7, {1, 0x83, 11}));
  ASSERT_EQ(refusal.kind, Kind::exception);
  EXPECT_EQ(refusal.why, "GATEWAY TARGET DEVICE FAILED TO RESPOND");
  const Data packed = tcp(7, {1, 1, 3, 0xCD, 0x6B, 0x05});
  const Parsed bits = parse_tcp({1, Table::coil, 19, 19}, 7, packed);
  ASSERT_EQ(bits.kind, Kind::answer);
  EXPECT_THAT(bits.data, ElementsAre(0xCD, 0x6B, 0x05));
}

// Any bytes at all: no crash, no data outside of them, and an answer only if its checksum or
// transaction is right.
TEST(Frame, NoiseNeverBecomesAnAnswer) {
  std::mt19937 random(20'240'229);
  auto byte = [&] { return static_cast<std::uint8_t>(random() & 0xFF); };
  const Data good = tcp(7, {1, 3, 4, 0x02, 0xBC, 0x01, 0x16});
  for (int round = 0; round < 5'000; ++round) {
    Data bytes(random() % 300);
    for (auto& b : bytes) b = byte();
    if (round % 2 == 0) {  // damaged rather than random
      bytes = round % 4 == 0 ? good : kAnswer;
      for (auto n = 1 + random() % 3; n > 0; --n) bytes[random() % bytes.size()] = byte();
      bytes.resize(random() % 4 == 0 ? random() % (bytes.size() + 1) : bytes.size());
    }
    const Question q{1, Table::holding, 0, static_cast<std::uint16_t>(1 + random() % 125)};
    for (const Question& question : {q, kTwo}) {
      for (const Parsed& parsed : {parse_rtu(question, bytes), give_up_rtu(question, bytes)}) {
        if (parsed.kind != Kind::answer) continue;
        ASSERT_LE(parsed.used, bytes.size());
        const Bytes frame = Bytes(bytes).first(parsed.used).last(question.data_size() + 5);
        EXPECT_EQ(crc16(frame), 0);  // over a frame with its checksum
      }
      const Parsed parsed = parse_tcp(question, 7, bytes);
      if (parsed.kind == Kind::answer) {
        EXPECT_EQ(bytes[1], 7);
        EXPECT_EQ(parsed.data.size(), question.data_size());
      }
      EXPECT_LE(parsed.used, bytes.size());
    }
    const auto capture = read_capture(bytes);
    EXPECT_TRUE(capture ? !capture->frames.empty() : !capture.error().empty());
  }
}

}  // namespace
}  // namespace gerbang::modbus
