// SPDX-License-Identifier: Apache-2.0
//
// The database as a file: whose it is, its lock, how it begins, which schema it has.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "core/result.hpp"
#include "store/sqlite.hpp"
#include "store/types.hpp"

namespace gerbang::store {

inline constexpr std::int32_t kApplicationId = 0x47626731;  // "Gbg1"
// Fixed when a file is made. Measured on ext4, everything included, at 50 readings/s and 1 s
// commits: 133 B written per reading with 1 KiB pages, 154 with 2, 201 with 4; large messages want
// large pages.
inline constexpr std::uint32_t kPageSize = 2048;

// An exclusive lock on PATH.lock, held while this lives. The kernel drops it when the process ends,
// however it ends.
class FileLock {
 public:
  // errc::locked: another process (or another Store of this one) has it.
  static Result<FileLock> take(const std::filesystem::path& database);
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;

  // Takes it again if it was released, or is the lock of another file by now: a file system was
  // mounted anew.
  Result<void> renew(const std::filesystem::path& database);
  void release();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_;
};

// What stands at the path, told from the first bytes, without SQLite and without changing anything.
enum class Found { nothing, ours, foreign, damaged };
Result<Found> inspect(const std::filesystem::path& database);

// Opens a file of ours with the pragmas of this store and brings it to the newest schema.
// errc::newer: a later Gerbang made it.
Result<sql::Database> open_database(const Options& options);

// Makes a file of the newest schema with a stream of its own; it appears under its name when it is
// complete. `fill` puts in what it shall begin with.
using Fill = std::function<Result<void>(sql::Database&)>;
Result<void> create_database(const Options& options, const Board& board,
                             const std::string& previous_stream, const Fill& fill = {});

// A file that may be damaged, for reading only: nothing of it or of its log is changed.
Result<sql::Database> open_to_read(const std::filesystem::path& path, const std::string& vfs);

// After a failed sync nobody knows what of the log is on the card: writes the same bytes again and
// syncs them.
Result<void> write_log_again(const std::filesystem::path& database);

// Renames a file that cannot be used, with its log, to PATH.damaged-UTC; returns the new name. One
// is kept: those that were set aside before are deleted.
Result<std::filesystem::path> set_aside(const std::filesystem::path& database, WallTime now);

// 16 random hex digits.
std::string new_stream();

// The machine that this runs on.
Board this_board();

}  // namespace gerbang::store
