// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <string>

struct sqlite3_vfs;

namespace gerbang::test {

// A SQLite VFS over the system's that counts what can fail (reads, writes, syncs, truncations,
// opens, deletions) and fails what it is told to. Syncs are not passed on: tests of logic need no
// disk. It has no shared memory, so a store that opens proves that it needs none.
class FaultVfs {
 public:
  enum class Error { io, full };  // full: writes only, the rest goes well

  FaultVfs();
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  const std::string& name() const { return name_; }

  // The n-th operation from now on fails, the ones after it go well. n: 1, 2, 3 …
  void fail_once(long n, Error error = Error::io) { set(n, n, error); }
  // The n-th and all after it fail, until heal().
  void fail_from(long n, Error error = Error::io) { set(n, -1, error); }
  void heal() { set(0, 0, Error::io); }

  long operations() const { return count_; }  // since the last of the three
  bool has_failed() const { return failed_; }

  // For the methods of the VFS: 0, or the SQLite code to fail with.
  enum class Operation { read, write, sync, other };
  int step(Operation operation);

 private:
  void set(long first, long last, Error error);

  std::string name_;
  std::unique_ptr<sqlite3_vfs> vfs_;
  std::atomic<long> count_ = 0, first_ = 0, last_ = 0;
  std::atomic<Error> error_ = Error::io;
  std::atomic<bool> failed_ = false;
};

}  // namespace gerbang::test
