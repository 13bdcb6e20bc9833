// SPDX-License-Identifier: Apache-2.0
#include "support/fault_vfs.hpp"

#include <sqlite3.h>

#include <stdexcept>

namespace gerbang::test {
namespace {

using Operation = FaultVfs::Operation;

// Ours, with the system's file behind it in the same allocation.
struct File {
  sqlite3_file base;
  FaultVfs* owner;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
File* file(sqlite3_file* f) {
  return reinterpret_cast<File*>(f);
}
const sqlite3_io_methods* methods(sqlite3_file* f) {
  return file(f)->real()->pMethods;
}
FaultVfs* owner(sqlite3_vfs* vfs) {
  return static_cast<FaultVfs*>(vfs->pAppData);
}
sqlite3_vfs* system_vfs() {
  return sqlite3_vfs_find(nullptr);
}

int close(sqlite3_file* f) {
  return methods(f)->xClose(file(f)->real());
}
int read(sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
  if (int rc = file(f)->owner->step(Operation::read)) return rc;
  return methods(f)->xRead(file(f)->real(), to, size, at);
}
int write(sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
  if (int rc = file(f)->owner->step(Operation::write)) {
    // Half of it may have arrived.
    (void)methods(f)->xWrite(file(f)->real(), from, size / 2, at);
    return rc;
  }
  return methods(f)->xWrite(file(f)->real(), from, size, at);
}
int truncate(sqlite3_file* f, sqlite3_int64 size) {
  if (int rc = file(f)->owner->step(Operation::write)) return rc;
  return methods(f)->xTruncate(file(f)->real(), size);
}
int sync(sqlite3_file* f, int) {
  return file(f)->owner->step(Operation::sync);
}
int file_size(sqlite3_file* f, sqlite3_int64* size) {
  return methods(f)->xFileSize(file(f)->real(), size);
}
int lock(sqlite3_file* f, int level) {
  return methods(f)->xLock(file(f)->real(), level);
}
int unlock(sqlite3_file* f, int level) {
  return methods(f)->xUnlock(file(f)->real(), level);
}
int check_reserved(sqlite3_file* f, int* out) {
  return methods(f)->xCheckReservedLock(file(f)->real(), out);
}
int control(sqlite3_file* f, int operation, void* argument) {
  return methods(f)->xFileControl(file(f)->real(), operation, argument);
}
int sector_size(sqlite3_file* f) {
  return methods(f)->xSectorSize(file(f)->real());
}
int characteristics(sqlite3_file* f) {
  return methods(f)->xDeviceCharacteristics(file(f)->real());
}

// Version 1: no shared memory, no mapping.
const sqlite3_io_methods kMethods = {
    1,       close,          read,    write,       truncate,        sync,    file_size, lock,
    unlock,  check_reserved, control, sector_size, characteristics, nullptr, nullptr,   nullptr,
    nullptr, nullptr,        nullptr};

int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* f, int flags, int* out_flags) {
  f->pMethods = nullptr;
  if (int rc = owner(vfs)->step(Operation::other)) return rc;
  file(f)->owner = owner(vfs);
  int rc = system_vfs()->xOpen(system_vfs(), path, file(f)->real(), flags, out_flags);
  if (rc == SQLITE_OK) f->pMethods = &kMethods;
  return rc;
}
int remove(sqlite3_vfs* vfs, const char* path, int sync_folder) {
  if (int rc = owner(vfs)->step(Operation::other)) return rc;
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

FaultVfs::FaultVfs() : vfs_(std::make_unique<sqlite3_vfs>()) {
  static std::atomic<int> number = 0;
  name_ = "fault-" + std::to_string(++number);
  vfs_->iVersion = 1;
  vfs_->szOsFile = static_cast<int>(sizeof(File)) + system_vfs()->szOsFile;
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
FaultVfs::~FaultVfs() {
  sqlite3_vfs_unregister(vfs_.get());
}

void FaultVfs::set(long first, long last, Error error) {
  error_ = error;
  count_ = 0;
  failed_ = false;
  last_ = last;
  first_ = first;
}

int FaultVfs::step(Operation operation) {
  Error error = error_;
  if (error == Error::full && operation != Operation::write) return SQLITE_OK;
  long n = ++count_;
  long first = first_, last = last_;
  if (first == 0 || n < first || (last > 0 && n > last)) return SQLITE_OK;
  failed_ = true;
  if (error == Error::full) return SQLITE_FULL;
  switch (operation) {
    case Operation::read:
      return SQLITE_IOERR_READ;
    case Operation::write:
      return SQLITE_IOERR_WRITE;
    case Operation::sync:
      return SQLITE_IOERR_FSYNC;
    case Operation::other:
      return SQLITE_IOERR;
  }
  return SQLITE_IOERR;
}

}  // namespace gerbang::test
