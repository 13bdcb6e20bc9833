// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>

#include "store/types.hpp"
#include "support/layer_vfs.hpp"

namespace gerbang::test {

// A disk of so many bytes that holds one folder: what the store's database and log cannot have,
// they do not get. Other files of the folder count too, and so does what the test fills.
class SmallDisk final : public LayerVfs {
 public:
  SmallDisk(std::filesystem::path folder, std::uint64_t size)
      : folder_(std::move(folder)), size_(size) {}

  // Bytes that somebody else has.
  void fill(std::uint64_t bytes) { foreign_ = bytes; }
  void resize(std::uint64_t size) { size_ = size; }
  void fill_up() { foreign_ = foreign_ + available(); }
  bool refused() const { return refused_; }

  std::uint64_t used() const {
    std::uint64_t sum = 0;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(folder_, none))
      if (auto size = entry.file_size(none); !none) sum += size;
    return sum;
  }
  std::uint64_t available() const {
    std::uint64_t taken = used() + foreign_;
    return taken < size_ ? size_ - taken : 0;
  }
  store::Volume volume() const {
    store::Volume v;
    v.size = size_;
    v.available = available();
    return v;
  }

  int on_open(const char*) override { return SQLITE_OK; }
  void opened(const char* path, const File& file) override { paths_[file.inode] = path; }
  int on_read() override { return SQLITE_OK; }
  int on_write(const File& file, std::string_view bytes, std::int64_t at) override {
    std::error_code none;
    auto size = std::filesystem::file_size(paths_[file.inode], none);
    auto end = static_cast<std::uint64_t>(at) + bytes.size();
    if (none || end <= size || end - size <= available()) return SQLITE_OK;
    refused_ = true;
    return SQLITE_FULL;
  }
  int on_truncate(const File&, std::int64_t) override { return SQLITE_OK; }
  int on_sync(const File&) override { return SQLITE_OK; }
  int on_delete(const char*) override { return SQLITE_OK; }

 private:
  std::filesystem::path folder_;
  std::atomic<std::uint64_t> size_;
  std::atomic<std::uint64_t> foreign_ = 0;
  std::atomic<bool> refused_ = false;
  std::map<std::uint64_t, std::string> paths_;
};

}  // namespace gerbang::test
