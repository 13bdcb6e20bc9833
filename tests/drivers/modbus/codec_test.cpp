// SPDX-License-Identifier: Apache-2.0
#include "modbus/codec.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "modbus/address.hpp"
#include "modbus/captured.hpp"

namespace gerbang::modbus {
namespace {

using Kind = Value::Kind;
using Data = std::vector<std::uint8_t>;

Point point(Type type, Order order = Order::abcd, std::int8_t bit = -1) {
  return {1, Table::holding, 0, type, order, bit};
}
double number_in(const Data& data, Type type, Order order) {
  const Value value = decode(point(type, order), 0, data);
  EXPECT_EQ(value.kind, Kind::number);
  return value.number;
}
std::int64_t integer_in(const Data& data, Type type, Order order = Order::abcd) {
  const Value value = decode(point(type, order), 0, data);
  EXPECT_EQ(value.kind, Kind::integer);
  return value.integer;
}

TEST(Codec, ReadsAFloatInAllFourOrders) {
  EXPECT_DOUBLE_EQ(number_in({0x42, 0xF6, 0xCC, 0xCD}, Type::float32, Order::abcd), double{123.4F});
  EXPECT_DOUBLE_EQ(number_in({0xCC, 0xCD, 0x42, 0xF6}, Type::float32, Order::cdab), double{123.4F});
  EXPECT_DOUBLE_EQ(number_in({0xF6, 0x42, 0xCD, 0xCC}, Type::float32, Order::badc), double{123.4F});
  EXPECT_DOUBLE_EQ(number_in({0xCD, 0xCC, 0xF6, 0x42}, Type::float32, Order::dcba), double{123.4F});
}

TEST(Codec, ReadsEightBytesInAllFourOrders) {
  const Data big{0x40, 0x09, 0x21, 0xFB, 0x54, 0x44, 0x2D, 0x18};  // pi
  const Data words{0x2D, 0x18, 0x54, 0x44, 0x21, 0xFB, 0x40, 0x09};
  const Data bytes{0x09, 0x40, 0xFB, 0x21, 0x44, 0x54, 0x18, 0x2D};
  const Data little{0x18, 0x2D, 0x44, 0x54, 0xFB, 0x21, 0x09, 0x40};
  EXPECT_DOUBLE_EQ(number_in(big, Type::float64, Order::abcd), 3.141592653589793);
  EXPECT_DOUBLE_EQ(number_in(words, Type::float64, Order::cdab), 3.141592653589793);
  EXPECT_DOUBLE_EQ(number_in(bytes, Type::float64, Order::badc), 3.141592653589793);
  EXPECT_DOUBLE_EQ(number_in(little, Type::float64, Order::dcba), 3.141592653589793);
}

TEST(Codec, ReadsIntegersWithTheirSign) {
  EXPECT_EQ(integer_in({0xFF, 0xFE}, Type::uint16), 65'534);
  EXPECT_EQ(integer_in({0xFF, 0xFE}, Type::int16), -2);
  EXPECT_EQ(integer_in({0xFE, 0xFF}, Type::int16, Order::badc), -2);
  EXPECT_EQ(integer_in({0xFF, 0xFF, 0xFF, 0xFE}, Type::uint32), 4'294'967'294);
  EXPECT_EQ(integer_in({0xFF, 0xFF, 0xFF, 0xFE}, Type::int32), -2);
  EXPECT_EQ(integer_in({0x00, 0x6C, 0x00, 0x00}, Type::uint32, Order::cdab), 108);
  EXPECT_EQ(integer_in({0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE}, Type::int64), -2);
}

// The manual of the Supmea SUP-LDG: 108 and 123 thousandths, each low word first.
TEST(Codec, ReadsAWholeNumberAndItsThousandthsAsOneCount) {
  const Data total{0x00, 0x6C, 0x00, 0x00, 0x00, 0x7B, 0x00, 0x00};
  EXPECT_EQ(integer_in(total, Type::uint32_milli, Order::cdab), 108'123);
  EXPECT_EQ(
      integer_in({0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x03, 0xE7}, Type::uint32_milli, Order::abcd),
      4'294'967'295'999);
  const Data too_many{0x00, 0x6C, 0x00, 0x00, 0x03, 0xE8, 0x00, 0x00};
  EXPECT_EQ(decode(point(Type::uint32_milli, Order::cdab), 0, too_many).kind, Kind::not_decimal);
}

TEST(Codec, KeepsACountUpToTheLargestInt64AndNamesALargerOneAsANumber) {
  EXPECT_EQ(integer_in({0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, Type::uint64), INT64_MAX);
  EXPECT_DOUBLE_EQ(
      number_in({0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}, Type::uint64, Order::abcd),
      9223372036854775808.0);
}

TEST(Codec, NeverPassesNaNOrInfinity) {
  EXPECT_EQ(decode(point(Type::float32), 0, Data{0x7F, 0xC0, 0, 0}).kind, Kind::not_a_number);
  EXPECT_EQ(decode(point(Type::float32), 0, Data{0xFF, 0x80, 0, 0}).kind, Kind::not_a_number);
  EXPECT_EQ(decode(point(Type::float64), 0, Data{0x7F, 0xF8, 0, 0, 0, 0, 0, 0}).kind,
            Kind::not_a_number);
}

TEST(Codec, ReadsDecimalDigitsAndRefusesWhatIsNone) {
  EXPECT_EQ(integer_in({0x02, 0x09}, Type::bcd16), 209);
  EXPECT_EQ(integer_in({0x12, 0x34, 0x56, 0x78}, Type::bcd32), 12'345'678);
  EXPECT_EQ(integer_in({0x56, 0x78, 0x12, 0x34}, Type::bcd32, Order::cdab), 12'345'678);
  EXPECT_EQ(decode(point(Type::bcd16), 0, Data{0x0A, 0x00}).kind, Kind::not_decimal);
}

TEST(Codec, PicksOneBitOfARegister) {
  const Data status{0x80, 0x01};
  EXPECT_EQ(decode(point(Type::boolean, Order::abcd, 0), 0, status).integer, 1);
  EXPECT_EQ(decode(point(Type::boolean, Order::abcd, 1), 0, status).integer, 0);
  EXPECT_EQ(decode(point(Type::boolean, Order::abcd, 15), 0, status).integer, 1);
  EXPECT_EQ(decode(point(Type::boolean, Order::badc, 7), 0, status).integer, 1);
  EXPECT_EQ(decode(point(Type::boolean), 0, status).integer, 1);
  EXPECT_EQ(decode(point(Type::boolean), 0, Data{0, 0}).integer, 0);
}

TEST(Codec, PicksACoilOutOfPackedBits) {
  const Data bits{0xCD, 0x6B, 0x05};  // the example of the standard: coils 20 to 38
  std::vector<int> read;
  for (std::uint16_t coil = 19; coil < 38; ++coil)
    read.push_back(static_cast<int>(
        decode({1, Table::coil, coil, Type::boolean, Order::abcd, -1}, 19, bits).integer));
  EXPECT_EQ(read, (std::vector{1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1}));
}

TEST(Codec, PicksAValueOutOfTheMiddleOfAnAnswer) {
  const Data data{0, 1, 0, 2, 0x42, 0xF6, 0xCC, 0xCD, 0, 5};
  Point p = point(Type::float32);
  p.address = 102;
  EXPECT_FLOAT_EQ(static_cast<float>(decode(p, 100, data).number), 123.4F);
}

// Real frames of instruments, with the values that their manuals give or that their register maps
// make of them.
struct RealFrame {
  const char* device;
  Data answer;
  Type type;
  Order order;
  std::vector<double> values;  // before the configuration's scale
};

class RealFrames : public testing::TestWithParam<RealFrame> {};

TEST_P(RealFrames, DecodeToTheManualsValues) {
  const RealFrame& frame = GetParam();
  const auto capture = read_capture(frame.answer);
  ASSERT_TRUE(capture) << capture.error();
  ASSERT_EQ(capture->frames.size(), 1u);
  const Captured* captured = capture->frames.data();
  ASSERT_EQ(captured->kind, Captured::Kind::answer);
  const std::size_t step = 2u * width(frame.type);
  ASSERT_EQ(captured->data.size(), step * frame.values.size());
  for (std::size_t i = 0; i < frame.values.size(); ++i) {
    const Value value =
        decode(point(frame.type, frame.order), 0, captured->data.subspan(step * i, step));
    const double got =
        value.kind == Kind::integer ? static_cast<double>(value.integer) : value.number;
    EXPECT_NEAR(got, frame.values[i], 1e-4 * frame.values[i]) << frame.device;
  }
}

TEST_P(RealFrames, AreRefusedWithAnyByteFlipped) {
  const RealFrame& frame = GetParam();
  for (std::size_t at = 0; at < frame.answer.size(); ++at)
    for (unsigned flip : {0x01u, 0x02u, 0x80u, 0xFFu}) {
      Data damaged = frame.answer;
      damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ flip);
      const auto capture = read_capture(damaged);
      ASSERT_FALSE(capture) << frame.device << ", byte " << at;
      EXPECT_NE(capture.error().find("checksum (CRC)"), std::string::npos) << capture.error();
    }
}

INSTANTIATE_TEST_SUITE_P(
    Instruments, RealFrames,
    testing::Values(RealFrame{"Modicon reference guide",
                              {0x11, 0x03, 0x06, 0xAE, 0x41, 0x56, 0x52, 0x43, 0x40, 0x49, 0xAD},
                              Type::uint16,
                              Order::abcd,
                              {0xAE41, 0x5652, 0x4340}},
                    RealFrame{"pH and temperature probe, 7.00 and 27.8 degrees",
                              {0x01, 0x03, 0x04, 0x02, 0xBC, 0x01, 0x16, 0xBA, 0x31},
                              Type::int16,
                              Order::abcd,
                              {700, 278}},
                    RealFrame{"input registers",
                              {0x01, 0x04, 0x04, 0x43, 0x6B, 0x58, 0x0E, 0x25, 0xD8},
                              Type::float32,
                              Order::abcd,
                              {235.34}},
                    RealFrame{"float 10",
                              {0x01, 0x03, 0x04, 0x41, 0x20, 0x00, 0x00, 0xEF, 0xC5},
                              Type::float32,
                              Order::abcd,
                              {10.0}},
                    RealFrame{"Supmea SUP-PH6.0, pH 6.86",
                              {0x00, 0x03, 0x02, 0x02, 0xAE, 0x05, 0x58},
                              Type::uint16,
                              Order::abcd,
                              {686}},
                    RealFrame{"Supmea SUP-PH6.0, 25.0 degrees",
                              {0x00, 0x03, 0x02, 0x00, 0xFA, 0x05, 0xC7},
                              Type::int16,
                              Order::abcd,
                              {250}},
                    RealFrame{"Supmea SUP-DO7013, from its register map",
                              {0x01, 0x03, 0x06, 0x01, 0x13, 0x02, 0x6A, 0x03, 0x21, 0x44, 0x2B},
                              Type::int16,
                              Order::abcd,
                              {275, 618, 801}},
                    RealFrame{"Hach LDO AQ, from its register map",
                              {0xF7, 0x03, 0x04, 0x1F, 0x92, 0x0A, 0x51, 0x0D, 0x59},
                              Type::uint16,
                              Order::abcd,
                              {8082, 2641}},
                    RealFrame{"Supmea SUP-LDG flow, 11.95 m3/h",
                              {0x08, 0x04, 0x04, 0x22, 0x6E, 0x41, 0x3F, 0x79, 0x61},
                              Type::float32,
                              Order::cdab,
                              {11.9459}},
                    RealFrame{"Supmea SUP-LDG total, 108.123 m3 as whole and thousandths",
                              {0x08, 0x04, 0x08, 0x00, 0x6C, 0x00, 0x00, 0x00, 0x7B, 0x00, 0x00,
                               0xD6, 0x8E},
                              Type::uint32,
                              Order::cdab,
                              {108, 123}},
                    RealFrame{"Sensirion SCD30: CO2 ppm, temperature, humidity",
                              {0x61, 0x03, 0x0C, 0x43, 0xDB, 0x8C, 0x2E, 0x41, 0xD9, 0xE7, 0xFF,
                               0x42, 0x43, 0x3A, 0x1B, 0x50, 0x07},
                              Type::float32,
                              Order::abcd,
                              {439.095, 27.238, 48.807}},
                    RealFrame{"Oldham iTrans, 5 ppm",
                              {0x01, 0x03, 0x02, 0x00, 0x05, 0x78, 0x47},
                              Type::uint16,
                              Order::abcd,
                              {5}}));

}  // namespace
}  // namespace gerbang::modbus
