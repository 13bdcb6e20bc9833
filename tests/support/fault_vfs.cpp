// SPDX-License-Identifier: Apache-2.0
#include "support/fault_vfs.hpp"

#include <sqlite3.h>

namespace gerbang::test {

void FaultVfs::set(long first, long last, Error error) {
  first_ = 0;
  error_ = error;
  count_ = 0;
  failed_ = false;
  last_ = last;
  first_ = first;
}

int FaultVfs::step(Operation operation) {
  Error error = error_;
  if (error == Error::full && operation != Operation::write) return SQLITE_OK;
  if (error == Error::sync && operation != Operation::sync) return SQLITE_OK;
  const bool reads = error == Error::read || error == Error::damage;
  if (reads && operation != Operation::read) return SQLITE_OK;
  long n = ++count_;
  long first = first_, last = last_;
  if (first == 0 || n < first || (last > 0 && n > last)) return SQLITE_OK;
  failed_ = true;
  if (error == Error::full) return SQLITE_FULL;
  if (error == Error::damage) return SQLITE_CORRUPT;
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
