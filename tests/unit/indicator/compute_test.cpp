// SPDX-License-Identifier: Apache-2.0
#include "indicator/compute.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gerbang::indicator {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr TimeSpan kWindow{1'767'225'600'000, 1'767'225'600'000 + kDayMs};

struct Row {
  std::int32_t series;
  int hour;
  std::optional<double> value;
  std::uint32_t good = 60;
  std::optional<double> delta{};
  std::int64_t length = kHourMs;
};

std::vector<Aggregate> rows(const std::vector<Row>& all) {
  std::vector<Aggregate> out;
  for (const Row& one : all) {
    Aggregate row;
    row.series = one.series;
    row.window_ms = one.length;
    row.start_ms = kWindow.start_ms + one.hour * one.length;
    row.end_ms = row.start_ms + one.length;
    row.expected = 60;
    row.received = row.good = one.value ? one.good : 0;
    if (one.value)
      for (std::uint32_t i = 0; i < one.good; ++i) row.statistics.add(*one.value);
    row.last = one.value.value_or(0);
    row.delta = one.delta;
    out.push_back(row);
  }
  return out;
}

// A day of the same value.
void day(std::vector<Row>& to, std::int32_t series, double value, int hours = 24) {
  for (int i = 0; i < hours; ++i) to.push_back({series, i, value});
}

Plan plan(Method method, std::vector<std::pair<std::string, std::string>> inputs) {
  auto standard = std::make_shared<Standard>();
  standard->id = "test";
  standard->method = method;
  standard->categories = {{"low", {"rendah", "low"}, "", 50}, {"high", {"tinggi", "high"}, ""}};
  standard->steps = {50, 100};
  standard->breakpoints = {{"a", "", {10, 20}, Confidence::a, ""},
                           {"b", "", {100, 200}, Confidence::b, ""}};
  Plan out;
  out.id = "test";
  out.averaging = *averaging_of("1d");
  std::int32_t series = 0;
  for (const auto& [quantity, sensor] : inputs) {
    Input input;
    input.quantity = quantity;
    input.sensor = sensor;
    input.series = ++series;
    input.interval_ms = 60'000;
    out.inputs.push_back(input);
  }
  if (method != Method::breakpoints) standard->breakpoints.clear();
  out.standard = standard;
  return out;
}
Standard& edit(Plan& plan) {
  return const_cast<Standard&>(*plan.standard);
}

Outcome of(const Plan& plan, const std::vector<Row>& given) {
  return compute(plan, kWindow, "2026-01-01", rows(given));
}

TEST(Index, IsMadeOfTheValidInputsOnly) {
  const Plan p = plan(Method::breakpoints, {{"a", "sa"}, {"b", "sb"}});
  std::vector<Row> given;
  day(given, 1, 5);
  day(given, 2, 190, 17);  // worse, but only 17 hours of it
  const Outcome out = of(p, given);
  EXPECT_EQ(out.value, 25);
  EXPECT_FALSE(out.provisional);
  EXPECT_EQ(out.category, "low");
  EXPECT_THAT(out.critical, ElementsAre("a"));
  EXPECT_EQ(out.confidence, Confidence::a);
  EXPECT_EQ(out.capture, 1.0);
  ASSERT_EQ(out.inputs.size(), 2u);
  EXPECT_EQ(out.inputs[1].value, 190) << "shown all the same";
  EXPECT_NEAR(*out.inputs[1].capture, 17 / 24.0, 1e-12);
}

TEST(Index, IsProvisionalWithoutAValidInput) {
  const Plan p = plan(Method::breakpoints, {{"a", "sa"}, {"b", "sb"}});
  std::vector<Row> given;
  day(given, 1, 5, 17);
  const Outcome out = of(p, given);
  EXPECT_EQ(out.value, 25);
  EXPECT_TRUE(out.provisional);
  EXPECT_EQ(out.label.eng, "low (provisional)");
  EXPECT_EQ(out.label.ind, "rendah (sementara)");
}

TEST(Index, ShowsThatNothingCameOfAnInput) {
  const Plan p = plan(Method::breakpoints, {{"a", "sa"}, {"b", "sb"}});
  std::vector<Row> given;
  day(given, 1, 5);
  Outcome late = of(p, given);  // late data make no rows of what did not come
  for (int i = 0; i < 24; ++i) given.push_back({2, i, std::nullopt});
  Outcome on_time = of(p, given);
  EXPECT_EQ(late.inputs[1].capture, 0.0);
  EXPECT_EQ(on_time.inputs[1].capture, 0.0);
}

TEST(Index, OfNothingHasNoValue) {
  const Outcome out = of(plan(Method::breakpoints, {{"a", "sa"}}), {{1, 0, std::nullopt}});
  EXPECT_EQ(out.value, std::nullopt);
  EXPECT_TRUE(out.provisional);
  EXPECT_EQ(out.category, "");
  EXPECT_EQ(out.label.eng, "No data");
  EXPECT_THAT(out.critical, IsEmpty());
}

TEST(Levels, JudgeEachSensorAndNameTheWorst) {
  Plan p = plan(Method::levels, {{"a", "bin-1"}, {"a", "bin-2"}, {"a", "bin-3"}});
  edit(p).levels = {{"a", "%", 80, true, false, 1, Confidence::m, ""}};
  std::vector<Row> given;
  day(given, 1, 81);
  day(given, 2, 40);
  day(given, 3, 85);
  const Outcome out = of(p, given);
  EXPECT_EQ(out.value, 85);
  EXPECT_EQ(out.category, "high");
  EXPECT_THAT(out.critical, ElementsAre("bin-1", "bin-3"));
}

TEST(CountOver, CountsTheFullBins) {
  Plan p = plan(Method::count_over, {{"a", "bin-1"}, {"a", "bin-2"}, {"a", "bin-3"}});
  edit(p).levels = {{"a", "%", 80, true, false, 0, Confidence::m, ""}};
  std::vector<Row> given;
  day(given, 1, 80);
  day(given, 2, 79.9);
  day(given, 3, 95);
  const Outcome out = of(p, given);
  EXPECT_EQ(out.value, 2);
  EXPECT_THAT(out.critical, ElementsAre("bin-1", "bin-3"));
}

TEST(Amount, AddsUpAllInputsAndEveryHour) {
  Plan p = plan(Method::amount, {{"a", "bridge-1"}, {"a", "bridge-2"}});
  edit(p).statistic = Statistic::delta;
  edit(p).factor = 0.001;
  std::vector<Row> given;
  for (int i = 0; i < 24; ++i) {
    given.push_back({1, i, 10.0, 60, 1000.0});
    given.push_back({2, i, 10.0, i < 12 ? 60u : 5u, 500.0});
  }
  const Outcome out = of(p, given);
  EXPECT_NEAR(*out.value, 36, 1e-9) << "hours with few readings are not lost";
  EXPECT_TRUE(out.provisional) << "but half of them are said to be so";
}

// A weighbridge: what was weighed, and what its display shows all the time.
Plan bridge(bool witnessed) {
  std::vector<std::pair<std::string, std::string>> inputs = {{"a", "lorry"}};
  if (witnessed) inputs.emplace_back("shown", "display");
  Plan p = plan(Method::amount, inputs);
  edit(p).statistic = Statistic::delta;
  edit(p).factor = 0.001;
  edit(p).witness = "shown";
  p.inputs[0].kind = QuantityKind::event;
  p.inputs[0].interval_ms = 0;
  return p;
}
Outcome weighed(const Plan& p, std::vector<Row> lorries, int heard_hours) {
  std::vector<Aggregate> all = rows(lorries);
  for (Aggregate& row : all) row.expected.reset();
  std::vector<Row> display;
  day(display, 2, 20, heard_hours);
  for (Aggregate& row : rows(display)) all.push_back(std::move(row));
  return compute(p, kWindow, "2026-01-01", all);
}
std::vector<Row> nobody() {
  std::vector<Row> out;
  for (int hour = 0; hour < 24; ++hour) out.push_back({1, hour, std::nullopt});
  return out;
}

TEST(Amount, OfABridgeWithoutALorryIsZeroWhereItWasHeardAllDay) {
  const Outcome heard = weighed(bridge(true), nobody(), 18);
  EXPECT_EQ(heard.value, 0);
  EXPECT_FALSE(heard.provisional);
  EXPECT_EQ(heard.capture, 0.75);
  EXPECT_EQ(heard.label.eng, "");
  ASSERT_EQ(heard.inputs.size(), 2u);
  EXPECT_EQ(heard.inputs[0].value, 0);
  EXPECT_EQ(heard.inputs[1].value, std::nullopt) << "what a display shows is no amount";
  EXPECT_EQ(heard.inputs[1].capture, 0.75);

  EXPECT_EQ(weighed(bridge(true), nobody(), 17).value, std::nullopt) << "it may have been dead";
  EXPECT_EQ(weighed(bridge(true), nobody(), 17).label.eng, "No data");
  EXPECT_EQ(weighed(bridge(true), nobody(), 0).value, std::nullopt);
  EXPECT_EQ(weighed(bridge(false), nobody(), 0).value, std::nullopt) << "nobody knows";
  EXPECT_EQ(weighed(bridge(true), {}, 24).value, 0) << "hours that came late have no empty rows";
}

TEST(Amount, OfABridgeIsAsSureAsItWasHeard) {
  auto lorries = nobody();
  lorries[9] = {1, 9, 12'000.0, 2, 24'000.0};
  const Outcome all_day = weighed(bridge(true), lorries, 24);
  EXPECT_EQ(all_day.value, 24);
  EXPECT_FALSE(all_day.provisional);
  EXPECT_EQ(all_day.capture, 1.0);
  const Outcome some = weighed(bridge(true), lorries, 12);
  EXPECT_EQ(some.value, 24) << "what was weighed was weighed";
  EXPECT_TRUE(some.provisional);
  EXPECT_EQ(some.capture, 0.5);
  EXPECT_FALSE(weighed(bridge(false), lorries, 0).provisional) << "nothing is known against it";
}

// A counter of m³ and a flow of m³/h in one pipe, both read each minute.
Plan pipe() {
  Plan p = plan(Method::difference, {{"a", "meter"}, {"b", "flow"}});
  edit(p).quantities = {"a", "b"};
  edit(p).levels = {{"a", "%", 5, false, false, 1, Confidence::m, ""}};
  p.inputs[0].unit = "m³";
  p.inputs[1].unit = "m³/h";
  return p;
}
// Hours in which so much was counted and so much flowed; nullopt: that one said nothing.
struct PipeHour {
  std::optional<double> counted, flowed;
};
Outcome compared(const std::vector<PipeHour>& hours, int hour_before = -1) {
  std::vector<Row> given;
  if (hour_before < 0) given.push_back({1, hour_before, 5.0, 60, 40.0});
  for (std::size_t i = 0; i < hours.size(); ++i) {
    const int hour = static_cast<int>(i);
    if (hours[i].counted) given.push_back({1, hour, 5.0, 60, hours[i].counted});
    if (hours[i].flowed) given.push_back({2, hour, *hours[i].flowed});
  }
  auto all = rows(given);
  for (Aggregate& row : all) {
    row.first_ms = row.start_ms + 2'000;
    row.last_ms = row.start_ms + 59 * 60'000 + 2'000;
  }
  return compute(pipe(), kWindow, "2026-01-01", all);
}

TEST(Difference, OfAFlowToItsCounterIsInPercentOfTheCounter) {
  const Outcome agree = compared(std::vector<PipeHour>(24, {100.0, 98.0}));
  EXPECT_DOUBLE_EQ(*agree.value, 2);
  EXPECT_EQ(agree.category, "low");
  EXPECT_THAT(agree.critical, IsEmpty());
  EXPECT_FALSE(agree.provisional);
  EXPECT_EQ(agree.capture, 1.0);
  EXPECT_EQ(agree.confidence, Confidence::m);
  ASSERT_EQ(agree.inputs.size(), 2u);
  EXPECT_DOUBLE_EQ(*agree.inputs[0].value, 2400);
  EXPECT_DOUBLE_EQ(*agree.inputs[1].value, 2352);
  EXPECT_EQ(agree.inputs[1].unit, "m³");

  // 24 × 40 = 960 counted; 24 × 42 = 1008 flowed: 48 of 960 are 5 %.
  const Outcome edge = compared(std::vector<PipeHour>(24, {40.0, 42.0}));
  EXPECT_DOUBLE_EQ(*edge.value, 5);
  EXPECT_EQ(edge.category, "low") << "above 5 %, not from 5 %";

  auto hours = std::vector<PipeHour>(24, {40.0, 42.0});
  hours[7].flowed = 43;  // 49 of 960
  const Outcome above = compared(hours);
  EXPECT_DOUBLE_EQ(*above.value, 100 * 49.0 / 960);
  EXPECT_EQ(above.category, "high");
  EXPECT_THAT(above.critical, ElementsAre("meter", "flow"));
  EXPECT_EQ(compared(std::vector<PipeHour>(24, {40.0, 37.9})).category, "high") << "either way";
}

TEST(Difference, OfOneThatIsMissingIsNoVerdict) {
  for (const PipeHour& one : {PipeHour{40.0, std::nullopt}, PipeHour{std::nullopt, 40.0}}) {
    const Outcome out = compared(std::vector<PipeHour>(24, one));
    EXPECT_EQ(out.value, std::nullopt);
    EXPECT_EQ(out.category, "");
    EXPECT_EQ(out.label.eng, "No data");
  }
}

TEST(Difference, ComparesHoursThatBothKnow) {
  // What was counted while nobody looked comes with the first reading after it, and is of no hour.
  auto hours = std::vector<PipeHour>(24, {40.0, 40.0});
  for (std::size_t i : {3u, 4u, 5u}) hours[i] = {std::nullopt, std::nullopt};
  hours[6].counted = 160;
  hours[10].flowed.reset();  // the counter goes on
  const Outcome out = compared(hours);
  EXPECT_EQ(*out.value, 0);
  EXPECT_EQ(out.category, "low");
  EXPECT_DOUBLE_EQ(*out.inputs[0].value, 19 * 40);
  EXPECT_DOUBLE_EQ(*out.capture, 19 / 24.0);
  EXPECT_FALSE(out.provisional);
  hours[20].flowed = hours[21].flowed = std::nullopt;
  EXPECT_TRUE(compared(hours).provisional) << "17 of 24";

  // Nor of the first hour of the day, when nobody looked in the evening.
  auto after_a_night = std::vector<PipeHour>(24, {40.0, 40.0});
  after_a_night[0].counted = 160;
  const Outcome night = compared(after_a_night, -3);
  EXPECT_EQ(*night.value, 0);
  EXPECT_DOUBLE_EQ(*night.capture, 23 / 24.0);
  after_a_night[0].counted = 40;
  EXPECT_DOUBLE_EQ(*compared(after_a_night).capture, 1);
  // Nor when nobody looked for days: the first hour has what was counted in all of them.
  after_a_night[0].counted = 5000;
  const Outcome days = compared(after_a_night, 0);
  EXPECT_EQ(*days.value, 0);
  EXPECT_EQ(days.category, "low");
  EXPECT_DOUBLE_EQ(*days.capture, 23 / 24.0);
}

TEST(Difference, OfACounterThatSpeaksByItselfNowAndThen) {
  Plan quarterly = pipe();
  for (Input& input : quarterly.inputs) input.interval_ms = 900'000;
  std::vector<Row> given = {{1, -1, 5.0, 4, 40.0}};
  for (int hour = 0; hour < 24; ++hour) {
    given.push_back({1, hour, 5.0, 4, 40.0});
    given.push_back({2, hour, 40.0, 4});
  }
  auto all = rows(given);
  int place = 0;
  for (Aggregate& row : all) {
    row.first_ms = row.start_ms + 60'000 * (++place % 10);  // not by the clock
    row.last_ms = row.start_ms + 60'000 * (50 - place % 5);
    row.expected = 4;
  }
  const Outcome out = compute(quarterly, kWindow, "2026-01-01", all);
  EXPECT_EQ(out.value, 0);
  EXPECT_EQ(out.capture, 1);
}

TEST(Difference, OfACounterThatStandsStillIsAllOfIt) {
  EXPECT_EQ(compared(std::vector<PipeHour>(24, {0.0, 3.0})).value, 100);
  EXPECT_EQ(compared(std::vector<PipeHour>(24, {0.0, 0.0})).value, 0) << "nothing flowed";
}

TEST(HoursOutside, AddUpTimeInWhichAnyInputWasOutside) {
  Plan p = plan(Method::hours_outside, {{"a", "north"}, {"a", "south"}});
  edit(p).limits = {Limit{"a", "bar", 0.5, {}, true, true, "", Confidence::m, ""}};
  constexpr std::int64_t kMinute = 60'000;
  std::vector<Row> given;
  for (int i = 0; i < 1440; ++i) {
    given.push_back({1, i, i < 30 ? 0.4 : 2.0, 60, {}, kMinute});
    given.push_back({2, i, i >= 20 && i < 50 ? 0.0 : 2.0, 60, {}, kMinute});
  }
  const Outcome out = of(p, given);
  EXPECT_NEAR(*out.value, 50.0 / 60, 1e-9) << "together, not twice";
  EXPECT_THAT(out.critical, ElementsAre("north", "south"));
  EXPECT_FALSE(out.provisional);
  EXPECT_EQ(rows_of(p, {60'000, 900'000, 3'600'000, 86'400'000}), 60'000);
}

TEST(ShareComplying, CountsHoursInWhichAllOfItComplies) {
  Plan p = plan(Method::share_complying, {{"a", "turbidity"}, {"b", "chlorine"}});
  edit(p).limits = {Limit{"a", "", {}, 3, true, false, "", Confidence::b, ""},
                    Limit{"b", "", 0.2, 0.5, true, true, "", Confidence::b, ""}};
  std::vector<Row> given;
  for (int i = 0; i < 20; ++i) {
    given.push_back({1, i, i == 3 ? 3.0 : 2.99});
    given.push_back({2, i, i < 5 ? 0.1 : 0.3, i == 19 ? 10u : 60u});
  }
  const Outcome out = of(p, given);
  EXPECT_DOUBLE_EQ(*out.value, 75) << "5 of 20 hours do not";
  EXPECT_FALSE(out.provisional) << "20 of 24 hours";
  EXPECT_NEAR(*out.capture, 20 / 24.0, 1e-12);
  EXPECT_THAT(out.critical, ::testing::UnorderedElementsAre("a", "b"));
  EXPECT_NEAR(*out.inputs.at(0).capture, 20 / 24.0, 1e-12) << "four hours have no row";
}

// A whole day of it is missing and came from no other: it has no row, and is missed all the same.
TEST(Station, ASensorWithoutARowIsMissed) {
  auto one = rows({{1, 0, 5.0, 1440, {}, kDayMs}});
  one[0].expected = 1440;
  for (const Method method : {Method::capture, Method::availability}) {
    Plan two = plan(method, {{"a", "x"}, {"b", "y"}});
    EXPECT_EQ(compute(two, kWindow, "", one).value, 50);
    two.inputs[1].interval_ms = 0;
    EXPECT_EQ(compute(two, kWindow, "", one).value, 100) << "nothing is expected of it";
  }
}

TEST(Station, CaptureAndAvailabilityDifferByTheBad) {
  auto one = rows({{1, 0, 5.0, 30, {}, kDayMs}, {2, 0, std::nullopt, 0, {}, kDayMs}});
  one[0].bad = 15;
  one[0].received = 45;
  EXPECT_EQ(compute(plan(Method::capture, {{"a", "x"}, {"b", "y"}}), kWindow, "", one).value, 25);
  EXPECT_EQ(compute(plan(Method::availability, {{"a", "x"}, {"b", "y"}}), kWindow, "", one).value,
            37.5);
  const Outcome list = compute(plan(Method::inventory, {{"a", "x"}, {"b", "y"}}), kWindow, "", one);
  EXPECT_EQ(list.value, 1);
  EXPECT_THAT(list.critical, ElementsAre("y"));
  EXPECT_EQ(list.inputs.at(0).capture, 0.5);
}

TEST(Station, CalibrationIsDueOnItsDay) {
  Plan p = plan(Method::calibration_due, {{"a", "x"}, {"a", "y"}, {"a", "z"}});
  p.inputs[0].calibration_due = "2026-01-01";
  p.inputs[1].calibration_due = "2026-01-02";
  const Outcome out = compute(p, kWindow, "2026-01-01", {});
  EXPECT_EQ(out.value, 1);
  EXPECT_THAT(out.critical, ElementsAre("x"));
  EXPECT_EQ(out.inputs.size(), 2u);
  for (Input& input : p.inputs) input.calibration_due.clear();
  EXPECT_EQ(compute(p, kWindow, "2026-01-01", {}).value, std::nullopt) << "nobody knows";
}

TEST(Iso, NumbersAreThoseOfWhatIsMeasured) {
  Plan p = plan(Method::breakpoints, {{"a", "x"}});
  edit(p).place = {"Smart Environment",
                   "proteksi lingkungan",
                   Confidence::b,
                   {{"ISO 37120:2018", "8.1", "a", Confidence::m},
                    {"ISO 37120:2018", "8.2", "b", Confidence::m},
                    {"ISO 37122:2019", "8.2", "", Confidence::m}}};
  EXPECT_EQ(iso_text(p), "ISO 37120:2018 8.1, ISO 37122:2019 8.2");
  EXPECT_EQ(smart_dimension(*p.standard), "Smart Environment, proteksi lingkungan");
}

}  // namespace
}  // namespace gerbang::indicator
