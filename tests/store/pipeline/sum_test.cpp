// SPDX-License-Identifier: Apache-2.0
//
// Computed sensors that add up, over restarts: nothing is lost that was within the gap that they
// allow, and nothing is added twice.
#include "store/pipeline/plant.hpp"

namespace gerbang::test {
namespace {

// The volume of the first sensor's flow, over gaps of up to a minute.
pipeline::Sensor volume_of_flow() {
  auto out = sensor("volume", "water", QuantityKind::totaliser);
  quality::Formula formula;
  formula.kind = quality::Formula::Kind::flow_integral;
  formula.max_gap_ms = kMinute;
  out.formula = std::make_shared<const quality::Formula>(formula);
  out.from = {0};
  return out;
}

struct FlowPlant : Plant {
  FlowPlant() : Plant({sensor("flow"), volume_of_flow()}) { start(); }
  ~FlowPlant() { stop(); }

  // What the volume is after a reading of so many m³/h. Then time passes.
  double poll(double flow, std::chrono::seconds then = 20s) {
    ++given;  // what is computed of it
    give({reading(0, flow)});
    const double out = pipe->live(1).value;
    advance(then);
    return out;
  }
  // Another boot, so much later.
  void reboot(std::chrono::seconds off, ClockSync sync = ClockSync::synchronised) {
    crash();
    const std::int64_t then = unix_ms(clock.wall()) + off / 1ms;
    clock = ManualClock(then);
    clock.set_sync(sync);
    options.boot_id += "-again";
    start();
  }
};

TEST(Sum, AFlowIsIntegratedOverARestartAsWithoutOne) {
  const double flows[] = {36, 18, 90, 36, 72, 0, 36, 54, 18, 36};
  FlowPlant whole, cut;
  int n = 0;
  for (double flow : flows) {
    const double want = whole.poll(flow);
    EXPECT_DOUBLE_EQ(cut.poll(flow), want) << n;
    // At any place in the minutes that close: what is known comes from a commit, or from readings
    // after it, or from both.
    cut.crash();
    cut.start();
    if (++n % 3 != 0) continue;
    cut.crash();
    cut.start();
  }
}

TEST(Sum, GoesOnWhateverTheBootIsCalled) {
  FlowPlant plant;
  plant.crash();
  plant.options.boot_id = "a board of mine";
  plant.start();
  (void)plant.poll(36);
  (void)plant.poll(36);
  EXPECT_NEAR(plant.poll(36, 35s), 0.4, 1e-12);  // its window closes: nothing is left to replay
  plant.crash();
  plant.start();
  EXPECT_NEAR(plant.poll(36), 0.75, 1e-12);
}

TEST(Sum, WhatIsTooLongAgoIsNotBridged) {
  FlowPlant plant;
  (void)plant.poll(36);
  EXPECT_NEAR(plant.poll(36, 0s), 0.2, 1e-12);
  plant.crash();
  plant.clock.advance(60s);
  plant.start();
  EXPECT_NEAR(plant.poll(36, 0s), 0.8, 1e-12) << "a minute is within the gap";
  plant.crash();
  plant.clock.advance(61s);
  plant.start();
  EXPECT_NEAR(plant.poll(36), 0.8, 1e-12);
  EXPECT_NEAR(plant.poll(36), 1.0, 1e-12);
}

TEST(Sum, ABadReadingBeforeARestartIsBridgedAsWithoutOne) {
  FlowPlant plant;
  (void)plant.poll(36);
  Reading bad = plant.reading(0, 999);
  bad.flag = Flag::bad;
  bad.reason = Reason::range;
  ++plant.given;
  plant.give({bad});
  plant.advance(20s);
  plant.crash();
  plant.start();
  EXPECT_NEAR(plant.poll(36), 0.4, 1e-12) << "from the last one that counts";
}

// A device whose clock was a year ahead for one reading.
TEST(Sum, AReadingOfNextYearDoesNotEndIt) {
  FlowPlant plant;
  const auto poll = [&](std::chrono::hours ahead) {
    Reading one = plant.reading(0, 36);
    one.unix_ns = (unix_ms(plant.clock.wall()) + ahead / 1ms) * 1'000'000;
    ++plant.given;
    plant.give({one});
    const pipeline::Live now = plant.pipe->live(1);
    plant.advance(20s);
    return now;
  };
  (void)poll(0h);
  EXPECT_NEAR(poll(0h).value, 0.2, 1e-12);
  const auto wrong = poll(24h * 365);
  EXPECT_EQ(wrong.flag, Flag::missing);
  EXPECT_EQ(wrong.reason, Reason::conversion);
  const auto on = poll(0h);
  EXPECT_EQ(on.flag, Flag::not_evaluated);
  EXPECT_NEAR(on.value, 0.6, 1e-12) << "over the gap that it left";
  EXPECT_EQ(plant.store->status().not_folded["future"], 2u) << "the flow, and what was made of it";
  plant.crash();
  plant.start();
  EXPECT_NEAR(poll(0h).value, 0.8, 1e-12);
}

// The boot time of another boot says nothing; the wall clock does if it is believed on both sides.
TEST(Sum, OverAnotherBootTheClockTells) {
  FlowPlant plant;
  (void)plant.poll(36);
  EXPECT_NEAR(plant.poll(36), 0.2, 1e-12);
  plant.reboot(20s);
  EXPECT_NEAR(plant.poll(36), 0.6, 1e-9) << "40 s";
  plant.reboot(50s);
  EXPECT_NEAR(plant.poll(36), 0.6, 1e-9) << "70 s";
  EXPECT_NEAR(plant.poll(36), 0.8, 1e-9);
  plant.reboot(0s, ClockSync::unsynchronised);
  EXPECT_NEAR(plant.poll(36), 0.8, 1e-9) << "nobody knows for how long it was off";
}

TEST(Sum, ACounterOverARestartIsJudgedByItsFastestFlow) {
  auto counter = sensor("counter", "water", QuantityKind::totaliser);
  auto volume = sensor("volume", "water", QuantityKind::totaliser);
  quality::Formula formula;
  formula.kind = quality::Formula::Kind::totaliser_volume;
  formula.fastest = 3600;  // one a second
  volume.formula = std::make_shared<const quality::Formula>(formula);
  volume.from = {0};
  Plant plant({counter, volume});
  plant.start();
  auto poll = [&](std::int64_t raw) {
    ++plant.given;
    plant.give({plant.reading(0, Raw::of(raw))});
    plant.advance(20s);
    return plant.pipe->live(1);
  };
  (void)poll(1000);
  EXPECT_EQ(poll(1010).value, 10);
  plant.crash();
  plant.start();
  EXPECT_EQ(poll(1020).value, 20);
  plant.crash();
  plant.start();
  const auto replaced = poll(9000);
  EXPECT_EQ(replaced.value, 20);
  EXPECT_EQ(replaced.flag, Flag::suspect) << "as without a restart";
  plant.stop();
}

}  // namespace
}  // namespace gerbang::test
