// SPDX-License-Identifier: Apache-2.0
#include "pipeline/inspector.hpp"

#include <gtest/gtest.h>

#include <random>

#include "support/quantity.hpp"

namespace gerbang::pipeline {
namespace {

constexpr std::int64_t kTick = 10'000'000'000;  // ns between two readings

Sensor made(const std::string& id) {
  Sensor out;
  out.id = id;
  out.quantity = test::quantity_of(id, "water", QuantityKind::gauge);
  out.interval_ms = kTick / 1'000'000;
  return out;
}
Reading reading(std::uint32_t sensor, std::int64_t tick, double value) {
  Reading out;
  out.sensor = sensor;
  out.raw = Raw::of(value);
  out.boot_ns = tick * kTick;
  return out;
}

TEST(Inspector, ARelationThatHoldsMakesTheReadingThatCompletesAPairGood) {
  Sensor fine = made("pm2-5");
  quality::Relation ratio;
  ratio.kind = quality::Relation::Kind::ratio;
  ratio.one = 0;
  ratio.other = 1;
  ratio.low = 0.1;
  ratio.high = 1;
  fine.relations.push_back(ratio);
  Inspector inspector({fine, made("pm10")});
  std::vector<Inspector::Late> late;
  const auto judge = [&](std::uint32_t sensor, std::int64_t tick, double value) {
    return inspector.judge(reading(sensor, tick, value), value, 0, late).flag;
  };
  EXPECT_EQ(judge(1, 1, 30), Flag::not_evaluated) << "there is nothing to judge it by yet";
  EXPECT_EQ(judge(0, 1, 20), Flag::good);
  EXPECT_EQ(judge(0, 2, 20), Flag::not_evaluated) << "the other one did not come";
  EXPECT_EQ(judge(1, 3, 0), Flag::not_evaluated);
  EXPECT_EQ(judge(0, 3, 20), Flag::not_evaluated) << "a share of nothing";
  EXPECT_TRUE(late.empty());
  EXPECT_EQ(judge(1, 4, 30), Flag::not_evaluated);
  EXPECT_EQ(judge(0, 4, 40), Flag::suspect);
  EXPECT_EQ(late.size(), 1u);
}

// An inspector, and what the store has of it in the order in which it was.
struct Flow {
  explicit Flow(const std::vector<Sensor>& all) : sensors(all), inspector(all) {}

  void judge(const Reading& one) {
    std::vector<Inspector::Late> late;
    Inspector::Stored out;
    out.sensor = one.sensor;
    out.raw = one.raw;
    out.timed = true;
    out.point.time_ns = one.boot_ns;
    out.point.value = one.raw.number;
    out.point.mark = inspector.judge(one, one.raw.number, 0, late);
    stored.push_back(out);
    for (const Inspector::Late& verdict : late) {
      out.sensor = verdict.verdict.sensor;
      out.verdict = true;
      out.point.time_ns = verdict.verdict.boot_ns;
      out.point.mark = quality::mark_of(verdict.verdict.flag, verdict.verdict.reason);
      stored.push_back(out);
    }
    if (one.sensor == 1) sum = one.raw.number;
  }
  void frame(const std::vector<Reading>& readings) {
    for (const Reading& one : readings) judge(one);
    for (auto made = inspector.computed(); !made.empty(); made = inspector.computed())
      for (const Reading& one : made) judge(one);
  }
  // Dies, and comes again with what is stored from this place on and what was saved there.
  void restart(std::size_t from, const std::string& saved) {
    inspector = Inspector(sensors);
    quality::Corrector::Axis axis;
    axis.shift_ns = 0;
    axis.now_ns = INT64_MAX;
    if (!saved.empty()) inspector.load("volume", saved, axis);
    for (std::size_t i = from; i < stored.size(); ++i) inspector.replay(stored[i]);
  }

  std::vector<Sensor> sensors;
  Inspector inspector;
  std::vector<Inspector::Stored> stored;
  double sum = 0;
};

// However readings are cut into frames, wherever it dies, whatever of it had been saved.
TEST(Inspector, ASumGoesOnOverRestartsAsWithoutThem) {
  Sensor flow = made("flow"), volume = made("volume");
  quality::Rules rules;
  rules.spike = quality::SpikeRule{20, 50};
  rules.range = quality::Range{0, 500};
  flow.rules = rules;
  quality::Formula formula;
  formula.kind = quality::Formula::Kind::flow_integral;
  formula.max_gap_ms = 3 * flow.interval_ms;
  volume.formula = std::make_shared<const quality::Formula>(formula);
  volume.from = {0};
  for (unsigned seed = 1; seed <= 200; ++seed) {
    std::mt19937 random(seed);
    Flow whole({flow, volume}), cut({flow, volume});
    std::string saved;
    std::size_t saved_at = 0;
    std::int64_t tick = 1;
    const auto give = [&](std::uint_fast32_t count, bool calm) {
      std::vector<Reading> frame;
      for (; count > 0; --count) {
        tick += random() % 10 == 0 ? 5 : 1;
        double value = 100 + static_cast<double>(random() % 10);
        if (!calm && random() % 6 == 0) value += 90;  // a spike, or more
        if (!calm && random() % 9 == 0) value = 900;  // out of range
        if (!calm && random() % 7 == 0) value = 0;
        frame.push_back(reading(0, tick, value));
      }
      whole.frame(frame);
      cut.frame(frame);
    };
    for (int n = 0; n < 60; ++n) {
      give(random() % 5, false);
      ASSERT_EQ(cut.sum, whole.sum) << "seed " << seed << ", frame " << n;
      if (random() % 3 == 0) {
        saved = cut.inspector.save().at(0).second;
        saved_at = cut.stored.size();
      }
      if (random() % 4 != 0) continue;
      // Tests know nothing of what was before a restart: so nothing stands out beside it.
      give(3, true);
      cut.restart(saved_at, saved);
      give(3, true);
    }
    EXPECT_GT(whole.sum, 0);
  }
}

}  // namespace
}  // namespace gerbang::pipeline
