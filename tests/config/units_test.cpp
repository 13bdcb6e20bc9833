// SPDX-License-Identifier: Apache-2.0
#include "config/units.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "config/quantities.hpp"

namespace gerbang::config {
namespace {

using testing::HasSubstr;
using testing::Not;

const Catalogue& catalogue() {
  static Diagnostics errors;
  static const Catalogue loaded =
      read_catalogue(std::filesystem::path(GERBANG_SOURCE_DIR) / "config", errors);
  static const bool clean = [] {
    for (const Diagnostic& error : errors) ADD_FAILURE() << text(error);
    return true;
  }();
  (void)clean;
  return loaded;
}

Result<Linear> convert(const std::string& unit, const std::string& quantity) {
  const QuantityRow* row = catalogue().find(quantity);
  if (row == nullptr) return fail(std::errc::invalid_argument, "no quantity " + quantity);
  return catalogue().units.convert(unit, *row);
}

struct Conversion {
  const char *unit, *quantity;
  double from, to;
};

class Conversions : public testing::TestWithParam<Conversion> {};

TEST_P(Conversions, AreAFactorAndAnOffset) {
  const Conversion& c = GetParam();

  const auto line = convert(c.unit, c.quantity);

  ASSERT_TRUE(line) << line.error().what;
  EXPECT_NEAR(c.from * line->slope + line->intercept, c.to, 1e-9 * (1 + std::abs(c.to)));
}

INSTANTIATE_TEST_SUITE_P(
    Table, Conversions,
    testing::Values(
        Conversion{"ug/L", "free_chlorine", 200, 0.2},
        Conversion{"µg/L", "free_chlorine", 200, 0.2}, Conversion{"g/m3", "cod", 12, 12},
        Conversion{"degF", "water_temperature", 212, 100},
        Conversion{"°F", "air_temperature", -40, -40}, Conversion{"ºF", "air_temperature", 32, 0},
        Conversion{"deg C", "air_temperature", 25, 25},
        Conversion{"K", "air_temperature", 300, 26.85}, Conversion{"m3/s", "flow", 1, 3600},
        Conversion{"m³/s", "flow", 1, 3600}, Conversion{"L/s", "flow", 10, 36},
        Conversion{"lps", "flow", 10, 36}, Conversion{"L/min", "flow", 1000, 60},
        Conversion{"m3/d", "flow", 24, 1}, Conversion{"MLD", "flow", 24, 1000},
        Conversion{"gpm", "flow", 100, 22.712472}, Conversion{"L", "volume", 1500, 1.5},
        Conversion{"mm^3", "volume", 1e9, 1}, Conversion{"NTU", "turbidity", 3.21, 3.21},
        Conversion{"ntu", "turbidity", 1, 1}, Conversion{"mS/cm", "conductivity", 1.2, 1200},
        Conversion{"uS/cm", "conductivity", 300, 300}, Conversion{"mS/m", "conductivity", 30, 300},
        Conversion{"kPa", "pressure", 250, 2.5}, Conversion{"psi", "pressure", 14.5037738, 1},
        Conversion{"mH2O", "pressure", 10, 0.980665}, Conversion{"kg/cm2", "pressure", 1, 0.980665},
        Conversion{"mm", "level", 1953, 1.953}, Conversion{"cm", "distance", 12, 120},
        Conversion{"t", "weight", 12.34, 12340}, Conversion{"mg/m3", "pm2_5", 0.035, 35},
        Conversion{"ug/m3", "pm2_5", 35, 35}, Conversion{"μg/m³", "pm2_5", 35, 35},
        Conversion{"ppm", "no2_ppb", 0.05, 50}, Conversion{"ppb", "hydrogen_sulfide", 20, 0.02},
        Conversion{"ppm", "methane_volume", 12'500, 1.25},
        Conversion{"%LEL", "methane_lel", 25, 25}, Conversion{"% LEL", "methane_lel", 25, 25},
        Conversion{"%RH", "humidity", 80, 80}, Conversion{"km/h", "wind_speed", 36, 10},
        Conversion{"knot", "wind_speed", 1, 0.514444444444444},
        Conversion{"rad", "wind_direction", 3.14159265358979, 180},
        Conversion{"mbar", "air_pressure", 1013.25, 1013.25},
        Conversion{"Pa", "air_pressure", 101325, 1013.25}, Conversion{"inch", "rain", 1, 25.4},
        Conversion{"MWh", "energy", 2, 2000}, Conversion{"kW.h", "energy", 2, 2},
        Conversion{"J", "energy", 3.6e6, 1}, Conversion{"W", "power", 1500, 1.5},
        Conversion{"VA", "apparent_power", 500, 0.5}, Conversion{"CFU/mL", "e_coli", 1, 100},
        Conversion{"Pt-Co", "colour", 15, 15}, Conversion{"1", "ph", 7, 7},
        Conversion{"", "pump_state", 1, 1}, Conversion{" mg/L ", "cod", 1, 1},
        Conversion{"psu", "salinity", 35, 35}));

TEST(Units, KeepFactorsTidy) {
  EXPECT_EQ(*convert("L/s", "flow"), (Linear{3.6, 0}));
  EXPECT_EQ(*convert("mS/m", "conductivity"), (Linear{10, 0}));
  EXPECT_EQ(*convert("K", "air_temperature"), (Linear{1, -273.15}));
  EXPECT_EQ(*convert("mg/L", "cod"), Linear{});
}

TEST(Units, RefuseWhatNoFactorConverts) {
  const std::vector<std::pair<std::string, std::string>> refused = {
      {"FTU", "turbidity"},
      {"FNU", "turbidity"},
      {"NTU", "turbidity_fnu"},
      {"ppb", "no2"},
      {"ppm", "co"},
      {"ppm", "free_chlorine"},
      {"%", "ph"},
      {"ppm", "humidity"},
      {"1", "humidity"},
      {"s", "frequency"},
      {"W", "signal_strength"},
      {"% vol", "methane_lel"},
      {"kW", "apparent_power"},
      {"kg", "flow"},
      {"", "turbidity"},
      {"blorb", "turbidity"},
      {"MPN/100 mL", "e_coli"},
      {"m/s", "wind_direction"},
      {"seconds since 1970-01-01", "flow"},
      {std::string(5000, 'm'), "level"},
      {"m)", "level"},
      {"m; rm", "level"},
      {"degC", "humidity"}};
  for (const auto& [unit, quantity] : refused) {
    const auto line = convert(unit, quantity);
    ASSERT_FALSE(line) << unit << " → " << quantity;
    EXPECT_THAT(line.error().what, HasSubstr("; ")) << "what to write instead";
    EXPECT_LT(line.error().what.size(), 500u);
  }
}

TEST(Units, ALetterAloneIsNoTemperature) {
  for (const auto& [unit, meant] : {std::pair("F", "\"°F\""), std::pair("C", "\"°C\"")}) {
    const auto line = convert(unit, "water_temperature");
    ASSERT_FALSE(line);
    EXPECT_THAT(line.error().what, HasSubstr("; did you mean " + std::string(meant) + "?"));
    EXPECT_THAT(convert(unit, "turbidity").error().what, Not(HasSubstr("did you mean")));
  }
}

TEST(Units, SayWhyPpbIsNoUnitOfAConcentration) {
  const auto line = convert("ppb", "so2");

  ASSERT_FALSE(line);
  EXPECT_THAT(line.error().what, HasSubstr("depends on the gas, its temperature and pressure"));
  EXPECT_THAT(line.error().what, HasSubstr("use quantity = \"so2_ppb\""));
}

TEST(Quantities, CoverWhatThePlantsNeed) {
  for (const char* name : {"ph",
                           "turbidity",
                           "free_chlorine",
                           "water_temperature",
                           "conductivity",
                           "tds",
                           "dissolved_oxygen",
                           "dissolved_oxygen_saturation",
                           "orp",
                           "flow",
                           "volume",
                           "level",
                           "pressure",
                           "ammonium",
                           "ammonia",
                           "nitrate",
                           "cod",
                           "bod",
                           "tss",
                           "colour",
                           "fill_level",
                           "distance",
                           "weight",
                           "net_weight",
                           "pm1",
                           "pm2_5",
                           "pm4",
                           "pm10",
                           "so2",
                           "no2",
                           "o3",
                           "co",
                           "hc",
                           "methane_lel",
                           "methane_volume",
                           "hydrogen_sulfide",
                           "co2",
                           "humidity",
                           "wind_speed",
                           "wind_direction",
                           "rain",
                           "battery_voltage",
                           "pump_state",
                           "door_state",
                           "power",
                           "energy"})
    EXPECT_NE(catalogue().find(name), nullptr) << name;
}

TEST(Quantities, HaveTheirKind) {
  EXPECT_EQ(catalogue().find("ph")->quantity->kind, QuantityKind::gauge);
  EXPECT_EQ(catalogue().find("volume")->quantity->kind, QuantityKind::totaliser);
  EXPECT_EQ(catalogue().find("pump_state")->quantity->kind, QuantityKind::state);
  EXPECT_EQ(catalogue().find("wind_direction")->quantity->kind, QuantityKind::direction);
  EXPECT_EQ(catalogue().find("net_weight")->quantity->kind, QuantityKind::event);
}

TEST(Quantities, AcceptTheirOwnUnitAndNameAShareThatExists) {
  std::set<std::string> labels;
  for (const auto& [name, row] : catalogue().quantities) {
    EXPECT_EQ(*convert(row.quantity->unit, name), Linear{}) << name;
    if (!row.share.empty()) {
      EXPECT_NE(catalogue().find(row.share), nullptr) << name;
    }
    for (const std::string& spelling : row.spellings)
      EXPECT_TRUE(convert(spelling, name)) << name << " does not convert " << spelling;
  }
}

TEST(Quantities, AnUnknownNameGetsTheNearestOrThoseThatContainIt) {
  EXPECT_EQ(catalogue().suggestion("turbidty"), "did you mean \"turbidity\"?");
  EXPECT_THAT(catalogue().suggestion("temperature"), HasSubstr("water_temperature"));
}

}  // namespace
}  // namespace gerbang::config
