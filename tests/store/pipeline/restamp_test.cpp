// SPDX-License-Identifier: Apache-2.0
//
// A board without a clock of its own: it starts in the past, and later somebody tells it the time.
// What it says in the end is what a twin says whose clock was right from the beginning.
#include <random>

#include "store/pipeline/plant.hpp"

namespace gerbang::test {
namespace {

constexpr auto kYear = std::chrono::hours(24 * 365);

std::vector<pipeline::Sensor> sensors() {
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

std::size_t said(Plant& plant, ClockTrust trust) {
  std::size_t out = 0;
  for (const auto& [key, row] : plant.rows(kMinute))
    out += row.clock == trust && row.received > 0 ? 1 : 0;
  return out;
}

TEST(Restamp, WithinTheHoldNoWrongTimeIsEverSaid) {
  Pair pair(-kYear, 1h);
  pair.start();
  pair.run(50);
  EXPECT_TRUE(pair.board.messages().empty()) << "windows wait for the clock";
  pair.tell_the_time();
  pair.run(40);
  pair.settle();
  pair.expect_the_same(kMinute);
  pair.expect_nothing_of_then(kMinute);
  EXPECT_EQ(said(pair.board, ClockTrust::untrusted), 0u);
  EXPECT_GT(said(pair.board, ClockTrust::estimated), 0u);
  EXPECT_GT(said(pair.board, ClockTrust::trusted), 0u);
  for (const Message& message : pair.board.messages()) {
    v1::AggregateBatch batch;
    ASSERT_TRUE(batch.ParseFromString(message.body));
    EXPECT_GE(batch.window_end_ms(), pair.began);
  }
  pair.expect_one_content_a_revision();
}

TEST(Restamp, AfterTheHoldWindowsOfWrongTimesAreTakenBack) {
  Pair pair(-kYear, 0h);
  pair.start();
  pair.run(700);  // most of an hour
  EXPECT_GT(said(pair.board, ClockTrust::untrusted), 50u);
  pair.tell_the_time();
  pair.run(400);
  pair.settle();
  for (std::int64_t window : {kMinute, 15 * kMinute}) {
    pair.expect_the_same(window);
    pair.expect_nothing_of_then(window);
  }
  pair.expect_nothing_of_then(60 * kMinute);
  pair.expect_one_content_a_revision();
}

TEST(Restamp, ALittleWrongIsTheSameAsVeryWrong) {
  Pair pair(-7s, 0h);
  pair.start();
  pair.run(100);
  pair.tell_the_time();
  pair.run(100);
  pair.settle();
  pair.expect_the_same(kMinute);
  EXPECT_EQ(said(pair.board, ClockTrust::untrusted), 0u);
  pair.expect_one_content_a_revision();
}

TEST(Restamp, AClockThatWasAheadIsPutRightToo) {
  Pair pair(36h, 0h);
  pair.start();
  pair.run(100);
  pair.tell_the_time();
  pair.run(60);
  pair.settle();
  pair.expect_nothing_of_then(kMinute);
  // Windows that are closed for the wrong time come as revisions, so the newest may still be open.
  auto have = Pair::rows_of(pair.board, kMinute, pair.began, pair.began + 150 * 5000 - kMinute);
  auto want = Pair::rows_of(pair.twin, kMinute, pair.began, pair.began + 150 * 5000 - kMinute);
  for (const auto& [key, row] : want)
    if (row.received > 0) {
      ASSERT_TRUE(have.contains(key));
      EXPECT_EQ(have[key].received, row.received);
      EXPECT_NEAR(have[key].statistics.mean, row.statistics.mean, 1e-9);
    }
}

TEST(Restamp, AKillWhileWindowsAreRevisedForgetsNone) {
  Pair pair(-kYear, 0h);
  pair.start();
  pair.run(700);
  pair.tell_the_time();
  pair.run(3);
  pair.board.work();
  pair.board.crash();
  pair.board.start();
  pair.run(400);
  pair.settle();
  pair.expect_the_same(kMinute);
  pair.expect_nothing_of_then(kMinute);
}

// A reading of the time that is believed is durable, and with it the times of those before; the
// windows are not put right yet.
void believe_and_crash(Pair& pair) {
  pair.tell_the_time();
  for (Plant* plant : {&pair.board, &pair.twin}) {
    plant->give({plant->reading(0, 7.0)});
    plant->clock.advance(5s);
  }
  pair.board.crash();
}

TEST(Restamp, AKillBeforeWindowsFollowForgetsNone) {
  Pair pair(-kYear, 0h);
  pair.start();
  pair.run(200);
  EXPECT_GT(said(pair.board, ClockTrust::untrusted), 10u);
  believe_and_crash(pair);
  pair.board.start();
  pair.run(100);
  pair.settle();
  pair.expect_the_same(kMinute);
  pair.expect_nothing_of_then(kMinute);
  pair.expect_one_content_a_revision();
}

TEST(Restamp, APowerCutBeforeWindowsFollowIsMadeUpForByTheNextBoot) {
  Pair pair(-kYear, 0h);
  pair.start();
  pair.run(200);
  believe_and_crash(pair);
  pair.board.options.boot_id = "next-boot";
  pair.board.start();
  pair.run(100);
  pair.settle();
  pair.expect_the_same(kMinute);
  pair.expect_nothing_of_then(kMinute);
  pair.expect_one_content_a_revision();
}

// The boot after it begins in doubt, too, and is cut off at the same point.
TEST(Restamp, SeveralPowerCutsBeforeWindowsFollowAreMadeUpForTogether) {
  Pair pair(-kYear, 0h);
  pair.start();
  for (const char* boot : {"second-boot", "third-boot"}) {
    pair.run(100);
    believe_and_crash(pair);
    pair.board.options.boot_id = boot;
    pair.board.clock.set_sync(ClockSync::unsynchronised);
    pair.board.clock.step(pair.wrong);
    pair.board.start();
  }
  pair.run(30);
  pair.tell_the_time();
  pair.run(60);
  pair.settle();
  pair.expect_the_same(kMinute);
  pair.expect_nothing_of_then(kMinute);
}

TEST(Restamp, AProcessThatStartsAgainInDoubtIsPutRightForBoth) {
  Pair pair(-kYear, 1h);
  pair.start();
  pair.run(30);
  pair.board.crash();
  pair.board.start();
  pair.run(30);
  pair.tell_the_time();
  pair.run(60);
  pair.settle();
  pair.expect_the_same(kMinute);
  pair.expect_nothing_of_then(kMinute);
}

TEST(Restamp, AnotherBootNeverLearnsTheTimesOfTheOneBefore) {
  Pair pair(-kYear, 0h);
  pair.start();
  pair.run(50);
  pair.board.stop();
  pair.board.options.boot_id = "the next boot";
  pair.board.clock.step(-pair.wrong);
  pair.board.clock.set_sync(ClockSync::synchronised);
  pair.board.start();
  pair.board.advance(3min);
  pair.board.revise();
  EXPECT_GT(said(pair.board, ClockTrust::untrusted), 0u);
  EXPECT_EQ(said(pair.board, ClockTrust::estimated), 0u);
}

TEST(Restamp, AfterAHoldOverARestartBelievesTheClockStill) {
  Plant board(sensors());
  board.start();
  board.give({board.reading(0, 7.0)});
  board.stop();
  board.clock.advance(10h);
  board.clock.set_sync(ClockSync::unsynchronised);  // so the kernel says, hours after the last time
  board.start();
  EXPECT_EQ(board.pipe->clock_trust(), ClockTrust::trusted);
}

}  // namespace
}  // namespace gerbang::test
