// SPDX-License-Identifier: Apache-2.0
//
// The ledger by series, over crashes, upgrades, new boards and damage.
#include "store/fixture.hpp"
#include "store/schema.hpp"
#include "store/sqlite.hpp"

namespace gerbang::store::test {
namespace {

using Figures = std::map<std::string, std::uint64_t>;

asio::awaitable<void> append_and_forget(Store& store, Batch b) {
  (void)co_await store.append(std::move(b));
}

class LedgerStore : public StoreTest {
 protected:
  void begin() {
    open();
    ASSERT_TRUE(store->declare({series("a"), series("b"), series("c")}));
  }
  SeriesLedger of(std::int32_t series) {
    for (SeriesLedger& one : store->ledger())
      if (one.series == series) return one;
    ADD_FAILURE() << "no series " << series;
    return {};
  }
  static Fold folded(Counts counts, Reasons not_folded = {}) {
    Fold f;
    f.folded = std::move(counts);
    f.not_folded = std::move(not_folded);
    return f;
  }
  void expect_sums() {
    std::uint64_t stored = 0, fold = 0, rejected = 0;
    for (const SeriesLedger& one : store->ledger()) {
      stored += one.account.stored;
      fold += one.account.folded;
      rejected += one.account.sum_rejected();
    }
    Status s = store->status();
    EXPECT_EQ(s.stored, stored);
    EXPECT_EQ(s.folded, fold);
    EXPECT_EQ(s.taken, stored + rejected + s.waiting_readings);
  }
  std::string ledger_on_disk() {
    auto db = open_database(options);
    EXPECT_TRUE(db);
    return db->text("SELECT hex(value) FROM item WHERE key = 'ledger'").value_or("");
  }
  // Without the store, as another program would.
  void sql(const std::string& text) {
    auto db = open_database(options);
    ASSERT_TRUE(db);
    auto done = db->run(text);
    ASSERT_TRUE(done) << done.error().what;
  }
};

TEST_F(LedgerStore, KnowsEachSeriesByNameAndSurvivesACrash) {
  begin();
  append(batch({reading(1, kSecond, 1), reading(2, kSecond, 1), reading(1, kSecond, 2)}));
  Batch refused = batch({reading(3, kSecond, 3)});
  refused.rejected["repeated"][2] = 4;
  append(refused);
  commit(folded({{1, 1}}, {{"too_old", {{3, 1}}}}));
  append(batch({reading(1, 2 * kSecond, 1)}));
  for (int start = 0; start < 3; ++start) {
    EXPECT_EQ(of(1).name.sensor, "a");
    EXPECT_EQ(of(1).account.stored, 3u);
    EXPECT_EQ(of(1).account.open(), 2);
    EXPECT_EQ(of(2).account.stored, 1u);
    EXPECT_EQ(of(2).account.rejected, (Figures{{"repeated", 4}}));
    EXPECT_EQ(of(3).account.not_folded, (Figures{{"too_old", 1}}));
    EXPECT_EQ(of(3).account.open(), 0);
    expect_sums();
    crash();
    open();
  }
}

TEST_F(LedgerStore, IsWrittenWhenWindowsCloseAndNotWithReadings) {
  begin();
  append(batch({reading(1, kSecond, 1)}));
  commit(folded({{1, 1}}));
  crash();
  const std::string before = ledger_on_disk();
  open();
  for (int i = 0; i < 20; ++i) {
    Batch b = batch({reading(1, i * kSecond, 1)});
    b.rejected["repeated"][2] = 1;
    append(b);
  }
  crash();
  EXPECT_EQ(ledger_on_disk(), before);
  open();
  EXPECT_EQ(of(1).account.stored, 21u);
  EXPECT_EQ(of(2).account.rejected, (Figures{{"repeated", 20}}));
  expect_sums();
}

TEST_F(LedgerStore, WhatWaitsIsCountedBesideIt) {
  options.commit_interval = std::chrono::hours(1);
  begin();
  Batch b = batch({reading(2, kSecond, 1), reading(2, kSecond, 2)});
  b.rejected["repeated"][1] = 3;
  spawn_critical(io.get_executor(), "append", append_and_forget(*store, std::move(b)));
  io.restart();
  io.poll();

  EXPECT_EQ(of(2).waiting, 2u);
  EXPECT_EQ(of(2).account.stored, 0u);
  EXPECT_EQ(of(1).account.rejected, (Figures{{"repeated", 3}}));
  EXPECT_EQ(store->waiting(), (Counts{{2, 2}}));
  expect_sums();
}

TEST_F(LedgerStore, AnotherBoardBeginsWithWhatIsOpen) {
  begin();
  append(batch({reading(1, kSecond, 1), reading(1, kSecond, 2), reading(2, kSecond, 3)}));
  commit(folded({{1, 1}, {2, 1}}));
  append(batch({reading(2, 2 * kSecond, 4)}));
  stop();
  options.board = Board{"machine-a", "serial-b"};
  open();

  EXPECT_EQ(of(1).account.stored, 1u);
  EXPECT_EQ(of(2).account.stored, 1u);
  EXPECT_EQ(store->status().taken, 2u);
  expect_sums();
  crash();
  open();
  EXPECT_EQ(of(2).account.stored, 1u);
  expect_sums();
}

// Schema 1 counted totals; which series they belong to only the fold can say.
TEST_F(LedgerStore, OfSchemaOneGoesOnFromItsTotals) {
  begin();
  append(batch({reading(1, kSecond, 1), reading(1, kSecond, 2), reading(2, kSecond, 3)}));
  commit(folded({{1, 1}}));
  stop();
  sql("DELETE FROM item WHERE key = 'ledger';"
      "INSERT INTO item VALUES ('ledger/totals', x'31');"
      "UPDATE state SET taken = taken + 7;"
      "INSERT INTO counter VALUES ('rejected/repeated', 7);");
  open();

  EXPECT_EQ(store->status().taken, 10u);
  EXPECT_EQ(of(0).account.stored, 3u);
  ASSERT_TRUE(store->reconcile({{1, 1}, {2, 1}}));

  for (int start = 0; start < 2; ++start) {
    EXPECT_EQ(of(0).account.open(), 0);
    EXPECT_EQ(of(0).account.rejected, (Figures{{"repeated", 7}}));
    EXPECT_EQ(of(1).account.open(), 1);
    EXPECT_EQ(of(2).account.open(), 1);
    expect_sums();
    crash();
    open();
    ASSERT_TRUE(store->reconcile({{1, 1}, {2, 1}}));
  }
}

TEST_F(LedgerStore, ABatchThatCannotBeReadIsGivenUpAndSaidSo) {
  begin();
  append(batch({reading(1, kSecond, 1), reading(1, kSecond, 2)}));
  append(batch({reading(2, 2 * kSecond, 3)}));
  stop();
  sql("UPDATE reading SET body = x'00112233445566' WHERE id = 1");
  open();

  EXPECT_EQ(replay().size(), 1u);
  ASSERT_TRUE(store->reconcile({{2, 1}}));
  EXPECT_EQ(of(0).account.not_folded, (Figures{{"unreadable", 2}}));
  EXPECT_EQ(of(0).account.open(), 0);
  EXPECT_EQ(of(2).account.open(), 1);
  expect_sums();
}

TEST_F(LedgerStore, ABatchThatWasCountedAndThenRotIsGivenUpToo) {
  begin();
  append(batch({reading(1, kSecond, 1), reading(2, kSecond, 2)}));
  commit(folded({{1, 1}}));
  stop();
  sql("UPDATE reading SET body = x'00112233445566' WHERE id = 1");
  open();

  EXPECT_TRUE(replay().empty());
  ASSERT_TRUE(store->reconcile({}));
  EXPECT_EQ(of(1).account.open(), 0);
  EXPECT_EQ(of(2).account.not_folded, (Figures{{"unreadable", 1}}));
  expect_sums();
}

TEST_F(LedgerStore, ADamagedLedgerGoesOnFromItsTotals) {
  begin();
  append(batch({reading(1, kSecond, 1), reading(2, kSecond, 2)}));
  commit(folded({{1, 1}}));
  stop();
  sql("UPDATE item SET value = x'0102' WHERE key = 'ledger'");
  open();

  ASSERT_TRUE(store->reconcile({{2, 1}}));
  EXPECT_EQ(of(0).account.open(), 0);
  EXPECT_EQ(of(2).account.open(), 1);
  expect_sums();
}

}  // namespace
}  // namespace gerbang::store::test
