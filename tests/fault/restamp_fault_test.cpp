// SPDX-License-Identifier: Apache-2.0
//
// The store does not answer while times are put right: no reading is missing in its window in the
// end.
#include "observe/log.hpp"
#include "store/pipeline/plant.hpp"
#include "support/fault_vfs.hpp"

namespace gerbang::test {
namespace {

constexpr auto kYear = std::chrono::hours(24 * 365);
// More than the store keeps in memory, so that what is asked for has to be read.
constexpr int kSteps = 80, kAStep = 4'000;

class RestampFault : public ::testing::Test {
 protected:
  void SetUp() override { spdlog::set_level(spdlog::level::off); }
  void TearDown() override { spdlog::set_level(spdlog::level::info); }

  // The clock is believed, the process starts again, and reads fail from the n-th one on while the
  // windows are put right: in the first `turns` of five seconds.
  static void visit(long n, int turns) {
    SCOPED_TRACE("read " + std::to_string(n) + ", turns " + std::to_string(turns));
    FaultVfs vfs;
    Plant board({sensor("ph")});
    board.vfs = vfs.name();
    board.options.hold = 1h;
    board.options.windows_ms = {kHour, 24 * kHour};  // all of it is in one that is open
    board.clock.set_sync(ClockSync::unsynchronised);
    board.clock.step(-kYear);
    board.start();
    for (int step = 0; step < kSteps; ++step) {
      std::vector<Reading> some;
      for (int i = 0; i < kAStep; ++i) {
        some.push_back(board.reading(0, i));
        board.clock.advance(1ms);
      }
      board.give(std::move(some));
      board.clock.advance(1s);
    }
    board.clock.step(kYear);
    board.clock.set_sync(ClockSync::synchronised);
    board.give({board.reading(0, 7.0)});
    board.crash();
    board.start();
    vfs.fail_from(n, FaultVfs::Error::read);
    for (int turn = 0; turn < turns; ++turn) {
      board.clock.advance(5s);
      board.work();
    }
    EXPECT_TRUE(vfs.has_failed()) << "nothing had to be read";
    vfs.heal();
    board.advance(61min);
    for (int i = 0; i < 10; ++i) board.revise();
    std::uint64_t received = 0;
    for (const auto& [key, row] : board.rows(kHour)) {
      EXPECT_GE(key.first, kStart);
      received += row.received;
    }
    EXPECT_EQ(received, kSteps * kAStep + 1u);
    board.stop();
  }
};

TEST_F(RestampFault, WhatTheStoreDoesNotAnswerIsAskedAgain) {
  visit(1, 1);
  visit(400, 3);
}
}  // namespace
}  // namespace gerbang::test
