// SPDX-License-Identifier: Apache-2.0
//
// A board whose clock is wrong, and a twin whose clock is right, with the same readings.
#pragma once

#include <map>
#include <random>
#include <set>
#include <tuple>

#include "store/pipeline/plant.hpp"

namespace gerbang::test {

constexpr auto kYear = std::chrono::hours(24 * 365);

inline std::vector<pipeline::Sensor> sensors() {
  auto ph = sensor("ph"), slow = sensor("slow", "air");
  auto volume = sensor("volume", "water", QuantityKind::totaliser);
  volume.calibration.scale = 0.01;
  volume.wrap = 65536;
  ph.interval_ms = volume.interval_ms = 5000;
  slow.interval_ms = 5 * kMinute;
  return {ph, volume, slow};
}

struct Pair {
  Pair(std::chrono::nanoseconds wrong_by, std::chrono::milliseconds hold)
      : board(sensors()), twin(sensors()), wrong(wrong_by) {
    board.options.hold = hold;
    board.clock.set_sync(ClockSync::unsynchronised);
    board.clock.step(wrong);
  }

  void start() {
    board.start();
    twin.start();
  }
  // Five seconds each: the same readings for both.
  void run(int steps) {
    for (; steps > 0; --steps, ++step) {
      std::mt19937 random(static_cast<unsigned>(step));
      double ph = static_cast<double>(random() % 1400) / 100;
      for (Plant* plant : {&board, &twin}) {
        std::vector<Reading> out;
        out.push_back(plant->reading(0, ph));
        out.push_back(plant->reading(1, Raw::of(std::int64_t{step} * 97 % 65536)));
        if (step % 60 == 0) out.push_back(plant->reading(2, step / 60.0));
        plant->give(std::move(out));
        plant->clock.advance(5s);
        plant->work();
      }
    }
  }
  void tell_the_time() {
    board.clock.step(-wrong);
    board.clock.set_sync(ClockSync::synchronised);
  }
  // Until nothing is left to revise.
  void settle() {
    for (int n = 0; n < 200; ++n) board.revise();
    twin.revise();
  }

  // The rows of a window length from some time on, without what may differ.
  using Rows = std::map<std::pair<std::int64_t, std::int32_t>, Aggregate>;
  static Rows rows_of(Plant& plant, std::int64_t window_ms, std::int64_t from, std::int64_t to) {
    Rows out;
    for (auto& [key, row] : plant.rows(window_ms))
      if (key.first >= from && key.first < to) out.emplace(key, row);
    return out;
  }
  void expect_the_same(std::int64_t window_ms) {
    Rows have = rows_of(board, window_ms, began, INT64_MAX);
    Rows want = rows_of(twin, window_ms, began, INT64_MAX);
    ASSERT_FALSE(want.empty());
    for (auto& [key, row] : want) {
      SCOPED_TRACE("window of " + std::to_string(window_ms) + " ms, " +
                   std::to_string((key.first - began) / 1000) + " s, series " +
                   std::to_string(key.second));
      auto found = have.find(key);
      if (row.received == 0 && found == have.end()) continue;
      ASSERT_NE(found, have.end());
      Aggregate mine = found->second;
      EXPECT_NE(mine.clock, ClockTrust::untrusted);
      mine.clock = row.clock;
      EXPECT_FALSE(differ(mine, row))
          << mine.received << " received, not " << row.received << "; mean " << mine.statistics.mean
          << ", not " << row.statistics.mean;
    }
    for (const auto& [key, row] : have) EXPECT_TRUE(want.contains(key));
  }
  // Nothing is said any more of the times that the board believed in.
  void expect_nothing_of_then(std::int64_t window_ms) {
    std::int64_t from = began + wrong / 1ms - window_ms, to = from + 12 * 3600'000;
    for (const auto& [key, row] : rows_of(board, window_ms, from, to))
      EXPECT_EQ(row.received, 0u) << "at " << key.first - from;
  }
  // No window has two contents of one revision; the highest of each is what the rows say.
  void expect_one_content_a_revision() {
    std::set<std::tuple<std::string, std::int64_t, std::string, std::uint32_t>> seen;
    for (const Message& message : board.messages()) {
      v1::AggregateBatch batch;
      ASSERT_TRUE(batch.ParseFromString(message.body));
      for (const auto& a : batch.aggregates())
        EXPECT_TRUE(
            seen.emplace(batch.window(), batch.window_start_ms(), a.sensor(), a.revision()).second);
    }
  }

  Plant board, twin;
  std::chrono::nanoseconds wrong;
  int step = 0;
  std::int64_t began = 1'767'225'600'000;
};

// A reading of the time that is believed is durable, and with it the times of those before; the
// windows are not put right yet.
inline void believe_and_crash(Pair& pair) {
  pair.tell_the_time();
  for (Plant* plant : {&pair.board, &pair.twin}) {
    plant->give({plant->reading(0, 7.0)});
    plant->clock.advance(5s);
  }
  pair.board.crash();
}

}  // namespace gerbang::test
