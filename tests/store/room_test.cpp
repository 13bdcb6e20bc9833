// SPDX-License-Identifier: Apache-2.0
//
// The cap, free space for others, a full disk; and what is said about what had to go.
#include "store/room.hpp"

#include <iostream>
#include <random>
#include <sstream>

#include "store/fixture.hpp"
#include "support/small_disk.hpp"

namespace gerbang::store::test {
namespace {

using gerbang::test::SmallDisk;

constexpr std::uint64_t kMiB = 1u << 20;
constexpr std::size_t kReadings = 6000;  // in a commit

// ---- the arithmetic -----------------------------------------------------------------------------

Usage usage(std::uint64_t cap) {
  Usage u;
  u.cap = cap;
  u.page_size = 2048;
  return u;
}

TEST(AllowedPages, LeaveRoomForTheLogAndTheOtherFiles) {
  Usage u = usage(64 * kMiB);
  EXPECT_EQ(allowed_pages(u), (64 - 8) * kMiB / 2048);
  u.others = 10 * kMiB;
  EXPECT_EQ(allowed_pages(u), (64 - 8 - 10) * kMiB / 2048);
  u.log = 12 * kMiB;  // a large transaction made it
  EXPECT_EQ(allowed_pages(u), (64 - 12 - 10) * kMiB / 2048);
}

TEST(AllowedPages, StopGrowingBelowTheFreeSpaceOfOthers) {
  Usage u = usage(1024 * kMiB);
  u.pages = 1000;
  u.file = 1000 * 2048;
  u.min_free = 100 * kMiB;
  u.log = log_allowance(u.cap);
  u.volume = Volume{1024 * kMiB, 101 * kMiB};
  EXPECT_EQ(allowed_pages(u), 1000 + kMiB / 2048);
  u.volume->available = 100 * kMiB;
  EXPECT_EQ(allowed_pages(u), 1000u);
  u.volume->available = 3;
  EXPECT_EQ(allowed_pages(u), 1000u);
}

TEST(AllowedPages, CountWhatIsOnlyInTheLogYet) {
  Usage u = usage(1024 * kMiB);
  u.pages = 1000;
  u.file = 500 * 2048;
  u.volume = Volume{1024 * kMiB, 20 * kMiB};
  u.log = log_allowance(u.cap);
  EXPECT_EQ(allowed_pages(u), 1000 + 20 * kMiB / 2048 - 500);
}

TEST(AllowedPages, OnASmallVolumeAQuarterStaysFreeAtMost) {
  EXPECT_EQ(floor_of(256 * kMiB, 8 * kMiB), 2 * kMiB);
  EXPECT_EQ(floor_of(256 * kMiB, 30'000 * kMiB), 256 * kMiB);
}

TEST(BallastSize, IsFourMebibytesOrATwentiethOfTheVolume) {
  EXPECT_EQ(ballast_size(2048 * kMiB, 30'000 * kMiB), 4 * kMiB);
  EXPECT_EQ(ballast_size(2048 * kMiB, 40 * kMiB), 2 * kMiB);
  EXPECT_EQ(ballast_size(8 * kMiB, 30'000 * kMiB), kMiB / 2) << "a small cap is not spent on it";
}

// ---- the store ----------------------------------------------------------------------------------

// What a receiver of everything knows: the messages it got, and what it was told it will not get.
struct Receiver {
  std::map<Sequence, std::string> got;
  std::vector<Lost> told;

  void take(const Message& m) {
    auto [known, is_new] = got.emplace(m.sequence, m.body);
    EXPECT_EQ(known->second, m.body);
    if (!is_new || m.topic != "gap") return;
    std::istringstream in(m.body);
    Lost lost;
    in >> lost.stream >> lost.first >> lost.last >> lost.reason >> lost.count;
    told.push_back(lost);
  }
  std::vector<Sequence> missing(Sequence last) const {
    std::vector<Sequence> out;
    for (Sequence s = 1; s <= last; ++s) {
      bool excused = got.count(s) != 0;
      for (const Lost& lost : told) excused = excused || (lost.first <= s && s <= lost.last);
      if (!excused) out.push_back(s);
    }
    return out;
  }
};

class Room : public StoreTest {
 protected:
  Room() {
    options.vfs = disk.name();  // nothing is synced: these tests are about bytes
    options.commit_interval = std::chrono::milliseconds(1);
    options.max_size = 8 * kMiB;
    options.min_free = 0;
    options.keep_aggregates = {{60'000, std::chrono::hours(24)}};
    options.gap_body = [](const Lost& lost) {
      std::ostringstream out;
      out << lost.stream << ' ' << lost.first << ' ' << lost.last << ' ' << lost.reason << ' '
          << lost.count;
      return out.str();
    };
    options.volume = [] { return std::optional<Volume>(Volume{1'000 * kMiB, 900 * kMiB}); };
  }

  std::uint64_t bytes_of_all_files() const {
    std::uint64_t sum = 0;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(dir.path()))
      if (auto size = entry.file_size(none); !none) sum += size;
    return sum;
  }
  void expect_within_cap() {
    ASSERT_LE(bytes_of_all_files(), options.max_size);
    peak = std::max(peak, bytes_of_all_files());
  }

  // About 60 kB of readings that do not compress.
  void readings_of(int second) {
    std::vector<Reading> some;
    for (std::size_t i = 0; i < kReadings; ++i)
      some.push_back(reading(1, second * kSecond + static_cast<std::int64_t>(i),
                             std::ldexp(1.0 + noise(random), 3)));
    newest = append(batch(std::move(some)));
    ASSERT_GT(newest, 0);
  }
  Fold fold_of(int second, std::size_t messages, Lane lane = Lane::live) {
    Fold f;
    for (std::size_t i = 0; i < messages; ++i)
      f.messages.push_back(message("x", 0b1, text(1000), lane));
    for (int i = 0; i < 20; ++i)
      f.aggregates.push_back(aggregate(i + 1, 60'000, kStartMs + second * 60'000, noise(random)));
    f.replay_from = newest;
    f.folded[1] = kReadings;
    return f;
  }
  std::string text(std::size_t size) {
    std::string out(size, ' ');
    for (char& c : out) c = static_cast<char>(random());
    return out;
  }
  std::vector<Message> everything(int bit) {
    std::vector<Message> out;
    for (;;) {
      auto more = pull(bit, {}, out.empty() ? 0 : out.back().sequence);
      if (more.empty()) return out;
      out.insert(out.end(), more.begin(), more.end());
    }
  }
  Receiver receive(int bit) {
    Receiver receiver;
    for (const Message& m : everything(bit)) receiver.take(m);
    return receiver;
  }
  void expect_complete(const Receiver& receiver) {
    EXPECT_EQ(receiver.missing(store->identity().last_sequence), std::vector<Sequence>());
  }
  void expect_ledger() {
    UplinkCounts c = store->uplink_counts(0);
    EXPECT_EQ(c.made, c.acknowledged + c.waiting + c.refused + c.dropped + c.filtered);
    EXPECT_EQ(c.waiting, everything(0).size());
    std::uint64_t told = 0;
    for (const auto& [reason, n] : c.reasons) told += n;
    EXPECT_EQ(told, c.dropped);
  }

  SmallDisk disk{dir.path(), 100 * kMiB};
  std::mt19937 random{7};
  std::uniform_real_distribution<double> noise{0, 1};
  BatchId newest = 0;
  std::uint64_t peak = 0;
};

TEST_F(Room, FilesNeverOutgrowTheCapAndRawReadingsGoFirst) {
  open();
  ASSERT_TRUE(store->declare_uplinks({"away"}));
  std::uint64_t dropped_first = 0;
  for (int second = 0; second < 220; ++second) {
    readings_of(second);
    ASSERT_EQ(commit(fold_of(second, 60)) > 0, true);
    ASSERT_NO_FATAL_FAILURE(expect_within_cap());
    EXPECT_FALSE(store->status().degraded) << store->status().trouble;
    UplinkCounts c = store->uplink_counts(0);
    if (c.dropped > 0 && dropped_first == 0) {
      dropped_first = c.dropped;
      // Only now that of readings and rows no more is left than what open windows need.
      EXPECT_LE(readings(0, INT64_MAX).size(), 3u * kReadings);
      AggregateQuery query;
      query.window_ms = 60'000;
      query.to_ms = INT64_MAX;
      auto rows = run(store->aggregates(query));
      ASSERT_TRUE(rows);
      EXPECT_LE(rows->rows.size(), 4u * 20);
    }
  }
  EXPECT_GT(dropped_first, 0u) << "it was not filled";
  EXPECT_GT(peak, options.max_size * 8 / 10) << "the cap is not used";
  UplinkCounts c = store->uplink_counts(0);
  EXPECT_EQ(c.reasons.begin()->first, "dropped/max_size");
  EXPECT_GT(store->status().complete_from_ms, kStartMs);

  expect_ledger();
  Receiver receiver = receive(0);
  expect_complete(receiver);
  std::uint64_t given_up = 0;
  for (const Lost& lost : receiver.told) {
    EXPECT_EQ(lost.stream, store->identity().stream);
    EXPECT_LE(lost.count, static_cast<std::uint64_t>(lost.last - lost.first + 1));
    given_up += lost.count;
  }
  EXPECT_EQ(given_up, c.dropped) << "each is announced once";
  EXPECT_LT(receiver.told.size(), 60u) << "announcements that go are joined with the next";
  std::cout << "at most " << peak << " of " << options.max_size << " bytes; " << c.dropped
            << " messages dropped, in " << receiver.told.size() << " announcements\n";
}

// Windows that are longer than the cap has room for, or a flood: nothing is folded yet.
TEST_F(Room, ReadingsOfOpenWindowsGoLastButTheFileIsAlwaysWritten) {
  open();
  for (int second = 0; second < 250; ++second) {
    readings_of(second);
    ASSERT_NO_FATAL_FAILURE(expect_within_cap());
    ASSERT_FALSE(store->status().degraded) << store->status().trouble;
  }
  const auto kept = readings(0, INT64_MAX).size();
  EXPECT_LT(kept, 250u * kReadings) << "it was not filled";
  EXPECT_EQ(store->status().stored, 250u * kReadings);
  EXPECT_EQ(store->status().expired["readings_for_room"], 250u * kReadings - kept);

  // This process could still fold all; one that starts again has what is left.
  reopen();
  std::uint64_t replayed = 0;
  ASSERT_TRUE(
      store->replay(store->identity().replay_from, [&](const StoredReading&) { ++replayed; }));
  EXPECT_EQ(replayed, kept);
  auto account_of_1 = [&] {
    for (const SeriesLedger& one : store->ledger())
      if (one.series == 1) return one.account;
    return Account();
  };
  for (int again = 0; again < 2; ++again) {
    ASSERT_TRUE(store->reconcile({{1, replayed}}));
    EXPECT_EQ(account_of_1().stored, 250u * kReadings);
    EXPECT_EQ(account_of_1().open(), static_cast<std::int64_t>(replayed));
    reopen();
  }
}

TEST_F(Room, AfterACrashTheReceiverStillKnowsWhatItWillNotGet) {
  open();
  ASSERT_TRUE(store->declare_uplinks({"away"}));
  std::int64_t complete_from = 0;
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 30; ++i) {
      readings_of(round * 30 + i);
      commit(fold_of(round * 30 + i, 90));
    }
    complete_from = store->status().complete_from_ms;
    crash();
    open();
    ASSERT_TRUE(store->declare_uplinks({"away"}));
    expect_ledger();
    expect_complete(receive(0));
    EXPECT_EQ(store->status().complete_from_ms, complete_from);
    ASSERT_NO_FATAL_FAILURE(expect_within_cap());
  }
  EXPECT_GT(store->uplink_counts(0).dropped, 0u);
}

TEST_F(Room, UrgentMessagesAreTheLastToGo) {
  open();
  ASSERT_TRUE(store->declare_uplinks({"away"}));
  std::set<Sequence> urgent;
  for (int second = 0; second < 150; ++second) {
    Sequence last = commit(fold_of(second, 1, second < 50 ? Lane::urgent : Lane::live));
    if (second < 50) urgent.insert(last);
    commit(fold_of(second, 60));
  }
  EXPECT_GT(store->uplink_counts(0).dropped, 100u);
  Receiver receiver = receive(0);
  for (Sequence s : urgent) EXPECT_EQ(receiver.got.count(s), 1u) << s;
  for (const Lost& lost : receiver.told)
    for (Sequence s : urgent)
      EXPECT_FALSE(lost.first <= s && s <= lost.last) << "it still comes, and was called lost";
  expect_complete(receiver);
  expect_ledger();
}

TEST_F(Room, AMessageThatOneBrokerHasIsDroppedForTheOtherOnly) {
  open();
  ASSERT_TRUE(store->declare_uplinks({"away", "near"}));
  Receiver near;
  for (int second = 0; second < 150; ++second) {
    Fold f = fold_of(second, 60);
    for (auto& m : f.messages) m.uplinks = 0b11;
    commit(std::move(f));
    for (const Message& m : pull(1, {}, 0, 1'000)) {
      near.take(m);
      store->done(1, m.sequence, Outcome::acknowledged, "");
    }
  }
  flush();
  EXPECT_GT(store->uplink_counts(0).dropped, 0u);
  EXPECT_EQ(store->uplink_counts(1).dropped, 0u);
  Sequence last = store->identity().last_sequence;
  for (Sequence s = 1; s <= last; ++s) ASSERT_EQ(near.got.count(s), 1u) << s;
  expect_complete(receive(0));
  expect_ledger();
}

TEST_F(Room, LateDataOfReadingsThatAreGoneIsKnownToBeTooLate) {
  open();
  ASSERT_TRUE(store->declare_uplinks({"away"}));
  for (int second = 0; second < 150; ++second) {
    readings_of(second);
    commit(fold_of(second, 0));
  }
  std::int64_t from = store->status().complete_from_ms;
  auto left = readings(0, INT64_MAX);
  ASSERT_FALSE(left.empty());
  EXPECT_GT(from, kStartMs);
  EXPECT_LE(left.front().time_ms, from + 3'600'000);
  std::size_t complete = 0;
  for (const auto& r : left) complete += r.time_ms >= from ? 1 : 0;
  EXPECT_GE(complete, kReadings);
}

TEST_F(Room, BelowMinFreeTheFileGrowsNoMore) {
  options.max_size = 64 * kMiB;
  options.min_free = 10 * kMiB;
  std::atomic<std::uint64_t> available = 100 * kMiB;
  options.volume = [&] { return std::optional<Volume>(Volume{1'000 * kMiB, available}); };
  open();
  ASSERT_TRUE(store->declare_uplinks({"away"}));
  int second = 0;
  for (; second < 110; ++second) {
    readings_of(second);
    commit(fold_of(second, 1));
  }
  available = 9 * kMiB;
  readings_of(++second);
  commit(fold_of(second, 1));
  auto file = std::filesystem::file_size(options.path);
  for (int i = 0; i < 110; ++i) {
    readings_of(++second);
    commit(fold_of(second, 1));
  }
  stop();
  EXPECT_LE(std::filesystem::file_size(options.path), file + log_allowance(options.max_size));
  open();
  EXPECT_FALSE(store->status().degraded);
  EXPECT_GT(store->status().complete_from_ms, 0) << "readings made room";
}

TEST_F(Room, OnAFullDiskOldReadingsMakeRoomAndTheBallastComesBack) {
  disk.resize(16 * kMiB);
  options.max_size = 64 * kMiB;
  options.volume = [&] { return std::optional<Volume>(disk.volume()); };
  open();
  ASSERT_TRUE(store->declare_uplinks({"away"}));
  int second = 0;
  auto live_a_while = [&](int seconds) {
    for (int i = 0; i < seconds; ++i) {
      readings_of(++second);
      commit(fold_of(second, 1));
      clock.advance(std::chrono::seconds(1));
    }
  };
  live_a_while(35);
  Ballast ballast(options.path);
  EXPECT_EQ(ballast.bytes(), ballast_size(16 * kMiB, 16 * kMiB));

  disk.fill_up();  // somebody else takes the last byte
  live_a_while(100);

  EXPECT_TRUE(disk.refused());
  EXPECT_EQ(ballast.bytes(), 0u);
  EXPECT_FALSE(store->status().degraded) << store->status().trouble;
  EXPECT_EQ(store->uplink_counts(0).dropped, 0u) << "there was enough of less worth";
  expect_ledger();
  disk.fill(0);
  clock.advance(std::chrono::minutes(1));
  live_a_while(35);
  EXPECT_GT(ballast.bytes(), 0u);
  reopen();
  expect_complete(receive(0));
  EXPECT_EQ(store->status().stored, 170u * kReadings);
}

TEST_F(Room, ADiskThatWasFullAtTheStartIsNoObstacle) {
  disk.resize(16 * kMiB);
  options.volume = [&] { return std::optional<Volume>(disk.volume()); };
  open();
  ASSERT_TRUE(store->declare_uplinks({"away"}));
  for (int second = 0; second < 50; ++second) {
    readings_of(second);
    commit(fold_of(second, 1));
  }
  crash();
  disk.fill_up();
  open();
  ASSERT_TRUE(store);
  auto declared = store->declare_uplinks({"away", "new"});
  ASSERT_TRUE(declared) << declared.error().what;
  readings_of(60);
  EXPECT_FALSE(store->status().degraded) << store->status().trouble;
}

TEST_F(Room, WhatWasSetAsideCountsAndGoesWhenRoomIsNeeded) {
  std::filesystem::path aside = options.path.string() + ".damaged-20250101T000000Z";
  dir.write(aside.filename(), std::string(3 * kMiB, 'x'));
  dir.write(aside.filename().string() + "-wal", std::string(kMiB, 'y'));
  open();
  EXPECT_GT(store->status().bytes, 4 * kMiB);
  for (int second = 0; second < 150; ++second) {
    readings_of(second);
    commit(fold_of(second, 0));
    ASSERT_NO_FATAL_FAILURE(expect_within_cap());
  }
  EXPECT_FALSE(std::filesystem::exists(aside));
  EXPECT_FALSE(std::filesystem::exists(aside.string() + "-wal"));
}

}  // namespace
}  // namespace gerbang::store::test
