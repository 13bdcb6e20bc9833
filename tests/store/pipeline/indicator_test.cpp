// SPDX-License-Identifier: Apache-2.0
//
// Indicators from readings to the outbox: rolling windows over restarts and late data.
#include <algorithm>
#include <cmath>
#include <map>

#include "store/pipeline/plant.hpp"

namespace gerbang::test {
namespace {

constexpr std::int64_t kSlot = kHour / 3;

std::shared_ptr<indicator::Standard> table(indicator::Method method) {
  using namespace indicator;
  auto out = std::make_shared<Standard>();
  out->id = "air";
  out->version = "1";
  out->method = method;
  out->averaging = *averaging_of("24h");
  out->steps = {50, 100};
  out->categories = {{"Baik", {"Baik", "Good"}, "", 50}, {"Sedang", {"Sedang", "Moderate"}, ""}};
  out->breakpoints = {{"a", "unit", {50, 150}, Confidence::a, ""},
                      {"b", "unit", {500, 1500}, Confidence::b, ""}};
  out->place = {"Smart Environment", "proteksi lingkungan", Confidence::b, {}};
  return out;
}

indicator::Plan rolling() {
  indicator::Plan out;
  out.id = "index";
  out.standard = table(indicator::Method::breakpoints);
  out.averaging = out.standard->averaging;
  for (const char* name : {"a", "b"}) {
    indicator::Input input;
    input.quantity = name;
    input.sensor = std::string("station-") + name;
    input.unit = "unit";
    out.inputs.push_back(input);
  }
  return out;
}

// Two sensors, read three times an hour.
class Station : public Plant {
 public:
  Station() : Plant(sensors()) {
    options.windows_ms = {kHour, 24 * kHour};
    indicators = {rolling()};
  }

  static std::vector<pipeline::Sensor> sensors() {
    std::vector<pipeline::Sensor> out = {sensor("station-a", "air"), sensor("station-b", "air")};
    for (auto& one : out) one.interval_ms = kSlot;
    return out;
  }

  static double value(std::uint32_t index, std::int64_t slot) {
    return index == 0 ? 20 + 3.0 * static_cast<double>(slot % 40)
                      : 900 - static_cast<double>(slot * 7 % 300);
  }
  // As the device stamped it, so that it can come at any time.
  Reading at(std::uint32_t index, std::int64_t slot) const {
    Reading r = reading(index, value(index, slot));
    r.unix_ns = (kStart + slot * kSlot + 60'000) * 1'000'000;
    return r;
  }
  // Lives through these slots; `comes` says which readings come when they are due.
  void live(std::int64_t from, std::int64_t to,
            const std::function<bool(std::uint32_t, std::int64_t)>& comes) {
    for (std::int64_t slot = from; slot < to; ++slot) {
      advance(2min);
      std::vector<Reading> now;
      for (std::uint32_t i : {0u, 1u})
        if (comes(i, slot)) now.push_back(at(i, slot));
      if (!now.empty()) give(now);
      advance(18min);
    }
  }

  std::vector<v1::Indicator> said(const std::string& id = "index") {
    std::vector<v1::Indicator> out;
    for (const Message& message : messages()) {
      if (message.topic != "indicator/" + id) continue;
      EXPECT_EQ(message.kind, MessageKind::indicator);
      EXPECT_TRUE(out.emplace_back().ParseFromString(message.body));
    }
    return out;
  }
  // What holds of each window in the end, without the count of revisions.
  std::map<std::int64_t, std::string> in_the_end(const std::string& id = "index") {
    std::map<std::int64_t, std::string> out;
    std::map<std::int64_t, std::uint32_t> revision;
    for (v1::Indicator& one : said(id)) {
      EXPECT_TRUE(!out.contains(one.window_end_ms()) ||
                  one.revision() == revision[one.window_end_ms()] + 1)
          << "revisions count up by one";
      revision[one.window_end_ms()] = one.revision();
      one.clear_revision();
      out[one.window_end_ms()] = one.DebugString();
    }
    return out;
  }
};

bool always(std::uint32_t, std::int64_t) {
  return true;
}

// The formula once more, from readings, for the window that ends with this slot.
double expected_index(std::int64_t end_slot, std::int64_t hours) {
  double worst = 0;
  for (std::uint32_t i : {0u, 1u}) {
    double sum = 0;
    for (std::int64_t h = 0; h < hours; ++h) {
      double mean = 0;
      for (std::int64_t s = 0; s < 3; ++s) mean += Station::value(i, end_slot - 3 * h - 3 + s) / 3;
      sum += mean / static_cast<double>(hours);
    }
    const double first = i == 0 ? 50 : 500, last = 3 * first;
    worst =
        std::max(worst, sum <= first ? 50 * sum / first : 50 + 50 * (sum - first) / (last - first));
  }
  return std::floor(worst + 0.5);
}

TEST(Indicators, RollOverADayAndSayHowSureTheyAre) {
  Station station;
  station.start();
  station.live(0, 27 * 3, always);
  const auto said = station.said();
  ASSERT_EQ(said.size(), 26u) << "the last hour is in its grace";
  for (std::size_t i = 0; i < said.size(); ++i) {
    const v1::Indicator& one = said[i];
    const auto hours = static_cast<std::int64_t>(i + 1);
    EXPECT_EQ(one.window_end_ms(), kStart + hours * kHour);
    EXPECT_EQ(one.window_start_ms(), one.window_end_ms() - 24 * kHour);
    EXPECT_EQ(one.value(), expected_index(hours * 3, std::min<std::int64_t>(hours, 24)));
    EXPECT_EQ(one.provisional(), hours < 18) << hours;
    EXPECT_NEAR(one.capture(), std::min(1.0, static_cast<double>(hours) / 24), 1e-12);
    EXPECT_EQ(one.revision(), 0u);
    EXPECT_EQ(one.inputs_size(), 2);
  }
  const v1::Indicator& last = said.back();
  EXPECT_EQ(last.id(), "index");
  EXPECT_EQ(last.standard(), "air");
  EXPECT_EQ(last.standard_version(), "1");
  EXPECT_EQ(last.category(), "Sedang");
  EXPECT_EQ(last.label_ind(), "Sedang");
  ASSERT_EQ(last.critical_size(), 1);
  EXPECT_TRUE(last.critical(0) == "a" || last.critical(0) == "b");
  EXPECT_EQ(last.timezone(), "Asia/Makassar");
  EXPECT_EQ(last.local_date(), "2026-01-02") << "10:00 in Makassar";
  EXPECT_EQ(last.smart_dimension(), "Smart Environment, proteksi lingkungan");
  EXPECT_EQ(last.confidence(), "B");
  EXPECT_EQ(last.inputs(0).sensor(), "station-a");
  EXPECT_EQ(last.clock(), v1::TRUSTED);
  std::size_t retained = 0;
  for (const Message& message : station.messages())
    if (message.topic == "indicator/index" && message.retain) ++retained;
  EXPECT_EQ(retained, 1u) << "the newest";
  EXPECT_EQ(station.pipe->indicators().at(0).body, station.messages().back().body);
}

TEST(Indicators, ARestartInTheMiddleChangesNothing) {
  Station steady, broken;
  steady.start();
  broken.start();
  steady.live(0, 24 * 3, always);
  for (std::int64_t slot = 0; slot < 24 * 3; ++slot) {
    broken.live(slot, slot + 1, always);
    if (slot == 20) broken.crash();
    if (slot == 40) broken.stop();
    if (slot == 20 || slot == 40) {
      broken.start();
      EXPECT_FALSE(broken.pipe->indicators().at(0).body.empty()) << "known from the start";
    }
  }
  EXPECT_EQ(broken.in_the_end(), steady.in_the_end());
  EXPECT_EQ(broken.said().size(), steady.said().size());
}

TEST(Indicators, LateDataReviseThemToWhatOnTimeDataWouldHaveSaid) {
  Station on_time, late;
  on_time.start();
  late.start();
  const auto missed = [](std::uint32_t index, std::int64_t slot) {
    return (slot >= 12 && slot < 18) || (index == 1 && slot % 5 == 0);
  };
  on_time.live(0, 23 * 3, always);
  late.live(0, 23 * 3, [&](std::uint32_t i, std::int64_t s) { return !missed(i, s); });
  const auto before = late.in_the_end();
  ASSERT_NE(before, on_time.in_the_end()) << "else nothing is tested";

  std::vector<Reading> rest;
  for (std::int64_t slot = 23 * 3 - 1; slot >= 0; --slot)
    for (std::uint32_t i : {0u, 1u})
      if (missed(i, slot)) rest.push_back(late.at(i, slot));
  std::swap(rest.front(), rest[rest.size() / 2]);
  const std::vector<Reading> first(rest.begin(), rest.begin() + 7),
      second(rest.begin() + 7, rest.end());
  late.give(first);
  late.revise();
  late.stop();  // what was said is known after it
  late.start();
  late.give(second);
  late.revise();

  EXPECT_EQ(late.in_the_end(), on_time.in_the_end());
  std::size_t retained = 0;
  for (const Message& message : late.messages())
    if (message.topic == "indicator/index" && message.retain) {
      ++retained;
      v1::Indicator newest;
      ASSERT_TRUE(newest.ParseFromString(message.body));
      EXPECT_EQ(newest.window_end_ms(), kStart + 22 * kHour);
      EXPECT_EQ(message.body, late.pipe->indicators().at(0).body);
    }
  EXPECT_EQ(retained, 1u);

  const std::size_t all = late.said().size();
  late.give({late.at(0, 0)});  // once more what is known: a reading more, the same mean
  late.revise();
  for (std::size_t i = all; i < late.said().size(); ++i)
    EXPECT_LE(late.said()[i].window_end_ms(), kStart + 24 * kHour);
}

// What is said of alarms, in its order.
std::vector<std::string> told(Station& station) {
  std::vector<std::string> out;
  for (const Message& message : station.messages()) {
    if (!message.topic.starts_with("alarm/")) continue;
    v1::Alarm one;
    EXPECT_TRUE(one.ParseFromString(message.body));
    out.push_back(one.id() + " " + v1::AlarmState_Name(one.state()) + " " +
                  std::to_string((one.since_ms() - kStart) / kHour) + " " +
                  std::to_string((one.cleared_ms() - kStart) / kHour) + " " +
                  std::to_string(one.value()));
  }
  std::sort(out.begin(), out.end());  // several alarms of one window: their order is not promised
  return out;
}

pipeline::AlarmPlan watch() {
  alarm::Rule mean, value, category;
  mean.id = "mean";
  mean.watch = alarm::Watch::window;
  mean.window_ms = kHour;
  mean.sensor = "station-a";
  mean.above = 90;
  mean.hysteresis = 20;
  mean.hold_ms = kHour;
  value.id = "value";
  value.watch = category.watch = alarm::Watch::indicator;
  value.source = category.source = "index";
  value.above = 70;
  value.release_ms = 2 * kHour;
  category.id = "category";
  category.categories = {"Sedang"};
  pipeline::AlarmPlan out;
  out.rules = {mean, value, category};
  return out;
}

TEST(Indicators, AndWindowsOfLateDataAreLookedAtByAlarmsAsOnesOnTime) {
  constexpr std::int64_t kSlots = 60 * 3;
  const auto lags = [](std::uint32_t, std::int64_t slot) { return slot < 30; };
  Station on_time, late;
  on_time.options.alarms = late.options.alarms = watch();
  on_time.start();
  late.start();
  on_time.live(0, kSlots, always);
  on_time.advance(1min);
  late.live(0, kSlots, lags);
  late.advance(1min);
  late.crash();  // which windows were looked at outlives it
  late.start();
  std::vector<Reading> rest;
  for (std::int64_t slot = 30; slot < kSlots; ++slot)
    for (std::uint32_t i : {0u, 1u}) rest.push_back(late.at(i, slot));
  std::reverse(rest.begin(), rest.end());
  late.give(rest);
  late.revise();
  const auto all = told(on_time);
  ASSERT_GE(all.size(), 8u);
  // What the index says while less and less of its day is there, it says only where data lack.
  const auto windows = [](std::vector<std::string> from) {
    std::erase_if(from, [](const std::string& one) { return !one.starts_with("mean"); });
    return from;
  };
  ASSERT_GE(windows(all).size(), 4u);
  EXPECT_EQ(windows(told(late)), windows(all));

  Station at_once;
  at_once.options.alarms = watch();
  at_once.start();
  at_once.live(0, kSlots, [](std::uint32_t, std::int64_t) { return false; });
  at_once.advance(1min);
  rest.clear();
  for (std::int64_t slot = kSlots - 1; slot >= 0; --slot)
    for (std::uint32_t i : {1u, 0u}) rest.push_back(at_once.at(i, slot));
  at_once.give(rest);
  at_once.revise();
  EXPECT_EQ(told(at_once), all);
}

TEST(Indicators, AndWindowsThatAreOlderThanWhatAlarmsHaveSeenSayNothing) {
  Station station;
  alarm::Rule mean = watch().rules[0];
  mean.hold_ms = 0;
  mean.above = 500;
  station.options.alarms.rules = {mean};
  station.start();
  station.live(0, 9 * 3, always);
  for (bool restart : {false, true}) {
    if (restart) {
      station.crash();
      station.start();
    }
    Reading old = station.at(0, 3);
    old.raw = Raw::of(1e6);
    station.give({old});
    station.revise();
    EXPECT_TRUE(told(station).empty()) << restart;
  }
  Reading newest = station.at(0, 7 * 3);
  newest.raw = Raw::of(1e6);
  station.give({newest});
  station.revise();
  EXPECT_EQ(told(station).size(), 1u) << "the newest window may be another now";
}

TEST(Indicators, OfALocalDayComeWithItsEnd) {
  Station station;
  indicator::Plan tonnes = rolling();
  tonnes.id = "capture";
  auto standard = std::make_shared<indicator::Standard>(*tonnes.standard);
  standard->method = indicator::Method::capture;
  standard->unit = "%";
  tonnes.standard = standard;
  tonnes.averaging = *indicator::averaging_of("1d");
  station.indicators = {tonnes};
  station.start();
  // The day ends 16 hours after the start; half of the readings of one sensor do not come.
  station.live(0, 17 * 3, [](std::uint32_t i, std::int64_t s) { return i == 0 || s % 2 == 0; });
  const auto said = station.said("capture");
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].window_end_ms(), kStart + 16 * kHour);
  EXPECT_EQ(said[0].window_start_ms(), kStart - 8 * kHour);
  EXPECT_EQ(said[0].local_date(), "2026-01-01");
  EXPECT_NEAR(said[0].value(), 100 * 72.0 / 144, 1e-9) << "72 expected of each, 48 and 24 came";
}

TEST(Indicators, OfADayAreNotAskedOfASensorThatCameLater) {
  Station station;
  indicator::Plan both = rolling();
  both.id = "availability";
  auto standard = std::make_shared<indicator::Standard>(*both.standard);
  standard->method = indicator::Method::availability;
  both.standard = standard;
  both.averaging = *indicator::averaging_of("1d");
  indicator::Plan one = both;
  one.inputs.pop_back();
  station.configure({Station::sensors()[0]});
  station.indicators = {one};
  station.start();
  for (std::int64_t slot = 0; slot < 17 * 3; ++slot) {
    station.advance(2min);
    if (slot != 10) station.give({station.at(0, slot)});
    station.advance(18min);
  }
  station.stop();
  station.configure(Station::sensors());
  station.indicators = {both};
  station.start();
  station.give({station.at(0, 10), station.at(1, 17 * 3)});
  station.revise();
  const auto said = station.said("availability");
  ASSERT_EQ(said.size(), 2u);
  EXPECT_NEAR(said[0].value(), 100 * 47.0 / 72, 1e-9);
  EXPECT_EQ(said[1].window_end_ms(), said[0].window_end_ms());
  EXPECT_NEAR(said[1].value(), 100 * 48.0 / 72, 1e-9) << "72 expected, of the one that was there";
  EXPECT_EQ(said[1].inputs_size(), 1);
}

}  // namespace
}  // namespace gerbang::test
