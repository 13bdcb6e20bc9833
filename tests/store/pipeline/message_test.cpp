// SPDX-License-Identifier: Apache-2.0
//
// From readings to what lies in the outbox.
#include <cmath>

#include "store/pipeline/plant.hpp"

namespace gerbang::test {
namespace {

std::vector<pipeline::Sensor> water_works() {
  auto ph = sensor("ph");
  ph.calibration.scale = 0.01;
  change(ph.rules, [](auto& r) { r.range.emplace().low = 0; });
  change(ph.rules, [](auto& r) { r.range->high = 14; });
  auto volume = sensor("volume", "water", QuantityKind::totaliser);
  volume.calibration.scale = 0.1;
  volume.wrap = 4294967296;
  auto pump = sensor("pump", "system", QuantityKind::state);
  auto silent = sensor("silent", "water");
  return {ph, volume, pump, silent};
}

TEST(Messages, CarryWhatTheSensorsSaidInTheMinute) {
  Plant plant(water_works());
  plant.start();
  std::vector<double> ph;
  for (int s = 0; s < 60; ++s) {
    std::int64_t raw = 700 + s % 7;
    ph.push_back(static_cast<double>(raw) * 0.01);
    plant.take({plant.reading(0, Raw::of(raw)),
                plant.reading(1, Raw::of(std::int64_t{4294967290 + s} % 4294967296)),
                plant.reading(2, Raw::of(std::int64_t{s % 4 == 0}))});
    plant.clock.advance(1s);
  }
  plant.settle();
  plant.advance(9'999ms);
  EXPECT_TRUE(plant.messages().empty()) << "the grace is not over";
  plant.advance(1ms);

  auto messages = plant.messages();
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].topic, "aggregate/system/1m");
  EXPECT_EQ(messages[1].topic, "aggregate/water/1m");
  EXPECT_TRUE(messages[0].retain && messages[1].retain);
  EXPECT_EQ(messages[1].lane, Lane::live);
  EXPECT_EQ(messages[1].kind, MessageKind::aggregate_batch);

  auto water = plant.batches("aggregate/water/1m").at(0);
  EXPECT_EQ(water.domain(), "water");
  EXPECT_EQ(water.window(), "1m");
  EXPECT_EQ(water.window_start_ms(), kStart);
  EXPECT_EQ(water.window_end_ms(), kStart + 60'000);
  EXPECT_EQ(water.timezone(), "Asia/Makassar");
  EXPECT_FALSE(water.has_local_date());
  EXPECT_EQ(water.parts(), 1u);
  ASSERT_EQ(water.aggregates_size(), 3);
  const auto& a = water.aggregates(0);
  double sum = 0, squares = 0;
  for (double v : ph) sum += v;
  for (double v : ph) squares += (v - sum / 60) * (v - sum / 60);
  EXPECT_EQ(a.sensor(), "ph");
  EXPECT_EQ(a.quantity(), "quantity-of-ph");
  EXPECT_EQ(a.expected(), 60u);
  EXPECT_EQ(a.received(), 60u);
  EXPECT_EQ(a.good(), 60u);
  EXPECT_EQ(a.missing(), 0u);
  EXPECT_NEAR(a.mean(), sum / 60, 1e-12);
  EXPECT_NEAR(a.stddev(), std::sqrt(squares / 60), 1e-12);
  EXPECT_DOUBLE_EQ(a.minimum(), 7.0);
  EXPECT_DOUBLE_EQ(a.maximum(), 7.06);
  EXPECT_DOUBLE_EQ(a.first(), ph.front());
  EXPECT_DOUBLE_EQ(a.last(), ph.back());
  EXPECT_EQ(a.capture(), 1);
  EXPECT_EQ(a.verdict(), v1::VALID);
  EXPECT_EQ(a.clock(), v1::TRUSTED);
  EXPECT_EQ(a.revision(), 0u);
  EXPECT_NEAR(water.aggregates(1).delta(), 5.9, 1e-9) << "59 counts over the wrap";
  EXPECT_EQ(water.aggregates(2).sensor(), "silent");
  EXPECT_EQ(water.aggregates(2).received(), 0u);
  EXPECT_EQ(water.aggregates(2).missing(), 60u);
  EXPECT_EQ(water.aggregates(2).verdict(), v1::NONE);
  EXPECT_DOUBLE_EQ(plant.batches("aggregate/system/1m").at(0).aggregates(0).mean(), 0.25);
}

TEST(Messages, OfADayNameTheLocalDate) {
  Plant plant({sensor("ph")});
  plant.options.windows_ms = {3'600'000, 86'400'000};
  plant.start();
  for (int hour = 0; hour < 17; ++hour) {
    plant.give({plant.reading(0, 7.0)});
    plant.advance(1h);
  }
  auto days = plant.batches("aggregate/water/1d");
  ASSERT_EQ(days.size(), 1u);
  EXPECT_EQ(days[0].local_date(), "2026-01-01");
  EXPECT_EQ(days[0].window_end_ms() - days[0].window_start_ms(), 86'400'000);
  EXPECT_EQ(days[0].aggregates(0).good(), 16u) << "08:00 to 23:00 in Makassar";
}

TEST(Messages, BeyondTheBoundAreSplitAndNotRetained) {
  std::vector<pipeline::Sensor> many;
  for (int i = 0; i < 1200; ++i) many.push_back(sensor("sensor-" + std::to_string(i)));
  Plant plant(many);
  plant.options.windows_ms = {60'000};
  plant.start();
  std::vector<Reading> readings;
  for (std::uint32_t i = 0; i < 1200; ++i) readings.push_back(plant.reading(i, i * 1.0));
  plant.give(readings);
  plant.advance(70s);
  auto messages = plant.messages();
  ASSERT_GT(messages.size(), 1u);
  std::size_t next = 0;
  for (const Message& message : messages) {
    v1::AggregateBatch batch;
    ASSERT_TRUE(batch.ParseFromString(message.body));
    EXPECT_EQ(message.topic, "aggregate/water/1m");
    EXPECT_FALSE(message.retain);
    EXPECT_LE(message.body.size(), 64u * 1024);
    EXPECT_EQ(batch.parts(), messages.size());
    for (const auto& a : batch.aggregates())
      EXPECT_EQ(a.sensor(), "sensor-" + std::to_string(next++));
  }
  EXPECT_EQ(next, 1200u);
}

TEST(Messages, RetainTheNewestOfATopicOnly) {
  Plant plant({sensor("ph")});
  plant.options.windows_ms = {60'000};
  plant.start();
  for (int minute = 0; minute < 3; ++minute) {
    plant.give({plant.reading(0, 7.0)});
    plant.advance(60s);
  }
  plant.advance(11s);
  auto messages = plant.messages();
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_FALSE(messages[0].retain);
  EXPECT_FALSE(messages[1].retain);
  EXPECT_TRUE(messages[2].retain);
  EXPECT_EQ(messages[2].previous, messages[1].sequence);
}

TEST(Quality, FlagsWhatIsOutOfRangeAndKeepsItOutOfTheMean) {
  Plant plant(water_works());
  plant.start();
  plant.give({plant.reading(0, Raw::of(std::int64_t{700})),
              plant.reading(0, Raw::of(std::int64_t{65535})), plant.reading(3, std::nan(""))});
  const pipeline::Live& live = plant.pipe->live(0);
  EXPECT_EQ(live.flag, Flag::bad);
  EXPECT_EQ(live.reason, Reason::range);
  EXPECT_DOUBLE_EQ(live.value, 655.35);
  EXPECT_EQ(live.good, 1u);
  EXPECT_EQ(live.bad, 1u);
  EXPECT_EQ(plant.pipe->live(3).reason, Reason::not_a_number);
  EXPECT_FALSE(plant.pipe->live(1).any);
  plant.advance(70s);
  auto a = plant.batches("aggregate/water/1m").at(0).aggregates(0);
  EXPECT_EQ(a.good(), 1u);
  EXPECT_EQ(a.bad(), 1u);
  EXPECT_EQ(a.mean(), 7);
  auto stored = run_coro(*plant.io, plant.store->readings([] {
    store::ReadingQuery q;
    q.to_ms = INT64_MAX;
    return q;
  }()));
  ASSERT_TRUE(stored);
  ASSERT_EQ(stored->readings.size(), 3u);
  EXPECT_EQ(stored->readings[1].reason, Reason::range);
}

TEST(Taking, CountsWhatItCannotPlace) {
  Plant plant({sensor("ph")});
  plant.start();
  plant.give({plant.reading(1, 1.0), plant.reading(7, 1.0), plant.reading(0, 1.0)});
  EXPECT_EQ(plant.store->status().rejected.at("unknown_sensor"), 2u);
  EXPECT_EQ(plant.store->status().stored, 1u);
}

TEST(Taking, KeepsOneRecordOfASilentDeviceAMinute) {
  Plant plant({sensor("ph")});
  plant.start();
  for (int s = 0; s < 120; ++s) {
    plant.take({plant.missing(0, s < 30 ? Reason::timeout : Reason::no_connection)});
    plant.clock.advance(1s);
  }
  plant.settle();
  EXPECT_EQ(plant.store->status().stored, 3u) << "two reasons in the first minute, one after";
  EXPECT_EQ(plant.store->status().rejected.at("repeated"), 117u);
  EXPECT_EQ(plant.pipe->live(0).missing, 120u);
  plant.advance(11s);
  auto first = plant.batches("aggregate/water/1m").at(0).aggregates(0);
  EXPECT_EQ(first.received(), 0u);
  EXPECT_EQ(first.reason(), v1::TIMEOUT);
}

TEST(Taking, TellsThatThereAreNewReadings) {
  Plant plant({sensor("ph")});
  plant.start();
  int told = 0;
  plant.pipe->on_reading = [&] { ++told; };
  plant.give({plant.reading(0, 1.0), plant.reading(0, 2.0)});
  EXPECT_EQ(told, 1);
}

TEST(Taking, WaitsWhileTheStoreHasNoRoomAndLosesNothing) {
  Plant plant({sensor("ph")});
  plant.max_waiting = 1000;
  plant.options.commit_interval = 20ms;
  plant.start();
  for (int i = 0; i < 60; ++i) {
    std::vector<Reading> burst(3000, plant.reading(0, i));
    plant.take(std::move(burst));
  }
  plant.settle();
  EXPECT_EQ(plant.store->status().stored, 180'000u);
}

TEST(Forwarding, SendsEachReadingOnce) {
  Plant plant({sensor("ph"), sensor("pump", "system", QuantityKind::state)});
  plant.options.forward_readings = true;
  plant.start();
  for (int s = 0; s < 5; ++s) {
    plant.give({plant.reading(0, 7.0 + s), plant.reading(1, 1.0)});
    plant.advance(1s);
  }
  plant.give({plant.reading(0, 99.0)});
  plant.crash();  // durable, but not forwarded yet
  plant.start();
  plant.advance(1s);
  std::vector<double> values;
  for (const Message& message : plant.messages()) {
    if (message.topic != "reading/water") continue;
    v1::ReadingBatch batch;
    ASSERT_TRUE(batch.ParseFromString(message.body));
    EXPECT_FALSE(message.retain);
    for (const auto& r : batch.readings()) {
      EXPECT_EQ(r.sensor(), "ph");
      values.push_back(r.value());
    }
  }
  EXPECT_EQ(values, (std::vector<double>{7, 8, 9, 10, 11, 99}));
}

TEST(Clock, HoldsWindowsAfterTheBootWhileNobodyVouchesForItAndThenNoLonger) {
  Plant plant({sensor("ph")});
  plant.options.windows_ms = {60'000};
  plant.options.hold = 300s;  // of the board; the gateway starts at 100 s
  plant.clock.set_sync(ClockSync::unsynchronised);
  plant.start();
  plant.give({plant.reading(0, 7.0)});
  for (int s = 0; s < 199; ++s) plant.advance(1s);
  EXPECT_TRUE(plant.messages().empty());
  plant.advance(1s);
  auto held = plant.batches("aggregate/water/1m");
  ASSERT_EQ(held.size(), 3u) << "those that waited are due now";
  EXPECT_EQ(held[0].aggregates(0).clock(), v1::UNTRUSTED);

  for (int s = 200; s < 249; ++s) plant.advance(1s);
  EXPECT_EQ(plant.batches("aggregate/water/1m").size(), 3u);
  plant.advance(1s);  // the end at 240 s, and the grace
  EXPECT_EQ(plant.batches("aggregate/water/1m").size(), 4u) << "held once, not for ever";
}

TEST(Clock, ClosesHeldWindowsOnceItIsSynchronised) {
  Plant plant({sensor("ph")});
  plant.options.windows_ms = {60'000};
  plant.options.hold = 300s;
  plant.clock.set_sync(ClockSync::unsynchronised);
  plant.start();
  plant.give({plant.reading(0, 7.0)});
  for (int s = 0; s < 150; ++s) plant.advance(1s);
  EXPECT_TRUE(plant.messages().empty());
  plant.clock.set_sync(ClockSync::synchronised);
  plant.advance(1s);
  EXPECT_EQ(plant.batches("aggregate/water/1m").size(), 2u);
  EXPECT_EQ(plant.pipe->clock_trust(), ClockTrust::trusted);
}

TEST(Clock, StampsReadingsByTheEpochTheyWereTakenUnder) {
  Plant plant({sensor("ph")});
  plant.start();
  plant.take({plant.reading(0, 1.0)});
  plant.clock.advance(1s);
  plant.clock.step(-30s);
  plant.take({plant.reading(0, 2.0)});
  plant.settle();
  store::ReadingQuery query;
  query.to_ms = INT64_MAX;
  auto page = run_coro(*plant.io, plant.store->readings(query));
  ASSERT_TRUE(page);
  ASSERT_EQ(page->readings.size(), 2u);
  EXPECT_EQ(page->readings[0].value, 2);
  EXPECT_EQ(page->readings[0].time_ms, kStart - 29'000);
  EXPECT_EQ(page->readings[1].time_ms, kStart);
  EXPECT_EQ(plant.pipe->live(0).value, 2) << "the newest is what was taken last";
}

TEST(Clock, ThatJumpsAheadMakesNoRowsOfTheTimeBetween) {
  Plant plant({sensor("ph")});
  plant.start();
  plant.give({plant.reading(0, 1.0)});
  plant.clock.step(24h * 365);
  plant.advance(1s);
  plant.give({plant.reading(0, 2.0)});
  plant.advance(75s);
  auto minutes = plant.rows(60'000);
  EXPECT_LE(minutes.size(), 3u);
  EXPECT_LE(plant.rows(3'600'000).size(), 50u);
}

}  // namespace
}  // namespace gerbang::test
