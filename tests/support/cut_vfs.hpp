// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "support/layer_vfs.hpp"

namespace gerbang::test {

// Power cuts. At the chosen operation everything ends: from then on each operation fails. What
// restore() then puts in place is what a card may hold: all that was synced, and of each write
// since then all, nothing, or any of its 512-byte sectors; a truncation happened or did not. Names
// of files are taken as durable at once (the store syncs the folder after it renames).
class CutVfs final : public LayerVfs {
 public:
  explicit CutVfs(unsigned seed) : random_(seed) {}

  // Where a cut struck.
  enum class Place { log_write, log_sync, file_write, file_sync, other };

  // The power goes at the n-th write, sync, truncation or deletion from now on: 1, 2, 3 …
  void cut_at(long n);
  bool dead() const { return dead_; }
  // After the store is gone: the files of this folder become what the card holds; power is back.
  Place restore(const std::filesystem::path& folder);

  // How much of the cut's unsynced writes was kept, over all cuts.
  std::size_t writes_kept() const { return kept_; }
  std::size_t writes_lost() const { return lost_; }
  std::size_t writes_torn() const { return torn_; }

  int on_open(const char* path) override;
  void opened(const char* path, const File& file) override;
  int on_read() override;
  int on_write(const File& file, std::string_view bytes, std::int64_t at) override;
  int on_truncate(const File& file, std::int64_t size) override;
  int on_sync(const File& file) override;
  int on_delete(const char* path) override;

 private:
  struct Change {
    bool truncation = false;
    std::int64_t at = 0;  // or the new size
    std::string bytes;
  };
  struct Content {
    std::string synced;
    std::vector<Change> since;
  };
  // True: this is where it ends.
  bool ends(Place place);
  int gone() const;
  void fall();
  std::string what_is_left(const Content& content);

  std::mutex mutex_;
  std::mt19937 random_;
  std::map<std::uint64_t, Content> files_;      // by inode
  std::map<std::uint64_t, std::string> after_;  // the same, of the cut
  std::atomic<bool> dead_ = false;
  long left_ = 0;  // operations until the cut; 0: none is planned
  Place place_ = Place::other;
  std::size_t kept_ = 0, lost_ = 0, torn_ = 0;
};

}  // namespace gerbang::test
