// SPDX-License-Identifier: Apache-2.0
//
// The installed tables and the formulas together: what people will be told.
#include "config/standards.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "config/diff.hpp"
#include "config/fixture.hpp"
#include "core/oxygen.hpp"
#include "indicator/evaluate.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::config {
namespace {

using indicator::Evaluation;
using indicator::Given;
using indicator::Standard;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::filesystem::path kSource = GERBANG_SOURCE_DIR;

const std::vector<Standard>& installed() {
  static const std::vector<Standard> all = [] {
    Diagnostics errors;
    const Catalogue catalogue = read_catalogue(kSource / "config", errors);
    auto out = read_standards(kSource / "config", catalogue, errors);
    for (const Diagnostic& error : errors) ADD_FAILURE() << text(error);
    return out;
  }();
  return all;
}

const Standard& standard(std::string_view name) {
  const Standard* found = indicator::find(installed(), name);
  if (found == nullptr) throw std::runtime_error("no standard " + std::string(name));
  return *found;
}

Evaluation judged(std::string_view name, const std::vector<Given>& given) {
  auto out = indicator::evaluate(standard(name), given);
  if (!out) throw std::runtime_error(out.error().what);
  return *out;
}

std::string category(std::string_view name, const std::vector<Given>& given) {
  return standard(name).categories[judged(name, given).category].name;
}

std::string refusal(std::string_view name, const std::vector<Given>& given) {
  auto out = indicator::evaluate(standard(name), given);
  return out ? "" : out.error().what;
}

// pollutant,mean,…,ispu: each row must give exactly the last column.
void check_vectors(const char* file, std::size_t rows) {
  const std::map<std::string, std::string> names = {{"PM10", "pm10"}, {"PM2.5", "pm2_5"},
                                                    {"O3", "o3"},     {"NO2", "no2"},
                                                    {"SO2", "so2"},   {"CO", "co"}};
  std::ifstream in(kSource / "tests/data/ispu" / file);
  std::size_t seen = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("#") || line.starts_with("pollutant")) continue;
    const std::string pollutant = line.substr(0, line.find(','));
    const double mean = std::stod(line.substr(pollutant.size() + 1));
    const double expected = std::stod(line.substr(line.rfind(',') + 1));
    EXPECT_EQ(judged("ispu", {{names.at(pollutant), mean}}).value, expected) << line;
    ++seen;
  }
  EXPECT_EQ(seen, rows);
}

TEST(Ispu, IsWhatTheMinistryPublished) {
  check_vectors("published.csv", 30);
}

TEST(Ispu, IsWhatTheFormulaSaysAtItsEdges) {
  check_vectors("computed.csv", 18);
}

TEST(Ispu, RoundsHalvesUp) {
  EXPECT_EQ(judged("ispu", {{"pm10", 75}}).value, 63) << "62.5, not to the even 62";
  EXPECT_EQ(judged("ispu", {{"pm10", 51}}).value, 51) << "50.5";
  // 61.5 in decimals; the binary sum is a hair below.
  EXPECT_EQ(judged("ispu", {{"pm10", 72.999999999999986}}).value, 62);
}

TEST(Ispu, ChoosesTheCategoryByTheRoundedIndex) {
  EXPECT_EQ(category("ispu", {{"pm2_5", 15.89}}), "Baik") << "50.489";
  EXPECT_EQ(category("ispu", {{"pm2_5", 15.90}}), "Sedang") << "50.501";
  EXPECT_EQ(category("ispu", {{"pm2_5", 55.83}}), "Sedang") << "100.453";
  EXPECT_EQ(category("ispu", {{"pm2_5", 55.90}}), "Tidak Sehat") << "100.526";
  EXPECT_EQ(category("ispu", {{"pm10", 50}}), "Baik");
  EXPECT_EQ(category("ispu", {{"pm10", 150}}), "Sedang");
}

TEST(Ispu, HasNoEnd) {
  EXPECT_EQ(judged("ispu", {{"pm10", 534.25}}).value, 586);
  EXPECT_EQ(category("ispu", {{"pm10", 534.25}}), "Berbahaya");
}

TEST(Ispu, NamesEveryPollutantOfATie) {
  const Evaluation tie = judged("ispu", {{"o3", 166.08}, {"pm2_5", 31.48}, {"pm10", 20}});
  EXPECT_EQ(tie.value, 70);
  EXPECT_THAT(tie.critical, ElementsAre("pm2_5", "o3"));
}

TEST(Ispu, LeavesOutAPollutantWithoutAValue) {
  const Evaluation out = judged("ispu", {{"pm10", std::nullopt}, {"pm2_5", 442.11}});
  EXPECT_EQ(out.value, 454);
  ASSERT_EQ(out.left_out.size(), 1u);
  EXPECT_EQ(out.left_out[0].quantity, "pm10");
}

TEST(Ispu, ClampsANegativeConcentrationInTheFormulaOnly) {
  const Evaluation out = judged("ispu", {{"so2", -1.5}});
  EXPECT_EQ(out.value, 0);
  EXPECT_EQ(out.parts.at(0).value, -1.5);
}

TEST(Ispu, SaysWhatItCannotEvaluate) {
  EXPECT_THAT(refusal("ispu", {{"pm25", 3}}), HasSubstr("did you mean pm2_5?"));
  EXPECT_THAT(refusal("ispu", {{"humidity", 3}}), HasSubstr("pm10, pm2_5, so2, co, o3, no2, hc"));
  EXPECT_THAT(refusal("ispu", {{"pm10", std::nan("")}}), HasSubstr("not a finite number"));
  EXPECT_THAT(refusal("ispu", {{"pm10", 1}, {"pm10", 2}}), HasSubstr("twice"));
  EXPECT_THAT(refusal("ispu", {}), HasSubstr("nothing"));
  EXPECT_THAT(refusal("waste-per-day", {{"net_weight", 1}}), HasSubstr("windows of a day"));
}

TEST(DrinkingWater, ALimitWrittenWithLessIsNotMetByItself) {
  EXPECT_THAT(judged("drinking-water", {{"turbidity", 3.0}}).critical, ElementsAre("turbidity"));
  EXPECT_THAT(judged("drinking-water", {{"turbidity", 2.99}}).critical, IsEmpty());
  EXPECT_EQ(judged("drinking-water", {{"tds", 300}}).value, 1);
  EXPECT_EQ(judged("drinking-water", {{"colour", 10}}).value, 0) << "written without <";
}

TEST(DrinkingWater, ChlorineHasTwoSides) {
  EXPECT_EQ(judged("drinking-water", {{"free_chlorine", 0.19}}).value, 1);
  EXPECT_EQ(judged("drinking-water", {{"free_chlorine", 0.2}}).value, 0);
  EXPECT_EQ(judged("drinking-water", {{"free_chlorine", 0.5}}).value, 0);
  EXPECT_EQ(judged("drinking-water", {{"free_chlorine", 0.51}}).value, 1);
  // 5 counts of 0.1: the sum of binary fractions is 0.5 for a person.
  EXPECT_EQ(judged("drinking-water", {{"free_chlorine", 0.1 + 0.1 + 0.1 + 0.1 + 0.1}}).value, 0);
}

TEST(DrinkingWater, TemperatureIsJudgedAgainstTheAir) {
  const auto at = [](double water) {
    return judged("drinking-water", {{"water_temperature", water}, {"air_temperature", 28}}).value;
  };
  EXPECT_EQ(at(31), 0);
  EXPECT_EQ(at(31.1), 1);
  EXPECT_EQ(at(25), 0);
  EXPECT_EQ(at(24.9), 1);
  EXPECT_THAT(refusal("drinking-water", {{"water_temperature", 25}}), HasSubstr("air_temperature"));
}

TEST(River, OxygenIsAMinimumAndPhARange) {
  EXPECT_EQ(judged("river", {{"dissolved_oxygen", 4}}).value, 0);
  EXPECT_EQ(judged("river", {{"dissolved_oxygen", 3.99}}).value, 1);
  EXPECT_EQ(judged("river", {{"dissolved_oxygen", 12}}).value, 0);
  EXPECT_EQ(judged("river", {{"ph", 6}}).value, 0);
  EXPECT_EQ(judged("river", {{"ph", 5.9}}).value, 1);
  EXPECT_EQ(judged("river", {{"ph", 9.1}}).value, 1);
}

TEST(River, IsClassTwoUnlessAnotherIsNamed) {
  EXPECT_EQ(standard("river").id, "river-class-2");
  EXPECT_EQ(indicator::find(installed(), "river", "4")->id, "river-class-4");
  EXPECT_EQ(indicator::find(installed(), "river", "5"), nullptr);
  EXPECT_EQ(judged("river-class-1", {{"bod", 2.5}}).value, 1);
  EXPECT_EQ(judged("river-class-2", {{"bod", 2.5}}).value, 0);
  EXPECT_THAT(refusal("river-class-4", {{"colour", 500}}), HasSubstr("does not judge colour"))
      << "class 4 has no limit for it";
  EXPECT_THAT(refusal("river", {{"turbidity", 3}}), HasSubstr("does not judge turbidity"));
}

TEST(River, CarriesHowSureEachRowIs) {
  std::map<std::string, indicator::Confidence> tags;
  for (const indicator::Limit& limit : standard("river-class-4").limits)
    tags[limit.quantity] = limit.tag;
  EXPECT_EQ(tags.at("chloride"), indicator::Confidence::m);
  EXPECT_EQ(tags.at("tds"), indicator::Confidence::c);
  EXPECT_EQ(judged("river-class-4", {{"chloride", 1}, {"bod", 1}}).tag, indicator::Confidence::m);
  EXPECT_EQ(judged("river-class-2", {{"chloride", 1}, {"bod", 1}}).tag, indicator::Confidence::b);
}

TEST(PollutionIndex, IsThatOfTheWorkedExample) {
  const Evaluation out = judged("ip-class-2", {{"tss", 40},
                                               {"bod", 6},
                                               {"cod", 30},
                                               {"dissolved_oxygen", 2.5},
                                               {"water_temperature", 28},
                                               {"ph", 6.8}});
  EXPECT_NEAR(out.value, 2.0214, 0.00005);
  EXPECT_EQ(standard("ip-class-2").categories[out.category].name, "cemar ringan");
  EXPECT_THAT(out.critical, ElementsAre("bod"));
  const std::map<std::string, double> scores = {
      {"tss", 0.8}, {"bod", 2.5051}, {"cod", 1.3959}, {"dissolved_oxygen", 1.7180}, {"ph", 0.4667}};
  ASSERT_EQ(out.parts.size(), scores.size());
  for (const indicator::Part& part : out.parts)
    EXPECT_NEAR(*part.score, scores.at(part.quantity), 0.00005) << part.quantity;
}

TEST(PollutionIndex, TakesOversaturatedWaterForClean) {
  const Evaluation out = judged("ip", {{"dissolved_oxygen", 11}, {"water_temperature", 28}});
  EXPECT_EQ(out.value, 0);
  EXPECT_THAT(refusal("ip", {{"dissolved_oxygen", 5}}), HasSubstr("water_temperature"));
}

TEST(PollutionIndex, KnowsHowMuchOxygenWaterHolds) {
  const std::map<double, double> table = {{20, 9.092}, {25, 8.263}, {27, 7.968},
                                          {28, 7.828}, {30, 7.559}, {32, 7.305}};
  for (const auto& [celsius, mg_l] : table)
    EXPECT_NEAR(oxygen_saturation(celsius), mg_l, 0.0005) << celsius;
}

TEST(LandfillGas, IsPercentOfTheExplosiveLimit) {
  EXPECT_EQ(category("landfill-gas", {{"methane_lel", 9.9}}), "aman");
  EXPECT_EQ(category("landfill-gas", {{"methane_lel", 10}}), "waspada");
  EXPECT_EQ(category("landfill-gas", {{"methane_lel", 25}}), "siaga") << "25 % is allowed";
  EXPECT_EQ(category("landfill-gas", {{"methane_lel", 25.1}}), "bahaya");
  EXPECT_EQ(category("landfill-gas", {{"methane_lel", 101}}), "dapat meledak");
  EXPECT_EQ(judged("landfill-gas", {{"methane_volume", 1.25}}).value, 25);
  const std::vector<Given> both = {{"methane_lel", 20}, {"methane_volume", 6}};
  for (const auto& given : {both, std::vector<Given>(both.rbegin(), both.rend())}) {
    const Evaluation out = judged("landfill-gas", given);
    EXPECT_EQ(out.value, 120) << "the more dangerous one holds, as in the daemon";
    ASSERT_EQ(out.left_out.size(), 1u);
    EXPECT_EQ(out.left_out[0].quantity, "methane_lel");
    EXPECT_EQ(out.left_out[0].why, "says less than methane_volume");
  }
}

TEST(LandfillAir, TheWorstGasDecidesAndTooLittleOxygenIsBad) {
  const Evaluation out = judged("landfill-air", {{"hydrogen_sulfide", 3}, {"oxygen_volume", 19.4}});
  EXPECT_THAT(out.critical, ElementsAre("oxygen_volume"));
  EXPECT_EQ(out.value, 19.4);
  EXPECT_EQ(category("landfill-air", {{"oxygen_volume", 19.5}}), "aman");
}

TEST(Bins, BeginAtEightyAndNinetyFive) {
  EXPECT_EQ(category("bins", {{"fill_level", 79.9}}), "cukup");
  EXPECT_EQ(category("bins", {{"fill_level", 80}}), "segera diangkut");
  EXPECT_EQ(category("bins", {{"fill_level", 95}}), "penuh");
}

TEST(AmbientAir, HasATableForEachAveragingTime) {
  EXPECT_EQ(standard("ambient-air").id, "ambient-air-24h");
  EXPECT_EQ(judged("ambient-air-1h", {{"so2", 150}}).value, 0);
  EXPECT_EQ(judged("ambient-air-1h", {{"so2", 151}}).value, 1);
  EXPECT_EQ(judged("ambient-air-24h", {{"so2", 76}, {"pm2_5", 56}, {"no2", 65}}).value, 2);
  EXPECT_THAT(refusal("ambient-air-1h", {{"pm2_5", 3}}), HasSubstr("does not judge pm2_5"));
  EXPECT_EQ(text(standard("ambient-air-1y").averaging), "365d");
  EXPECT_EQ(text(standard("ambient-air-8h").averaging), "8h");
}

TEST(Leachate, AndWhoAndSanitationAreThere) {
  EXPECT_EQ(judged("leachate", {{"cod", 301}, {"ph", 9}}).value, 1);
  EXPECT_EQ(judged("who-air", {{"so2", 41}, {"pm2_5", 15}}).value, 1);
  EXPECT_EQ(judged("sanitation-water", {{"tds", 300}}).value, 1);
}

TEST(Standards, SayWhereTheyAreFromAndWhereTheyStand) {
  std::set<std::string> dimensions;
  for (const Standard& one : installed()) {
    EXPECT_FALSE(one.version.empty() || one.source.empty() || one.valid_from.empty()) << one.id;
    EXPECT_FALSE(one.place.dimension.empty()) << one.id << " is not in smart-city.toml";
    dimensions.insert(one.place.dimension);
    for (const indicator::IsoNumber& iso : one.place.iso)
      EXPECT_TRUE(iso.edition.starts_with("ISO 3712") && !iso.number.empty()) << one.id;
  }
  EXPECT_THAT(dimensions, ElementsAre("Smart Environment", "Smart Living"));
}

// A folder with the installed quantities and one table of its own.
std::vector<std::string> mistakes(const std::string& table, std::vector<Standard>* read = nullptr) {
  test::TempDir folder;
  std::filesystem::create_directory(folder.path() / "standards");
  for (const char* file : {"quantities.toml", "units.toml", "quality.toml"})
    std::filesystem::copy(kSource / "config" / file, folder.path() / file);
  std::ofstream(folder.path() / "standards/own.toml") << table;
  std::ofstream(folder.path() / "smart-city.toml") << "version = \"1\"\n";
  Diagnostics errors;
  const Catalogue catalogue = read_catalogue(folder.path(), errors);
  auto all = read_standards(folder.path(), catalogue, errors);
  if (read != nullptr) *read = std::move(all);
  std::vector<std::string> out;
  for (const Diagnostic& error : errors)
    out.push_back(std::to_string(error.line) + " " + error.key + ": " + error.what);
  return out;
}

constexpr const char* kOwn = R"(id = "mine"
title = { ind = "Punya saya", eng = "Mine" }
version = "1"
source = "me"
valid_from = "2026"
method = "breakpoints"
window = "24h"
steps = [50, 100]
[[category]]
name = "a"
label = { ind = "a", eng = "a" }
upto = 50
[[category]]
name = "b"
label = { ind = "b", eng = "b" }
[[breakpoint]]
quantity = "pm10"
unit = "µg/m³"
bounds = [21, 75]
tag = "M"
)";

TEST(Standards, OfASecondScaleRunBesideTheFirst) {
  std::vector<Standard> all;
  EXPECT_THAT(mistakes(kOwn, &all), IsEmpty());
  const Standard* mine = indicator::find(all, "mine");
  ASSERT_NE(mine, nullptr);
  EXPECT_EQ(indicator::evaluate(*mine, std::vector<Given>{{"pm10", 48}})->value, 75);
}

TEST(Standards, NameTheMistakesOfATable) {
  const auto with = [](std::string_view what, std::string_view by) {
    std::string table = kOwn;
    table.replace(table.find(what), what.size(), by);
    return mistakes(table);
  };
  EXPECT_THAT(with("tag = \"M\"", ""), ElementsAre(HasSubstr("no tag of confidence")));
  EXPECT_THAT(with("\"pm10\"", "\"pm11\""), ElementsAre(HasSubstr("there is no quantity")));
  EXPECT_THAT(with("µg/m³", "mg/m³"), ElementsAre(HasSubstr("is not the unit of pm10")));
  EXPECT_THAT(with("[21, 75]", "[75, 21]"), ElementsAre(HasSubstr("do not ascend")));
  EXPECT_THAT(with("[50, 100]", "[50]"), testing::Contains(HasSubstr("as many as steps")));
  EXPECT_THAT(with("\"24h\"", "\"24\""), ElementsAre(HasSubstr("window")));
  EXPECT_THAT(with("source = \"me\"", ""), ElementsAre(HasSubstr("source: is missing")));
  EXPECT_THAT(with("\"breakpoints\"", "\"magic\""), testing::Contains(HasSubstr("no such method")));
  EXPECT_THAT(with("id = ", "id = = "), testing::SizeIs(1)) << "not TOML";
}

constexpr const char* kGateway = R"([gateway]
id = "g"
region = "r"
site = "s"
site_kind = "other"
timezone = "Asia/Makassar"
[[driver]]
name = "sim"
plugin = "simulator"
interval = "1m"
[[sensor]]
id = "north"
driver = "sim"
quantity = "pressure"
address = { signal = "a" }
[[sensor]]
id = "south"
driver = "sim"
quantity = "pressure"
address = { signal = "b" }
[[sensor]]
id = "bridge"
driver = "sim"
quantity = "net_weight"
address = { signal = "c" }
[[indicator]]
id = "interruption"
standard = "water-interruption"
label = { ind = "Gangguan", eng = "Interruption" }
inputs = { pressure = ["north", "south"] }
low = { pressure = 0.7 }
capture = 0.5
[[indicator]]
id = "capture"
standard = "data-capture"
)";

TEST(Indicators, AreReadWithTheirStandardAndSensors) {
  test::TempDir folder;
  const LoadResult loaded = load(folder.write("gerbang.toml", kGateway), test::context());

  for (const Diagnostic& error : loaded.errors) ADD_FAILURE() << text(error);
  ASSERT_TRUE(loaded.config);
  const auto& all = loaded.config->indicators;
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].standard->id, "water-interruption");
  EXPECT_EQ(all[0].label.ind, "Gangguan");
  EXPECT_EQ(all[0].inputs.at(1).sensor, 1u);
  EXPECT_EQ(all[0].threshold.window, 0.5);
  EXPECT_EQ(all[0].threshold.block, 0.75);
  EXPECT_EQ(all[0].standard->limits.at(0).low, 0.7);
  EXPECT_EQ(standard("water-interruption").limits.at(0).low, 0.5) << "the table stays as it is";
  EXPECT_EQ(all[1].inputs.size(), 2u) << "what is not polled has no capture";
  EXPECT_EQ(all[1].label, all[1].standard->title);
}

std::string gas(const std::string& levels) {
  return R"([gateway]
id = "g"
region = "r"
site = "s"
site_kind = "landfill"
timezone = "Asia/Makassar"
[[driver]]
name = "sim"
plugin = "simulator"
interval = "1m"
[[sensor]]
id = "gas"
driver = "sim"
quantity = "methane_lel"
address = { signal = "a" }
[[indicator]]
id = "methane"
standard = "landfill-gas"
inputs = { methane_lel = "gas" }
)" + levels;
}

TEST(Indicators, HaveTheStepsOfTheSite) {
  test::TempDir folder;
  const auto plain = load(folder.write("a.toml", gas("")), test::context());
  const auto own =
      load(folder.write("b.toml", gas("levels = { methane_lel = [5, 10, 20.5, 90] }\n")),
           test::context());
  for (const Diagnostic& error : own.errors) ADD_FAILURE() << text(error);
  ASSERT_TRUE(plain.config && own.config);
  std::vector<double> bounds;
  for (const auto& level : own.config->indicators.at(0).standard->levels) {
    bounds.push_back(level.bound);
    EXPECT_EQ(level.note, "as the site has set it");
  }
  EXPECT_EQ(bounds, (std::vector<double>{5, 10, 20.5, 90}));
  EXPECT_FALSE(own.config->indicators[0].standard->levels[2].itself) << "above, not at it";
  EXPECT_EQ(standard("landfill-gas").levels.at(0).bound, 10) << "the table stays as it is";
  const Change change = diff(Held(*plain.config), *own.config);
  ASSERT_EQ(change.entries.size(), 1u);
  EXPECT_EQ(change.entries[0].key, "indicator[methane].levels.methane_lel");
}

TEST(Indicators, SayWhatIsWrongWithTheStepsOfTheSite) {
  test::TempDir folder;
  const auto expect = [&](const std::string& levels, const std::string& what) {
    const auto loaded = load(folder.write("c.toml", gas(levels)), test::context());
    ASSERT_EQ(loaded.errors.size(), 1u) << levels;
    EXPECT_NE(text(loaded.errors[0]).find(what), std::string::npos) << text(loaded.errors[0]);
  };
  expect("levels = { methane_lel = 5 }\n", "4 steps for it, not 1; write where each begins: [10, ");
  expect("levels = { methane_lel = [5, 20, 10, 100] }\n",
         "10 comes after 20; write them from mild");
  expect("levels = { methane_lel = [5, \"10\", 20, 100] }\n", "is not a number; write a number in");
  expect("levels = { methane = [5, 10, 20, 100] }\n", "has no steps for \"methane\"; known here");
}

TEST(Indicators, AreSettingsThatAReloadCompares) {
  test::TempDir folder;
  std::string other = kGateway;
  other.replace(other.find("0.7"), 3, "0.6");
  const auto before = load(folder.write("a.toml", kGateway), test::context());
  const auto after = load(folder.write("b.toml", other), test::context());
  const Change change = diff(Held(*before.config), *after.config);
  ASSERT_EQ(change.entries.size(), 1u);
  EXPECT_EQ(change.entries[0].key, "indicator[interruption].low.pressure");
  EXPECT_TRUE(change.needs_restart.empty() && change.drivers.empty());
}

}  // namespace
}  // namespace gerbang::config
