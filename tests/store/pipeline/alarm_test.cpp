// SPDX-License-Identifier: Apache-2.0
//
// Alarms in the pipeline: with what is durable, over restarts, and while nothing can be stored.
#include "store/pipeline/plant.hpp"

namespace gerbang::test {
namespace {

alarm::Rule above(const std::string& id, double threshold) {
  alarm::Rule rule;
  rule.id = id;
  rule.watch = alarm::Watch::reading;
  rule.sensor = "ph";
  rule.unit = "pH";
  rule.severity = alarm::Severity::high;
  rule.above = threshold;
  rule.text = Label{"pH tinggi", "pH is high"};
  rule.advice = Label{"Periksa", "Look"};
  return rule;
}

pipeline::AlarmPlan plan(std::vector<alarm::Rule> rules) {
  pipeline::AlarmPlan out;
  out.rules = std::move(rules);
  out.flapping_text = Label{"{text} (berganti)", "{text} (flaps)"};
  return out;
}

std::vector<v1::Alarm> said(Plant& plant, const std::string& id) {
  std::vector<v1::Alarm> out;
  for (const Message& message : plant.messages()) {
    if (message.topic != "alarm/" + id) continue;
    EXPECT_EQ(message.kind, MessageKind::alarm);
    EXPECT_EQ(message.lane, Lane::urgent);
    EXPECT_TRUE(out.emplace_back().ParseFromString(message.body));
  }
  return out;
}

bool comes(Plant& plant, const std::string& id, std::size_t count) {
  return plant.turn_until([&] { return said(plant, id).size() >= count; });
}

TEST(Alarms, AreSaidInTheUrgentLaneAndTheNewestIsRetained) {
  Plant plant({sensor("other"), sensor("ph")});
  plant.options.alarms = plan({above("high", 8.5)});
  plant.start();
  plant.give({plant.reading(0, 99.0), plant.reading(1, 8.5)});
  plant.clock.advance(1s);
  plant.give({plant.reading(1, 8.6)});
  ASSERT_TRUE(comes(plant, "high", 1));
  plant.clock.advance(1s);
  plant.give({plant.reading(1, 8.5)});
  ASSERT_TRUE(comes(plant, "high", 2));

  auto all = said(plant, "high");
  EXPECT_EQ(all[0].state(), v1::RAISED);
  EXPECT_EQ(all[0].occurrence(), 1u);
  EXPECT_EQ(all[0].sensor(), "ph");
  EXPECT_EQ(all[0].severity(), v1::HIGH);
  EXPECT_DOUBLE_EQ(all[0].value(), 8.6);
  EXPECT_DOUBLE_EQ(all[0].threshold(), 8.5);
  EXPECT_EQ(all[0].unit(), "pH");
  EXPECT_EQ(all[0].since_ms(), kStart + 1000);
  EXPECT_FALSE(all[0].has_cleared_ms());
  EXPECT_EQ(all[0].text_ind(), "pH tinggi");
  EXPECT_EQ(all[0].advice_eng(), "Look");
  EXPECT_EQ(all[0].clock(), v1::TRUSTED);
  EXPECT_EQ(all[1].state(), v1::CLEARED);
  EXPECT_EQ(all[1].occurrence(), 1u);
  EXPECT_EQ(all[1].since_ms(), kStart + 1000);
  EXPECT_EQ(all[1].cleared_ms(), kStart + 2000);
  std::vector<bool> retained;
  for (const Message& message : plant.messages())
    if (message.topic == "alarm/high") retained.push_back(message.retain);
  EXPECT_EQ(retained, (std::vector<bool>{false, true}));
}

// The process dies after each reading, before or after the alarm is stored.
TEST(Alarms, ARestartAnywhereRaisesNothingTwiceAndForgetsNothing) {
  auto slow = above("slow", 8.5);
  slow.hold_ms = 4'000;
  const std::vector<double> values = {8, 9, 9, 9, 8, 9, 9, 9, 9, 9, 9, 8, 8, 9, 8};
  std::vector<std::string> expected = {"high 1 1", "high 2 1", "high 1 2", "slow 1 1",
                                       "high 2 2", "slow 2 1", "high 1 3", "high 2 3"};
  for (int crash_after = 0; crash_after < 3; ++crash_after) {
    Plant plant({sensor("ph")});
    plant.options.alarms = plan({above("high", 8.5), slow});
    plant.start();
    for (std::size_t i = 0; i < values.size(); ++i) {
      plant.clock.advance(1s);
      plant.give({plant.reading(0, values[i])});
      if (static_cast<int>(i % 3) != crash_after) continue;
      if (i % 2 == 0) plant.turn_until([&] { return !plant.pipe->alarms().has_said(); });
      plant.crash();
      plant.start();
    }
    plant.turn_until([&] { return plant.messages().size() >= expected.size(); });
    std::vector<std::string> got;
    for (const Message& message : plant.messages()) {
      if (!message.topic.starts_with("alarm/")) continue;
      v1::Alarm alarm;
      ASSERT_TRUE(alarm.ParseFromString(message.body));
      got.push_back(alarm.id() + " " + std::to_string(alarm.state()) + " " +
                    std::to_string(alarm.occurrence()));
    }
    EXPECT_EQ(got, expected) << "crashed after " << crash_after;
  }
}

TEST(Alarms, OfARateKnowAfterARestartWhatWasBefore) {
  auto rise = above("rise", 5);
  rise.watch = alarm::Watch::rate;
  rise.span_ms = 60'000;
  auto slow = rise;  // its span is longer than what is replayed, or than a page of readings
  slow.id = "slow";
  slow.span_ms = 600'000;
  Plant plant({sensor("ph"), sensor("other")});
  plant.options.alarms = plan({rise, slow});
  plant.options.alarms.rules[0].sensor = plant.options.alarms.rules[1].sensor = "ph";
  plant.start();
  for (int i = 0; i < 122; ++i) {
    plant.give({plant.reading(0, 7.0), plant.reading(1, i)});
    plant.advance(5s);
  }
  plant.crash();
  plant.start();
  plant.give({plant.reading(0, 13.0)});
  EXPECT_TRUE(comes(plant, "rise", 1));
  EXPECT_TRUE(comes(plant, "slow", 1));
}

// It may be given by hand.
TEST(Alarms, SurviveARestartWhateverTheBootIsCalled) {
  Plant plant({sensor("ph")});
  plant.options.alarms = plan({above("high", 8.5)});
  plant.options.boot_id = "a board of mine";
  plant.start();
  plant.give({plant.reading(0, 9.0)});
  ASSERT_TRUE(comes(plant, "high", 1));
  plant.crash();
  plant.start();
  EXPECT_EQ(plant.pipe->alarms().engine().now(0).state, alarm::Said::raised);
  plant.give({plant.reading(0, 9.0)});
  plant.work();
  EXPECT_EQ(said(plant, "high").size(), 1u);
}

TEST(Alarms, OfWindowsAreSaidWithTheRows) {
  auto mean = above("mean", 8.5);
  mean.watch = alarm::Watch::window;
  mean.window_ms = 60'000;
  Plant plant({sensor("ph")});
  plant.options.windows_ms = {60'000};
  plant.options.alarms = plan({mean});
  plant.start();
  for (double value : {9.0, 8.0}) {
    for (int s = 0; s < 60; ++s) {
      plant.take({plant.reading(0, value)});
      plant.clock.advance(1s);
    }
    plant.settle();
    plant.work();
  }
  plant.advance(11s);
  auto all = said(plant, "mean");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].state(), v1::RAISED);
  EXPECT_DOUBLE_EQ(all[0].value(), 9.0);
  EXPECT_EQ(all[0].since_ms(), kStart + 60'000);
  EXPECT_EQ(all[1].state(), v1::CLEARED);
}

TEST(Alarms, OfConditionsCountTheirHoldTimeAndSurviveARestart) {
  alarm::Rule down;
  down.id = down.source = "driver-wtp-down";
  down.watch = alarm::Watch::condition;
  down.hold_ms = 5'000;
  Plant plant({sensor("ph")});
  plant.options.alarms = plan({down});
  plant.start();
  for (int s = 0; s < 5; ++s) {
    plant.pipe->on_conditions({{"driver-wtp-down", true}});
    plant.clock.advance(1s);
  }
  EXPECT_FALSE(plant.pipe->alarms().has_said());
  plant.pipe->on_conditions({{"driver-wtp-down", true}});
  ASSERT_TRUE(comes(plant, "driver-wtp-down", 1));
  plant.crash();
  plant.start();
  for (int s = 0; s < 8; ++s) {
    plant.pipe->on_conditions({{"driver-wtp-down", true}});
    plant.clock.advance(1s);
  }
  plant.work();
  EXPECT_EQ(said(plant, "driver-wtp-down").size(), 1u);
  plant.pipe->on_conditions({{"driver-wtp-down", false}});
  ASSERT_TRUE(comes(plant, "driver-wtp-down", 2));
  EXPECT_EQ(said(plant, "driver-wtp-down")[1].occurrence(), 1u);
}

TEST(Alarms, SeeWhatComesAfterAReadingOfNextYear) {
  Plant plant({sensor("ph")});
  plant.options.alarms = plan({above("high", 8.5)});
  plant.start();
  const auto stamped = [&](double value, std::chrono::hours ahead) {
    Reading one = plant.reading(0, value);
    one.unix_ns = (unix_ms(plant.clock.wall()) + ahead / 1ms) * 1'000'000;
    return one;
  };
  plant.give({stamped(7, 24h * 365)});
  plant.advance(1s);
  plant.give({stamped(9, 0h)});
  EXPECT_TRUE(comes(plant, "high", 1));
  EXPECT_EQ(plant.pipe->live(0).value, 9);
}

TEST(Alarms, HoldTimesDoNotJumpWithTheClock) {
  auto slow = above("slow", 8.5);
  slow.hold_ms = 60'000;
  Plant plant({sensor("ph")});
  plant.options.alarms = plan({slow});
  plant.start();
  plant.give({plant.reading(0, 9.0)});
  plant.clock.step(24h);
  plant.advance(1s);
  plant.give({plant.reading(0, 9.0)});
  plant.clock.step(-48h);
  plant.advance(1s);
  plant.give({plant.reading(0, 9.0)});
  plant.work();
  EXPECT_TRUE(said(plant, "slow").empty());
  plant.advance(58s);
  plant.give({plant.reading(0, 9.0)});
  EXPECT_TRUE(comes(plant, "slow", 1));
}

TEST(Alarms, ThatLeaveTheConfigurationAreClearedAndComeBackWithTheirCount) {
  Plant plant({sensor("ph")});
  plant.options.alarms = plan({above("high", 8.5)});
  plant.start();
  plant.give({plant.reading(0, 9.0)});
  ASSERT_TRUE(comes(plant, "high", 1));
  auto gone = run_coro(*plant.io, plant.pipe->reconfigure({[&] {
                                                            auto s = sensor("ph");
                                                            s.series = plant.series(0);
                                                            return s;
                                                          }()},
                                                          plan({})));
  ASSERT_TRUE(gone);
  ASSERT_TRUE(comes(plant, "high", 2));
  EXPECT_EQ(said(plant, "high")[1].state(), v1::CLEARED);
  plant.crash();
  plant.start();  // its options have the alarm again
  plant.clock.advance(1s);
  plant.give({plant.reading(0, 9.0)});
  ASSERT_TRUE(comes(plant, "high", 3));
  EXPECT_EQ(said(plant, "high")[2].occurrence(), 2u);
}

}  // namespace
}  // namespace gerbang::test
