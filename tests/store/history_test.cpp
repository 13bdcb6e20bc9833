// SPDX-License-Identifier: Apache-2.0
//
// Readings, calibrations and aggregates on their way out.
#include <algorithm>
#include <random>

#include "store/fixture.hpp"

namespace gerbang::store::test {
namespace {

constexpr std::int64_t kHour = 3'600 * kSecond;

class History : public StoreTest {
 protected:
  std::vector<std::int32_t> declare(const std::vector<SeriesSpec>& specs) {
    auto ids = store->declare(specs);
    EXPECT_TRUE(ids) << ids.error().what;
    return ids ? *ids : std::vector<std::int32_t>();
  }
  static std::vector<std::int64_t> times(const std::vector<StoredReading>& all) {
    std::vector<std::int64_t> out;
    for (const auto& r : all) out.push_back(r.time_ms - kStartMs);
    return out;
  }
  static std::vector<double> values(const std::vector<StoredReading>& all) {
    std::vector<double> out;
    for (const auto& r : all) out.push_back(r.value);
    return out;
  }
};

TEST_F(History, SeriesKeepTheirNumberForEver) {
  open();
  EXPECT_EQ(declare({series("a"), series("b")}), (std::vector<std::int32_t>{1, 2}));
  reopen();
  SeriesSpec other_unit = series("a");
  other_unit.unit = "FTU";
  EXPECT_EQ(declare({series("c"), series("b"), other_unit, series("b")}),
            (std::vector<std::int32_t>{3, 2, 4, 2}));
  EXPECT_EQ(declare({series("a")}), (std::vector<std::int32_t>{1}));
}

TEST_F(History, ARenamedSensorKeepsItsHistory) {
  open();
  declare({series("turbidity-1")});
  SeriesSpec renamed = series("raw-turbidity");
  renamed.formerly = "turbidity-1";
  EXPECT_EQ(declare({renamed}), (std::vector<std::int32_t>{1}));
  reopen();
  EXPECT_EQ(declare({renamed}), (std::vector<std::int32_t>{1})) << "the key may stay in the file";
  EXPECT_EQ(declare({series("turbidity-1"), series("raw-turbidity")}),
            (std::vector<std::int32_t>{2, 1}));
}

TEST_F(History, AWrongFormerlyIsAMistakeOrABeginning) {
  open();
  declare({series("a"), series("b")});
  SeriesSpec c = series("c");
  c.formerly = "a";
  auto taken = store->declare({series("a"), c});
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().what.find("still configured"), std::string::npos) << taken.error().what;
  SeriesSpec d = series("d");
  d.formerly = "a";
  EXPECT_FALSE(store->declare({c, d})) << "two sensors claim one history";
  c.formerly = "never-was";
  EXPECT_EQ(declare({c}), (std::vector<std::int32_t>{3})) << "a new file must not stop the start";
}

TEST_F(History, AValueIsCalibratedWithWhatHeldForItsBatch) {
  open();
  declare({series("a", 2)});
  append(batch({reading(1, 1 * kSecond, 10)}));
  declare({series("a", 3)});
  declare({series("a", 4)});  // nothing was stored under 3
  append(batch({reading(1, 2 * kSecond, 10)}));
  reopen();
  declare({series("a", 4)});
  append(batch({reading(1, 3 * kSecond, 10)}));
  auto reloaded = run(store->declare_async({series("a", 5)}));
  ASSERT_TRUE(reloaded);
  append(batch({reading(1, 4 * kSecond, 10)}));

  EXPECT_EQ(values(replay()), (std::vector<double>{20, 40, 40, 50}));
  EXPECT_EQ(values(readings(0, INT64_MAX)), (std::vector<double>{20, 40, 40, 50}));
}

asio::awaitable<void> append_one(Store& store, Batch b) {
  auto id = co_await store.append(std::move(b));
  EXPECT_TRUE(id);
}

TEST_F(History, AReloadSeparatesWhatCameBeforeFromWhatComesAfter) {
  options.commit_interval = std::chrono::seconds(2);
  open();
  declare({series("a", 2)});
  spawn_critical(io.get_executor(), "append", append_one(*store, batch({reading(1, kSecond, 10)})));
  io.poll();

  ASSERT_TRUE(run(store->declare_async({series("a", 3)})));
  spawn_critical(io.get_executor(), "append",
                 append_one(*store, batch({reading(1, 2 * kSecond, 10)})));
  io.restart();
  io.poll();
  stop();
  open();

  EXPECT_EQ(values(replay()), (std::vector<double>{20, 30}));
}

TEST_F(History, ReplayBeginsWhereItIsTold) {
  open();
  for (int i = 1; i <= 4; ++i) append(batch({reading(1, i * kSecond, i)}));
  EXPECT_EQ(values(replay(3)), (std::vector<double>{3, 4}));
  EXPECT_TRUE(replay(5).empty());
}

TEST_F(History, MissingReadingsHaveAReasonAndNoValue) {
  open();
  Reading missing;
  missing.sensor = 1;
  missing.flag = Flag::missing;
  missing.reason = Reason::timeout;
  missing.boot_ns = kSecond;
  append(batch({missing}));

  auto all = replay();

  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].flag, Flag::missing);
  EXPECT_EQ(all[0].reason, Reason::timeout);
}

TEST_F(History, DeviceStampedReadingsKeepTheirOwnTime) {
  open();
  Reading r = reading(1, 5 * kSecond, 1);
  r.unix_ns = (kStartMs - 60'000) * 1'000'000;
  append(batch({r}));

  auto all = readings(kStartMs - 61'000, kStartMs);

  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].time_ms, kStartMs - 60'000);
  EXPECT_EQ(all[0].boot_ns, 0);
}

TEST_F(History, ReadingsComeByTimeThenSeriesWithinTheBounds) {
  open();
  append(batch({reading(2, 3 * kSecond, 1), reading(1, 3 * kSecond, 2), reading(1, kSecond, 3)}));
  append(batch({reading(1, 2 * kSecond, 4), reading(3, 4 * kSecond, 5)}));

  EXPECT_EQ(values(readings(0, INT64_MAX)), (std::vector<double>{3, 4, 2, 1, 5}));
  EXPECT_EQ(values(readings(kStartMs + 2000, kStartMs + 4000)), (std::vector<double>{4, 2, 1}));
  EXPECT_EQ(values(readings(0, INT64_MAX, {3, 2})), (std::vector<double>{1, 5}));
  EXPECT_TRUE(readings(0, INT64_MAX, {9}).empty());
}

TEST_F(History, PagesOfAnySizeGiveEveryReadingOnceAlsoLateOnes) {
  open();
  // Five hours, a batch each ten minutes; each seventh carries a reading from hours before.
  std::mt19937 random(1);
  std::vector<std::int64_t> expected;
  for (int i = 0; i < 30; ++i) {
    std::int64_t now = 10 * kHour + i * kHour / 6;
    Batch b = batch({});
    for (int k = 0; k < 20; ++k) b.readings.push_back(reading(k % 5 + 1, now + k * kSecond / 5, i));
    if (i % 7 == 6) b.readings.push_back(reading(9, now - 3 * kHour, i));
    for (const auto& r : b.readings) expected.push_back(r.boot_ns / 1'000'000);
    append(std::move(b));
  }
  std::sort(expected.begin(), expected.end());

  for (std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{100}, std::size_t{10'000}})
    EXPECT_EQ(times(readings(0, INT64_MAX, {}, size)), expected) << size;
  reopen();
  EXPECT_EQ(times(readings(0, INT64_MAX, {}, 50)), expected);
  EXPECT_EQ(readings(0, INT64_MAX, {9}, 3).size(), 4u);
  // The late one of the last hour is found by its own time.
  auto early = readings(kStartMs + 11 * 3'600'000, kStartMs + 11 * 3'600'000 + 1, {9});
  EXPECT_EQ(early.size(), 0u);
}

TEST_F(History, AQueryOfOneSeriesAmongManyComesInSteps) {
  open();
  for (int i = 0; i < 12; ++i) {
    Batch b = batch({});
    for (int k = 0; k < 20'000; ++k) b.readings.push_back(reading(k + 1, i * kSecond, i));
    append(std::move(b));
  }
  EXPECT_EQ(values(readings(0, INT64_MAX, {777})),
            (std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(readings(0, INT64_MAX, {777, 19'999}, 5).size(), 24u);
}

TEST_F(History, RefusesATokenThatIsNotItsOwn) {
  open();
  ReadingQuery query;
  query.to_ms = 10;
  AggregateQuery aggregates;
  for (const char* token : {"x", "1", "1.2", "1.2.3", "1.2.3.4.5", "1.2.3.", ".", "1e9.1.1.1",
                            "99999999999999999999.1.1.1"}) {
    query.after = aggregates.after = token;
    auto page = run(store->readings(query));
    ASSERT_FALSE(page) << token;
    EXPECT_TRUE(page.error().what.starts_with("`next` ")) << "as the API calls it";
    bool fits = std::string_view(token) == "1.2";
    auto rows = store->aggregates_now(aggregates);
    ASSERT_EQ(rows.has_value(), fits) << token;
    if (fits) continue;
    EXPECT_TRUE(rows.error().what.starts_with("`next` ")) << "as the API calls it";
  }
}

TEST_F(History, AnUnbelievableTimeIsComputedLaterFromTheSameBoot) {
  open();
  Epoch lost = epoch(ClockTrust::untrusted);
  lost.offset_ns = 0;  // 1970
  Epoch other_boot = lost;
  other_boot.boot_id = "boot-0";
  append(batch({reading(1, 4 * kSecond, 0)}, other_boot));
  append(batch({reading(1, 5 * kSecond, 1)}, lost));
  EXPECT_EQ(readings(0, 10'000).size(), 2u);
  append(batch({reading(1, 6 * kSecond, 2)}));

  auto all = readings(kStartMs, kStartMs + 10'000);

  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].time_ms, kStartMs + 5'000);
  EXPECT_EQ(all[0].clock, ClockTrust::estimated);
  EXPECT_EQ(all[1].clock, ClockTrust::trusted);
  reopen();
  EXPECT_EQ(readings(kStartMs, kStartMs + 10'000).size(), 2u);
  auto still = readings(0, 10'000);
  ASSERT_EQ(still.size(), 1u) << "another boot tells nothing";
  EXPECT_EQ(still[0].clock, ClockTrust::untrusted);
}

TEST_F(History, OldReadingsGoInStepsAndOnlyWhenFolded) {
  options.keep_readings = std::chrono::hours(2);
  open();
  for (int i = 0; i < 40; ++i) append(batch({reading(1, i * kHour / 4, i)}));
  EXPECT_EQ(replay().size(), 40u) << "nothing was folded";
  EXPECT_EQ(store->status().oldest_reading_ms, kStartMs);
  Fold f;
  f.replay_from = 30;
  commit(std::move(f));
  clock.advance(std::chrono::minutes(2));
  flush();

  auto left = replay();

  ASSERT_FALSE(left.empty());
  EXPECT_EQ(left.front().batch, 30) << "the replay point bounds it";
  Fold all;
  all.replay_from = 41;
  commit(std::move(all));
  clock.advance(std::chrono::minutes(2));
  flush();
  left = replay();
  ASSERT_FALSE(left.empty());
  EXPECT_EQ(left.front().time_ms, kStartMs + 7 * 3'600'000 + 45 * 60'000) << "two hours are kept";
  EXPECT_GE(store->status().oldest_reading_ms, kStartMs + 7 * 3'600'000);
  EXPECT_EQ(readings(0, INT64_MAX).size(), left.size());
  reopen();
  EXPECT_EQ(append(batch({reading(1, 10 * kHour, 1)})), 41);
  EXPECT_EQ(store->status().stored, 41u);
}

TEST_F(History, AWrongClockDeletesNothing) {
  options.keep_readings = std::chrono::hours(2);
  open();
  for (int i = 0; i < 8; ++i) append(batch({reading(1, i * kHour / 2, i)}));
  Epoch far = epoch(ClockTrust::untrusted);
  far.offset_ns += std::int64_t{30} * 365 * 24 * kHour;
  append(batch({reading(1, 5 * kHour, 9)}, far));
  Fold f;
  f.replay_from = 10;
  f.aggregates = {aggregate(1, 60'000, kStartMs)};
  commit(std::move(f));
  clock.advance(std::chrono::minutes(2));
  flush();
  EXPECT_GE(replay().size(), 5u);
}

TEST_F(History, AggregatesComeBackByStartThenSeries) {
  open();
  Fold f;
  for (std::int64_t start : {1, 0})
    for (std::int32_t s : {3, 1, 2})
      f.aggregates.push_back(aggregate(s, 60'000, kStartMs + start * 60'000, s));
  f.aggregates.push_back(aggregate(1, 900'000, kStartMs, 9));
  commit(std::move(f));
  reopen();

  AggregateQuery query;
  query.window_ms = 60'000;
  query.from_ms = kStartMs;
  query.to_ms = kStartMs + 120'000;
  for (std::size_t limit : {std::size_t{1}, std::size_t{4}, std::size_t{100}}) {
    std::vector<std::pair<std::int64_t, int>> rows;
    query.limit = limit;
    query.after.clear();
    do {
      auto page = run(store->aggregates(query));
      ASSERT_TRUE(page);
      EXPECT_LE(page->rows.size(), limit);
      for (const auto& a : page->rows) {
        EXPECT_EQ(a.statistics.mean, a.series);
        EXPECT_EQ(a.end_ms, a.start_ms + 60'000);
        rows.emplace_back((a.start_ms - kStartMs) / 60'000, a.series);
      }
      query.after = page->next;
    } while (!query.after.empty());
    EXPECT_EQ(rows, (std::vector<std::pair<std::int64_t, int>>{
                        {0, 1}, {0, 2}, {0, 3}, {1, 1}, {1, 2}, {1, 3}}));
  }
  query.series = {3, 1};
  query.limit = 100;
  auto some = store->aggregates_now(query);
  ASSERT_TRUE(some);
  ASSERT_EQ(some->rows.size(), 4u);
  EXPECT_EQ(some->rows[1].series, 3);
  EXPECT_EQ(some->rows[3].start_ms, kStartMs + 60'000);
  EXPECT_TRUE(some->next.empty());
}

TEST_F(History, OneSeriesOfManyAggregatesIsFoundOverManySteps) {
  open();
  Fold f;
  for (int minute = 0; minute < 300; ++minute)
    for (std::int32_t s = 1; s <= 100; ++s)
      f.aggregates.push_back(aggregate(s, 60'000, kStartMs + minute * 60'000, minute));
  commit(std::move(f));
  AggregateQuery query;
  query.window_ms = 60'000;
  query.from_ms = 0;
  query.to_ms = INT64_MAX;
  query.series = {50, 100, 101};
  auto page = run(store->aggregates(query));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->rows.size(), 600u);
  EXPECT_TRUE(page->next.empty());
  query.series.clear();
  query.limit = 100'000;
  EXPECT_EQ(run(store->aggregates(query))->rows.size(), 30'000u);
}

TEST_F(History, OnlyAHigherRevisionReplacesAnAggregate) {
  open();
  auto put = [&](double mean, std::uint32_t revision) {
    Fold f;
    f.aggregates = {aggregate(1, 60'000, kStartMs, mean, revision)};
    commit(std::move(f));
  };
  auto stored = [&] {
    AggregateQuery query;
    query.window_ms = 60'000;
    query.to_ms = INT64_MAX;
    return store->aggregates_now(query)->rows.at(0);
  };
  put(1, 0);
  put(2, 2);
  put(3, 1);
  put(4, 2);
  EXPECT_EQ(stored().statistics.mean, 2);
  EXPECT_EQ(stored().revision, 2u);
}

TEST_F(History, OldAggregatesGo) {
  options.keep_aggregates[60'000] = std::chrono::minutes(10);
  open();
  Fold f;
  for (int minute = 0; minute < 30; ++minute) {
    f.aggregates.push_back(aggregate(1, 60'000, kStartMs + minute * 60'000));
    f.aggregates.push_back(aggregate(2, 60'000, kStartMs + minute * 60'000));
  }
  f.aggregates.push_back(aggregate(1, 900'000, kStartMs));
  commit(std::move(f));
  append(batch({reading(1, 1800 * kSecond, 1)}));
  clock.advance(std::chrono::minutes(2));
  flush();

  AggregateQuery query;
  query.window_ms = 60'000;
  query.to_ms = INT64_MAX;
  auto minutes = store->aggregates_now(query);
  ASSERT_FALSE(minutes->rows.empty());
  EXPECT_EQ(minutes->rows.front().start_ms, kStartMs + 20 * 60'000);
  EXPECT_EQ(minutes->rows.size(), 20u);
  query.window_ms = 900'000;
  EXPECT_EQ(store->aggregates_now(query)->rows.size(), 1u);
}

}  // namespace
}  // namespace gerbang::store::test
