// SPDX-License-Identifier: Apache-2.0
//
// How much of the disk the store may use: the cap in bytes over all of its files, the free space
// that it leaves to others, and the ballast that it gives back when the disk is full.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "core/result.hpp"
#include "store/types.hpp"

namespace gerbang::store {

// The cap that holds: no more than the volume has.
std::uint64_t cap_on(std::uint64_t max_size, const std::optional<Volume>& volume);
// Bytes of the log within the cap. It is brought back above log_limit; what lies between is for one
// large transaction.
std::uint64_t log_allowance(std::uint64_t cap);
std::uint64_t log_limit(std::uint64_t cap);
std::uint64_t ballast_size(std::uint64_t cap, std::uint64_t volume);
// What stays free: `wanted`, but at most a quarter of the volume.
std::uint64_t floor_of(std::uint64_t wanted, std::uint64_t volume);

struct Usage {
  std::uint64_t cap = 0, min_free = 0;
  std::uint64_t page_size = 0, pages = 0;  // of the database now
  std::uint64_t file = 0;                  // bytes of its file: pages may still be in the log only
  std::uint64_t log = 0;                   // bytes of the write-ahead log
  std::uint64_t others = 0;                // set-aside files, ballast
  std::optional<Volume> volume;            // nullopt: not known
};
// How many pages the database may have. May be less than it has: then it grows no more.
std::uint64_t allowed_pages(const Usage& usage);

// A file of zeros that really occupies its blocks. Without it a full disk could never be left: to
// delete is to write.
class Ballast {
 public:
  explicit Ballast(const std::filesystem::path& database);
  // Makes it, if there is room for it. False: there is none now, that is no error.
  bool take(std::uint64_t bytes);
  // True: something was given back.
  bool release();
  std::uint64_t bytes() const;

 private:
  std::filesystem::path path_;
};

std::optional<Volume> volume_of(const std::filesystem::path& folder);

// Files that were set aside from this path, oldest first, without their logs.
std::vector<std::filesystem::path> files_aside(const std::filesystem::path& database);
// Bytes of a file; 0: there is none.
std::uint64_t bytes_of(const std::filesystem::path& path);
// The same with its log.
std::uint64_t bytes_with_log(const std::filesystem::path& path);
// Deletes it and its log.
void remove_with_log(const std::filesystem::path& path);

}  // namespace gerbang::store
