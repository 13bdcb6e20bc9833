// SPDX-License-Identifier: Apache-2.0
//
// What is said of readings, from the driver's word to the rows: verdicts that come late, over
// restarts and in any cut of the stream; computed sensors.
#include <random>

#include "store/pipeline/plant.hpp"

namespace gerbang::test {
namespace {

pipeline::Sensor spiky(const std::string& id = "ph") {
  auto s = sensor(id);
  change(s.rules, [](auto& r) { r.range = quality::Range{0, 100}; });
  change(s.rules, [](auto& r) { r.spike = quality::SpikeRule{2, 6}; });
  return s;
}
pipeline::Sensor dust(const std::string& id, bool fine) {
  auto s = sensor(id, "air");
  if (!fine) return s;
  quality::Relation relation;
  relation.kind = quality::Relation::Kind::at_most;
  relation.one = 0;
  relation.other = 1;
  relation.tolerance = 1;
  s.relations.push_back(relation);
  return s;
}

std::vector<store::StoredReading> readings_of(Plant& plant, std::size_t limit = 1000) {
  std::vector<store::StoredReading> out;
  store::ReadingQuery query;
  query.to_ms = INT64_MAX;
  query.limit = limit;
  do {
    auto page = run_coro(*plant.io, plant.store->readings(query));
    EXPECT_TRUE(page);
    out.insert(out.end(), page->readings.begin(), page->readings.end());
    query.after = page->next;
  } while (!query.after.empty());
  return out;
}
std::string flags(Plant& plant, std::size_t limit = 1000) {
  std::string out;
  for (const auto& r : readings_of(plant, limit)) out += std::to_string(static_cast<int>(r.flag));
  return out;
}

TEST(Quality, ASpikeIsKnownWithTheNextReadingAndIsInNoMean) {
  Plant plant({spiky()});
  plant.start();
  for (double value : {10, 10, 30, 10, 10, 14, 10}) {
    plant.give({plant.reading(0, value)});
    plant.clock.advance(1s);
  }
  EXPECT_EQ(flags(plant), "1141131");
  for (std::size_t limit : {1, 2, 3}) EXPECT_EQ(flags(plant, limit), "1141131") << limit;
  EXPECT_EQ(readings_of(plant)[2].reason, Reason::spike);
  EXPECT_EQ(readings_of(plant)[2].value, 30) << "the value is kept";
  EXPECT_EQ(plant.pipe->live(0).reflagged, 2u);
  plant.advance(80s);
  const auto rows = plant.rows(kMinute);
  const Aggregate& row = rows.begin()->second;
  EXPECT_EQ(row.revision, 0u) << "it was known before the window closed";
  EXPECT_EQ(row.received, 7u);
  EXPECT_EQ(row.good, 5u);
  EXPECT_EQ(row.suspect, 1u);
  EXPECT_EQ(row.bad, 1u);
  EXPECT_EQ(row.statistics.maximum, 10);
  EXPECT_EQ(row.reason, Reason::spike);
  plant.stop();
}

// One sensor as it is by default, one that counts what is suspect; the same readings, the same
// crash, the same late reading.
TEST(Quality, SuspectReadingsCountWhereASensorSaysSo) {
  auto strict = spiky("strict"), tolerant = spiky("tolerant");
  for (pipeline::Sensor* one : {&strict, &tolerant}) {
    change(one->rules, [](auto& r) { r.expected = quality::Range{0, 20}; });
    one->interval_ms = 10'000;  // six a minute
  }
  tolerant.count_suspect = true;
  Plant plant({strict, tolerant});
  plant.start();
  const auto give = [&](double value) {
    plant.give({plant.reading(0, value), plant.reading(1, value)});
    plant.clock.advance(10s);
  };
  give(10);
  give(22);  // beyond what is expected
  plant.crash();
  plant.start();
  give(22);
  give(25);  // 3 above its neighbours, which is known with the next one
  give(22);
  plant.advance(90s);
  const auto rows_of = [&](std::size_t sensor) {
    std::vector<Aggregate> out;
    for (const auto& [key, row] : plant.rows(kMinute))
      if (row.series == plant.series(sensor)) out.push_back(row);
    return out;
  };
  const Aggregate one = rows_of(0).front(), other = rows_of(1).front();
  for (const Aggregate& row : {one, other}) {
    EXPECT_EQ(row.good, 1u);
    EXPECT_EQ(row.suspect, 4u);
    EXPECT_EQ(row.received, 5u);
  }
  EXPECT_EQ(one.statistics.mean, 10);
  EXPECT_DOUBLE_EQ(*capture(one), 1.0 / 6);
  EXPECT_EQ(verdict(one), Verdict::provisional);
  EXPECT_DOUBLE_EQ(other.statistics.mean, (10 + 22 + 22 + 25 + 22) / 5.0);
  EXPECT_EQ(other.statistics.maximum, 25);
  EXPECT_EQ(other.last, 22);
  EXPECT_DOUBLE_EQ(*capture(other), 5.0 / 6);
  EXPECT_EQ(verdict(other), Verdict::valid);
  // A late suspect reading revises both, each by its own rule.
  for (std::uint32_t sensor : {0u, 1u}) {
    Reading late = plant.reading(sensor, 27.0);
    late.unix_ns = (kStart + 55'000) * 1'000'000;
    plant.give({late});
  }
  plant.revise();
  EXPECT_EQ(rows_of(0).front().suspect, 5u);
  EXPECT_EQ(rows_of(0).front().statistics.mean, 10);
  EXPECT_DOUBLE_EQ(rows_of(1).front().statistics.mean, (10 + 22 + 22 + 25 + 22 + 27) / 6.0);
  EXPECT_EQ(capture(rows_of(1).front()), 1.0);
  EXPECT_EQ(rows_of(1).front().revision, 1u);
  plant.stop();
}

TEST(Quality, AVerdictOfAClosedWindowRevisesIt) {
  auto slow = spiky();
  slow.interval_ms = 40'000;
  Plant plant({slow});
  plant.start();
  // At 0, 40, 110 and 150 s: the window of the third closes at 130.
  const std::pair<double, std::chrono::seconds> steps[] = {
      {10, 40s}, {10, 70s}, {30, 40s}, {10, 60s}};
  for (auto [value, then] : steps) {
    plant.give({plant.reading(0, value)});
    plant.advance(then);
  }
  plant.revise();
  bool found = false;
  for (const auto& [key, row] : plant.rows(kMinute)) {
    if (row.bad == 0) continue;
    found = true;
    EXPECT_EQ(row.good, 0u);
    EXPECT_EQ(row.statistics.count, 0u);
    EXPECT_EQ(row.revision, 1u);
  }
  EXPECT_TRUE(found);
  plant.expect_balance();
  plant.stop();
}

// Verdicts after a crash: what was durable counts, whenever the process died.
TEST(Quality, VerdictsSurviveARestart) {
  Plant plant({spiky()});
  plant.start();
  for (double value : {10, 10, 30, 10}) {
    plant.give({plant.reading(0, value)});
    plant.clock.advance(1s);
  }
  plant.crash();
  plant.start();
  EXPECT_EQ(flags(plant), "1141");
  plant.give({plant.reading(0, 55)});
  plant.advance(80s);
  EXPECT_EQ(flags(plant), "11411") << "a first reading is judged by what is known of it alone";
  const Aggregate row = plant.rows(kMinute).begin()->second;
  EXPECT_EQ(row.bad, 1u);
  EXPECT_EQ(row.good, 4u);
  plant.stop();
}

TEST(Quality, FinerDustThanCoarserMakesBothSuspect) {
  Plant plant({dust("pm2-5", true), dust("pm10", false)});
  plant.start();
  plant.give({plant.reading(0, 20), plant.reading(1, 30)});
  plant.clock.advance(1s);
  plant.give({plant.reading(0, 268), plant.reading(1, 7)});
  plant.clock.advance(1s);
  plant.give({plant.reading(0, 268)});
  plant.give({plant.reading(1, 7)});
  EXPECT_EQ(flags(plant), "213333") << "the first pair agreed; it was known with the second of it";
  EXPECT_EQ(readings_of(plant)[2].reason, Reason::related);
  EXPECT_EQ(plant.pipe->live(0).flag, Flag::suspect) << "shown at once";
  plant.stop();
}

// However the stream is cut into frames, flags and rows are the same.
TEST(Quality, AnyCutOfTheStreamGivesTheSameFlagsAndRows) {
  auto sensors = [] {
    auto fine = dust("pm2-5", true), coarse = dust("pm10", false);
    change(fine.rules, [](auto& r) { r.range = quality::Range{0, 100}; });
    change(fine.rules, [](auto& r) { r.spike = quality::SpikeRule{5, 20}; });
    change(coarse.rules, [](auto& r) { r.rate = 8; });
    change(coarse.rules, [](auto& r) { r.flat = quality::FlatRule{0.5, 4, 6}; });
    return std::vector{fine, coarse};
  };
  std::string first;
  std::map<std::pair<std::int64_t, std::int32_t>, Aggregate> rows;
  for (unsigned cut : {1u, 2u, 3u}) {
    Plant plant(sensors());
    plant.start();
    std::mt19937 values(11), cuts(cut);
    double level = 40;
    std::vector<Reading> waiting;
    for (int second = 0; second < 150; ++second) {
      level += static_cast<double>(values() % 80) / 10 - 4;
      const double said = values() % 12 == 0 ? level + 30 : level;
      const double other = values() % 9 == 0 ? 10 : level + 5;
      waiting.push_back(plant.reading(0, said));
      if (cut != 1 && cuts() % 3 == 0) plant.take(std::exchange(waiting, {}));
      waiting.push_back(plant.reading(1, other));
      if (cut == 1 || cuts() % 4 == 0) plant.take(std::exchange(waiting, {}));
      if (second % 5 == 4) {
        plant.take(std::exchange(waiting, {}));
        plant.settle();
        plant.work();
      }
      plant.clock.advance(1s);
    }
    plant.advance(80s);
    plant.revise();
    const std::string now = flags(plant);
    EXPECT_NE(now.find('3'), std::string::npos);
    EXPECT_NE(now.find('4'), std::string::npos);
    if (cut == 1) {
      first = now;
      rows = plant.rows(kMinute);
    } else {
      EXPECT_EQ(now, first);
      for (const auto& [key, row] : plant.rows(kMinute)) {
        ASSERT_TRUE(rows.contains(key));
        EXPECT_FALSE(differ(rows.at(key), row));
      }
    }
    plant.stop();
  }
}

TEST(Quality, BelowTheDetectionLimitIsCountedAndKept) {
  auto s = sensor("so2", "air");
  change(s.rules, [](auto& r) { r.detection_limit = 2; });
  Plant plant({s});
  plant.start();
  for (double value : {1, 2, 3}) {
    plant.give({plant.reading(0, value)});
    plant.clock.advance(1s);
  }
  plant.crash();
  plant.start();
  plant.advance(80s);
  const Aggregate row = plant.rows(kMinute).begin()->second;
  EXPECT_EQ(row.below_limit, 1u);
  EXPECT_EQ(row.good, 3u);
  EXPECT_EQ(row.statistics.mean, 2);
  plant.stop();
}

TEST(Quality, SilenceIsSaid) {
  auto s = sensor("ph");
  change(s.rules, [](auto& r) { r.stale_ms = 5000; });
  Plant plant({s});
  plant.start();
  plant.give({plant.reading(0, 7)});
  plant.clock.advance(4s);
  plant.work();
  EXPECT_EQ(plant.pipe->live(0).flag, Flag::not_evaluated);
  plant.clock.advance(1s);
  ++plant.given;
  plant.work();
  EXPECT_EQ(plant.pipe->live(0).flag, Flag::missing);
  EXPECT_EQ(plant.pipe->live(0).reason, Reason::stale);
  plant.settle();
  plant.stop();
}

// The conductivity of the first sensor at the temperature of the second.
pipeline::Sensor at_25_degrees() {
  auto out = sensor("ec-25");
  quality::Formula formula;
  formula.kind = quality::Formula::Kind::conductivity_25;
  formula.coefficient = 0.02;
  out.formula = std::make_shared<const quality::Formula>(formula);
  out.from = {0, 1};
  return out;
}

TEST(Quality, ComputedSensorsFollowTheirInputs) {
  auto ec = sensor("ec");
  change(ec.rules, [](auto& r) { r.spike = quality::SpikeRule{100, 1000}; });
  Plant plant({ec, sensor("temperature"), at_25_degrees()});
  plant.start();
  auto poll = [&](double value) {
    ++plant.given;  // what is computed of it
    plant.give({plant.reading(0, value), plant.reading(1, 28.0)});
    plant.clock.advance(1s);
  };
  poll(1060);
  EXPECT_NEAR(plant.pipe->live(2).value, 1000, 1e-9);
  EXPECT_EQ(plant.pipe->live(2).time_ms, plant.pipe->live(0).time_ms);
  poll(1060);
  poll(5000);
  poll(1060);
  std::string computed;
  for (const auto& r : readings_of(plant))
    if (r.series == plant.series(2)) computed += std::to_string(static_cast<int>(r.flag));
  EXPECT_EQ(computed, "2242") << "what is found of an input later holds for what came of it";
  ++plant.given;
  plant.give({plant.missing(0, Reason::timeout), plant.reading(1, 28.0)});
  EXPECT_EQ(plant.pipe->live(2).flag, Flag::missing);
  EXPECT_EQ(plant.pipe->live(2).reason, Reason::timeout);
  plant.stop();
}

// A recording, or a broker that was away: many readings of both inputs in one frame.
TEST(Quality, ComputedSensorsHaveAllOfAFrame) {
  Plant plant({sensor("ec"), sensor("temperature"), at_25_degrees()});
  plant.start();
  std::vector<Reading> frame;
  for (int i = 0; i < 60; ++i) {
    frame.push_back(plant.reading(0, 1060));
    frame.push_back(plant.reading(1, 28.0));
    plant.clock.advance(1s);
  }
  plant.given += 60;
  plant.give(frame);
  std::size_t computed = 0;
  for (const auto& r : readings_of(plant))
    if (r.series == plant.series(2)) {
      EXPECT_NEAR(r.value, 1000, 1e-9);
      ++computed;
    }
  EXPECT_EQ(computed, 60u);
  plant.stop();
}

TEST(Quality, AVolumeGoesOnAfterACrash) {
  auto counter = sensor("counter", "water", QuantityKind::totaliser);
  counter.wrap = 65536;
  auto volume = sensor("volume", "water", QuantityKind::totaliser);
  quality::Formula formula;
  formula.kind = quality::Formula::Kind::totaliser_volume;
  formula.wrap = 65536;
  volume.formula = std::make_shared<const quality::Formula>(formula);
  volume.from = {0};
  Plant plant({counter, volume});
  plant.start();
  auto poll = [&](std::int64_t raw) {
    ++plant.given;
    plant.give({plant.reading(0, Raw::of(raw))});
    plant.advance(20s);
  };
  poll(65'400);
  poll(65'500);
  poll(14);  // 50 more, over the wrap
  plant.crash();
  plant.start();
  poll(20);
  EXPECT_EQ(plant.pipe->live(1).value, 156);
  for (int i = 0; i < 8; ++i) poll(20);
  plant.crash();
  plant.start();
  poll(30);
  EXPECT_EQ(plant.pipe->live(1).value, 166);
  plant.stop();
}

}  // namespace
}  // namespace gerbang::test
