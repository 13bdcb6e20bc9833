// SPDX-License-Identifier: Apache-2.0
//
// What was taken and not committed when the process dies is stored by the next start: all of it,
// once.
#include "store/journal.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>

#include "store/fixture.hpp"

namespace gerbang::store::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

asio::awaitable<void> append_and_forget(Store& store, Batch b) {
  (void)co_await store.append(std::move(b));
}

class JournalTest : public StoreTest {
 protected:
  JournalTest() {
    options.journal = dir / "run.journal";
    options.boot_id = "boot-1";
    options.commit_interval = 1h;
  }

  // As the pipeline does it: recorded, then appended.
  void take(std::vector<Reading> readings, Epoch e = epoch(), Reasons rejected = {}) {
    Batch b = batch(std::move(readings), std::move(e));
    b.journal = store->record(b.epoch, b.readings, rejected);
    b.rejected = std::move(rejected);
    spawn_critical(io.get_executor(), "append", append_and_forget(*store, std::move(b)));
    io.restart();
    io.poll();
  }
  // Recorded, and the process dies before the batch is given to the store.
  void take_only(std::vector<Reading> readings) {
    (void)store->record(epoch(), readings, Reasons());
  }
  std::vector<double> values() {
    std::vector<double> out;
    for (const StoredReading& r : replay()) out.push_back(r.value);
    return out;
  }
  void commit_what_waits() {
    Fold nothing;
    commit(std::move(nothing));
  }
  void expect_balance() {
    Status s = store->status();
    std::uint64_t rejected = 0;
    for (const auto& [reason, count] : s.rejected) rejected += count;
    EXPECT_EQ(s.taken, s.stored + rejected + s.waiting_readings);
  }
};
using Values = std::vector<double>;

TEST_F(JournalTest, AKilledProcessLosesNothingThatWasTaken) {
  open();
  EXPECT_TRUE(store->status().journal.on);
  take({reading(1, kSecond, 1), reading(2, kSecond, 2)});
  take({reading(1, 2 * kSecond, 3)});
  take_only({reading(1, 3 * kSecond, 4)});
  crash();
  open();

  EXPECT_EQ(values(), (Values{1, 2, 3, 4}));
  EXPECT_EQ(replay()[2].time_ms, kStartMs + 2000);
  EXPECT_EQ(store->status().journal.restored, 4u);
  EXPECT_EQ(store->status().taken, 4u);
  expect_balance();
}

TEST_F(JournalTest, WhatWasCommittedIsNotStoredTwice) {
  options.commit_interval = 5ms;
  open();
  for (int i = 0; i < 20; ++i) {
    take({reading(1, i * kSecond, i)});
    flush();
  }
  take_only({reading(1, 20 * kSecond, 20)});
  crash();
  open();
  crash();
  open();

  Values expected;
  for (int i = 0; i <= 20; ++i) expected.push_back(i);
  EXPECT_EQ(values(), expected);
  EXPECT_EQ(store->status().journal.restored, 0u) << "the second start found nothing";
}

TEST_F(JournalTest, EpochsComeBackAsTheyWere) {
  Epoch later = epoch(ClockTrust::untrusted);
  later.offset_ns += 5 * kSecond;
  open();
  take({reading(1, kSecond, 1)});
  take({reading(1, kSecond, 2)}, later);
  crash();
  open();

  auto all = replay();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].time_ms, kStartMs + 1000);
  EXPECT_EQ(all[0].clock, ClockTrust::trusted);
  EXPECT_EQ(all[1].time_ms, kStartMs + 6000);
  EXPECT_EQ(all[1].clock, ClockTrust::untrusted);
  EXPECT_NE(all[0].batch, all[1].batch);
}

TEST_F(JournalTest, WhatWasRefusedIsCountedOnce) {
  Reasons repeated;
  repeated["repeated"][3] = 5;
  open();
  take({reading(1, kSecond, 1)}, epoch(), repeated);
  take({}, epoch(), repeated);
  crash();
  open();
  EXPECT_EQ(store->status().rejected.at("repeated"), 10u);
  EXPECT_EQ(store->status().taken, 11u);
  crash();
  open();
  EXPECT_EQ(store->status().rejected.at("repeated"), 10u);
  expect_balance();
}

TEST_F(JournalTest, AStopLeavesNoJournal) {
  open();
  take({reading(1, kSecond, 1)});
  EXPECT_TRUE(fs::exists(options.journal));
  stop();
  EXPECT_FALSE(fs::exists(options.journal));
  open();
  EXPECT_EQ(values(), (Values{1}));
}

TEST_F(JournalTest, IsNobodyElsesToRead) {
  open();
  EXPECT_EQ(fs::status(options.journal).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(JournalTest, OfAnotherStoreIsLeftOutAndCounted) {
  open();
  take({reading(1, kSecond, 1), reading(2, kSecond, 2)});
  crash();
  options.path = dir / "another.db";
  open();

  EXPECT_TRUE(values().empty());
  EXPECT_EQ(store->status().journal.foreign, 2u);
  EXPECT_EQ(store->status().journal.restored, 0u);
  EXPECT_TRUE(store->status().journal.on);
  take_only({reading(1, 2 * kSecond, 3)});
  crash();
  open();
  EXPECT_EQ(values(), (Values{3}));
}

TEST_F(JournalTest, OfAnotherBootIsStoredUnderItsOwnEpoch) {
  open();
  take({reading(1, 1000 * kSecond, 1)});
  crash();
  options.boot_id = "boot-2";
  open();

  auto all = replay();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].time_ms, kStartMs + 1'000'000);
  Epoch now = epoch(ClockTrust::trusted, "boot-2");
  now.offset_ns += 3600 * kSecond;
  take({reading(1, kSecond, 2)}, now);
  crash();
  open();
  ASSERT_EQ(replay().size(), 2u);
  EXPECT_EQ(replay()[0].time_ms, kStartMs + 1'000'000);
  EXPECT_EQ(replay()[1].time_ms, kStartMs + 3'601'000);
}

TEST_F(JournalTest, ADamagedRecordIsCountedAndTheOthersAreStored) {
  open();
  for (int i = 1; i <= 3; ++i) take_only({reading(1, i * kSecond, i)});
  crash();
  {
    std::fstream file(options.journal, std::ios::in | std::ios::out | std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(file)), {});
    std::size_t length = (bytes.size() - kJournalHeader) / 3;
    file.clear();
    file.seekp(static_cast<std::streamoff>(kJournalHeader + length + 20));
    file.put('\x55').put('\xaa');
  }
  open();

  EXPECT_EQ(values(), (Values{1, 3}));
  EXPECT_EQ(store->status().journal.damaged, 1u);
  EXPECT_EQ(store->status().journal.restored, 2u);
}

TEST_F(JournalTest, NoiseInItsPlaceIsCountedAndReplaced) {
  std::ofstream(options.journal) << std::string(100'000, 'x');
  open();
  EXPECT_EQ(store->status().journal.damaged, 1u);
  take_only({reading(1, kSecond, 1)});
  crash();
  open();
  EXPECT_EQ(values(), (Values{1}));
}

TEST_F(JournalTest, ALinkInItsPlaceIsNotFollowed) {
  std::ofstream(dir / "precious") << "mine";
  fs::create_symlink(dir / "precious", options.journal);
  open();

  EXPECT_FALSE(store->status().journal.on);
  EXPECT_NE(store->status().journal.trouble, "");
  take({reading(1, kSecond, 1)});
  EXPECT_EQ(store->status().journal.uncovered, 1u);
  std::string text;
  std::getline(std::ifstream(dir / "precious"), text);
  EXPECT_EQ(text, "mine");
}

TEST_F(JournalTest, AFullOneCommitsEarly) {
  open();
  Reasons many;
  for (std::int32_t s = 1; s <= 100; ++s) many["repeated"][s * 400'000] = 1;
  std::uint64_t number = 0;
  while (store->status().commits == 0) {
    take({reading(1, static_cast<std::int64_t>(++number) * kSecond, 1)}, epoch(), many);
    ASSERT_LT(number, 32'768u) << "so many readings would be committed at once anyhow";
    ASSERT_EQ(store->status().journal.uncovered, 0u) << number;
  }
  EXPECT_GT(store->status().stored, 1000u);
  EXPECT_LT(store->status().journal.bytes, Journal::kCapacity / 2);
  EXPECT_EQ(store->status().journal.trouble, "");
}

TEST_F(JournalTest, BeyondItsBoundReadingsAreTakenAndCountedAsUncovered) {
  open();
  Reasons many;
  for (std::int32_t s = 1; s <= 5000; ++s) many["repeated"][s * 400'000] = 1;
  std::vector<Reading> one = {reading(1, kSecond, 1)};
  std::uint64_t taken = 0;
  for (; store->status().journal.uncovered == 0; ++taken) {
    (void)store->record(epoch(), one, many);  // nobody commits it
    ASSERT_LT(taken, 1000u);
  }
  EXPECT_EQ(store->status().journal.uncovered, 1u);
  EXPECT_NE(store->status().journal.trouble, "");
  crash();
  open();
  EXPECT_EQ(store->status().journal.restored, taken - 1);
  EXPECT_EQ(store->status().rejected.at("repeated"), (taken - 1) * 5000);
}

// The mark rides in the newest row and, for its sake, in the state when that is written.
TEST_F(JournalTest, ACommitThatOnlyClosesWindowsKeepsTheMark) {
  options.commit_interval = 5ms;
  open();
  take({reading(1, kSecond, 1)});
  commit_what_waits();
  Reasons repeated;
  repeated["repeated"][1] = 1;
  take({}, epoch(), repeated);
  commit_what_waits();
  take_only({reading(1, 2 * kSecond, 2)});
  crash();
  open();
  EXPECT_EQ(values(), (Values{1, 2}));
  EXPECT_EQ(store->status().rejected.at("repeated"), 1u);
}

}  // namespace
}  // namespace gerbang::store::test
