// SPDX-License-Identifier: Apache-2.0
//
// Power cuts everywhere, in histories that go on after each. POWER_CUTS: how many in all.
#include <cstdlib>
#include <iostream>

#include "fault/load.hpp"
#include "observe/log.hpp"
#include "support/cut_vfs.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::test {
namespace {

constexpr int kCutsOfALife = 100;

class PowerCut : public ::testing::Test {
 protected:
  void SetUp() override { spdlog::set_level(spdlog::level::off); }
  void TearDown() override { spdlog::set_level(spdlog::level::info); }

  static int wanted() {
    const char* text = std::getenv("POWER_CUTS");
    return text != nullptr ? std::atoi(text) : 1000;
  }
  static std::filesystem::path fast_folder() {
    return std::filesystem::is_directory("/dev/shm") ? "/dev/shm"
                                                     : std::filesystem::temp_directory_path();
  }

  // One store from its creation on, cut again and again: while it is made, opened, recovered,
  // written, brought back from the log.
  void live(unsigned seed, int cuts) {
    std::mt19937 random(seed);
    TempDir dir(fast_folder());
    CutVfs vfs(seed);
    Load load(dir.path(), vfs.name(), seed);
    load.options.max_size = 8u << 20;
    load.dead = [&] { return vfs.dead(); };
    for (int cut = 0; cut < cuts && !::testing::Test::HasFailure();) {
      SCOPED_TRACE("seed " + std::to_string(seed) + " cut " + std::to_string(cut));
      // Mostly in the middle of the load, sometimes while it starts.
      bool early = cut == 0 || random() % 8 == 0;
      vfs.cut_at(early ? static_cast<long>(1 + random() % 12) : 0);
      bool alive = load.start();
      if (alive) {
        if (!vfs.dead()) {
          vfs.cut_at(0);
          lost_ += load.judge();
          if (HasFailure()) break;
          vfs.cut_at(static_cast<long>(1 + random() % 90));
        }
        while (load.step()) {
        }
      }
      ASSERT_TRUE(vfs.dead()) << load.why();
      load.crash();
      ++places_[vfs.restore(dir.path())];
      ++cut;
    }
    ASSERT_TRUE(load.start()) << load.why();
    lost_ += load.judge();
    ASSERT_TRUE(load.settle());
    ASSERT_TRUE(load.stop());
    messages_ += load.witness.messages();
    windows_ += load.witness.windows();
    readings_ += load.given();
    kept_ += vfs.writes_kept();
    gone_ += vfs.writes_lost();
    torn_ += vfs.writes_torn();
  }

  std::map<CutVfs::Place, int> places_;
  std::int64_t lost_ = 0, readings_ = 0;
  std::size_t messages_ = 0, windows_ = 0, kept_ = 0, gone_ = 0, torn_ = 0;
};

TEST_F(PowerCut, AnywhereCostsAtMostWhatWasNotCommitted) {
  int cuts = wanted();
  for (int done = 0; done < cuts && !HasFailure(); done += kCutsOfALife)
    live(static_cast<unsigned>(1 + done / kCutsOfALife), std::min(kCutsOfALife, cuts - done));

  using Place = CutVfs::Place;
  std::cout << cuts << " power cuts: " << places_[Place::log_write] << " in a write of the log, "
            << places_[Place::log_sync] << " in its sync, " << places_[Place::file_write]
            << " in a write of the file, " << places_[Place::file_sync] << " in its sync, "
            << places_[Place::other] << " elsewhere; unsynced writes kept " << kept_ << ", lost "
            << gone_ << ", torn " << torn_ << "; " << readings_ << " readings stored, " << lost_
            << " that were not committed gone; " << messages_ << " messages, " << windows_
            << " windows, all with one content\n";
  for (Place place : {Place::log_write, Place::log_sync, Place::file_write, Place::file_sync})
    EXPECT_GT(places_[place], 0) << "no cut struck there";
  EXPECT_GT(torn_, 0u);
  EXPECT_GT(messages_, 0u);
}

}  // namespace
}  // namespace gerbang::test
