// SPDX-License-Identifier: Apache-2.0
//
// A board without a clock of its own: it starts in the past, and later somebody tells it the time.
// What it says in the end is what a twin says whose clock was right from the beginning.
#include "store/pipeline/twins.hpp"

namespace gerbang::test {
namespace {

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
