// SPDX-License-Identifier: Apache-2.0
#include "modbus/scout.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace gerbang::modbus {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Data = std::vector<std::uint8_t>;

// A unit as a function from questions to outcomes; its data outlives the outcome.
class Unit {
 public:
  std::map<Table, std::vector<std::uint16_t>> tables;
  std::uint8_t exception = 2;  // for what it has not
  bool silent = false, noise = false;

  Outcome answer(const Question& q) {
    Outcome outcome;
    if (noise || silent) {
      outcome.reason = noise ? GERBANG_REASON_CRC : GERBANG_REASON_TIMEOUT;
      return outcome;
    }
    const auto found = tables.find(q.table);
    if (found == tables.end() || q.first + q.count > static_cast<int>(found->second.size())) {
      outcome.kind = Outcome::Kind::exception;
      outcome.exception = found == tables.end() && !tables.empty() ? std::uint8_t{1} : exception;
      outcome.reason = GERBANG_REASON_EXCEPTION;
      return outcome;
    }
    data_.clear();
    for (int i = 0; i < q.count; ++i) {
      data_.push_back(static_cast<std::uint8_t>(found->second[static_cast<std::size_t>(i)] >> 8));
      data_.push_back(static_cast<std::uint8_t>(found->second[static_cast<std::size_t>(i)]));
    }
    outcome.kind = Outcome::Kind::answer;
    outcome.data = data_;
    return outcome;
  }

 private:
  Data data_;
};

struct Looked {
  Scout scout{0};
  int questions = 0;
};

Looked look_at(Unit& unit, std::uint8_t number = 5) {
  Looked looked{Scout(number), 0};
  while (const auto question = looked.scout.next()) {
    EXPECT_LE(static_cast<int>(question->table), 4) << "reads only";
    EXPECT_EQ(question->unit, number);
    looked.scout.take(*question, unit.answer(*question));
    if (++looked.questions > 20) break;
  }
  EXPECT_LE(looked.questions, 6) << "a search is short";
  return looked;
}

TEST(Scout, ASilentUnitCostsOneQuestion) {
  Unit unit;
  unit.silent = true;
  const Looked looked = look_at(unit);
  EXPECT_FALSE(looked.scout.found());
  EXPECT_FALSE(looked.scout.garbled());
  EXPECT_EQ(looked.questions, 1);
}

TEST(Scout, AUnitIsShownByItsFirstRegisters) {
  Unit unit;
  unit.tables[Table::holding] = {0x42F6, 0xCCCD, 3, 4, 5, 6, 7, 8, 9};
  const Looked looked = look_at(unit);
  ASSERT_TRUE(looked.scout.found());
  EXPECT_THAT(looked.scout.seen(), HasSubstr("holding 0-7: 17142 52429 3 4 5 6 7 8"));
  EXPECT_THAT(looked.scout.seen(), HasSubstr("float32: abcd 123.4"));
  EXPECT_THAT(looked.scout.seen(), HasSubstr("refuses input 0 (ILLEGAL FUNCTION)"));
  EXPECT_THAT(looked.scout.sensors("line"),
              HasSubstr("address = { unit = 5, table = \"holding\", register = 0"));
}

TEST(Scout, AShortTableIsReadAsFarAsItGoes) {
  Unit unit;
  unit.tables[Table::holding] = {700};
  unit.tables[Table::input] = {278};
  const Looked looked = look_at(unit);
  EXPECT_THAT(looked.scout.seen(), HasSubstr("holding 0: 700; input 0: 278"));
}

TEST(Scout, InputRegistersThatMirrorTheHoldingOnesAreShownOnce) {
  Unit unit;
  unit.tables[Table::holding] = unit.tables[Table::input] = {700, 278, 0, 0, 0, 0, 0, 0};
  const Looked looked = look_at(unit);
  EXPECT_EQ(looked.scout.seen(), "holding 0-7: 700 278 0 0 0 0 0 0; the same in input");
  EXPECT_EQ(looked.scout.sensors("line").find("input"), std::string::npos);
}

TEST(Scout, AUnitThatOnlyRefusesIsFoundAndItsSensorsAreComments) {
  Unit unit;
  const Looked looked = look_at(unit);
  ASSERT_TRUE(looked.scout.found());
  EXPECT_THAT(looked.scout.seen(), HasSubstr("refuses holding 0 (ILLEGAL DATA ADDRESS)"));
  const std::string toml = looked.scout.sensors("line");
  for (std::size_t at = 0; at < toml.size(); at = toml.find('\n', at) + 1)
    EXPECT_EQ(toml[at], '#') << toml;
}

TEST(Scout, AGatewayThatReachesNobodyIsNoUnit) {
  for (std::uint8_t code : {std::uint8_t{10}, std::uint8_t{11}}) {
    Unit unit;
    unit.exception = code;
    EXPECT_FALSE(look_at(unit).scout.found());
  }
}

TEST(Scout, NoiseIsAskedThroughOnceAndSaid) {
  Unit unit;
  unit.noise = true;
  const Looked looked = look_at(unit);
  EXPECT_FALSE(looked.scout.found());
  EXPECT_TRUE(looked.scout.garbled());
  EXPECT_EQ(looked.questions, 2);
}

TEST(Scout, ListsAreReadAsPeopleWriteThem) {
  EXPECT_THAT(units_of("3,1-2, 2", 247).value(), ElementsAre(3, 1, 2));
  EXPECT_EQ(units_of("1-247", 247).value().size(), 247u);
  EXPECT_THAT(bauds_of("9600, 19200").value(), ElementsAre(9600, 19200));
  EXPECT_THAT(parities_of("none,even,odd").value(), ElementsAre('N', 'E', 'O'));
  EXPECT_THAT(units_of("0-248", 247).error(), HasSubstr("at most 247"));
  EXPECT_THAT(units_of("5-3", 247).error(), HasSubstr("\"5-3\""));
  EXPECT_THAT(units_of("a", 247).error(), HasSubstr("1-32"));
  EXPECT_FALSE(units_of("", 247));
  EXPECT_FALSE(bauds_of("9601"));
  EXPECT_FALSE(parities_of("mark"));
}

}  // namespace
}  // namespace gerbang::modbus
