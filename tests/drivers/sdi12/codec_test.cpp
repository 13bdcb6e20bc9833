// SPDX-License-Identifier: Apache-2.0
//
// Commands, answers and checksums of SDI-12 1.4 (section 4.4 of the specification).
#include "sdi12/codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gerbang::sdi12 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Crc, IsThatOfTheSpecification) {
  EXPECT_EQ(crc_of("0+3.14"), "OqZ");
  EXPECT_EQ(crc_of("0+3.14+2.718"), "IWO");
  EXPECT_EQ(crc_of("0+7.77+8.88+9.99"), "IvW");
  EXPECT_EQ(crc_of("0"), "AP@");
}

TEST(Crc, EveryChangedBitOfALineIsNoticed) {
  for (const std::string right : {"0+3.14OqZ", "0+3.14+2.718IWO", "0+7.77+8.88+9.99IvW", "0AP@"}) {
    EXPECT_EQ(without_crc(right), right.substr(0, right.size() - 3));
    for (std::size_t bit = 0; bit < right.size() * 8; ++bit) {
      std::string wrong = right;
      wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ (1 << bit % 8));
      EXPECT_EQ(without_crc(wrong), std::nullopt) << wrong;
    }
  }
  EXPECT_EQ(without_crc("OqZ"), std::nullopt);
}

TEST(Commands, AreThoseThatReadAndNoOthers) {
  EXPECT_EQ(start_text('0', *command_of("M")), "0M!");
  EXPECT_EQ(start_text('z', *command_of("MC9")), "zMC9!");
  EXPECT_EQ(start_text('A', *command_of("CC")), "ACC!");
  EXPECT_EQ(start_text('5', *command_of("R0")), "5R0!");
  EXPECT_EQ(start_text('5', *command_of("RC3")), "5RC3!");
  EXPECT_EQ(start_text('5', *command_of("V")), "5V!");
  EXPECT_EQ(data_text('0', 9), "0D9!");
  for (const char* none :
       {"", "A1", "X", "XW", "M0", "M10", "R", "RC", "m", "MCC", "D0", "I", "|", "M|M1"})
    EXPECT_FALSE(command_of(none)) << none;
}

TEST(Commands, KeepTheirNames) {
  std::string names = kCommandNames;
  for (std::size_t at = 0; at < names.size();) {
    const auto end = std::min(names.find('|', at), names.size());
    const std::string name = names.substr(at, end - at);
    ASSERT_TRUE(command_of(name)) << name;
    EXPECT_EQ(name_of(*command_of(name)), name);
    at = end + 1;
  }
}

TEST(Promises, AreSecondsAndAnumberOfValues) {
  const Command m = *command_of("M"), c = *command_of("C");
  EXPECT_EQ(parse_promise(m, "00053")->seconds, 5);
  EXPECT_EQ(parse_promise(m, "00053")->values, 3);
  EXPECT_EQ(parse_promise(m, "a9999")->seconds, 999);
  EXPECT_EQ(parse_promise(c, "004512")->seconds, 45);
  EXPECT_EQ(parse_promise(c, "004512")->values, 12);
  for (const char* wrong : {"", "0", "0005", "000533", "0+3.1", "00 53", "0005x"})
    EXPECT_FALSE(parse_promise(m, wrong)) << wrong;
  EXPECT_FALSE(parse_promise(c, "00053"));
}

TEST(Values, BeginWithTheirSigns) {
  EXPECT_THAT(*parse_values("+3.14"), ElementsAre(3.14));
  EXPECT_THAT(*parse_values("+3.14-2.718+0"), ElementsAre(3.14, -2.718, 0));
  EXPECT_THAT(*parse_values("-.5+1234567+7."), ElementsAre(-0.5, 1234567, 7));
  EXPECT_THAT(*parse_values(""), IsEmpty());
  for (const char* wrong :
       {"3.14", "+", "+-3", "+3.1.4", "+12345678", "+3.14 ", "+3,14", "+1e3", "+."})
    EXPECT_FALSE(parse_values(wrong)) << wrong;
}

TEST(Identities, HaveTheirFixedPlaces) {
  const auto identity = parse_identity("013CAMPBELLCS650 1.0serial 12");
  ASSERT_TRUE(identity);
  EXPECT_EQ(text_of(*identity), "CAMPBELL CS650, firmware 1.0, serial 12, SDI-12 1.3");
  EXPECT_FALSE(parse_identity("00053"));
  EXPECT_FALSE(parse_identity("0+3.14+2.718+3.14+2.718"));
}

std::vector<std::string> lines_in(Lines& lines, std::string_view stream) {
  std::vector<std::string> out;
  for (const char c : stream)
    if (const auto line = lines.take(static_cast<std::uint8_t>(c))) out.emplace_back(*line);
  return out;
}

TEST(LinesOfAStream, AreWithoutEchoAndBreak) {
  Lines lines;
  lines.sent("0M!");
  EXPECT_THAT(lines_in(lines, {"\0"
                               "0M!00053\r\n0\r\n",
                               14}),
              ElementsAre("00053", "0"));
  EXPECT_THAT(lines_in(lines, "0M!00053\r\n"), ElementsAre("0M!00053"));  // only heard once
}

TEST(LinesOfAStream, ShowWhatIsDamaged) {
  Lines lines;
  const auto damaged = lines_in(lines, {"0+3\0.14\r\n", 9});
  ASSERT_EQ(damaged.size(), 1u);
  EXPECT_FALSE(is_clean(damaged[0]));
  EXPECT_FALSE(is_clean(lines_in(lines, "0+3\r.14\r\n").at(0)));
  EXPECT_THAT(lines_in(lines, std::string(1000, 'x')), IsEmpty());
  EXPECT_LE(lines_in(lines, "0+1\r\n").at(0).size(), 131u);
}

}  // namespace
}  // namespace gerbang::sdi12
