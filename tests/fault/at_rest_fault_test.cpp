// SPDX-License-Identifier: Apache-2.0
//
// Every n-th operation on the disk fails while hours come to rest.
#include "store/at_rest.hpp"
#include "support/fault_vfs.hpp"

namespace gerbang::store::test {
namespace {

class AtRestFault : public TwinStores {
 protected:
  AtRestFault() { options.vfs = vfs.name(); }
  ~AtRestFault() override { store.reset(); }

  void give_hours(int hours) {
    for (int minute = 0; minute < hours * 60; minute += 4) {
      Batch b = batch({});
      for (std::int32_t series = 1; series <= 4; ++series)
        for (int s = 0; s < 240; s += 40)
          b.readings.push_back(reading(series, (minute * 60 + s) * kSecond, minute % 17 + series));
      give(b);
    }
  }

  std::int64_t chunks() const {
    auto db = open_database(options);
    return db ? db->integer("SELECT count(*) FROM chunk").value_or(-1) : -1;
  }

  gerbang::test::FaultVfs vfs;
};

TEST_F(AtRestFault, ANthFailingOperationLosesAndRepeatsNothing) {
  open_both();
  give_hours(5);
  fold_to(last);
  stop();
  auto path = options.path;
  auto fresh = twin_dir / "fresh.db";
  std::filesystem::copy_file(path, fresh);
  int failures = 0;
  for (long n = 1;; n += n < 100 ? 1 : 11) {
    std::filesystem::remove(path.string() + "-wal");
    std::filesystem::copy_file(fresh, path, std::filesystem::copy_options::overwrite_existing);
    open();
    vfs.fail_once(n);
    clock.advance(std::chrono::seconds(61));
    auto before = store->status().commits;
    store->put("round", std::to_string(n));
    ASSERT_TRUE(turn_until([&] {
      Status now = store->status();
      return vfs.has_failed() || (now.commits > before && !now.upkeep);
    }));
    bool failed = vfs.has_failed();
    vfs.heal();
    if (n % 3 == 0) {
      crash();
      open();
    }
    rest();
    rest();
    ASSERT_NO_FATAL_FAILURE(expect_twins()) << "operation " << n;
    stop();
    EXPECT_EQ(chunks(), 2 * 4) << "operation " << n;
    if (!failed) break;
    ++failures;
  }
  EXPECT_GT(failures, 40);
}

}  // namespace
}  // namespace gerbang::store::test
