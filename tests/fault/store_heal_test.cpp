// SPDX-License-Identifier: Apache-2.0
//
// Errors and damage while the store is in use.
#include <fstream>
#include <random>
#include <sstream>

#include "store/fixture.hpp"
#include "store/room.hpp"
#include "store/sqlite.hpp"
#include "support/fault_vfs.hpp"

namespace gerbang::store::test {
namespace {

using gerbang::test::FaultVfs;
namespace fs = std::filesystem;

asio::awaitable<void> append_and_tell(Store& store, Batch batch, std::shared_ptr<bool> done) {
  auto id = co_await store.append(std::move(batch));
  *done = id.has_value();
}

class StoreHeal : public StoreTest {
 protected:
  StoreHeal() {
    options.vfs = vfs.name();
    options.commit_interval = std::chrono::milliseconds(1);
    options.gap_body = [](const Lost& lost) {
      std::ostringstream out;
      out << lost.stream << ' ' << lost.first << ' ' << lost.last << ' ' << lost.reason;
      return out.str();
    };
  }
  void begin() {
    open();
    ASSERT_TRUE(store->declare_uplinks({"a", "b"}));
    auto declared = store->declare({series("s", 2), series("t")});
    ASSERT_TRUE(declared);
    ASSERT_EQ(*declared, (std::vector<std::int32_t>{1, 2}));
  }
  void give(int from, int to) {
    for (int i = from; i < to; ++i)
      ASSERT_GT(append(batch({reading(1, i * kSecond, i), reading(2, i * kSecond, 1000 + i)})), 0);
  }
  // Values of series 1, each as it was given.
  std::vector<double> values() {
    std::vector<double> out;
    for (const auto& r : readings(0, INT64_MAX, {1})) out.push_back(r.value / 2);
    return out;
  }
  static std::vector<double> counted(int to) {
    std::vector<double> out;
    for (int i = 0; i < to; ++i) out.push_back(i);
    return out;
  }
  // Until nothing is left to bring over.
  void salvage_all() {
    ASSERT_TRUE(turn_until([&] {
      auto item = store->get("store/salvage");
      if (item && (!*item || (*item)->empty())) return true;
      flush();
      return false;
    }));
    flush();
  }
  // The next page that is read proves damaged; the commit after it deals with that.
  void damage() {
    commit(fold({message("large", 0b10, std::string(100'000, 'x'))}));
    vfs.fail_once(1, FaultVfs::Error::sync);
    flush();  // opened again: its pages are not in memory
    vfs.fail_once(1, FaultVfs::Error::damage);
    Pull what;
    what.bit = 1;
    EXPECT_FALSE(run(store->pull(what)));
    ASSERT_TRUE(vfs.has_failed());
  }
  void expect_ledger() {
    Status s = store->status();
    std::uint64_t rejected = 0;
    for (const auto& [reason, n] : s.rejected) rejected += n;
    EXPECT_EQ(s.taken, s.stored + rejected + s.waiting_readings);
    for (int bit : {0, 1}) {
      UplinkCounts c = store->uplink_counts(bit);
      EXPECT_EQ(c.made, c.acknowledged + c.waiting + c.refused + c.dropped + c.filtered);
      EXPECT_EQ(c.waiting, pull(bit).size());
    }
  }

  FaultVfs vfs;
};

// ---- errors -------------------------------------------------------------------------------------

TEST_F(StoreHeal, AFailedSyncIsAnsweredByOpeningAgainAndWritesNothingTwice) {
  begin();
  give(0, 10);
  for (int i = 10; i < 30; ++i) {
    vfs.fail_once(1, FaultVfs::Error::sync);
    give(i, i + 1);
    EXPECT_TRUE(vfs.has_failed());
    Sequence last = commit(fold({message("x", 0b11)}));
    EXPECT_EQ(last, i - 9);
  }
  EXPECT_EQ(store->status().reopened, 20u);
  EXPECT_FALSE(store->status().degraded);
  EXPECT_EQ(values(), counted(30));
  expect_ledger();
  reopen();
  EXPECT_EQ(values(), counted(30));
  EXPECT_EQ(store->identity().last_sequence, 20);
}

TEST_F(StoreHeal, AfterThreeStrikesItWaitsAndTriesAgainWithTheSameGroup) {
  begin();
  give(0, 5);
  vfs.fail_from(1);
  auto stored = std::make_shared<bool>(false);
  Batch next = batch({reading(1, 5 * kSecond, 5), reading(2, kSecond, 1)});
  spawn_critical(io.get_executor(), "append", append_and_tell(*store, std::move(next), stored));
  ASSERT_TRUE(turn_until([&] { return store->status().degraded; }));
  EXPECT_FALSE(*stored);
  store->reject("repeated", 1);  // comes behind what is stuck
  EXPECT_EQ(store->status().waiting_readings, 2u);
  vfs.heal();
  ASSERT_TRUE(turn_until([&] { return *stored; }));
  flush();
  EXPECT_FALSE(store->status().degraded);
  EXPECT_GE(store->status().reopened, 3u);
  EXPECT_EQ(store->status().stored, 12u);
  EXPECT_EQ(store->status().rejected["repeated"], 1u);
  expect_ledger();
  EXPECT_EQ(values(), counted(6));
  crash();
  begin();
  EXPECT_EQ(values(), counted(6));
}

TEST_F(StoreHeal, AFileThatVanishedIsNotReplacedByAnEmptyOne) {
  begin();
  give(0, 5);
  fs::path hidden = options.path.string() + ".hidden";
  fs::rename(options.path, hidden);
  vfs.fail_once(1, FaultVfs::Error::sync);
  auto stored = std::make_shared<bool>(false);
  spawn_critical(io.get_executor(), "append",
                 append_and_tell(*store, batch({reading(1, 5 * kSecond, 5)}), stored));
  ASSERT_TRUE(turn_until([&] { return store->status().degraded; }));
  EXPECT_NE(store->status().trouble.find("not at"), std::string::npos) << store->status().trouble;
  EXPECT_FALSE(fs::exists(options.path));
  fs::rename(hidden, options.path);  // the card is back
  ASSERT_TRUE(turn_until([&] { return *stored; }));
  EXPECT_EQ(values(), counted(6));
}

// ---- damage under way ---------------------------------------------------------------------------

TEST_F(StoreHeal, AFileThatProvesDamagedGivesPlaceToOneThatGoesOn) {
  begin();
  give(0, 20);
  for (int i = 0; i < 10; ++i) commit(fold({message("x", 0b11, "old " + std::to_string(i))}));
  store->done(0, 1, Outcome::acknowledged, "");
  store->done(1, 1, Outcome::acknowledged, "");
  store->put("key", "value");
  flush();
  std::string before = store->identity().stream;
  BatchId last = store->identity().last_batch;
  bool told = false;
  store->on_stream([&] { told = true; });

  damage();
  store->done(0, 2, Outcome::acknowledged, "");  // of the stream before
  give(20, 30);

  EXPECT_NE(store->identity().stream, before);
  EXPECT_EQ(store->identity().previous_stream, before);
  EXPECT_GT(store->identity().last_batch, last);
  EXPECT_TRUE(told);
  Status s = store->status();
  EXPECT_TRUE(s.damaged);
  EXPECT_FALSE(s.degraded);
  EXPECT_NE(s.trouble.find(".damaged-20260101T"), std::string::npos) << s.trouble;
  EXPECT_EQ(files_aside(options.path).size(), 1u);
  EXPECT_EQ(**store->get("key"), "value");

  salvage_all();
  EXPECT_EQ(values(), counted(30)) << "with the calibration that held then";
  EXPECT_EQ(store->status().salvaged["messages"], 10u);
  // The receiver learns that the old numbers end, and gets what they were under new ones.
  std::set<std::string> bodies;
  bool gap = false;
  for (const Message& m : pull(0)) {
    bodies.insert(m.body);
    EXPECT_FALSE(m.retain && m.topic == "x");
    gap = gap || m.body == before + " 2 11 damaged";
  }
  EXPECT_TRUE(gap);
  for (int i = 1; i < 10; ++i) EXPECT_EQ(bodies.count("old " + std::to_string(i)), 1u) << i;
  expect_ledger();
  reopen();
  EXPECT_EQ(values(), counted(30));
}

TEST_F(StoreHeal, ARestartAfterTheReplacementReplaysWhatIsNotFolded) {
  begin();
  give(0, 20);
  Fold f = fold({});
  f.replay_from = 15;
  f.folded = {{1, 14}, {2, 14}};
  commit(std::move(f));
  damage();
  flush();
  give(20, 22);
  ASSERT_TRUE(store->status().damaged);
  Status s = store->status();
  EXPECT_EQ(s.stored - s.folded, 2u * 8) << "what the process still has to fold";
  crash();
  open();
  EXPECT_EQ(store->status().stored - store->status().folded, 2u * 8);
  std::size_t replayed = replay(store->identity().replay_from).size();
  EXPECT_EQ(replayed, 2u * 8);
}

// ---- damage found at the start ------------------------------------------------------------------

class StoreDamage : public StoreHeal {
 protected:
  StoreDamage() {
    options.vfs.clear();
    options.check_budget = std::chrono::milliseconds(2000);
  }
  std::string slurp(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  void spill(const fs::path& path, const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
  }
  // A file with everything in it; its bytes and those of its log.
  void make(bool clean) {
    begin();
    for (int i = 0; i < 60; ++i) {
      give(i, i + 1);
      Fold f = fold({message("x", 0b11, "old " + std::to_string(i) + std::string(300, '.'))});
      f.aggregates = {aggregate(1, 60'000, kStartMs + i * 60'000, i),
                      aggregate(2, 60'000, kStartMs + i * 60'000, i)};
      commit(std::move(f));
    }
    flush();
    if (clean)
      stop();
    else
      crash();
    bytes = slurp(options.path);
    log = slurp(options.path.string() + "-wal");
  }
  void restore() {
    for (const auto& entry : fs::directory_iterator(dir.path())) fs::remove(entry.path());
    spill(options.path, bytes);
    spill(options.path.string() + "-wal", log);
  }
  std::string bytes, log;
};

TEST_F(StoreDamage, AnySingleFlippedBitIsSurvivedAndNothingIsInvented) {
  make(true);
  std::mt19937 random(3);
  int aside = 0, found_all = 0;
  constexpr int kFlips = 150;
  for (int flip = 0; flip < kFlips; ++flip) {
    SCOPED_TRACE(flip);
    restore();
    std::string flipped = bytes;
    auto at = random() % flipped.size();
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << random() % 8));
    if (at >= 68 && at < 72) continue;  // whose file it is: then it is not ours
    spill(options.path, flipped);
    open();
    ASSERT_TRUE(store) << "byte " << at;
    ASSERT_TRUE(store->declare_uplinks({"a", "b"}));
    auto declared = store->declare({series("s", 2), series("t")});
    ASSERT_TRUE(declared) << declared.error().what;
    ASSERT_GT(append(batch({reading((*declared)[0], 100 * kSecond, 100)})), 0);
    ASSERT_GE(commit(fold({message("x", 0b11, "new")})), 1);
    // A broken page may be met only now; the next commit deals with it.
    for (int bit : {0, 1}) {
      Pull what;
      what.bit = bit;
      what.limit = 1000;
      (void)run(store->pull(what));
    }
    flush();
    salvage_all();
    if (store->status().damaged) ++aside;
    // Every reading that comes out was put in, and every message.
    for (const Message& m : pull(0))
      EXPECT_TRUE(m.body == "new" || m.topic == "gap" ||
                  (m.body.starts_with("old ") && m.body.ends_with(std::string(300, '.'))))
          << m.body << " byte " << at;
    std::size_t seen = 0;
    ReadingQuery query;
    query.to_ms = INT64_MAX;
    if (auto page = run(store->readings(query)))
      for (const auto& r : page->readings) {
        if (r.series != (*declared)[0] || r.flag == Flag::missing) continue;
        ++seen;
        double value = r.raw.value();
        EXPECT_TRUE(value == 100 || (value >= 0 && value < 60 && value == std::floor(value)))
            << value << " byte " << at;
      }
    if (seen == 61) ++found_all;
    expect_ledger();
    EXPECT_FALSE(store->status().degraded) << store->status().trouble << " byte " << at;
    crash();
    if (HasFailure()) break;
  }
  std::cout << kFlips << " flipped bits: " << aside << " files set aside, " << found_all
            << " gave all readings\n";
  EXPECT_GT(aside, 0);
  EXPECT_GT(found_all, kFlips / 2);
}

TEST_F(StoreDamage, WhatIsReadableOfADamagedFileIsBroughtOver) {
  make(false);
  // The schema stays; some pages in the middle are gone.
  restore();
  spill(options.path.string() + "-wal", "");
  open();  // the log is gone too, and with it everything that was not brought back
  EXPECT_FALSE(store->status().damaged);
  crash();

  std::uint64_t all = 0, holes = 0;
  for (int hole = 4; hole < 60; hole += 7) {
    SCOPED_TRACE(hole);
    for (const auto& entry : fs::directory_iterator(dir.path())) fs::remove(entry.path());
    spill(options.path, bytes);
    spill(options.path.string() + "-wal", log);
    begin();
    stop();
    std::string whole = slurp(options.path);
    std::string previous = whole;
    auto at = static_cast<std::size_t>(hole) * 2048;
    if (at + 2048 > whole.size()) break;
    whole.replace(at, 2048, 2048, '\x5a');
    spill(options.path, whole);
    spill(options.path.string() + "-wal", std::string(32, 'w'));  // it was not closed
    open();
    ASSERT_TRUE(store);
    ASSERT_TRUE(store->declare_uplinks({"a", "b"}));
    ASSERT_TRUE(store->status().damaged) << "the check saw nothing";
    auto aside = files_aside(options.path);
    ASSERT_EQ(aside.size(), 1u);
    EXPECT_EQ(slurp(aside[0]), whole) << "as it was found";
    auto declared = store->declare({series("s", 2), series("t")});
    salvage_all();
    auto salvaged = store->status().salvaged;
    all += salvaged["messages"] + salvaged["readings"] + salvaged["aggregates"];
    ++holes;
    std::cout << "page " << hole << " gone: messages " << salvaged["messages"]
              << " of 60, readings " << salvaged["readings"] << " of 120, rows "
              << salvaged["aggregates"] << " of 120\n";
    std::set<double> seen;
    for (double v : values()) EXPECT_TRUE(seen.insert(v).second) << v << " came twice";
    for (double v : seen) EXPECT_TRUE(v >= 0 && v < 60);
    expect_ledger();
    EXPECT_EQ(slurp(aside[0]), whole) << "salvage changes nothing";
    crash();
  }
  EXPECT_GT(all, holes * 300 / 2) << "of 300 things in each file";
}

TEST_F(StoreDamage, SalvageGoesOnAfterARestart) {
  make(true);
  restore();
  {
    auto db = sql::Database::open(options.path, sql::Database::Mode::existing, "");
    ASSERT_TRUE(db->run("PRAGMA locking_mode = EXCLUSIVE; PRAGMA user_version = 999"));
  }
  int starts = 0;
  for (bool over = false; !over && starts < 200; ++starts) {
    open();
    ASSERT_TRUE(store->declare_uplinks({"a", "b"}));
    ASSERT_TRUE(store->declare({series("s", 2), series("t")}));
    for (int i = 0; i < 3; ++i) flush();  // commits, and what follows them for a moment
    auto item = store->get("store/salvage");
    over = item && *item && (*item)->empty();
    crash();
  }
  open();
  ASSERT_TRUE(store->declare_uplinks({"a", "b"}));
  auto salvaged = store->status().salvaged;
  EXPECT_EQ(salvaged["messages"], 60u);
  EXPECT_EQ(salvaged["readings"], 120u);
  EXPECT_EQ(salvaged["aggregates"], 120u);
  EXPECT_EQ(values(), counted(60));
  EXPECT_EQ(pull(0).size(), 61u) << "those and the announcement";
  Status s = store->status();
  EXPECT_EQ(s.taken, 0u) << "outside of the ledger";
}

TEST_F(StoreDamage, TruncationAnywhereIsSurvived) {
  make(false);
  std::mt19937 random(5);
  for (int i = 0; i < 40; ++i) {
    restore();
    auto size = random() % bytes.size();
    auto left = random() % (log.size() + 1);
    spill(options.path, bytes.substr(0, size));
    spill(options.path.string() + "-wal", log.substr(0, left));
    open();
    ASSERT_TRUE(store) << size;
    ASSERT_TRUE(store->declare_uplinks({"a", "b"}));
    auto declared = store->declare({series("s", 2), series("t")});
    ASSERT_TRUE(declared) << declared.error().what << " at " << size;
    ASSERT_GT(append(batch({reading((*declared)[0], 100 * kSecond, 100)})), 0);
    EXPECT_FALSE(store->status().degraded);
    crash();
  }
}

TEST_F(StoreDamage, OneFileIsKept) {
  for (int i = 0; i < 3; ++i) {
    spill(options.path, "not a database " + std::to_string(i));
    open();
    crash();
    clock.advance(std::chrono::hours(1));
  }
  auto aside = files_aside(options.path);
  ASSERT_EQ(aside.size(), 1u);
  EXPECT_EQ(slurp(aside[0]), "not a database 2");
}

}  // namespace
}  // namespace gerbang::store::test
