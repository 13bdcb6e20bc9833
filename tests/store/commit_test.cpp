// SPDX-License-Identifier: Apache-2.0
//
// When things become durable, and what is on disk afterwards.
#include <thread>

#include "store/fixture.hpp"

namespace gerbang::store::test {
namespace {

using namespace std::chrono_literals;

class Commit : public StoreTest {};

asio::awaitable<void> append_and_count(Store& store, Batch b, std::vector<BatchId>& ids) {
  auto id = co_await store.append(std::move(b));
  ids.push_back(id ? *id : -1);
}
asio::awaitable<void> append_and_keep(Store& store, Batch b, std::optional<Error>& error) {
  auto id = co_await store.append(std::move(b));
  if (!id) error = id.error();
}

TEST_F(Commit, ReadingsSurviveAStopAndACrash) {
  open();
  append(batch({reading(1, 10 * kSecond, 3.25), reading(2, 10 * kSecond, -7)}));
  reopen();
  append(batch({reading(1, 11 * kSecond, 3.5)}));
  crash();
  open();

  auto all = replay();

  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].value, 3.25);
  EXPECT_EQ(all[0].boot_ns, 10 * kSecond);
  EXPECT_EQ(all[0].time_ms, kStartMs + 10'000);
  EXPECT_EQ(all[1].value, -7);
  EXPECT_EQ(all[2].batch, 2);
  EXPECT_EQ(store->identity().last_batch, 2);
}

TEST_F(Commit, OneTransactionCarriesWhatCameWithinTheInterval) {
  options.commit_interval = 100ms;
  open();
  std::vector<BatchId> ids;
  for (int driver = 0; driver < 10; ++driver)
    spawn_critical(io.get_executor(), "append",
                   append_and_count(*store, batch({reading(driver, kSecond, driver)}), ids));
  auto begun = std::chrono::steady_clock::now();

  ASSERT_TRUE(turn_until([&] { return ids.size() == 10; }));

  EXPECT_GE(std::chrono::steady_clock::now() - begun, 90ms);
  EXPECT_EQ(store->status().commits, 1u);
  EXPECT_EQ(ids, std::vector<BatchId>(10, 1));
  EXPECT_EQ(replay().size(), 10u);
}

TEST_F(Commit, ManyWaitingReadingsDoNotWaitForTheInterval) {
  options.commit_interval = std::chrono::hours(1);
  open();

  append(batch(std::vector<Reading>(32'768, reading(1, kSecond, 1))));

  EXPECT_EQ(store->status().stored, 32'768u);
}

TEST_F(Commit, NothingWaitingMeansNoCommit) {
  open();
  append(batch({reading(1, kSecond, 1)}));
  auto before = store->status().commits;

  io.restart();
  io.run_for(100ms);

  EXPECT_EQ(store->status().commits, before);
}

TEST_F(Commit, AnEmptyBatchCompletesAtOnce) {
  options.commit_interval = std::chrono::hours(1);
  open();
  EXPECT_EQ(append(batch({})), 0);
}

TEST_F(Commit, EpochsAreNotMixedInABatch) {
  options.commit_interval = 50ms;
  open();
  std::vector<BatchId> ids;
  Epoch later = epoch();
  later.offset_ns += 500'000'000;
  for (const Epoch& e : {epoch(), epoch(), later, epoch()})
    spawn_critical(io.get_executor(), "append",
                   append_and_count(*store, batch({reading(1, kSecond, 1)}, e), ids));

  ASSERT_TRUE(turn_until([&] { return ids.size() == 4; }));

  EXPECT_EQ(ids, (std::vector<BatchId>{1, 1, 2, 3}));
  auto all = replay();
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[2].time_ms, kStartMs + 1'500);
  EXPECT_EQ(all[3].time_ms, kStartMs + 1'000);
}

TEST_F(Commit, AppendSaysBusyAtTheBoundAndTakesNothing) {
  options.commit_interval = std::chrono::hours(1);
  options.max_waiting = 10;
  open();
  std::optional<Error> first, second;
  spawn_critical(
      io.get_executor(), "append",
      append_and_keep(*store, batch(std::vector<Reading>(8, reading(1, kSecond, 1))), first));
  spawn_critical(
      io.get_executor(), "append",
      append_and_keep(*store, batch(std::vector<Reading>(3, reading(1, kSecond, 1))), second));

  ASSERT_TRUE(turn_until([&] { return second.has_value(); }));

  EXPECT_EQ(second->code, errc::busy);
  EXPECT_EQ(store->status().taken, 8u);
  EXPECT_EQ(store->status().waiting_readings, 8u);
  stop();  // and does not wait for the hour
  EXPECT_FALSE(first);
  open();
  EXPECT_EQ(replay().size(), 8u);
}

TEST_F(Commit, AfterStopNothingIsTaken) {
  open();
  ASSERT_TRUE(run(store->stop()));

  auto id = run(store->append(batch({reading(1, kSecond, 1)})));

  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().code, errc::stopped);
  EXPECT_EQ(run(store->pull(Pull())).error().code, errc::stopped);
}

TEST_F(Commit, TheLedgerBalancesAndSurvives) {
  open();
  append(batch({reading(1, kSecond, 1), reading(2, kSecond, 2), reading(3, kSecond, 3)}));
  store->reject("repeated", 2);
  EXPECT_EQ(store->status().taken, 5u);
  flush();
  Fold f;
  f.folded[1] = 1;
  f.folded[2] = 1;
  f.not_folded["too_old"][3] = 1;
  f.replay_from = 1;
  commit(std::move(f));
  append(batch({reading(1, 2 * kSecond, 1)}));
  crash();
  open();

  Status s = store->status();

  EXPECT_EQ(s.taken, 6u);
  EXPECT_EQ(s.stored, 4u);
  EXPECT_EQ(s.rejected, (std::map<std::string, std::uint64_t>{{"repeated", 2}}));
  EXPECT_EQ(s.folded, 2u);
  EXPECT_EQ(s.not_folded, (std::map<std::string, std::uint64_t>{{"too_old", 1}}));
  EXPECT_EQ(store->identity().replay_from, 1);
}

TEST_F(Commit, SmallValuesAreThereBeforeAndAfterTheCommit) {
  open();
  store->put("alarm/high", std::string("raised\0since", 12));
  EXPECT_EQ(*store->get("alarm/high"), std::string("raised\0since", 12));
  flush();
  store->put("alarm/high", "");
  flush();
  reopen();
  EXPECT_EQ(*store->get("alarm/high"), "");
  EXPECT_EQ(*store->get("never"), std::nullopt);
}

TEST_F(Commit, TheWatchdogSeesWhetherTheStoreAnswers) {
  open();
  EXPECT_TRUE(store->alive(1h)) << "it has just been opened";
  EXPECT_TRUE(store->alive(0ns)) << "it is asked, and owes an answer from now on";
  std::this_thread::sleep_for(2ms);
  EXPECT_FALSE(store->alive(1ms)) << "no answer was seen: the loop has not turned";
  EXPECT_TRUE(store->alive(1h)) << "an hour is not over";

  bool answered = false;
  ASSERT_TRUE(turn_until([&] { return answered = answered || store->alive(0ns); }));
}

}  // namespace
}  // namespace gerbang::store::test
