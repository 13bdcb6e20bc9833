// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite_pages.hpp"

#include <sqlite3.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace gerbang::store::sql {
namespace {

constexpr std::array<unsigned char, 4> kTag = {'G', 'b', 'p', '1'};
constexpr std::size_t kLargestPage = 65'536, kSmallestPage = 512;
constexpr std::size_t kReserveAt = 20, kHeader = 100;  // in the first page

// Ours, with the file below in the same allocation.
struct Handle {
  sqlite3_file base;
  bool database;  // not a log or journal
  bool checks;    // its pages have checksums
  sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
Handle* handle(sqlite3_file* f) {
  return reinterpret_cast<Handle*>(f);
}
const sqlite3_io_methods* methods(sqlite3_file* f) {
  return handle(f)->below()->pMethods;
}

bool is_page(std::int64_t size, std::int64_t at) {
  auto bytes = static_cast<std::size_t>(size);
  return bytes >= kSmallestPage && bytes <= kLargestPage && (bytes & (bytes - 1)) == 0 &&
         at % size == 0;
}

using Mark = std::array<unsigned char, kPageReserve>;

// Of the page and of its place: a page that was written elsewhere is not this one.
Mark mark_of(const unsigned char* page, std::size_t size, std::int64_t at) {
  auto number = static_cast<std::uint64_t>(at) / size;
  uLong sum = crc32(0, reinterpret_cast<const Bytef*>(&number), sizeof number);
  sum = crc32(sum, page, static_cast<uInt>(size - kPageReserve));
  Mark mark{};
  std::copy(kTag.begin(), kTag.end(), mark.begin());
  for (std::size_t i = 0; i < 4; ++i) mark[4 + i] = static_cast<unsigned char>(sum >> (8 * i));
  return mark;
}

void learn(Handle* h, const unsigned char* first_page) {
  h->checks = first_page[kReserveAt] == kPageReserve;
}

int close(sqlite3_file* f) {
  return methods(f)->xClose(handle(f)->below());
}

int read(sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
  Handle* h = handle(f);
  int rc = methods(f)->xRead(h->below(), to, size, at);
  if (rc != SQLITE_OK || !h->database) return rc;
  const auto* page = static_cast<const unsigned char*>(to);
  if (at == 0 && size >= static_cast<int>(kHeader)) learn(h, page);
  if (!h->checks || !is_page(size, at)) return rc;
  auto bytes = static_cast<std::size_t>(size);
  Mark mark = mark_of(page, bytes, at);
  if (std::equal(mark.begin(), mark.end(), page + bytes - kPageReserve)) return rc;
  // A page that was allocated and never written is a hole in the file.
  bool hole = std::all_of(page, page + bytes, [](unsigned char c) { return c == 0; });
  return hole ? SQLITE_OK : SQLITE_IOERR_DATA;
}

int write(sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
  Handle* h = handle(f);
  const auto* page = static_cast<const unsigned char*>(from);
  if (h->database && at == 0 && size >= static_cast<int>(kHeader)) learn(h, page);
  if (!h->database || !h->checks || !is_page(size, at))
    return methods(f)->xWrite(h->below(), from, size, at);
  thread_local std::array<unsigned char, kLargestPage> copy;
  auto bytes = static_cast<std::size_t>(size);
  std::copy(page, page + bytes, copy.begin());
  Mark mark = mark_of(page, bytes, at);
  std::copy(mark.begin(), mark.end(), copy.data() + bytes - kPageReserve);
  return methods(f)->xWrite(h->below(), copy.data(), size, at);
}

int truncate(sqlite3_file* f, sqlite3_int64 size) {
  return methods(f)->xTruncate(handle(f)->below(), size);
}
int sync(sqlite3_file* f, int flags) {
  return methods(f)->xSync(handle(f)->below(), flags);
}
int file_size(sqlite3_file* f, sqlite3_int64* size) {
  return methods(f)->xFileSize(handle(f)->below(), size);
}
int lock(sqlite3_file* f, int level) {
  return methods(f)->xLock(handle(f)->below(), level);
}
int unlock(sqlite3_file* f, int level) {
  return methods(f)->xUnlock(handle(f)->below(), level);
}
int check_reserved(sqlite3_file* f, int* out) {
  return methods(f)->xCheckReservedLock(handle(f)->below(), out);
}
int control(sqlite3_file* f, int operation, void* argument) {
  return methods(f)->xFileControl(handle(f)->below(), operation, argument);
}
int sector_size(sqlite3_file* f) {
  return methods(f)->xSectorSize(handle(f)->below());
}
int characteristics(sqlite3_file* f) {
  return methods(f)->xDeviceCharacteristics(handle(f)->below());
}

// Version 1: no shared memory, no mapping.
const sqlite3_io_methods kMethods = {
    1,       close,          read,    write,       truncate,        sync,    file_size, lock,
    unlock,  check_reserved, control, sector_size, characteristics, nullptr, nullptr,   nullptr,
    nullptr, nullptr,        nullptr};

struct Layer {
  explicit Layer(std::string below) : base(std::move(below)), name("checked " + base) {}
  // By name: a VFS may go, and another take its place.
  sqlite3_vfs* below() const { return sqlite3_vfs_find(base.empty() ? nullptr : base.c_str()); }

  std::string base, name;
  sqlite3_vfs vfs{};
};
sqlite3_vfs* below(sqlite3_vfs* vfs) {
  return static_cast<Layer*>(vfs->pAppData)->below();
}

int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* f, int flags, int* out_flags) {
  f->pMethods = nullptr;
  Handle* h = handle(f);
  int rc = below(vfs)->xOpen(below(vfs), path, h->below(), flags, out_flags);
  if (rc != SQLITE_OK) return rc;
  h->database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
  // A file that is being made: Database::open reserves the bytes.
  sqlite3_int64 size = 0;
  h->checks = h->database && (flags & SQLITE_OPEN_CREATE) != 0 &&
              methods(f)->xFileSize(h->below(), &size) == SQLITE_OK && size == 0;
  f->pMethods = &kMethods;
  return rc;
}
int remove(sqlite3_vfs* vfs, const char* path, int sync_folder) {
  return below(vfs)->xDelete(below(vfs), path, sync_folder);
}
int access(sqlite3_vfs* vfs, const char* path, int flags, int* out) {
  return below(vfs)->xAccess(below(vfs), path, flags, out);
}
int full_path(sqlite3_vfs* vfs, const char* path, int size, char* out) {
  return below(vfs)->xFullPathname(below(vfs), path, size, out);
}
int randomness(sqlite3_vfs* vfs, int size, char* out) {
  return below(vfs)->xRandomness(below(vfs), size, out);
}
int sleep(sqlite3_vfs* vfs, int microseconds) {
  return below(vfs)->xSleep(below(vfs), microseconds);
}
int current_time(sqlite3_vfs* vfs, double* out) {
  return below(vfs)->xCurrentTime(below(vfs), out);
}

}  // namespace

std::string checked_vfs(const std::string& base) {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<Layer>> layers;  // for the life of the process
  std::lock_guard guard(mutex);
  auto& layer = layers[base];
  if (layer) return layer->name;
  auto made = std::make_unique<Layer>(base);
  const sqlite3_vfs* under = made->below();
  if (under == nullptr) return base;  // SQLite will say that there is none
  sqlite3_vfs& vfs = made->vfs;
  vfs.iVersion = 1;
  vfs.szOsFile = static_cast<int>(sizeof(Handle)) + under->szOsFile;
  vfs.mxPathname = under->mxPathname;
  vfs.zName = made->name.c_str();
  vfs.pAppData = made.get();
  vfs.xOpen = open;
  vfs.xDelete = remove;
  vfs.xAccess = access;
  vfs.xFullPathname = full_path;
  vfs.xRandomness = randomness;
  vfs.xSleep = sleep;
  vfs.xCurrentTime = current_time;
  if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK) return base;
  layer = std::move(made);
  return layer->name;
}

}  // namespace gerbang::store::sql
