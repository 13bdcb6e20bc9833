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
using testing::Not;
using Data = std::vector<std::uint8_t>;

// A unit as a function from questions to outcomes; its data outlives the outcome.
class Unit {
 public:
  std::map<Table, std::vector<std::uint16_t>> tables;
  std::uint8_t exception = 2;  // for what it has not
  bool silent = false, noise = false;
  int first = 0;        // the number of the first register that it has
  int answers = 1'000;  // then it falls silent

  Outcome answer(const Question& q) {
    Outcome outcome;
    if (noise || silent || answers-- <= 0) {
      outcome.reason = noise ? GERBANG_REASON_CRC : GERBANG_REASON_TIMEOUT;
      return outcome;
    }
    const auto found = tables.find(q.table);
    if (found == tables.end() || q.first < first ||
        q.first + q.count > static_cast<int>(found->second.size())) {
      outcome.kind = Outcome::Kind::exception;
      outcome.exception = found == tables.end() && !tables.empty() ? std::uint8_t{1} : exception;
      outcome.reason = GERBANG_REASON_EXCEPTION;
      return outcome;
    }
    data_.clear();
    for (int i = 0; i < q.count; ++i) {
      const std::uint16_t value = found->second[static_cast<std::size_t>(q.first + i)];
      data_.push_back(static_cast<std::uint8_t>(value >> 8));
      data_.push_back(static_cast<std::uint8_t>(value));
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
    if (++looked.questions > 100) break;
  }
  EXPECT_LE(looked.questions, 76) << "a search is short";
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

TEST(Scout, AUnitIsShownByWhatItsFirstRegistersHold) {
  Unit unit;
  unit.tables[Table::holding] = std::vector<std::uint16_t>(100, 0);
  unit.tables[Table::holding][0] = 700;
  unit.tables[Table::holding][10] = 0x42F6;
  unit.tables[Table::holding][11] = 0xCCCD;
  const Looked looked = look_at(unit);
  ASSERT_TRUE(looked.scout.found());
  EXPECT_EQ(looked.scout.seen(), "holding 0-31; refuses input 0-7 (ILLEGAL FUNCTION)");
  const std::string toml = looked.scout.sensors("line");
  EXPECT_THAT(toml, HasSubstr("address = { unit = 5, table = \"holding\", register = 0"));
  EXPECT_THAT(toml, HasSubstr("\n# holding      0  0x02BC    700\n"
                              "# holding    1-9  0x0000      0\n"
                              "# holding     10  0x42F6  17142  float32 with 11: abcd 123.4\n"
                              "# holding     11  0xCCCD  52429\n"
                              "# holding  12-31  0x0000      0\n"));
  EXPECT_EQ(looked.questions, 6) << "blocks, where it gives them";
}

TEST(Scout, AFloatThatEndsInZerosIsToldFromThoseOfItsNeighbours) {
  Unit unit;
  unit.tables[Table::input] = std::vector<std::uint16_t>(40, 0);
  unit.tables[Table::input][2] = 0x40E0;  // 7
  unit.tables[Table::input][8] = 0x3FC0;  // 1.5, low word first
  unit.tables[Table::input][9] = 0x3FC0;
  const std::string toml = look_at(unit).scout.sensors("line");
  EXPECT_THAT(toml, HasSubstr("# input        2  0x40E0  16608  float32 with 3: abcd 7\n"));
  EXPECT_THAT(toml, HasSubstr("# input        8  0x3FC0  16320  float32 with 9: abcd 1.50"));
  EXPECT_THAT(toml, Not(HasSubstr("with 2:")));
  EXPECT_THAT(toml, Not(HasSubstr("with 8:")));
  EXPECT_THAT(toml, Not(HasSubstr("with 10:")));
}

TEST(Scout, WhereABlockIsRefusedItsRegistersAreAskedOneByOne) {
  Unit unit;
  unit.tables[Table::holding] = {700};
  unit.tables[Table::input] = {278, 279};
  Looked looked = look_at(unit);
  EXPECT_EQ(looked.scout.seen(), "holding 0; input 0-1");
  const std::string toml = looked.scout.sensors("line");
  EXPECT_THAT(toml, HasSubstr("id = \"unit-5-holding-0\""));
  EXPECT_THAT(toml, HasSubstr("# input        1  0x0117    279\n"));

  // A device whose registers begin further on.
  unit.tables.clear();
  unit.tables[Table::holding] = std::vector<std::uint16_t>(16, 5);
  unit.first = 11;
  looked = look_at(unit);
  EXPECT_EQ(looked.scout.seen(), "holding 11-15; refuses input 0-7 (ILLEGAL FUNCTION)");
  EXPECT_THAT(looked.scout.sensors("line"), HasSubstr("table = \"holding\", register = 11,"));
}

TEST(Scout, AUnitThatFallsSilentIsNotAskedOn) {
  Unit unit;
  unit.tables[Table::holding] = {1, 2, 3, 4};
  unit.answers = 3;
  const Looked looked = look_at(unit);
  EXPECT_TRUE(looked.scout.found());
  EXPECT_EQ(looked.questions, 4) << "its next answer could belong to this question";
}

TEST(Scout, AUnitWhoseKindIsKnownIsAskedForItsPresenceOnly) {
  Unit unit;
  unit.tables[Table::holding] = {700};
  Scout scout(5, Scout::Look::presence);
  const auto question = scout.next();
  scout.take(*question, unit.answer(*question));
  EXPECT_TRUE(scout.found());
  EXPECT_FALSE(scout.next());
}

TEST(Scout, InputRegistersThatMirrorTheHoldingOnesAreShownOnce) {
  Unit unit;
  unit.tables[Table::holding] = unit.tables[Table::input] = {700, 278, 0, 0, 0, 0, 0, 0};
  const Looked looked = look_at(unit);
  EXPECT_EQ(looked.scout.seen(), "holding 0-7; the same in input");
  EXPECT_EQ(looked.scout.sensors("line").find("input"), std::string::npos);
}

TEST(Scout, AUnitThatOnlyRefusesIsFoundAndItsSensorsAreComments) {
  Unit unit;
  const Looked looked = look_at(unit);
  ASSERT_TRUE(looked.scout.found());
  EXPECT_THAT(looked.scout.seen(), HasSubstr("refuses holding 0-31 (ILLEGAL DATA ADDRESS)"));
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
