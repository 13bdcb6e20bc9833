// SPDX-License-Identifier: Apache-2.0
#include "store/room.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

namespace gerbang::store {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kMiB = 1u << 20;
constexpr std::uint64_t kLeastPages = 64;

fs::path with_suffix(const fs::path& path, const char* suffix) {
  return path.string() + suffix;
}
std::uint64_t minus(std::uint64_t a, std::uint64_t b) {
  return a > b ? a - b : 0;
}

}  // namespace

std::uint64_t cap_on(std::uint64_t max_size, const std::optional<Volume>& volume) {
  return volume ? std::min(max_size, volume->size) : max_size;
}
std::uint64_t log_allowance(std::uint64_t cap) {
  return std::clamp(cap / 8, kMiB, 16 * kMiB);
}
std::uint64_t log_limit(std::uint64_t cap) {
  return std::min(4 * kMiB, log_allowance(cap) / 2);
}
std::uint64_t ballast_size(std::uint64_t cap, std::uint64_t volume) {
  return std::min({4 * kMiB, volume / 20, cap / 16});
}
std::uint64_t floor_of(std::uint64_t wanted, std::uint64_t volume) {
  return std::min(wanted, volume / 4);
}

std::uint64_t allowed_pages(const Usage& u) {
  const std::uint64_t page = std::max<std::uint64_t>(u.page_size, 512);
  const std::uint64_t log = std::max(u.log, log_allowance(u.cap));
  std::uint64_t bytes = minus(u.cap, log + u.others);
  if (u.volume) {
    // What the log will want until it has its size, and pages that are not in the file yet.
    std::uint64_t promised = log - u.log + minus(u.pages * page, u.file);
    std::uint64_t spare = minus(u.volume->available, floor_of(u.min_free, u.volume->size));
    bytes = std::min(bytes, u.pages * page + minus(spare, promised));
  }
  return std::max(bytes / page, kLeastPages);
}

Ballast::Ballast(const fs::path& database) : path_(with_suffix(database, ".ballast")) {}

std::uint64_t Ballast::bytes() const {
  return bytes_of(path_);
}

bool Ballast::take(std::uint64_t bytes) {
  if (this->bytes() == bytes) return true;
  release();
  if (bytes == 0) return true;
  int fd = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (fd < 0) return false;
  int rc = ::posix_fallocate(fd, 0, static_cast<off_t>(bytes));
  ::close(fd);
  if (rc == 0) return true;
  release();
  return false;
}

bool Ballast::release() {
  std::error_code failed;
  return fs::remove(path_, failed);
}

std::optional<Volume> volume_of(const fs::path& folder) {
  struct statvfs status {};
  if (::statvfs(folder.empty() ? "." : folder.c_str(), &status) != 0) return std::nullopt;
  Volume volume;
  volume.size = std::uint64_t{status.f_blocks} * status.f_frsize;
  volume.available = std::uint64_t{status.f_bavail} * status.f_frsize;
  return volume;
}

std::vector<fs::path> files_aside(const fs::path& database) {
  std::vector<fs::path> out;
  const std::string prefix = database.filename().string() + ".damaged-";
  std::error_code none;
  fs::path folder = database.parent_path().empty() ? "." : database.parent_path();
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    std::string name = entry.path().filename();
    if (name.starts_with(prefix) && !name.ends_with("-wal") && !name.ends_with("-shm"))
      out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::uint64_t bytes_of(const fs::path& path) {
  std::error_code none;
  auto size = fs::file_size(path, none);
  return none ? 0 : size;
}

std::uint64_t bytes_with_log(const fs::path& path) {
  return bytes_of(path) + bytes_of(with_suffix(path, "-wal"));
}

void remove_with_log(const fs::path& path) {
  std::error_code none;
  fs::remove(with_suffix(path, "-wal"), none);
  fs::remove(path, none);
}

}  // namespace gerbang::store
