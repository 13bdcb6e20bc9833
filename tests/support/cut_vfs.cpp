// SPDX-License-Identifier: Apache-2.0
#include "support/cut_vfs.hpp"

#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace gerbang::test {
namespace {

constexpr std::size_t kSector = 512;

void put(std::string& image, std::size_t at, std::string_view bytes) {
  if (image.size() < at + bytes.size()) image.resize(at + bytes.size(), '\0');
  std::copy(bytes.begin(), bytes.end(), image.begin() + static_cast<std::ptrdiff_t>(at));
}

std::uint64_t inode_of(const std::filesystem::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

}  // namespace

void CutVfs::cut_at(long n) {
  std::lock_guard lock(mutex_);
  left_ = n;
}

int CutVfs::gone() const {
  return dead_ ? SQLITE_IOERR : SQLITE_OK;
}
int CutVfs::on_open(const char*) {
  return gone();
}
int CutVfs::on_read() {
  return gone();
}

void CutVfs::opened(const char* path, const File& file) {
  std::lock_guard lock(mutex_);
  std::error_code none;
  auto size = std::filesystem::file_size(path, none);
  auto known = files_.find(file.inode);
  // The number of a file that is gone may belong to a new one.
  if (known != files_.end() && size > 0) return;
  std::ifstream in(path, std::ios::binary);
  Content content;
  content.synced.assign(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  files_[file.inode] = std::move(content);
}

bool CutVfs::ends(Place place) {
  if (left_ == 0 || --left_ > 0) return false;
  place_ = place;
  return true;
}

int CutVfs::on_write(const File& file, std::string_view bytes, std::int64_t at) {
  std::lock_guard lock(mutex_);
  if (dead_) return SQLITE_IOERR_WRITE;
  files_[file.inode].since.push_back(Change{false, at, std::string(bytes)});
  if (!ends(file.log ? Place::log_write : Place::file_write)) return SQLITE_OK;
  fall();
  return SQLITE_IOERR_WRITE;
}

int CutVfs::on_truncate(const File& file, std::int64_t size) {
  std::lock_guard lock(mutex_);
  if (dead_) return SQLITE_IOERR_TRUNCATE;
  files_[file.inode].since.push_back(Change{true, size, {}});
  if (!ends(Place::other)) return SQLITE_OK;
  fall();
  return SQLITE_IOERR_TRUNCATE;
}

int CutVfs::on_sync(const File& file) {
  std::lock_guard lock(mutex_);
  if (dead_) return SQLITE_IOERR_FSYNC;
  if (ends(file.log ? Place::log_sync : Place::file_sync)) {
    fall();
    return SQLITE_IOERR_FSYNC;
  }
  Content& content = files_[file.inode];
  for (const Change& change : content.since) {
    if (change.truncation)
      content.synced.resize(static_cast<std::size_t>(change.at), '\0');
    else
      put(content.synced, static_cast<std::size_t>(change.at), change.bytes);
  }
  content.since.clear();
  return SQLITE_OK;
}

int CutVfs::on_delete(const char* path) {
  std::lock_guard lock(mutex_);
  if (dead_) return SQLITE_IOERR_DELETE;
  if (ends(Place::other)) {
    fall();
    return SQLITE_IOERR_DELETE;
  }
  files_.erase(inode_of(path));
  return SQLITE_OK;
}

void CutVfs::fall() {
  dead_ = true;
  after_.clear();
  for (const auto& [inode, content] : files_) after_[inode] = what_is_left(content);
}

// One cut in four keeps nothing that was not synced, one in four everything.
std::string CutVfs::what_is_left(const Content& content) {
  std::string image = content.synced;
  auto mood = random_() % 4;
  for (const Change& change : content.since) {
    auto fate = mood == 0 ? 0 : mood == 1 ? 1 : random_() % 3;
    ++(fate == 0 ? lost_ : fate == 1 ? kept_ : torn_);
    if (fate == 0) continue;
    if (change.truncation) {
      image.resize(static_cast<std::size_t>(change.at), '\0');
      continue;
    }
    for (std::size_t from = 0; from < change.bytes.size();) {
      auto at = static_cast<std::size_t>(change.at) + from;
      std::size_t length = std::min(kSector - at % kSector, change.bytes.size() - from);
      if (fate == 1 || random_() % 2 == 0)
        put(image, at, std::string_view(change.bytes).substr(from, length));
      from += length;
    }
  }
  return image;
}

CutVfs::Place CutVfs::restore(const std::filesystem::path& folder) {
  std::lock_guard lock(mutex_);
  std::map<std::uint64_t, Content> left;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    auto inode = inode_of(entry.path());
    auto image = after_.find(inode);
    if (image == after_.end()) continue;
    std::ofstream(entry.path(), std::ios::binary | std::ios::trunc) << image->second;
    left[inode].synced = std::move(image->second);
  }
  files_ = std::move(left);
  after_.clear();
  left_ = 0;
  dead_ = false;
  return place_;
}

}  // namespace gerbang::test
