// SPDX-License-Identifier: Apache-2.0
#include "store/schema.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <system_error>
#include <vector>

#include "store/check.hpp"
#include "store/migrations.hpp"
#include "store/room.hpp"

namespace gerbang::store {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kMagic{"SQLite format 3\0", 16};
constexpr std::size_t kApplicationIdAt = 68;  // in the header of a database, big-endian

std::error_code last_error() {
  return {errno, std::system_category()};
}
tl::unexpected<Error> io_failure(const std::string& doing, std::error_code why) {
  return fail(errc::io, doing + ": " + why.message());
}
fs::path with_suffix(const fs::path& path, const std::string& suffix) {
  return path.string() + suffix;
}

// So that a new name survives a power cut.
Result<void> sync_folder_of(const fs::path& path) {
  fs::path folder = path.parent_path().empty() ? fs::path(".") : path.parent_path();
  int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return io_failure("open folder " + folder.string(), last_error());
  int rc = ::fsync(fd);
  auto why = last_error();
  ::close(fd);
  if (rc != 0) return io_failure("sync folder " + folder.string(), why);
  return {};
}

Result<void> migrate(sql::Database& db) {
  auto version = db.integer("PRAGMA user_version");
  STORE_TRY(version);
  auto steps = migrations();
  auto newest = static_cast<std::int64_t>(steps.size());
  if (*version > newest)
    return fail(errc::newer, "schema " + std::to_string(*version) +
                                 " was made by a newer Gerbang; this one knows schemas up to " +
                                 std::to_string(newest));
  if (*version < 0) return fail(errc::damaged, "schema number is negative");
  for (std::int64_t next = *version + 1; next <= newest; ++next) {
    const Migration& step = steps[static_cast<std::size_t>(next - 1)];
    auto transaction = sql::Transaction::begin(db);
    STORE_TRY(transaction);
    auto apply = [&]() -> Result<void> {
      STORE_TRY(db.run(std::string(step.sql)));
      STORE_TRY(db.run("PRAGMA user_version = " + std::to_string(next)));
      return transaction->commit();
    };
    if (auto applied = apply(); !applied)
      return fail(std::move(applied).error().within("migration " + std::string(step.file)));
  }
  return {};
}

// A fingerprint, not the text: /etc/machine-id must not leave the machine. FNV-1a, 64 bits.
std::string fingerprint(const char* file) {
  std::ifstream in(file, std::ios::binary);
  std::string text;
  if (!in || !std::getline(in, text, '\n') || text.empty()) return {};
  std::uint64_t hash = 14695981039346656037u;
  for (char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 1099511628211u;
  std::array<char, 17> hex{};
  (void)std::snprintf(hex.data(), hex.size(), "%016llx", static_cast<unsigned long long>(hash));
  return hex.data();
}

}  // namespace

Result<FileLock> FileLock::take(const fs::path& database) {
  fs::path path = with_suffix(database, ".lock");
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (fd < 0) return io_failure("open " + path.string(), last_error());
  FileLock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return io_failure("lock " + path.string(), last_error());
    std::array<char, 32> text{};
    (void)!::pread(fd, text.data(), text.size() - 1, 0);  // who has it is a courtesy
    std::string who = text[0] != '\0' ? "process " + std::string(text.data()) : "another process";
    return fail(errc::locked, database.string() + " is in use by " + who +
                                  "; two gateways cannot share one store");
  }
  std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    // The lock holds without the courtesy, also on a full disk.
  }
  return lock;
}
FileLock::~FileLock() {
  release();
}
void FileLock::release() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}
FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Result<void> FileLock::renew(const fs::path& database) {
  struct stat held {
  }, named{};
  if (fd_ >= 0 && ::fstat(fd_, &held) == 0 &&
      ::stat(with_suffix(database, ".lock").c_str(), &named) == 0 && held.st_ino == named.st_ino &&
      held.st_dev == named.st_dev)
    return {};
  auto lock = take(database);
  STORE_TRY(lock);
  *this = std::move(*lock);
  return {};
}

Result<Found> inspect(const fs::path& database) {
  std::error_code why;
  auto kind = fs::status(database, why);
  if (kind.type() == fs::file_type::not_found) return Found::nothing;
  if (kind.type() == fs::file_type::none) return io_failure(database.string(), why);
  if (kind.type() != fs::file_type::regular) return Found::foreign;
  int fd = ::open(database.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return io_failure("open " + database.string(), last_error());
  std::array<char, 100> header{};
  ssize_t size = ::pread(fd, header.data(), header.size(), 0);
  why = last_error();
  ::close(fd);
  // A card that cannot be read is not a damaged file.
  if (size < 0) return io_failure("read " + database.string(), why);
  // A store appears complete under its name: less than a header, or no header, is damage.
  if (static_cast<std::size_t>(size) < header.size()) return Found::damaged;
  if (std::string_view(header.data(), kMagic.size()) != kMagic) return Found::damaged;
  std::uint32_t id = 0;
  for (std::size_t i = 0; i < 4; ++i)
    id = id << 8 | static_cast<std::uint8_t>(header[kApplicationIdAt + i]);
  return id == static_cast<std::uint32_t>(kApplicationId) ? Found::ours : Found::foreign;
}

Result<sql::Database> open_database(const Options& options) {
  auto opened = sql::Database::open(options.path, sql::Database::Mode::existing, options.vfs);
  STORE_TRY(opened);
  sql::Database& db = *opened;
  auto journal = db.text("PRAGMA journal_mode = WAL");
  STORE_TRY(journal);
  if (*journal != "wal") return fail(errc::io, "the file system does not allow a write-ahead log");
  STORE_TRY(
      db.run("PRAGMA synchronous = FULL;"
             "PRAGMA journal_size_limit = -1;"  // a log that shrinks and grows wears the card
             "PRAGMA temp_store = MEMORY;"
             "PRAGMA cache_size = -1024;"
             "PRAGMA secure_delete = OFF;"  // Debian's default would write deleted pages again
             "PRAGMA cell_size_check = ON;"
             "PRAGMA trusted_schema = OFF;"
             "PRAGMA foreign_keys = OFF;"
             "PRAGMA mmap_size = 0;"));
  STORE_TRY(migrate(db));
  return std::move(*opened);
}

Result<void> create_database(const Options& options, const Board& board,
                             const std::string& previous_stream, const Fill& fill) {
  Options fresh = options;
  fresh.path = with_suffix(options.path, ".new");
  std::error_code ignored;  // there may be none
  fs::remove(fresh.path, ignored);
  fs::remove(with_suffix(fresh.path, "-journal"), ignored);
  auto opened = sql::Database::open(fresh.path, sql::Database::Mode::create, options.vfs);
  STORE_TRY(opened);
  STORE_TRY(opened->run("PRAGMA page_size = " + std::to_string(kPageSize) +
                        "; PRAGMA synchronous = FULL; PRAGMA auto_vacuum = NONE"
                        "; PRAGMA application_id = " +
                        std::to_string(kApplicationId)));
  STORE_TRY(migrate(*opened));
  auto state = opened->prepare("INSERT INTO state VALUES (1, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0)");
  STORE_TRY(state);
  STORE_TRY(state->run(new_stream(), previous_stream, board.machine, board.serial));
  *state = sql::Statement();
  if (fill) STORE_TRY(fill(*opened));
  opened = fail(errc::stopped, "");  // closes it

  // A log of an earlier file must not be taken for this one's.
  fs::remove(with_suffix(options.path, "-wal"), ignored);
  std::error_code why;
  fs::rename(fresh.path, options.path, why);
  if (why) return io_failure("rename " + fresh.path.string(), why);
  return sync_folder_of(options.path);
}

Result<sql::Database> open_to_read(const fs::path& path, const std::string& vfs) {
  auto db = sql::Database::open(path, sql::Database::Mode::existing, vfs);
  STORE_TRY(db);
  // Without shared memory the log is read where it stands, and recovering it writes nothing.
  STORE_TRY(
      db->run("PRAGMA locking_mode = EXCLUSIVE; PRAGMA query_only = ON;"
              "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -512;"
              "PRAGMA trusted_schema = OFF; PRAGMA mmap_size = 0"));
  return db;
}

Result<void> write_log_again(const fs::path& database) {
  fs::path path = with_suffix(database, "-wal");
  int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return {};
  if (fd < 0) return io_failure("open " + path.string(), last_error());
  std::vector<char> buffer(1u << 20);
  std::error_code why;
  off_t at = 0;
  for (;;) {
    ssize_t size = ::pread(fd, buffer.data(), buffer.size(), at);
    if (size < 0) why = last_error();
    if (size <= 0) break;
    if (::pwrite(fd, buffer.data(), static_cast<std::size_t>(size), at) != size) {
      why = last_error();
      break;
    }
    at += size;
  }
  if (!why && ::fsync(fd) != 0) why = last_error();
  ::close(fd);
  if (why) return io_failure("write " + path.string() + " again", why);
  return {};
}

Result<fs::path> set_aside(const fs::path& database, WallTime now) {
  auto seconds = static_cast<std::time_t>(unix_ms(now) / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> stamp{};
  (void)std::strftime(stamp.data(), stamp.size(), "%Y%m%dT%H%M%SZ", &utc);
  for (const auto& before : files_aside(database)) remove_with_log(before);
  std::string base = database.string() + ".damaged-" + stamp.data();
  std::string name = base;
  for (int n = 2; fs::exists(name); ++n) name = base + "-" + std::to_string(n);
  std::error_code why;
  // The log first: a database without its log is older, a log without its database is nothing.
  if (fs::exists(with_suffix(database, "-wal"))) {
    fs::rename(with_suffix(database, "-wal"), name + "-wal", why);
    if (why) return io_failure("rename " + database.string() + "-wal", why);
  }
  fs::rename(database, name, why);
  if (why) return io_failure("rename " + database.string(), why);
  STORE_TRY(sync_folder_of(database));
  return fs::path(name);
}

std::string new_stream() {
  std::array<std::uint8_t, 8> bytes{};
  if (::getentropy(bytes.data(), bytes.size()) != 0)
    throw std::system_error(last_error(), "getentropy");
  std::string hex;
  for (std::uint8_t b : bytes) {
    hex.push_back("0123456789abcdef"[b >> 4]);
    hex.push_back("0123456789abcdef"[b & 15]);
  }
  return hex;
}

Board this_board() {
  Board board;
  board.machine = fingerprint("/etc/machine-id");
  for (const char* file : {"/sys/firmware/devicetree/base/serial-number",
                           "/sys/class/dmi/id/board_serial", "/sys/class/dmi/id/product_uuid"}) {
    if (board.serial.empty()) board.serial = fingerprint(file);
  }
  return board;
}

}  // namespace gerbang::store
