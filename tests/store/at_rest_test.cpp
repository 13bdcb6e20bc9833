// SPDX-License-Identifier: Apache-2.0
//
// Hours come to rest, and nobody who asks can tell.
#include "store/at_rest.hpp"

#include <random>

namespace gerbang::store::test {
namespace {

constexpr std::int64_t kMinute = 60 * kSecond, kHour = 60 * kMinute;

class Compaction : public TwinStores {
 protected:
  // Five sensors each ten seconds for so many hours, a batch a minute.
  void give_hours(std::int64_t from_hour, std::int64_t hours) {
    for (std::int64_t minute = from_hour * 60; minute < (from_hour + hours) * 60; ++minute) {
      Batch b = batch({});
      for (std::int64_t s = 0; s < 60; s += 10)
        for (std::int32_t series = 1; series <= 5; ++series)
          b.readings.push_back(
              reading(series, minute * kMinute + s * kSecond + series,
                      static_cast<double>((minute * 7 + s + series * 13) % 100) / 10));
      give(b);
    }
  }
  std::int64_t chunks() { return ask("SELECT count(*) FROM chunk"); }
  std::int64_t batches() { return ask("SELECT count(*) FROM reading"); }
};

TEST_F(Compaction, CompleteHoursComeToRestAndAnswerAsBefore) {
  open_both();
  give_hours(0, 6);
  fold_to(last);
  rest();

  // Hour 3 ended less than two hours before 5:59.
  EXPECT_EQ(store->status().compacted, 3u * 360 * 5);
  expect_twins();
  for (std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{500}})
    expect_twins(kStartMs + 2 * kHourMs + 1800'000, kStartMs + 3 * kHourMs + 600'000, {}, size);
  expect_twins(kStartMs, kStartMs + 6 * kHourMs, {4});
  expect_twins(kStartMs + kHourMs, kStartMs + kHourMs + 1, {});
  EXPECT_EQ(chunks(), 3 * 5);
  EXPECT_EQ(batches(), 3 * 60);
  EXPECT_EQ(store->status().stored, 6u * 360 * 5) << "the ledger does not notice";
  EXPECT_EQ(store->status().oldest_reading_ms, kStartMs);
  give_hours(6, 1);
  fold_to(last);
  rest();
  expect_twins();
}

TEST_F(Compaction, WhatIsNotFoldedOrNotTwoHoursOldStays) {
  open_both();
  give_hours(0, 4);
  rest();
  EXPECT_EQ(store->status().compacted, 0u) << "nothing is folded";
  fold_to(30);
  rest();
  EXPECT_EQ(store->status().compacted, 0u) << "what is folded reaches half an hour";
  fold_to(180);
  rest();
  EXPECT_EQ(store->status().compacted, 0u) << "2:59 is not two hours after 1:00";
  fold_to(181);
  rest();
  EXPECT_EQ(store->status().compacted, 360u * 5);
  expect_twins();
}

TEST_F(Compaction, AnUntrustedClockOfThisBootIsWaitedFor) {
  open_both();
  give_hours(0, 1);
  Epoch lost = epoch(ClockTrust::untrusted);
  lost.offset_ns -= 30 * kMinute;
  give(batch({reading(1, kHour + kSecond, 1)}, lost));
  Batch later = batch({reading(2, 5 * kHour, 1)});
  later.epoch.boot_id = "boot-1";
  later.epoch.trust = ClockTrust::untrusted;
  give(later);
  fold_to(last);
  rest();
  EXPECT_EQ(store->status().compacted, 0u);
  give(batch({reading(1, 6 * kHour, 2)}));  // now the clock is known, and all before it
  fold_to(last);
  rest();
  EXPECT_EQ(store->status().compacted, 360u * 5 + 1);
  expect_twins();
}

TEST_F(Compaction, ReadingsOfAClockThatWasNeverKnownAreKeptAsLongAsOthers) {
  options.keep_readings = std::chrono::hours(24);
  open_both();
  Epoch lost = epoch(ClockTrust::untrusted, "boot-0");
  lost.offset_ns = 0;  // 1970
  for (int i = 0; i < 90; ++i) give(batch({reading(1, i * kMinute, i)}, lost));
  give_hours(0, 4);
  fold_to(last);
  rest();
  EXPECT_EQ(chunks(), 2 + 5) << "1970 went to rest at once, then hour 0";
  expect_twins();
  EXPECT_EQ(store->status().oldest_reading_ms, kStartMs) << "1970 is not a time to show";
  give_hours(20, 1);
  fold_to(last);
  rest();
  EXPECT_EQ(rows(*store, 0, kHourMs, {}, 100).size(), 60u) << "expired by 1970";
  give_hours(40, 1);
  fold_to(last);
  rest();
  EXPECT_EQ(rows(*store, 0, 3 * kHourMs, {}, 100).size(), 0u) << "passed a day ago";
}

TEST_F(Compaction, LateReadingsMakePartsAndManyPartsBecomeOne) {
  open_both();
  give_hours(0, 4);
  fold_to(last);
  rest();
  for (int round = 0; round < 12; ++round) {
    Batch b = batch({reading(2, (4 + round) * kHour, 1)});
    Reading late = reading(1, (4 + round) * kHour, 100 + round);
    late.unix_ns = (kStartMs + 1000 * (100 - round)) * 1'000'000;
    b.readings.push_back(late);
    give(b);
    give(batch({reading(2, (4 + round) * kHour + 130 * kMinute, 1)}));
    give(batch({reading(2, (4 + round) * kHour + 185 * kMinute, 1)}));
    fold_to(last);
    rest();
    expect_twins(kStartMs, kStartMs + kHourMs, {}, 100);
    std::int64_t parts =
        ask("SELECT count(*) FROM chunk WHERE"
            " id & (1 << 39) - 1 BETWEEN 256 AND 511 AND id >> 39 = " +
            std::to_string(kStartMs / kHourMs));
    EXPECT_LE(parts, 4) << round;
    EXPECT_GE(parts, 1) << round;
  }
  expect_twins();
}

TEST_F(Compaction, AClockSetBackDoesNotStopCompaction) {
  open_both();
  Epoch ahead = epoch();
  ahead.offset_ns += 365 * 24 * kHour;
  for (int m = 0; m < 30; ++m) give(batch({reading(1, m * kMinute, m)}, ahead));
  for (int m = 30; m < 60 * 8; ++m) give(batch({reading(1, m * kMinute, m)}));
  fold_to(last);
  rest();
  EXPECT_EQ(store->status().compacted, 30u + 30 + 4 * 60);
  expect_twins();
}

TEST_F(Compaction, ADeviceThatLivesInTheFutureDoesNotKeepBatchesAlive) {
  open_both();
  for (int m = 0; m < 60 * 5; ++m) {
    Batch b = batch({reading(1, m * kMinute, m)});
    Reading odd = reading(2, m * kMinute, m);
    odd.unix_ns = (kStartMs + std::int64_t{10} * 365 * 24 * kHourMs + m * 1000) * 1'000'000;
    b.readings.push_back(odd);
    Batch alone = batch({odd});
    give(b);
    if (m % 7 == 0) give(alone);
  }
  fold_to(last);
  rest();
  expect_twins();
  EXPECT_LT(batches(), 3 * 60 + 40);
}

TEST_F(Compaction, ACalibrationHoldsForReadingsAtRest) {
  open_both();
  declare_both({series("a", 2)});
  for (int m = 0; m < 30; ++m) give(batch({reading(1, m * kMinute, 10)}));
  declare_both({series("a", 3)});
  for (int m = 30; m < 60 * 4; ++m) give(batch({reading(1, m * kMinute, 10)}));
  fold_to(last);
  rest();
  ASSERT_GT(store->status().compacted, 0u);
  expect_twins();
  auto all = readings(kStartMs + 29 * 60'000, kStartMs + 31 * 60'000);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].value, 20);
  EXPECT_EQ(all[1].value, 30);
}

// A page ends in a batch and the next one begins in the chunk that was made of it.
TEST_F(Compaction, PagesGoOnWhileHoursComeToRest) {
  open_both();
  give_hours(0, 6);
  auto want = rows(*twin, 0, INT64_MAX, {}, 10'000);
  std::vector<StoredReading> have;
  ReadingQuery query;
  query.to_ms = INT64_MAX;
  query.limit = 333;
  int pages = 0;
  do {
    auto page = run(store->readings(query));
    ASSERT_TRUE(page);
    have.insert(have.end(), page->readings.begin(), page->readings.end());
    query.after = page->next;
    if (++pages % 4 == 0) {
      fold_to(std::min<BatchId>(last, 170 + pages * 10));
      rest();
    }
  } while (!query.after.empty());
  EXPECT_GT(store->status().compacted, 0u);
  EXPECT_EQ(rows_of(have), want);
}

TEST_F(Compaction, TwoReadingsOfOneMomentAreTwo) {
  open_both();
  Batch b = batch({reading(1, kSecond, 1), reading(1, kSecond, 2), reading(1, kSecond, 1)});
  give(b);
  give(b);
  give(batch({reading(1, 4 * kHour, 3)}));
  fold_to(last);
  ReadingQuery query;
  query.to_ms = INT64_MAX;
  query.limit = 2;
  auto first = run(store->readings(query));
  ASSERT_TRUE(first);
  rest();
  expect_twins(INT64_MIN, INT64_MAX, {}, 1);
  query.after = first->next;
  query.limit = 100;
  auto others = run(store->readings(query));
  ASSERT_TRUE(others);
  EXPECT_EQ(others->readings.size(), 5u);
  EXPECT_EQ(others->readings[0].value, 1) << "the third of the first batch";
}

TEST_F(Compaction, HoursAtRestExpireByAgeInTheirOrderAndAreCounted) {
  options.keep_readings = std::chrono::hours(10);
  options.keep_aggregates[60'000] = std::chrono::hours(1);
  open_both();
  give_hours(0, 8);
  fold_to(last);
  rest();
  give_hours(8, 4);
  Fold f;
  for (int minute = 0; minute < 12 * 60; ++minute)
    for (std::int32_t s = 1; s <= 5; ++s)
      f.aggregates.push_back(aggregate(s, 60'000, kStartMs + minute * 60'000));
  f.replay_from = last + 1;
  commit(std::move(f));
  rest();
  rest();
  // The newest are of 11:59:50, and hour 0 ended before 1:59:50.
  auto left = rows(*store, 0, INT64_MAX, {}, 10'000);
  ASSERT_FALSE(left.empty());
  EXPECT_EQ(std::get<0>(left[0]), kStartMs + kHourMs);
  EXPECT_EQ(store->status().expired["readings"], 360u * 5);
  EXPECT_EQ(store->status().expired["aggregates"], 5u * 11 * 60);
  EXPECT_EQ(store->status().oldest_reading_ms, kStartMs + kHourMs);
  expect_twins(kStartMs + kHourMs, INT64_MAX);
  reopen();
  EXPECT_EQ(store->status().expired["readings"], 360u * 5) << "durable";
}

TEST_F(Compaction, AChunkThatCannotBeReadIsLeftOutAndCounted) {
  open_both();
  give_hours(0, 4);
  fold_to(last);
  rest();
  stop();
  {
    auto db = open_database(options);
    ASSERT_TRUE(db);
    ASSERT_TRUE(
        db->run("UPDATE chunk SET body = zeroblob(100) WHERE id ="
                " (SELECT min(id) FROM chunk)"));
  }
  open();
  EXPECT_EQ(rows(*store, 0, INT64_MAX, {}, 10'000).size(), 4u * 360 * 5 - 360);
  flush();
  EXPECT_EQ(store->status().unreadable_batches, 1u);
}

TEST_F(Compaction, ACutAnywhereInACompactionLosesAndRepeatsNothing) {
  open_both();
  give_hours(0, 7);
  fold_to(last);
  stop();
  open();
  int cuts = 0;
  for (bool done = false; !done; ++cuts) {
    ASSERT_LT(cuts, 200);
    // A piece of it, then the process is gone.
    clock.advance(std::chrono::seconds(61));
    auto before = store->status().commits;
    store->put("flush", std::to_string(cuts));
    ASSERT_TRUE(turn_until([&] { return store->status().commits > before; }));
    // Longer from time to time, so that a slow machine comes to the end too. The loop has nothing
    // to do while the store's thread works: it must wait all the same.
    const int most = cuts % 7 + cuts / 4;
    auto busy = boost::asio::make_work_guard(io);
    io.restart();
    for (int turns = 0; turns <= most; ++turns) io.run_one_for(std::chrono::milliseconds(5));
    busy.reset();
    done = !store->status().upkeep;
    crash();
    open();
    expect_twins(kStartMs, kStartMs + 7 * kHourMs, {2, 3});
  }
  expect_twins();
  rest();
  EXPECT_EQ(chunks(), 4 * 5);
}

// Whatever comes in whatever order: late, from the future, of lost clocks, over reboots, crashes,
// clock steps and reloads.
TEST_F(Compaction, AnswersLikeATwinThatNeverCompacts) {
  for (unsigned seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    auto any = [&](std::int64_t from, std::int64_t to) {
      return std::uniform_int_distribution<std::int64_t>(from, to)(random);
    };
    if (store) {
      stop();
      ASSERT_TRUE(run(twin->stop()));
      twin.reset();
    }
    options.path = twin_dir / ("random-" + std::to_string(seed) + ".db");
    std::filesystem::remove(twin_dir / "twin.db");
    std::filesystem::remove(twin_dir / "twin.db-wal");
    open_both();
    Epoch now = epoch();
    std::int64_t boot = 100 * kSecond;
    int reboots = 0;
    for (int step = 0; step < 400; ++step) {
      boot += any(1, 8) * kMinute;
      switch (any(0, 30)) {
        case 0:
          now.boot_id = "boot-" + std::to_string(++reboots + 10);
          now.offset_ns += boot;
          now.trust = any(0, 1) == 0 ? ClockTrust::untrusted : ClockTrust::trusted;
          if (now.trust == ClockTrust::untrusted && any(0, 1) == 0) now.offset_ns -= 5 * kHour;
          boot = 10 * kSecond;
          break;
        case 1:
          now.offset_ns += any(-2 * kHour, 3 * kHour);
          break;
        case 2:
        case 3:
        case 4:
          now.trust = ClockTrust::trusted;
          break;
        case 5:
          declare_both({series("a", static_cast<double>(any(1, 5))), series("b", 2)});
          break;
        default:
          break;
      }
      Batch b = batch({}, now);
      auto count = any(1, 30);
      for (std::int64_t i = 0; i < count; ++i) {
        auto number = static_cast<std::int32_t>(any(1, 6));
        Reading r = reading(number, boot - any(0, 5) * kSecond, static_cast<double>(any(0, 99)));
        if (number == 2) r.raw = Raw::of(any(0, 65'535));
        if (number == 6) {
          r.unix_ns = r.boot_ns + now.offset_ns + any(-40, 1) * kHour / any(1, 10);
          if (r.unix_ns == 0) r.unix_ns = 1;
        }
        if (any(0, 9) == 0) {
          r.flag = Flag::missing;
          r.reason = Reason::timeout;
          r.raw = Raw();
        }
        b.readings.push_back(r);
      }
      give(b);
      if (any(0, 6) == 0) fold_to(last - any(0, 3));
      if (any(0, 9) == 0) rest();
      if (any(0, 25) == 0) {
        crash();
        open();
      }
      if (any(0, 9) == 0) {
        std::int64_t from = kStartMs + any(-10, 60) * kHourMs / 2;
        std::vector<std::int32_t> numbers;
        for (std::int32_t n = 1; n <= 6; ++n)
          if (any(0, 2) == 0) numbers.push_back(n);
        ASSERT_NO_FATAL_FAILURE(expect_twins(from, from + any(1, 20) * kHourMs, numbers,
                                             static_cast<std::size_t>(any(1, 200))))
            << "step " << step;
      }
    }
    fold_to(last);
    rest();
    EXPECT_GT(store->status().compacted, 0u);
    ASSERT_NO_FATAL_FAILURE(expect_twins());
    ASSERT_NO_FATAL_FAILURE(expect_twins(INT64_MIN, INT64_MAX, {}, 37));
  }
}

TEST_F(Compaction, ManySensorsComeToRestInSeveralGroups) {
  open_both();
  // More readings in an hour than are collected at once.
  for (int m = 0; m < 60; ++m) {
    Batch b = batch({});
    for (std::int32_t s = 1; s <= 500; ++s)
      for (int k = 0; k < 10; ++k)
        b.readings.push_back(reading(s, m * kMinute + k * kSecond, m + k));
    give(b);
  }
  give(batch({reading(1, 4 * kHour, 1)}));
  fold_to(last);
  rest();
  EXPECT_EQ(store->status().compacted, 300'000u);
  expect_twins(kStartMs + 10 * 60'000, kStartMs + 11 * 60'000, {}, 500);
  expect_twins(kStartMs, kStartMs + kHourMs, {1, 250, 500});
  EXPECT_EQ(chunks(), 500);
}

}  // namespace
}  // namespace gerbang::store::test
