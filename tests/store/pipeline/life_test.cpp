// SPDX-License-Identifier: Apache-2.0
//
// Restarts, late readings and reloads, over a real store.
#include <random>

#include "store/pipeline/plant.hpp"

namespace gerbang::test {
namespace {

std::vector<pipeline::Sensor> plant_sensors() {
  auto volume = sensor("volume", "water", QuantityKind::totaliser);
  volume.calibration.scale = 0.01;
  volume.wrap = 65536;
  auto slow = sensor("slow", "air");
  slow.interval_ms = 5 * kMinute;
  auto wind = sensor("wind", "weather", QuantityKind::direction);
  for (auto* s : {&volume, &wind}) s->interval_ms = 5000;
  auto ph = sensor("ph");
  ph.interval_ms = 5000;
  return {ph, volume, slow, wind};
}

// The readings of one moment, the same in every run.
std::vector<Reading> readings_of(Plant& plant, int step) {
  std::mt19937 random(static_cast<unsigned>(step));
  std::vector<Reading> out;
  out.push_back(plant.reading(0, static_cast<double>(random() % 1400) / 100));
  out.push_back(plant.reading(1, Raw::of(static_cast<std::int64_t>(step) * 97 % 65536)));
  if (step % 60 == 0) out.push_back(plant.reading(2, static_cast<double>(random() % 50)));
  out.push_back(plant.reading(3, static_cast<double>(random() % 360)));
  if (random() % 20 == 0) out[0] = plant.missing(0, Reason::timeout);
  return out;
}

using Contents = std::map<std::tuple<std::string, std::int64_t, std::string>, v1::Aggregate>;

// What a receiver of everything holds: for each sensor and window the highest revision; and that
// nothing was sent twice with another content.
Contents contents(Plant& plant) {
  Contents out;
  std::map<std::tuple<std::string, std::int64_t, std::string, std::uint32_t>, std::string> seen;
  std::int64_t sequence = 0;
  for (const Message& message : plant.messages()) {
    EXPECT_EQ(message.sequence, ++sequence) << "a hole";
    v1::AggregateBatch batch;
    EXPECT_TRUE(batch.ParseFromString(message.body));
    for (const auto& a : batch.aggregates()) {
      auto key = std::tuple(batch.window(), batch.window_start_ms(), a.sensor());
      auto once = std::tuple_cat(key, std::tuple(a.revision()));
      EXPECT_FALSE(seen.contains(once)) << a.sensor() << " " << batch.window();
      seen[once] = a.SerializeAsString();
      if (!out.contains(key) || out[key].revision() < a.revision()) out[key] = a;
    }
  }
  return out;
}

void expect_same(const Contents& a, const Contents& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [key, aggregate] : a) {
    auto other = b.find(key);
    ASSERT_NE(other, b.end());
    v1::Aggregate x = aggregate, y = other->second;
    x.clear_revision();
    y.clear_revision();
    EXPECT_NEAR(x.mean(), y.mean(), 1e-9);
    EXPECT_NEAR(x.stddev(), y.stddev(), 1e-9);
    EXPECT_NEAR(x.delta(), y.delta(), 1e-9);
    for (auto* m : {&x, &y}) {
      m->clear_mean();
      m->clear_stddev();
      m->clear_delta();
    }
    EXPECT_EQ(x.SerializeAsString(), y.SerializeAsString())
        << std::get<0>(key) << " " << std::get<1>(key) << "\n"
        << x.DebugString() << y.DebugString();
  }
}

TEST(Restart, GivesTheMessagesOfAnUninterruptedRun) {
  constexpr int kSteps = 12 * 40;  // 40 minutes, every 5 seconds
  Contents whole, cut;
  for (bool crashes : {false, true}) {
    Plant plant(plant_sensors());
    plant.start();
    for (int step = 0; step < kSteps; ++step) {
      plant.give(readings_of(plant, step));
      plant.advance(5s);
      if (crashes && step % 23 == 22) {
        plant.crash();
        plant.start();
      }
      if (crashes && step % 71 == 70) {
        plant.stop();
        plant.start();
      }
    }
    plant.advance(1s);
    for (int i = 0; i < 12; ++i) plant.advance(1s);
    EXPECT_EQ(plant.store->status().stored,
              plant.store->status().taken - plant.store->status().rejected["repeated"]);
    (crashes ? cut : whole) = contents(plant);
  }
  EXPECT_GT(whole.size(), 120u);
  // A restart forgets which record of a missing reading was the last, and keeps one more.
  expect_same(whole, cut);
}

TEST(Restart, AfterAStopHasWhatWasInMemory) {
  Plant plant({sensor("ph")});
  plant.options.commit_interval = 10s;
  plant.start();
  plant.take({plant.reading(0, 1.0), plant.reading(0, 2.0)});
  plant.stop();
  plant.start();
  EXPECT_EQ(plant.store->status().stored, 2u);
  EXPECT_EQ(sum(plant.pipe->to_fold()), 2u);
}

TEST(Restart, WithAnotherConfigurationClosesTheWindowsOfARemovedSensor) {
  Plant plant({sensor("ph"), sensor("gone")});
  plant.start();
  for (int s = 0; s < 30; ++s) {
    plant.give({plant.reading(0, 1.0), plant.reading(1, 2.0)});
    plant.advance(1s);
  }
  plant.advance(50s);  // one minute is closed, and the members are known to the store
  plant.give({plant.reading(0, 1.0), plant.reading(1, 4.0)});
  plant.stop();
  plant.configure({sensor("new"), sensor("ph")});
  plant.start();
  for (int m = 0; m < 16; ++m) {
    for (int s = 0; s < 6; ++s) plant.advance(10s);
  }
  auto quarter = plant.batches("aggregate/water/15m").at(0);
  std::map<std::string, v1::Aggregate> by_sensor;
  for (const auto& a : quarter.aggregates()) by_sensor[a.sensor()] = a;
  ASSERT_TRUE(by_sensor.contains("gone"));
  EXPECT_EQ(by_sensor["gone"].good(), 31u);
  EXPECT_EQ(by_sensor["gone"].last(), 4);
  EXPECT_EQ(by_sensor["ph"].good(), 31u);
  EXPECT_EQ(by_sensor["new"].good(), 0u);
  auto minutes = plant.batches("aggregate/water/1m");
  EXPECT_EQ(minutes.back().aggregates_size(), 2) << "it takes part in no window that began later";
}

TEST(LateReading, MakesARevisionOfItsWindows) {
  Plant plant({sensor("ph"), sensor("other")});
  plant.start();
  std::int64_t start = unix_ms(plant.clock.wall());
  plant.give({plant.reading(0, 7.0), plant.reading(1, 1.0)});
  for (int m = 0; m < 16; ++m) {
    for (int s = 0; s < 6; ++s) plant.advance(10s);
  }
  ASSERT_EQ(plant.batches("aggregate/water/15m").size(), 1u);
  std::size_t before = plant.messages().size();
  Reading late = plant.reading(0, 9.0);
  late.unix_ns = (start + 5000) * 1'000'000;  // the device kept it
  plant.give({late});
  plant.revise();
  auto messages = plant.messages();
  ASSERT_EQ(messages.size(), before + 2);
  for (const char* topic : {"aggregate/water/1m", "aggregate/water/15m"}) {
    auto batch = plant.batches(topic).back();
    EXPECT_EQ(batch.window_start_ms(), start) << topic;
    ASSERT_EQ(batch.aggregates_size(), 1) << "only the sensor that changed";
    const auto& a = batch.aggregates(0);
    EXPECT_EQ(a.sensor(), "ph");
    EXPECT_EQ(a.revision(), 1u);
    EXPECT_EQ(a.good(), 2u);
    EXPECT_EQ(a.mean(), 8);
    EXPECT_EQ(a.last(), 9);
  }
  EXPECT_FALSE(messages[before].retain || messages[before + 1].retain);
  EXPECT_EQ(plant.rows(kMinute).at({start, plant.series(0)}).revision, 1u);

  // The hour is still open: it must have the late reading too.
  for (int m = 0; m < 45 * 6; ++m) plant.advance(10s);
  auto hour = plant.batches("aggregate/water/1h").at(0);
  EXPECT_EQ(hour.aggregates(0).good(), 2u);
  EXPECT_EQ(hour.aggregates(0).revision(), 0u);
}

// The window is recounted from the chunks that its readings have become.
TEST(LateReading, OfAnHourAtRestMakesARevision) {
  Plant plant({sensor("ph"), sensor("volume", "water", QuantityKind::totaliser)});
  plant.start();
  std::int64_t start = unix_ms(plant.clock.wall());
  for (int m = 0; m < 4 * 60; ++m) {
    plant.give({plant.reading(0, 7.0), plant.reading(1, Raw::of(std::int64_t{m * 10}))});
    plant.advance(60s);
  }
  ASSERT_TRUE(plant.turn_until([&] { return !plant.store->status().upkeep; }));
  ASSERT_GE(plant.store->status().compacted, 120u);
  Reading late = plant.reading(0, 9.0), step = plant.reading(1, Raw::of(std::int64_t{305}));
  late.unix_ns = step.unix_ns = (start + 30 * kMinute + 5000) * 1'000'000;
  plant.give({late, step});
  plant.revise();
  plant.revise();
  for (std::int64_t window : {kMinute, 15 * kMinute, 60 * kMinute}) {
    std::int64_t at = start + 30 * kMinute / window * window;
    Aggregate ph = plant.rows(window).at({at, plant.series(0)});
    EXPECT_EQ(ph.revision, 1u) << window;
    EXPECT_EQ(ph.good, window / kMinute + 1) << window;
    Aggregate volume = plant.rows(window).at({at, plant.series(1)});
    EXPECT_EQ(volume.good, window / kMinute + 1) << window;
  }
  EXPECT_EQ(plant.rows(kMinute).at({start + 30 * kMinute, plant.series(1)}).delta, 15);
  EXPECT_EQ(plant.rows(kMinute).at({start + 31 * kMinute, plant.series(1)}).delta, 5)
      << "its next reading is in a chunk too";
}

TEST(LateReading, ThatChangesNothingMakesNoRevision) {
  Plant plant({sensor("ph")});
  plant.start();
  std::int64_t start = unix_ms(plant.clock.wall());
  plant.give({plant.reading(0, 7.0), plant.missing(0, Reason::timeout)});
  plant.advance(70s);
  std::size_t before = plant.messages().size();
  Reading late = plant.missing(0, Reason::timeout);
  late.unix_ns = (start + 5000) * 1'000'000;
  plant.give({late});
  plant.revise();
  EXPECT_EQ(plant.messages().size(), before);
  EXPECT_EQ(sum(plant.pipe->to_fold()), 0u);
}

TEST(LateReading, IsNotRevisedMoreThanOnceAMinute) {
  Plant plant({sensor("ph")});
  plant.options.windows_ms = {60'000};
  plant.start();
  std::int64_t start = unix_ms(plant.clock.wall());
  plant.give({plant.reading(0, 7.0)});
  plant.advance(70s);
  auto late = [&](int s) {
    Reading r = plant.reading(0, 9.0);
    r.unix_ns = (start + s * 1000) * 1'000'000;
    return r;
  };
  auto revision = [&] { return plant.rows(kMinute).at({start, plant.series(0)}).revision; };
  plant.give({late(1)});
  plant.work();
  EXPECT_EQ(revision(), 0u) << "more may come with it";
  plant.advance(3s);
  EXPECT_EQ(revision(), 1u);
  plant.give({late(2)});
  for (int s = 0; s < 5; ++s) plant.advance(10s);
  plant.give({late(3)});
  plant.advance(9s);
  EXPECT_EQ(revision(), 1u);
  plant.advance(1s);
  EXPECT_EQ(revision(), 2u);
  EXPECT_EQ(plant.rows(kMinute).at({start, plant.series(0)}).good, 4u);
}

TEST(LateReading, IsRevisedWithinAMinuteThoughMoreCome) {
  Plant plant({sensor("ph")});
  plant.options.windows_ms = {60'000};
  plant.start();
  const std::int64_t start = unix_ms(plant.clock.wall());
  plant.give({plant.reading(0, 7.0)});
  plant.advance(70s);
  int given = 1;
  while (plant.rows(kMinute).at({start, plant.series(0)}).revision == 0 && given < 100) {
    Reading r = plant.reading(0, 9.0);
    r.unix_ns = (start + given * 100) * 1'000'000;
    plant.give({r});
    ++given;
    plant.advance(1s);
  }
  EXPECT_EQ(given, 61);
  EXPECT_EQ(plant.rows(kMinute).at({start, plant.series(0)}).good, 61u);
}

TEST(LateReading, OlderThanWhatIsKeptIsCounted) {
  Plant plant({sensor("ph")});
  plant.options.keep_aggregates = {{60'000, 24h * 7}, {900'000, 24h * 90}};
  plant.start();
  plant.work();
  Reading old = plant.reading(0, 9.0);
  old.unix_ns = old.boot_ns + std::chrono::nanoseconds(plant.clock.wall().time_since_epoch() -
                                                       std::chrono::hours(24 * 8))
                                  .count();
  plant.give({old});
  plant.advance(70s);
  EXPECT_EQ(plant.store->status().not_folded.at("too_old"), 1u);
}

TEST(LateReading, OfATotaliserMovesTheAmountToItsOwnWindow) {
  Contents on_time, late;
  for (bool travels : {false, true}) {
    Plant plant({sensor("volume", "water", QuantityKind::totaliser)});
    plant.start();
    std::vector<Reading> kept;
    for (int s = 0; s < 240; ++s) {
      Reading r = plant.reading(0, Raw::of(std::int64_t{s * s}));
      // The second and third minute lie in the device until later.
      r.unix_ns = plant.clock.wall().time_since_epoch().count();
      if (travels && s >= 60 && s < 180)
        kept.push_back(r);
      else
        plant.take({r});
      plant.clock.advance(1s);
      if (s % 10 == 9) {
        plant.settle();
        plant.work();
      }
    }
    plant.settle();
    plant.advance(15s);
    if (travels) {
      plant.give(kept);
      plant.revise();
      plant.revise();
    }
    (travels ? late : on_time) = contents(plant);
    EXPECT_EQ(sum(plant.pipe->to_fold()), 0u);
  }
  EXPECT_EQ(on_time.size(), 4u);
  expect_same(on_time, late);
}

TEST(LateReading, SurvivesACrashBeforeItsRevision) {
  Plant plant({sensor("ph")});
  plant.start();
  std::int64_t start = unix_ms(plant.clock.wall());
  plant.give({plant.reading(0, 7.0)});
  plant.advance(70s);
  Reading late = plant.reading(0, 9.0);
  late.unix_ns = (start + 5000) * 1'000'000;
  plant.give({late});
  plant.crash();
  plant.start();
  plant.expect_balance();
  plant.revise();
  EXPECT_EQ(plant.rows(kMinute).at({start, plant.series(0)}).good, 2u);
  EXPECT_EQ(plant.store->status().folded, 2u);
}

TEST(Reload, KeepsTheOpenWindowOfASeries) {
  Plant plant({sensor("ph"), sensor("volume")});
  plant.start();
  plant.give({plant.reading(0, 7.0), plant.reading(1, 1.0)});
  plant.clock.advance(1s);
  auto ph = sensor("ph");
  change(ph.rules,
         [](auto& r) { r.range.emplace().high = 8; });  // another range is the same series
  plant.reconfigure({sensor("new"), ph});
  plant.give({plant.reading(1, 7.5), plant.reading(1, 9.0), plant.reading(0, 3.0)});
  EXPECT_EQ(plant.pipe->live(1).good, 1u) << "what it said before counts on";
  EXPECT_EQ(plant.pipe->live(1).not_evaluated, 1u);
  plant.advance(70s);
  auto minute = plant.batches("aggregate/water/1m").at(0);
  std::map<std::string, v1::Aggregate> by_sensor;
  for (const auto& a : minute.aggregates()) by_sensor[a.sensor()] = a;
  EXPECT_EQ(by_sensor.size(), 3u);
  EXPECT_EQ(by_sensor["ph"].good(), 2u);
  EXPECT_EQ(by_sensor["ph"].bad(), 1u);
  EXPECT_EQ(by_sensor["new"].good(), 1u);
  EXPECT_EQ(by_sensor["volume"].good(), 1u) << "its window closed as it was";
}

TEST(Reload, AtAnyTimeLeavesOneContentForEachWindow) {
  Plant plant(plant_sensors());
  plant.start();
  std::mt19937 random(5);
  auto all = plant_sensors();
  std::vector<std::uint32_t> now = {0, 1, 2, 3};  // which of them are configured
  for (int step = 0; step < 12 * 20; ++step) {
    std::vector<Reading> readings;
    for (Reading r : readings_of(plant, step)) {
      auto place = std::find(now.begin(), now.end(), r.sensor);
      if (place == now.end()) continue;
      r.sensor = static_cast<std::uint32_t>(place - now.begin());
      readings.push_back(r);
    }
    plant.give(readings);
    plant.advance(5s);
    if (random() % 6 == 0) {
      now.clear();
      std::vector<pipeline::Sensor> sensors;
      for (std::uint32_t i = 0; i < 4; ++i) {
        if (random() % 3 == 0) continue;
        now.push_back(i);
        sensors.push_back(all[i]);
        if (i != 1) sensors.back().calibration.scale = random() % 2 == 0 ? 1 : 2;
      }
      plant.reconfigure(sensors);
    }
    if (random() % 15 == 0) {
      plant.crash();
      plant.start();
      plant.expect_balance();
    }
  }
  plant.advance(60s);
  plant.advance(60s);
  contents(plant);
  plant.expect_balance();
}

TEST(Run, ClosesWindowsByItself) {
  Plant plant({sensor("ph")});
  plant.options.windows_ms = {60'000};
  plant.start();
  spawn_critical(plant.io->get_executor(), "pipeline", plant.pipe->run());
  plant.give({plant.reading(0, 7.0)});
  plant.clock.advance(70s);
  bool made = false;
  plant.store->on_messages([&] { made = true; });
  auto end = std::chrono::steady_clock::now() + 10s;
  plant.io->restart();
  while (!made && std::chrono::steady_clock::now() < end) plant.io->run_one_for(10ms);
  EXPECT_TRUE(made);
  plant.stop();
}

}  // namespace
}  // namespace gerbang::test
