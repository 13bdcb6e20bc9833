// SPDX-License-Identifier: Apache-2.0
//
// The store and the pipeline together on a disk that fails: every operation in turn, and for long.
#include <iostream>
#include <set>

#include "fault/load.hpp"
#include "observe/log.hpp"
#include "support/fault_vfs.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::test {
namespace {

class Degraded : public ::testing::Test {
 protected:
  void SetUp() override { spdlog::set_level(spdlog::level::off); }
  void TearDown() override { spdlog::set_level(spdlog::level::info); }
  static std::filesystem::path fast_folder() {
    return std::filesystem::is_directory("/dev/shm") ? "/dev/shm"
                                                     : std::filesystem::temp_directory_path();
  }

  // The load with operations n … n + count - 1 failing. False: it ended before the n-th.
  bool visit(long n, long count, FaultVfs::Error error) {
    SCOPED_TRACE("operation " + std::to_string(n) + " and " + std::to_string(count - 1) + " more");
    TempDir dir(fast_folder());
    FaultVfs vfs;
    Load load(dir.path(), vfs.name(), static_cast<unsigned>(n));
    if (no_space) load.options.volume = [] { return store::Volume{64u << 20, 0}; };
    vfs.fail_some(n, count, error);
    bool failed = false;
    if (!load.start()) {
      // A start may fail, if it says so; the next one must not.
      failed = vfs.has_failed();
      vfs.heal();
      EXPECT_FALSE(load.why().empty());
      EXPECT_TRUE(load.start()) << load.why();
      if (HasFailure()) return true;
    }
    for (int step = 0; step < 7; ++step) {
      load.step();
      load.pipe().bridge();
    }
    failed = failed || vfs.has_failed();
    vfs.heal();
    EXPECT_TRUE(load.settle());
    EXPECT_FALSE(load.store().degraded());
    for (int step = 0; step < 3; ++step) EXPECT_TRUE(load.step());
    EXPECT_TRUE(load.settle());
    load.crash();
    EXPECT_TRUE(load.start()) << load.why();
    if (HasFailure()) return true;
    EXPECT_EQ(load.judge(), 0) << "nothing that was taken may be gone";
    std::uint64_t dropped = load.store().uplink_counts(0).dropped;
    EXPECT_TRUE(no_space || dropped == 0) << dropped;
    dropped_ += dropped;
    return failed;
  }
  bool no_space = false;  // the volume says so too
  std::uint64_t dropped_ = 0;

  void visit_all(FaultVfs::Error error, long count, long stride) {
    long n = 1, visited = 0;
    while (visit(n, count, error) && !HasFailure()) {
      n += stride;
      ++visited;
    }
    std::cout << visited << " places, " << count << " failures in a row at each\n";
    EXPECT_GT(visited, 15);
  }
};

TEST_F(Degraded, AnyFailedOperationIsGotOver) {
  visit_all(FaultVfs::Error::io, 1, 1);
}
TEST_F(Degraded, AnyFewFailedOperationsAreGotOver) {
  visit_all(FaultVfs::Error::io, 5, 4);
}
TEST_F(Degraded, ALongFailureIsGotOver) {
  visit_all(FaultVfs::Error::io, 100, 9);
}
TEST_F(Degraded, AnyFailedSyncIsGotOver) {
  visit_all(FaultVfs::Error::sync, 2, 1);
}
TEST_F(Degraded, ADiskThatIsFullForAWhileIsGotOver) {
  visit_all(FaultVfs::Error::full, 30, 5);
}
TEST_F(Degraded, OnAVolumeWithoutSpaceMessagesGiveWayAndAreAnnounced) {
  no_space = true;
  visit_all(FaultVfs::Error::full, 30, 6);
  std::cout << dropped_ << " messages gave way\n";
  EXPECT_GT(dropped_, 0u);
}

// ---- while it lasts -----------------------------------------------------------------------------

using Key = std::tuple<std::string, std::string, std::int64_t>;  // sensor, window, start

void keep(std::map<Key, std::string>& rows, const std::string& body) {
  v1::AggregateBatch batch;
  ASSERT_TRUE(batch.ParseFromString(body));
  for (const auto& row : batch.aggregates())
    if (row.revision() == 0)
      rows[{row.sensor(), batch.window(), batch.window_start_ms()}] = row.SerializeAsString();
}

std::string name_of(const v1::Alarm& alarm) {
  return alarm.id() + " " + std::to_string(alarm.occurrence()) + " " +
         v1::AlarmState_Name(alarm.state());
}

TEST_F(Degraded, WindowsGoOutFromMemoryAndCloseAgainWithNumbersAfterIt) {
  TempDir dir(fast_folder());
  FaultVfs vfs;
  Load load(dir.path(), vfs.name(), 11);
  load.late = false;
  load.reloads = false;
  load.acknowledges = false;
  ASSERT_TRUE(load.start());
  std::map<Key, std::string> volatiles, numbered;
  std::set<std::string> said_at_once, said_with_number;
  load.pipe().on_volatile = [&](MessageKind kind, const std::string&, const std::string& body) {
    if (kind == MessageKind::alarm) {
      v1::Alarm alarm;
      EXPECT_TRUE(alarm.ParseFromString(body));
      said_at_once.insert(name_of(alarm));
      return;
    }
    EXPECT_EQ(kind, MessageKind::aggregate_batch);
    keep(volatiles, body);
  };
  for (int i = 0; i < 22; ++i) {
    ASSERT_TRUE(load.step());
    ASSERT_TRUE(load.settle());  // else what is committed late makes revisions
  }
  EXPECT_TRUE(volatiles.empty()) << "the store is well";

  vfs.fail_from(1);
  // In the middle of a window, and no fold is under way: that would keep others from closing.
  for (int i = 0; i < 8 && !load.store().degraded(); ++i) {
    ASSERT_TRUE(load.burst(1));
    load.turn_for(20ms);
  }
  ASSERT_TRUE(load.store().degraded());
  auto last = load.store().identity().last_sequence;
  for (int i = 0; i < 130; ++i) {
    ASSERT_TRUE(load.step());
    load.pipe().bridge();
  }
  EXPECT_TRUE(load.store().degraded());
  EXPECT_EQ(load.store().identity().last_sequence, last);
  // Two minutes: all but the windows that were about to close when it began.
  EXPECT_GE(volatiles.size(), 3u * (2 + 8 + 24) * 8 / 10);

  vfs.heal();
  ASSERT_TRUE(load.settle_all());
  EXPECT_FALSE(load.store().degraded());
  for (int i = 0; i < 20; ++i) {  // the fold that was under way ends first
    ASSERT_TRUE(load.step());
    ASSERT_TRUE(load.settle());
  }
  for (const Message& message : load.everything()) {
    v1::Alarm alarm;
    if (message.kind == MessageKind::aggregate_batch) keep(numbered, message.body);
    if (message.kind != MessageKind::alarm) continue;
    ASSERT_TRUE(alarm.ParseFromString(message.body));
    said_with_number.insert(name_of(alarm));
  }
  // Two minutes of a condition that changes each five seconds.
  EXPECT_GE(said_at_once.size(), 40u);
  for (const std::string& said : said_at_once) EXPECT_TRUE(said_with_number.contains(said)) << said;
  std::size_t same = 0;
  for (const auto& [key, row] : volatiles) {
    ASSERT_EQ(numbered.count(key), 1u)
        << std::get<0>(key) << " " << std::get<1>(key) << " " << std::get<2>(key);
    same += numbered[key] == row ? 1 : 0;
  }
  EXPECT_EQ(same, volatiles.size()) << "the same content, with a number";
  ASSERT_TRUE(load.settle());
  load.crash();
  ASSERT_TRUE(load.start());
  EXPECT_EQ(load.judge(), 0);
}

TEST_F(Degraded, TheRingIsBoundedAndWhatFallsOutIsCounted) {
  TempDir dir(fast_folder());
  FaultVfs vfs;
  Load load(dir.path(), vfs.name(), 12);
  load.late = false;
  load.reloads = false;
  ASSERT_TRUE(load.start());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(load.step());
  ASSERT_TRUE(load.settle());
  vfs.fail_from(1);
  constexpr int kBurst = 1000;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(load.burst(kBurst));
    load.pipe().bridge();
  }
  auto underway = load.pipe().underway();
  EXPECT_LE(sum(underway.readings), 65'536u + kBurst);
  EXPECT_GE(sum(underway.readings), 50'000u);
  vfs.heal();
  ASSERT_TRUE(load.settle_all());
  store::Status status = load.store().status();
  std::uint64_t rejected = 0;
  for (const auto& [reason, n] : status.rejected) rejected += n;
  EXPECT_GE(status.rejected["no_room"], 30'000u);
  EXPECT_EQ(rejected, status.rejected["no_room"]);
  EXPECT_EQ(status.stored + rejected, static_cast<std::uint64_t>(load.given()));
  EXPECT_EQ(status.taken, status.stored + rejected);
  EXPECT_EQ(sum(load.pipe().taken()), status.taken);
  // The newest are there.
  std::int64_t newest = -1;
  ASSERT_TRUE(load.store().replay(
      0, [&](const store::StoredReading& r) { newest = std::max(newest, r.raw.integer); }));
  EXPECT_EQ(newest, load.given() - 1);
}

// What gave way in memory is in the journal still: a process that is killed then has taken it from
// there, and neither it nor that it was refused is counted twice.
TEST_F(Degraded, AKilledProcessThatHadNoRoomHasCountedEachReadingOnce) {
  TempDir dir(fast_folder());
  FaultVfs vfs;
  Load load(dir.path(), vfs.name(), 12);
  load.options.journal = dir.path() / "journal";
  load.late = false;
  load.reloads = false;
  ASSERT_TRUE(load.start());
  ASSERT_TRUE(load.step());
  ASSERT_TRUE(load.settle());
  for (int kill = 0; kill < 3; ++kill) {
    vfs.fail_from(1);
    for (int i = 0; i < 120; ++i) {
      ASSERT_TRUE(load.burst(1000));
      load.pipe().bridge();
    }
    load.crash();
    vfs.heal();
    ASSERT_TRUE(load.start()) << load.why();
    EXPECT_LE(sum(load.pipe().taken()), static_cast<std::uint64_t>(load.given())) << kill;
  }
  ASSERT_TRUE(load.settle_all());
  const store::Status status = load.store().status();
  std::uint64_t rejected = 0;
  for (const auto& [reason, n] : status.rejected) rejected += n;
  EXPECT_EQ(status.taken, status.stored + rejected);
  EXPECT_LE(status.taken, static_cast<std::uint64_t>(load.given()));
  EXPECT_GE(status.stored, 60'000u) << "what was in the journal";
}

}  // namespace
}  // namespace gerbang::test
