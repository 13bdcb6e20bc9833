// SPDX-License-Identifier: Apache-2.0
#include "support/layer_vfs.hpp"

#include <sqlite3.h>
#include <sys/stat.h>

#include <atomic>
#include <new>
#include <stdexcept>

namespace gerbang::test {
namespace {

// Ours, with the system's file behind it in the same allocation.
struct Handle {
  sqlite3_file base;
  LayerVfs* owner;
  LayerVfs::File file;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
Handle* handle(sqlite3_file* f) {
  return reinterpret_cast<Handle*>(f);
}
const sqlite3_io_methods* methods(sqlite3_file* f) {
  return handle(f)->real()->pMethods;
}
LayerVfs* owner(sqlite3_vfs* vfs) {
  return static_cast<LayerVfs*>(vfs->pAppData);
}
sqlite3_vfs* system_vfs() {
  return sqlite3_vfs_find(nullptr);
}

int close(sqlite3_file* f) {
  return methods(f)->xClose(handle(f)->real());
}
int read(sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
  if (int rc = handle(f)->owner->on_read()) return rc;
  return methods(f)->xRead(handle(f)->real(), to, size, at);
}
int write(sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
  std::string_view bytes(static_cast<const char*>(from), static_cast<std::size_t>(size));
  if (int rc = handle(f)->owner->on_write(handle(f)->file, bytes, at)) {
    (void)methods(f)->xWrite(handle(f)->real(), from, size / 2, at);
    return rc;
  }
  return methods(f)->xWrite(handle(f)->real(), from, size, at);
}
int truncate(sqlite3_file* f, sqlite3_int64 size) {
  if (int rc = handle(f)->owner->on_truncate(handle(f)->file, size)) return rc;
  return methods(f)->xTruncate(handle(f)->real(), size);
}
int sync(sqlite3_file* f, int flags) {
  if (int rc = handle(f)->owner->on_sync(handle(f)->file)) return rc;
  return handle(f)->owner->passes_syncs() ? methods(f)->xSync(handle(f)->real(), flags) : SQLITE_OK;
}
int file_size(sqlite3_file* f, sqlite3_int64* size) {
  return methods(f)->xFileSize(handle(f)->real(), size);
}
int lock(sqlite3_file* f, int level) {
  return methods(f)->xLock(handle(f)->real(), level);
}
int unlock(sqlite3_file* f, int level) {
  return methods(f)->xUnlock(handle(f)->real(), level);
}
int check_reserved(sqlite3_file* f, int* out) {
  return methods(f)->xCheckReservedLock(handle(f)->real(), out);
}
int control(sqlite3_file* f, int operation, void* argument) {
  return methods(f)->xFileControl(handle(f)->real(), operation, argument);
}
int sector_size(sqlite3_file* f) {
  return methods(f)->xSectorSize(handle(f)->real());
}
int characteristics(sqlite3_file* f) {
  return methods(f)->xDeviceCharacteristics(handle(f)->real());
}

// Version 1: no shared memory, no mapping.
const sqlite3_io_methods kMethods = {
    1,       close,          read,    write,       truncate,        sync,    file_size, lock,
    unlock,  check_reserved, control, sector_size, characteristics, nullptr, nullptr,   nullptr,
    nullptr, nullptr,        nullptr};

int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* f, int flags, int* out_flags) {
  f->pMethods = nullptr;
  if (int rc = owner(vfs)->on_open(path)) return rc;
  handle(f)->owner = owner(vfs);
  int rc = system_vfs()->xOpen(system_vfs(), path, handle(f)->real(), flags, out_flags);
  if (rc != SQLITE_OK) return rc;
  struct stat status {};
  if (path == nullptr || ::stat(path, &status) != 0) return SQLITE_CANTOPEN;
  new (&handle(f)->file) LayerVfs::File{status.st_ino, (flags & SQLITE_OPEN_WAL) != 0};
  owner(vfs)->opened(path, handle(f)->file);
  f->pMethods = &kMethods;
  return rc;
}
int remove(sqlite3_vfs* vfs, const char* path, int sync_folder) {
  if (int rc = owner(vfs)->on_delete(path)) return rc;
  return system_vfs()->xDelete(system_vfs(), path, sync_folder);
}
int access(sqlite3_vfs*, const char* path, int flags, int* out) {
  return system_vfs()->xAccess(system_vfs(), path, flags, out);
}
int full_path(sqlite3_vfs*, const char* path, int size, char* out) {
  return system_vfs()->xFullPathname(system_vfs(), path, size, out);
}
int randomness(sqlite3_vfs*, int size, char* out) {
  return system_vfs()->xRandomness(system_vfs(), size, out);
}
int sleep(sqlite3_vfs*, int microseconds) {
  return system_vfs()->xSleep(system_vfs(), microseconds);
}
int current_time(sqlite3_vfs*, double* out) {
  return system_vfs()->xCurrentTime(system_vfs(), out);
}

}  // namespace

LayerVfs::LayerVfs() : vfs_(std::make_unique<sqlite3_vfs>()) {
  static std::atomic<int> number = 0;
  name_ = "layer-" + std::to_string(++number);
  vfs_->iVersion = 1;
  vfs_->szOsFile = static_cast<int>(sizeof(Handle)) + system_vfs()->szOsFile;
  vfs_->mxPathname = system_vfs()->mxPathname;
  vfs_->zName = name_.c_str();
  vfs_->pAppData = this;
  vfs_->xOpen = open;
  vfs_->xDelete = remove;
  vfs_->xAccess = access;
  vfs_->xFullPathname = full_path;
  vfs_->xRandomness = randomness;
  vfs_->xSleep = sleep;
  vfs_->xCurrentTime = current_time;
  if (sqlite3_vfs_register(vfs_.get(), 0) != SQLITE_OK) throw std::runtime_error("register VFS");
}
LayerVfs::~LayerVfs() {
  sqlite3_vfs_unregister(vfs_.get());
}

}  // namespace gerbang::test
