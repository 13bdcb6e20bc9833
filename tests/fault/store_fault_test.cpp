// SPDX-License-Identifier: Apache-2.0
//
// Every failure point is visited by counting: the scenario runs with operation 1 failing, then 2,
// then 3 … until none fails any more.
#include <set>

#include "store/fixture.hpp"
#include "support/fault_vfs.hpp"

namespace gerbang::store::test {
namespace {

using gerbang::test::FaultVfs;

// What the store said is durable.
struct Promised {
  std::vector<double> readings;
  std::map<Sequence, std::string> messages;
  std::set<Sequence> reported;
  bool stopped = false;
};

class StoreFault : public StoreTest {
 protected:
  StoreFault() {
    options.vfs = vfs.name();
    options.commit_interval = std::chrono::milliseconds(1);
  }

  // True: it ran to its end. Once open, the store must get over any passing fault by itself.
  bool scenario(Promised& promised) {
    auto opened = Store::open(options, io.get_executor());
    if (!opened) return false;
    store = std::move(*opened);
    if (!store->declare_uplinks({"a", "b"}) || !store->declare({series("s")})) return false;
    for (int i = 0; i < 3; ++i) {
      double value = static_cast<double>(promised.readings.size());
      if (append(batch({reading(1, i * kSecond, value)})) == 0) return false;
      promised.readings.push_back(value);
      std::string body = "body " + std::to_string(i);
      Fold f = fold({message("x", 0b11, body), message("y", 0b01, body)});
      f.aggregates = {aggregate(1, 60'000, kStartMs + i * 60'000)};
      Sequence last = commit(std::move(f));
      if (last <= 0) return false;
      promised.messages[last - 1] = promised.messages[last] = body;
      store->done(0, last, Outcome::acknowledged, "");
      promised.reported.insert(last);
    }
    promised.stopped = run(store->stop()).has_value();
    return true;
  }

  void expect_promises_kept(const Promised& promised, long n) {
    store.reset();
    vfs.heal();
    open();
    ASSERT_TRUE(store) << "after fault " << n;
    EXPECT_FALSE(store->status().damaged) << "after fault " << n << ": " << store->status().trouble;
    ASSERT_TRUE(store->declare_uplinks({"a", "b"}));
    std::vector<double> values;
    for (const auto& r : replay()) values.push_back(r.value);
    ASSERT_GE(values.size(), promised.readings.size()) << "after fault " << n;
    for (std::size_t i = 0; i < values.size(); ++i)
      EXPECT_EQ(values[i], static_cast<double>(i)) << "after fault " << n;

    Sequence last = store->identity().last_sequence;
    std::set<Sequence> seen;
    for (const auto& m : pull(0)) {
      EXPECT_TRUE(seen.insert(m.sequence).second);
      EXPECT_LE(m.sequence, last);
      auto it = promised.messages.find(m.sequence);
      if (it != promised.messages.end()) {
        EXPECT_EQ(m.body, it->second) << "after fault " << n;
      }
    }
    for (const auto& [sequence, body] : promised.messages) {
      EXPECT_LE(sequence, last) << "after fault " << n;
      bool reported = promised.reported.count(sequence) != 0;
      if (!reported || promised.stopped) {
        EXPECT_EQ(seen.count(sequence), reported ? 0u : 1u) << "after fault " << n;
      }
    }
    for (int bit : {0, 1}) {
      UplinkCounts c = store->uplink_counts(bit);
      EXPECT_EQ(c.made, static_cast<std::uint64_t>(last)) << "after fault " << n;
      EXPECT_EQ(c.made, c.acknowledged + c.waiting + c.filtered) << "after fault " << n;
      EXPECT_EQ(c.waiting, pull(bit).size()) << "after fault " << n;
    }
    EXPECT_EQ(store->status().taken, values.size()) << "after fault " << n;
    EXPECT_EQ(store->status().stored, values.size()) << "after fault " << n;
    EXPECT_EQ(append(batch({reading(1, kSecond, 99)})), static_cast<BatchId>(values.size()) + 1);
    store.reset();
  }

  void clear_folder() {
    for (const auto& entry : std::filesystem::directory_iterator(dir.path()))
      std::filesystem::remove(entry.path());
  }

  void visit_every_fault(FaultVfs::Error error) {
    long n = 1;
    for (;; ++n) {
      Promised promised;
      vfs.fail_once(n, error);
      bool finished = scenario(promised);
      bool failed = vfs.has_failed();
      ASSERT_NO_FATAL_FAILURE(expect_promises_kept(promised, n));
      clear_folder();
      if (HasFailure()) return;
      if (!failed) {
        EXPECT_TRUE(finished);
        break;
      }
    }
    RecordProperty("faults", std::to_string(n - 1));
    EXPECT_GT(n, 20) << "the faults were not seen";
  }

  FaultVfs vfs;
};

TEST_F(StoreFault, KeepsItsPromisesAfterEveryFailedOperation) {
  visit_every_fault(FaultVfs::Error::io);
}

TEST_F(StoreFault, KeepsItsPromisesWhenAnyWriteFindsTheDiskFull) {
  visit_every_fault(FaultVfs::Error::full);
}

asio::awaitable<void> append_and_count(Store& store, Batch b, int& stored, int& busy) {
  auto id = co_await store.append(std::move(b));
  if (id) ++stored;
  if (!id && id.error().code == errc::busy) ++busy;
}

TEST_F(StoreFault, ADeadDiskKeepsCallersWaitingUntilItComesBack) {
  options.max_waiting = 5;
  open();
  ASSERT_TRUE(store->declare_uplinks({"a"}));
  append(batch({reading(1, 0, 0)}));
  vfs.fail_from(1);
  int stored = 0, busy = 0;
  for (int i = 1; i <= 8; ++i)
    spawn_critical(io.get_executor(), "append",
                   append_and_count(*store, batch({reading(1, i, i)}), stored, busy));
  store->reject("repeated", 2);

  ASSERT_TRUE(turn_until([&] { return store->status().degraded && busy == 3; }));
  io.restart();
  io.run_for(std::chrono::milliseconds(50));

  EXPECT_EQ(stored, 0);
  Status s = store->status();
  EXPECT_EQ(s.waiting_readings, 5u);
  EXPECT_NE(s.trouble.find("SQLite error"), std::string::npos) << s.trouble;
  EXPECT_EQ(s.taken, s.stored + s.rejected["repeated"] + s.waiting_readings);
  EXPECT_TRUE(store->alive(std::chrono::seconds(5)));
  vfs.heal();
  ASSERT_TRUE(turn_until([&] { return stored == 5; }));
  s = store->status();
  EXPECT_FALSE(s.degraded);
  EXPECT_EQ(s.trouble, "");
  EXPECT_EQ(s.waiting_readings, 0u);
  EXPECT_EQ(replay().size(), 6u);
}

TEST_F(StoreFault, AStopOnADeadDiskEndsAndSaysWhatIsLost) {
  open();
  append(batch({reading(1, 0, 0)}));
  vfs.fail_from(1);
  int stored = 0, busy = 0;
  for (int i = 1; i <= 3; ++i)
    spawn_critical(io.get_executor(), "append",
                   append_and_count(*store, batch({reading(1, i, i)}), stored, busy));
  io.restart();
  io.poll();

  auto stopped = run(store->stop());

  ASSERT_FALSE(stopped);
  EXPECT_NE(stopped.error().what.find("3 readings are lost"), std::string::npos)
      << stopped.error().what;
  store.reset();
  vfs.heal();
  open();
  EXPECT_EQ(replay().size(), 1u);
}

}  // namespace
}  // namespace gerbang::store::test
