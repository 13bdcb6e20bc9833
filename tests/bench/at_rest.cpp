// SPDX-License-Identifier: Apache-2.0
//
// What readings cost at rest: a plant of 200 sensors at 1 Hz, simulated as fast as the store takes
// it, through the real store with an injected clock.
//
//     at_rest_bench [hours] [sensors] [folder]
//
// Signals, in equal parts (noise is Gaussian, on a daily swing):
//     pH          uint16 register of hundredths, 7.2 ± 0.05
//     turbidity   float32 with noise in all its digits, 3.2 NTU ± 2 %
//     volume      uint32 totaliser, 0 … 6 counts a second
//     pump        coil, changes every 20 minutes
//     flow        float32 that the device rounds to hundredths, 120 m³/h ± 1.5 %
// Sensors are polled in groups of twenty; stamps jitter by ± 0.7 ms; one reading in 2,000 is
// missing.
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>

#include "store/schema.hpp"
#include "store/store.hpp"
#include "support/fault_vfs.hpp"
#include "support/manual_clock.hpp"
#include "support/run_coro.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::test {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr std::int64_t kStartMs = 1'767'225'600'000;
constexpr std::size_t kGroup = 20;

double seconds_since(Steady::time_point begin) {
  return std::chrono::duration<double>(Steady::now() - begin).count();
}

// Bytes that this process gave to write(): what SQLite writes, without what the file system adds.
double bytes_written() {
  std::ifstream in("/proc/self/io");
  std::string key;
  double value = 0;
  while (in >> key >> value)
    if (key == "wchar:") return value;
  return 0;
}

class Plant {
 public:
  explicit Plant(std::size_t sensors) : count_(sensors), totals_(sensors) {}

  std::vector<Reading> second(std::int64_t s) {
    std::vector<Reading> out;
    out.reserve(count_);
    double swing = std::sin(static_cast<double>(s) / 86'400 * 6.283);
    for (std::size_t i = 0; i < count_; ++i) {
      if (i % kGroup == 0)
        late_ns_ = static_cast<std::int64_t>((1.5 + noise_(random_) * 0.7) * 1e6);
      Reading r;
      r.sensor = static_cast<std::uint32_t>(i + 1);
      r.flag = Flag::good;
      r.boot_ns = s * 1'000'000'000 + static_cast<std::int64_t>(i / kGroup) * 37'000'000 + late_ns_;
      r.raw = raw(i, s, swing);
      if (random_() % 2'000 == 0) {
        r.flag = Flag::missing;
        r.reason = Reason::timeout;
        r.raw = Raw();
      }
      out.push_back(r);
    }
    return out;
  }

 private:
  Raw raw(std::size_t i, std::int64_t s, double swing) {
    switch (i % 5) {
      case 0:
        return Raw::of(std::int64_t{std::llround(720 + 30 * swing + 5 * noise_(random_))});
      case 1:
        return single(3.2 * (1 + 0.3 * swing + 0.02 * noise_(random_)));
      case 2:
        return Raw::of(totals_[i] += static_cast<std::int64_t>(random_() % 7));
      case 3:
        return Raw::of(std::int64_t{(s / 1200 + static_cast<std::int64_t>(i)) % 2});
      default:
        return single(std::round(120 * (1 + 0.2 * swing + 0.015 * noise_(random_)) * 100) / 100);
    }
  }
  static Raw single(double v) { return Raw::of(static_cast<double>(static_cast<float>(v))); }

  std::size_t count_;
  std::vector<std::int64_t> totals_;
  std::mt19937_64 random_{1};
  std::normal_distribution<double> noise_{0, 1};
  std::int64_t late_ns_ = 0;
};

class Bench {
 public:
  Bench(std::size_t sensors, const std::filesystem::path& folder)
      : dir_(folder), plant_(sensors), sensors_(sensors) {
    options_.path = dir_ / "gerbang.db";
    options_.commit_interval = 0ms;
    options_.vfs = vfs_.name();  // syncs cost nothing: this is about bytes
    options_.clock = &clock_;
    options_.max_size = 8ull << 30;
    options_.board = store::Board{"bench", "bench"};
    open();
  }

  void hour(std::int64_t number) {
    auto begin = Steady::now();
    for (std::int64_t s = number * 3600; s < (number + 1) * 3600; ++s) {
      store::Batch batch;
      batch.epoch = store::Epoch{"bench", kStartMs * 1'000'000, ClockTrust::trusted};
      batch.readings = plant_.second(s);
      given_ += batch.readings.size();
      auto id = run_coro(io_, store_->append(std::move(batch)));
      if (!id) throw std::runtime_error(id.error().what);
      last_ = *id;
    }
    feed_seconds_ += seconds_since(begin);
    rest();
  }

  // Returns the bytes a reading at rest.
  double report(std::int64_t hours) {
    std::uint64_t at_rest = store_->status().compacted;
    auto stopped = run_coro(io_, store_->stop());
    if (!stopped) throw std::runtime_error(stopped.error().what);
    store_.reset();
    double tail = 0, pages = 0, bodies = 0, chunks = 0, page = 0, all_free = 0;
    {
      auto db = store::open_database(options_);
      auto ask = [&](const char* sql) { return static_cast<double>(db->integer(sql).value()); };
      page = ask("PRAGMA page_size");
      pages = ask("PRAGMA page_count");
      all_free = ask("PRAGMA freelist_count");
      bodies = ask("SELECT sum(length(body)) FROM chunk");
      chunks = ask("SELECT count(*) FROM chunk");
      tail = ask("SELECT count(*) FROM reading");
      // What the chunks take with all that SQLite adds: what is left when they go.
      if (!db->run("BEGIN; DELETE FROM chunk")) std::abort();
      all_free = ask("PRAGMA freelist_count") - all_free;
      if (!db->run("ROLLBACK")) std::abort();
    }
    double n = static_cast<double>(at_rest);
    double each = all_free * page / n;
    double rate = static_cast<double>(sensors_);
    double tail_bytes = pages * page - all_free * page;
    std::printf(
        "%lld hours of %zu sensors at 1 Hz: %.1f million readings, %.1f million at rest in %.0f "
        "chunks\n",
        static_cast<long long>(hours), sensors_, static_cast<double>(given_) / 1e6, n / 1e6,
        chunks);
    std::printf("at rest:    %.3f bytes a reading in chunks, %.3f with the pages of the database\n",
                bodies / n, each);
    std::printf(
        "            30 days: %.2f GB and %.0f MB for the last hours, not at rest yet (%.0f "
        "batches)\n",
        each * rate * 86'400 * 30 / 1e9, tail_bytes / 1e6, tail);
    std::printf(
        "compaction: %.2f bytes written a reading, %.1f us, longest wait of others %.1f ms\n",
        rest_bytes_ / n, rest_seconds_ / n * 1e6, longest_ * 1e3);
    std::printf("feeding:    %.0f readings a second\n",
                static_cast<double>(given_) / feed_seconds_);
    open();
    query("one sensor, a day", {2}, (hours - 26) * 3'600'000, (hours - 2) * 3'600'000, 10'000);
    query("the same in pages of 500", {2}, (hours - 26) * 3'600'000, (hours - 2) * 3'600'000, 500);
    query("all sensors, ten minutes", {}, (hours - 4) * 3'600'000 + 1'800'000,
          (hours - 4) * 3'600'000 + 2'400'000, 500);
    return each;
  }

 private:
  void open() {
    auto opened = store::Store::open(options_, io_.get_executor());
    if (!opened) throw std::runtime_error(opened.error().what);
    store_ = std::move(*opened);
  }

  // Asks for something small all the while: how long it waits is what a commit would wait.
  void wait_for_upkeep() {
    do {
      auto asked = Steady::now();
      store::AggregateQuery nothing;
      nothing.window_ms = 1;
      if (!run_coro(io_, store_->aggregates(nothing))) std::abort();
      longest_ = std::max(longest_, seconds_since(asked));
    } while (store_->status().upkeep);
  }

  // Everything before is folded; what is complete comes to rest.
  void rest() {
    wait_for_upkeep();
    clock_.advance(61s);
    double before = bytes_written();
    auto begin = Steady::now();
    store::Fold fold;
    fold.replay_from = last_ + 1;
    if (!run_coro(io_, store_->commit(std::move(fold)))) std::abort();
    wait_for_upkeep();
    rest_seconds_ += seconds_since(begin);
    rest_bytes_ += bytes_written() - before;
  }

  void query(const char* what, std::vector<std::int32_t> series, std::int64_t from, std::int64_t to,
             std::size_t limit) {
    auto begin = Steady::now();
    store::ReadingQuery query;
    query.series = std::move(series);
    query.from_ms = kStartMs + std::max<std::int64_t>(from, 0);
    query.to_ms = kStartMs + to;
    query.limit = limit;
    std::size_t rows = 0;
    double longest = 0;
    do {
      auto asked = Steady::now();
      auto page = run_coro(io_, store_->readings(query));
      if (!page) throw std::runtime_error(page.error().what);
      rows += page->readings.size();
      query.after = page->next;
      longest = std::max(longest, seconds_since(asked));
    } while (!query.after.empty());
    std::printf("query:      %-25s %7zu rows in %6.1f ms, longest page %.1f ms\n", what, rows,
                seconds_since(begin) * 1e3, longest * 1e3);
  }

  FaultVfs vfs_;
  TempDir dir_;
  ManualClock clock_;
  boost::asio::io_context io_;
  store::Options options_;
  std::unique_ptr<store::Store> store_;
  Plant plant_;
  std::size_t sensors_;
  store::BatchId last_ = 0;
  std::uint64_t given_ = 0;
  double feed_seconds_ = 0, rest_seconds_ = 0, rest_bytes_ = 0, longest_ = 0;
};

}  // namespace
}  // namespace gerbang::test

int main(int argc, char** argv) {
  long hours = argc > 1 ? std::atol(argv[1]) : 28;
  long sensors = argc > 2 ? std::atol(argv[2]) : 200;
  std::filesystem::path folder = argc > 3 ? argv[3] : std::filesystem::temp_directory_path();
  if (hours < 4 || sensors < 1) {
    std::fputs("usage: at_rest_bench [hours, at least 4] [sensors] [folder]\n", stderr);
    return 64;
  }
  gerbang::test::Bench bench(static_cast<std::size_t>(sensors), folder);
  for (long h = 0; h < hours; ++h) bench.hour(h);
  constexpr double kPromised = 3;
  double bytes = bench.report(hours);
  if (bytes <= kPromised) return 0;
  std::printf("%.3f bytes a reading at rest are more than %.0f\n", bytes, kPromised);
  return 1;
}
