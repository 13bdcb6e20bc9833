// SPDX-License-Identifier: Apache-2.0
//
// The frames of the makers' manuals, and what they become when they are damaged.
#include "weighbridge/formats.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "frames.hpp"
#include "weighbridge/decoder.hpp"

namespace gerbang::weighbridge {
namespace {

using test::bytes_of;
using test::FrameBytes;
using test::from_hex;
using testing::HasSubstr;

std::vector<Item> decode(const char* format, const FrameBytes& frame, Dialect dialect = {}) {
  return decode_captured(*format_of(format), dialect, frame);
}
Item only(const char* format, const FrameBytes& frame, Dialect dialect = {}) {
  const auto items = decode(format, frame, dialect);
  EXPECT_EQ(items.size(), 1u);
  return items.front();
}

struct Golden {
  const char* name;
  const char* format;
  FrameBytes frame;
  double kg;
  Basis basis;
  Motion motion;
};
void PrintTo(const Golden& golden, std::ostream* out) {
  *out << golden.name;
}
class GoldenFrame : public testing::TestWithParam<Golden> {};

TEST_P(GoldenFrame, DecodesToItsWeight) {
  const Golden& g = GetParam();
  const Item item = only(g.format, g.frame);
  ASSERT_TRUE(item.good()) << item.why;
  EXPECT_EQ(item.weight.kg(), g.kg);
  EXPECT_EQ(item.weight.basis, g.basis);
  EXPECT_EQ(item.weight.motion, g.motion);
}

TEST_P(GoldenFrame, IsTakenForNoOtherFormat) {
  for (const Format format : kFormats) {
    if (name_of(format) == GetParam().format) continue;
    for (const Item& item : decode_captured(format, {}, GetParam().frame))
      EXPECT_FALSE(item.good()) << name_of(format);
  }
}

TEST_P(GoldenFrame, CutShortGivesNoWeight) {
  const Golden& g = GetParam();
  if (std::string_view(g.format) == "yaohua-equals") return;  // nothing tells; see Decoder
  FrameBytes frame = g.frame;
  // The last byte of a line is LF, which nobody needs; that of Toledo is a checksum, which may be
  // absent.
  frame.pop_back();
  while (frame.size() > 1) {
    frame.pop_back();
    for (const Item& item : decode(g.format, frame)) EXPECT_FALSE(item.good()) << frame.size();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Manuals, GoldenFrame,
    testing::Values(
        Golden{"AandD", "and", bytes_of("ST,+00012.345 kg\r\n"), 12.345, Basis::display,
               Motion::at_rest},
        Golden{"AandDMoving", "and", bytes_of("US,-00012.345 kg\r\n"), -12.345, Basis::display,
               Motion::moving},
        Golden{"AandDTonnes", "and", bytes_of("ST,+00012.345  t\r\n"), 12345, Basis::display,
               Motion::at_rest},
        Golden{"AandDGramsWithComma", "and", bytes_of("ST,+0012345,5  g\r\n"), 12.3455,
               Basis::display, Motion::at_rest},
        Golden{"StGs", "st-gs", from_hex("53 54 2C 47 53 2C 2B 30 30 30 31 32 33 34 6B 67 0D 0A"),
               1234, Basis::gross, Motion::at_rest},
        Golden{"StNtMoving", "st-gs", bytes_of("US,NT,-   20.5kg\r\n"), -20.5, Basis::net,
               Motion::moving},
        Golden{"Cas22", "cas-22",
               from_hex("53 54 2C 47 53 2C 01 00 2C 20 20 20 31 32 33 34 30 20 6B 67 0D 0A"), 12340,
               Basis::gross, Motion::at_rest},
        Golden{"Toledo", "toledo",
               from_hex("02 32 30 20 30 31 32 33 34 30 30 30 30 30 30 30 0D 25"), 12340,
               Basis::gross, Motion::at_rest},
        Golden{"ToledoMovingBelowZero", "toledo", test::toledo(-20, false), -20, Basis::gross,
               Motion::moving},
        Golden{"YaohuaHex", "yaohua-a9", from_hex("02 2B 30 31 32 33 34 30 30 31 46 03"), 12340,
               Basis::display, Motion::unknown},
        Golden{"YaohuaNibbles", "yaohua-a9", from_hex("02 2B 30 31 32 33 34 30 30 31 3F 03"), 12340,
               Basis::display, Motion::unknown},
        Golden{"YaohuaEquals", "yaohua-equals", bytes_of("=0.043210"), 12340, Basis::display,
               Motion::unknown},
        Golden{"YaohuaEqualsBelowZero", "yaohua-equals", bytes_of("=02.1000-"), -1.2,
               Basis::display, Motion::unknown},
        Golden{"A12eNet", "a12e", bytes_of("wn0003.17kg\r\n"), 3.17, Basis::net, Motion::unknown},
        Golden{"A12eGross", "a12e", bytes_of("ww-003.17kg\r\n"), -3.17, Basis::gross,
               Motion::unknown},
        Golden{"MtSics", "mt-sics", bytes_of("S S     45000.0 kg\r\n"), 45000, Basis::display,
               Motion::at_rest},
        Golden{"MtSicsMoving", "mt-sics", bytes_of("S D    -45000.0 kg\r\n"), -45000,
               Basis::display, Motion::moving},
        Golden{"RinstrumGross", "rinstrum-a", bytes_of("\x02   12340G\x03"), 12340, Basis::gross,
               Motion::at_rest},
        Golden{"RinstrumNet", "rinstrum-a", bytes_of("\x02-0012.34N\x03"), -12.34, Basis::net,
               Motion::at_rest},
        Golden{"RinstrumMoving", "rinstrum-a", bytes_of("\x02   12340M\x03"), 12340, Basis::display,
               Motion::moving}),
    [](const testing::TestParamInfo<Golden>& golden) { return std::string(golden.param.name); });

struct Negative {
  const char* name;
  const char* format;
  FrameBytes frame;
  gerbang_reason reason;
  const char* why;
};
void PrintTo(const Negative& negative, std::ostream* out) {
  *out << negative.name;
}
class RefusedFrame : public testing::TestWithParam<Negative> {};

TEST_P(RefusedFrame, SaysWhy) {
  const Item item = decode(GetParam().format, GetParam().frame).front();
  EXPECT_EQ(item.reason, GetParam().reason) << item.why;
  EXPECT_THAT(item.why, HasSubstr(GetParam().why));
}

INSTANTIATE_TEST_SUITE_P(
    Line, RefusedFrame,
    testing::Values(
        Negative{"AandDOverload", "and", bytes_of("OL,+99999.99E+19\r\n"), GERBANG_REASON_RANGE,
                 "overload"},
        Negative{"AandDPieces", "and", bytes_of("QT,+00000012 PC\r\n"), GERBANG_REASON_CONVERSION,
                 "pieces"},
        Negative{"AandDWithoutUnit", "and", bytes_of("ST,+00012.345\r\n"),
                 GERBANG_REASON_CONVERSION, "unit"},
        Negative{"StGsOverload", "st-gs", bytes_of("OL,GS,+0000000kg\r\n"), GERBANG_REASON_RANGE,
                 "overload"},
        Negative{"StGsTwoMarks", "st-gs", bytes_of("ST,GS,+00.1.34kg\r\n"), GERBANG_REASON_PROTOCOL,
                 "no number"},
        Negative{"StGsTwoFramesAsOne", "st-gs", bytes_of("ST,GS,+000ST,GS,+000kg\r\n"),
                 GERBANG_REASON_PROTOCOL, "no number"},
        Negative{"StGsParity", "st-gs", from_hex("53 54 2C 47 53 2C 2B B1 30 6B 67 0D 0A"),
                 GERBANG_REASON_PROTOCOL, "7 data bits"},
        Negative{"CasShort", "cas-22", bytes_of("ST,GS,\x01\x01, 12340 kg\r\n"),
                 GERBANG_REASON_PROTOCOL, "22"},
        Negative{"ToledoRange", "toledo",
                 from_hex("02 32 34 20 30 31 32 33 34 30 30 30 30 30 30 30 0D 21"),
                 GERBANG_REASON_RANGE, "overload"},
        Negative{"ToledoChecksum", "toledo",
                 from_hex("02 32 30 20 30 31 32 33 34 30 30 30 30 30 30 30 0D 26"),
                 GERBANG_REASON_CRC, "checksum"},
        Negative{"ToledoParity", "toledo",
                 from_hex("02 B2 30 20 30 31 32 33 34 30 30 30 30 30 30 30 0D"),
                 GERBANG_REASON_PROTOCOL, "7 data bits"},
        Negative{"YaohuaChecksum", "yaohua-a9", from_hex("02 2B 30 31 32 33 34 30 30 31 45 03"),
                 GERBANG_REASON_CRC, "checksum"},
        Negative{"YaohuaMixedForms", "yaohua-a9", from_hex("02 2B 30 31 32 33 34 30 30 46 31 03"),
                 GERBANG_REASON_CRC, "checksum"},
        Negative{"EqualsTooShort", "yaohua-equals", bytes_of("=0.0=0.0"), GERBANG_REASON_PROTOCOL,
                 "no number"},
        Negative{"EqualsNoNumber", "yaohua-equals", bytes_of("=0.0.210"), GERBANG_REASON_PROTOCOL,
                 "no number"},
        Negative{"A12eUnit", "a12e", bytes_of("ww0003.17xx\r\n"), GERBANG_REASON_CONVERSION,
                 "unit"},
        Negative{"MtSicsOverload", "mt-sics", bytes_of("S +\r\n"), GERBANG_REASON_RANGE,
                 "overload"},
        Negative{"MtSicsUnderload", "mt-sics", bytes_of("S -\r\n"), GERBANG_REASON_RANGE, "below"},
        Negative{"MtSicsBusy", "mt-sics", bytes_of("S I\r\n"), GERBANG_REASON_DEVICE_FAULT,
                 "just now"},
        Negative{"MtSicsUnknown", "mt-sics", bytes_of("ES\r\n"), GERBANG_REASON_PROTOCOL,
                 "request"},
        Negative{"RinstrumError", "rinstrum-a", bytes_of("\x02   12340E\x03"),
                 GERBANG_REASON_DEVICE_FAULT, "error"},
        Negative{"RinstrumOver", "rinstrum-a", bytes_of("\x02   12340O\x03"), GERBANG_REASON_RANGE,
                 "overload"},
        Negative{"RinstrumUnder", "rinstrum-a", bytes_of("\x02   12340U\x03"), GERBANG_REASON_RANGE,
                 "below"},
        Negative{"RinstrumBlank", "rinstrum-a", bytes_of("\x02        G\x03"),
                 GERBANG_REASON_PROTOCOL, "no number"},
        Negative{"Nothing", "toledo", {}, GERBANG_REASON_PROTOCOL, "no frame"},
        Negative{"CutShort", "toledo", from_hex("02 32 30 20 30 31"), GERBANG_REASON_PROTOCOL,
                 "cut short"}),
    [](const testing::TestParamInfo<Negative>& n) { return std::string(n.param.name); });

// Every single changed bit of a frame with a checksum.
TEST(ChecksummedFrame, GivesNoWeightWhenOneBitIsWrong) {
  for (const char* format : {"toledo", "yaohua-a9"})
    for (const int kg : {0, 12340, 999999}) {
      const FrameBytes right = test::frame_of(format, kg);
      for (std::size_t i = 0; i < right.size() * 8; ++i) {
        FrameBytes wrong = right;
        wrong[i / 8] = static_cast<std::uint8_t>(wrong[i / 8] ^ (1 << i % 8));
        for (const Item& item : decode(format, wrong))
          EXPECT_FALSE(item.good()) << format << " " << kg << " bit " << i;
      }
    }
}

TEST(Toledo, KnowsNetAndTareAndWhatStandsOnThePlatform) {
  const Item item = only("toledo", test::toledo(12'340, true, 7'980));
  ASSERT_TRUE(item.good()) << item.why;
  EXPECT_EQ(item.weight.basis, Basis::net);
  EXPECT_EQ(item.weight.kg(), 12'340);
  ASSERT_TRUE(item.weight.tare.has_value());
  EXPECT_EQ(item.weight.tare->value(), 7'980);
  EXPECT_EQ(item.weight.load(), 20'320);
}

TEST(Toledo, PlacesAndUnitsAreThoseOfTheStatusBytes) {
  auto frame = [](int a, int b, int c) {
    return bytes_of(test::print("\x02%c%c%c001234000000\r", a, b, c));
  };
  const Dialect plain{Unit::kilogram, Dialect::Checksum::never};
  EXPECT_EQ(only("toledo", frame(0x30, 0x30, 0x20), plain).weight.kg(), 123'400);
  EXPECT_EQ(only("toledo", frame(0x31, 0x30, 0x20), plain).weight.kg(), 12'340);
  EXPECT_EQ(only("toledo", frame(0x33, 0x30, 0x20), plain).weight.kg(), 123.4);
  EXPECT_EQ(only("toledo", frame(0x35, 0x30, 0x20), plain).weight.kg(), 1.234);
  EXPECT_EQ(only("toledo", frame(0x35, 0x30, 0x22), plain).weight.kg(), 1'234);
  EXPECT_EQ(only("toledo", frame(0x32, 0x30, 0x21), plain).weight.kg(), 1.234);
  EXPECT_NEAR(only("toledo", frame(0x32, 0x20, 0x20), plain).weight.kg(), 559.733, 0.0005);
  EXPECT_EQ(only("toledo", frame(0x32, 0x30, 0x23), plain).reason, GERBANG_REASON_CONVERSION);
  EXPECT_EQ(only("toledo", frame(0x32, 0x30, 0x30), plain).reason, GERBANG_REASON_PROTOCOL);
  EXPECT_EQ(only("toledo", frame(0x32, 0x70, 0x20), plain).reason, GERBANG_REASON_WARM_UP);
}

TEST(Toledo, AChecksumThatIsRequiredMustBeThere) {
  const Dialect strict{Unit::kilogram, Dialect::Checksum::always};
  const auto bare = test::toledo(12'340, true, 0, false);
  EXPECT_TRUE(only("toledo", bare).good());
  for (const Item& item : decode("toledo", test::join(bare, bare), strict))
    EXPECT_FALSE(item.good());
}

TEST(FormatsWithoutUnit, TakeTheOneThatIsConfigured) {
  const Dialect tonnes{Unit::tonne, {}};
  EXPECT_EQ(only("yaohua-a9", from_hex("02 2B 30 31 32 33 34 30 33 31 43 03"), tonnes).weight.kg(),
            12'340);
  EXPECT_EQ(only("rinstrum-a", bytes_of("\x02   12.34G\x03"), tonnes).weight.kg(), 12'340);
  EXPECT_EQ(only("yaohua-equals", bytes_of("=0.000021"), {Unit::gram, {}}).weight.kg(), 120);
}

TEST(Decimals, AreTheNearestDouble) {
  EXPECT_EQ(parse_decimal("+0000.1")->value(), 0.1);
  EXPECT_EQ(parse_decimal(" -   3,17 ")->value(), -3.17);
  EXPECT_EQ(in_kilograms(*parse_decimal("0.3"), Unit::tonne)->value(), 300);
  EXPECT_EQ(in_kilograms(*parse_decimal("3"), Unit::gram)->value(), 0.003);
  for (const char* wrong :
       {"", " ", "+", ".", "1 2", "1.2.3", "--1", "0x1", "1e3", "1234567890123456"})
    EXPECT_FALSE(parse_decimal(wrong)) << wrong;
}

}  // namespace
}  // namespace gerbang::weighbridge
