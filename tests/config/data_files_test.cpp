// SPDX-License-Identifier: Apache-2.0
//
// The files of the data folder: a mistake in one is named at its place, and is never an absence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "config/alarm_texts.hpp"
#include "config/profiles.hpp"
#include "config/standards.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::filesystem::path kConfig = std::filesystem::path(GERBANG_SOURCE_DIR) / "config";

std::string content_of(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

// The installed data files with one text replaced, and what is said of them.
class Altered {
 public:
  Altered(const std::string& file, const std::string& what, const std::string& by) {
    std::filesystem::copy(kConfig, folder_.path() / "data",
                          std::filesystem::copy_options::recursive);
    const auto path = folder_.path() / "data" / file;
    std::string content = content_of(path);
    const auto at = content.find(what);
    if (at == std::string::npos) throw std::runtime_error(what + " is not in " + file);
    line_ = 1 + static_cast<unsigned>(std::count(content.begin(), content.begin() + at, '\n'));
    content.replace(at, what.size(), by);
    std::ofstream(path) << content;

    Diagnostics errors;
    const Catalogue catalogue = read_catalogue(folder_.path() / "data", errors);
    standards_ = read_standards(folder_.path() / "data", catalogue, errors);
    (void)read_alarm_texts(folder_.path() / "data", errors);
    for (const Diagnostic& error : errors) {
      EXPECT_EQ(error.file, path.string());
      said_.push_back("+" + std::to_string(error.line - line_) + ":" +
                      std::to_string(error.column) + " " + error.key + ": " + error.what + "; " +
                      error.remedy);
    }
  }
  // "+LINES:COLUMN key: what; remedy": lines after that where the replaced text began.
  const std::vector<std::string>& said() const { return said_; }
  bool sound(std::string_view standard) const {
    return indicator::find(standards_, standard)->sound;
  }

 private:
  test::TempDir folder_;
  unsigned line_ = 1;
  std::vector<std::string> said_;
  std::vector<indicator::Standard> standards_;
};

std::vector<std::string> said(const std::string& file, const std::string& what,
                              const std::string& by) {
  return Altered(file, what, by).said();
}

constexpr const char* kWater = "standards/drinking-water.toml";
constexpr const char* kIspu = "standards/ispu.toml";
constexpr const char* kGas = "standards/landfill-gas.toml";

TEST(DataFiles, AreReadWithoutAComplaintAsInstalled) {
  EXPECT_THAT(said(kWater, "low = 0.2", "low = 0.2"), IsEmpty());
}

TEST(DataFiles, AMisspeltLimitIsAMistake) {
  const Altered water(kWater, "low = 0.2", "lwo = 0.2");
  EXPECT_THAT(water.said(), ElementsAre("+0:1 limit.lwo: unknown key; did you mean \"low\"?"));
  EXPECT_FALSE(water.sound("drinking-water"));
  EXPECT_FALSE(water.sound("drinking-water-compliance")) << "it borrows the limits";
  EXPECT_TRUE(water.sound("ispu"));
}

TEST(DataFiles, ALimitThatIsNoNumberIsAMistake) {
  EXPECT_THAT(said(kWater, "low = 0.2", "low = \"0.2\""),
              ElementsAre(testing::StartsWith("+0:7 limit.low: expected a number, found ")));
}

TEST(DataFiles, AMisspeltKeyOfAStandardIsNamedOnceAtItsOwnLine) {
  EXPECT_THAT(said(kWater, "title =", "titel ="),
              ElementsAre("+0:1 titel: unknown key; did you mean \"title\"?"));
  EXPECT_THAT(said("standards/river.toml", "title =", "titel ="),
              ElementsAre("+0:1 titel: unknown key; did you mean \"title\"?"))
      << "not for each of its classes";
  EXPECT_THAT(said(kIspu, "ind = \"Baik\"", "idn = \"Baik\""),
              ElementsAre("+0:11 category.label.idn: unknown key; did you mean \"ind\"?"));
}

TEST(DataFiles, AStandardNamesQuantitiesThatThereAre) {
  EXPECT_THAT(said(kWater, "\"turbidity\"", "\"turbidty\""),
              ElementsAre("+0:12 quantity: there is no quantity \"turbidty\"; did you mean "
                          "\"turbidity\"?"));
}

TEST(DataFiles, StepsOfAnIndexAscend) {
  EXPECT_THAT(said(kIspu, "[50, 100, 200, 300, 500]", "[50, 200, 100, 300, 500]"),
              ElementsAre(testing::StartsWith("+0:9 steps: do not ascend from above 0; ")));
}

TEST(DataFiles, LevelsRiseWithTheCategory) {
  EXPECT_THAT(said(kGas, "from = 20", "from = 5"),
              ElementsAre(testing::HasSubstr("category: is not in the order of the bounds of "
                                             "methane_lel; ")));
  EXPECT_THAT(said(kGas, "from = 20", "from = 25"), IsEmpty()) << "25 itself, then above 25";
}

TEST(DataFiles, ALevelHasOneBound) {
  EXPECT_THAT(said(kGas, "from = 20", "from = 20\nupto = 3"),
              ElementsAre(testing::HasSubstr("upto: stands beside from or above; ")));
}

TEST(DataFiles, ASmartCityPlaceIsOfAStandardWithKnownKeys) {
  EXPECT_THAT(said("smart-city.toml", "sub_dimension", "sub_dimention"),
              ElementsAre("+0:1 place.ispu.sub_dimention: unknown key; did you mean "
                          "\"sub_dimension\"?"));
  EXPECT_THAT(said("smart-city.toml", "quantity = \"pm2_5\"", "quantity = \"pm25\""),
              ElementsAre(testing::HasSubstr("there is no quantity \"pm25\"; ")));
}

TEST(DataFiles, QualityDefaultsAreOfQuantitiesThatThereAre) {
  EXPECT_THAT(said("quality.toml", "[quantity.ph]", "[quantity.pH]"),
              ElementsAre(testing::HasSubstr(
                  "quantity.pH: there is no quantity \"pH\"; did you mean \"ph\"?")));
  EXPECT_THAT(said("quality.toml", "expected = { low = 4", "expcted = { low = 4"),
              ElementsAre("+0:1 quantity.ph.expcted: unknown key; did you mean \"expected\"?"));
  EXPECT_THAT(said("quality.toml", "{ low = 4, high = 11 }", "{ low = 4, hihg = 11 }"),
              ElementsAre(testing::HasSubstr(
                  "quantity.ph.expected.hihg: unknown key; did you mean \"high\"?")));
  EXPECT_THAT(said("quality.toml", "one = \"pm2_5\"", "one = \"pm2_55\""),
              ElementsAre(testing::HasSubstr("related.one: there is no quantity \"pm2_55\"; ")));
  EXPECT_THAT(said("quality.toml", "so2_ppb = 64.066", "so22_ppb = 64.066"),
              ElementsAre(testing::HasSubstr("there is no quantity \"so22_ppb\"; ")));
}

TEST(DataFiles, TheCatalogueAndTheAlarmTextsHaveNoOtherKeys) {
  EXPECT_THAT(said("quantities.toml", "spellings =", "spelings ="),
              ElementsAre(testing::EndsWith("unknown key; did you mean \"spellings\"?")));
  EXPECT_THAT(said("units.toml", "is = \"CFU/mL\"", "spelings = [\"a\"]\nis = \"CFU/mL\""),
              ElementsAre("+0:1 unit.spelings: unknown key; did you mean \"spellings\"?"));
  EXPECT_THAT(said("alarms.toml", "advice =", "advise ="),
              ElementsAre("+0:1 watch.above.advise: unknown key; did you mean \"advice\"?"));
  EXPECT_THAT(
      said("alarms.toml", "[watch.outside]", "[watch.outsid]"),
      ElementsAre(testing::EndsWith("watch.outsid: unknown key; did you mean \"outside\"?")));
}

TEST(DataFiles, ALabelOfAProfileIsInTheTwoLanguages) {
  const std::string name = "bosch-bme280";
  test::TempDir folder;
  std::string content = content_of(kConfig / "profiles" / (name + ".toml"));
  const auto at = content.find("\nnote = ");
  const auto end = at == std::string::npos ? at : content.find('\n', at + 1);
  if (at != std::string::npos) content.erase(at, end - at);
  content = "note = { ind = \"a\", eng = \"b\", enq = \"c\" }\n" + content;
  std::ofstream(folder.path() / (name + ".toml")) << content;
  Document document;
  Diagnostics errors;
  EXPECT_FALSE(read_profile(folder.path(), name, document, errors));
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].key + ": " + errors[0].what, "note.enq: unknown key");
}

}  // namespace
}  // namespace gerbang::config
