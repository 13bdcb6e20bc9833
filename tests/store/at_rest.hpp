// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <tuple>

#include "store/fixture.hpp"
#include "store/schema.hpp"

namespace gerbang::store::test {

// Two stores that are given the same. What `twin` has is never folded, so it stays in batches and
// is never compacted: it says what `store` must answer.
class TwinStores : public StoreTest {
 protected:
  static constexpr std::int64_t kHourMs = 3'600'000;
  using Row = std::tuple<std::int64_t, std::int32_t, BatchId, Flag, Reason, ClockTrust, bool,
                         std::int64_t, double, double>;

  // Where a commit costs nothing: these tests are about what is answered.
  static std::filesystem::path fast_folder() {
    std::filesystem::path memory = "/dev/shm";
    std::error_code none;
    bool there = std::filesystem::is_directory(memory, none) && ::access(memory.c_str(), W_OK) == 0;
    return there ? memory : std::filesystem::temp_directory_path();
  }

  TwinStores() {
    options.path = twin_dir / "gerbang.db";
    options.commit_interval = std::chrono::milliseconds(0);
  }

  void open_both() {
    open();
    Options other = options;
    other.path = twin_dir / "twin.db";
    other.vfs.clear();
    auto opened = Store::open(other, io.get_executor());
    ASSERT_TRUE(opened) << opened.error().what;
    twin = std::move(*opened);
  }
  void declare_both(const std::vector<SeriesSpec>& specs) {
    ASSERT_TRUE(store->declare(specs));
    ASSERT_TRUE(twin->declare(specs));
  }
  void give(const Batch& b) {
    if (b.readings.empty()) return;
    last = append(b);
    auto id = run(twin->append(b));
    ASSERT_TRUE(id);
    EXPECT_EQ(*id, last);
  }
  // All batches up to here are folded.
  void fold_to(BatchId batch) {
    Fold f;
    f.replay_from = batch + 1;
    commit(std::move(f));
  }
  // Upkeep that is due each minute, until there is nothing left to do.
  void rest() {
    clock.advance(std::chrono::seconds(61));
    flush();
    ASSERT_TRUE(turn_until([&] { return !store->status().upkeep; }));
    flush();  // a piece that was asked for while one was under way
    ASSERT_TRUE(turn_until([&] { return !store->status().upkeep; }));
  }

  static std::vector<Row> rows_of(const std::vector<StoredReading>& all) {
    std::vector<Row> out;
    for (const auto& r : all)
      out.emplace_back(r.time_ms, r.series, r.batch, r.flag, r.reason, r.clock, r.raw.is_integer,
                       r.raw.integer, r.raw.number, r.value);
    return out;
  }
  std::vector<Row> rows(Store& of, std::int64_t from, std::int64_t to,
                        const std::vector<std::int32_t>& numbers, std::size_t page_size) {
    std::vector<StoredReading> out;
    ReadingQuery query;
    query.series = numbers;
    query.from_ms = from;
    query.to_ms = to;
    query.limit = page_size;
    do {
      auto page = run(of.readings(query));
      EXPECT_TRUE(page) << page.error().what;
      if (!page) break;
      out.insert(out.end(), page->readings.begin(), page->readings.end());
      query.after = page->next;
    } while (!query.after.empty());
    return rows_of(out);
  }
  void expect_twins(std::int64_t from = INT64_MIN, std::int64_t to = INT64_MAX,
                    const std::vector<std::int32_t>& numbers = {}, std::size_t page_size = 10'000) {
    auto want = rows(*twin, from, to, numbers, 10'000);
    auto have = rows(*store, from, to, numbers, page_size);
    ASSERT_EQ(have.size(), want.size());
    for (std::size_t i = 0; i < want.size(); ++i)
      ASSERT_EQ(have[i], want[i]) << "row " << i << " at " << std::get<0>(want[i]) - kStartMs
                                  << " ms, series " << std::get<1>(want[i]);
  }
  // Asks the file of the store, which is stopped for it.
  std::int64_t ask(const std::string& sql) {
    stop();
    std::int64_t out = -1;
    {
      auto db = open_database(options);
      EXPECT_TRUE(db);
      auto answer = db->integer(sql);
      EXPECT_TRUE(answer) << answer.error().what;
      out = answer.value_or(-1);
    }
    open();
    return out;
  }

  TempDir twin_dir{fast_folder()};
  std::unique_ptr<Store> twin;
  BatchId last = 0;
};

}  // namespace gerbang::store::test
