// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "support/layer_vfs.hpp"

namespace gerbang::test {

// Counts what can fail (reads, writes, syncs, truncations, opens, deletions) and fails what it is
// told to.
class FaultVfs final : public LayerVfs {
 public:
  // full: writes only, the rest goes well. sync: syncs only. read: reads only. damage: reads say
  // that the file is not what it should be.
  enum class Error { io, full, sync, read, damage };

  // The n-th operation from now on fails, the ones after it go well. n: 1, 2, 3 …
  void fail_once(long n, Error error = Error::io) { set(n, n, error); }
  // The n-th and all after it fail, until heal().
  void fail_from(long n, Error error = Error::io) { set(n, -1, error); }
  // The n-th and the next ones, `count` in all.
  void fail_some(long n, long count, Error error = Error::io) { set(n, n + count - 1, error); }
  void heal() { set(0, 0, Error::io); }

  long operations() const { return count_; }  // since the last of the four
  bool has_failed() const { return failed_; }

  int on_open(const char*) override { return step(Operation::other); }
  void opened(const char*, const File&) override {}
  int on_read() override { return step(Operation::read); }
  int on_write(const File&, std::string_view, std::int64_t) override {
    return step(Operation::write);
  }
  int on_truncate(const File&, std::int64_t) override { return step(Operation::write); }
  int on_sync(const File&) override { return step(Operation::sync); }
  int on_delete(const char*) override { return step(Operation::other); }

 private:
  enum class Operation { read, write, sync, other };
  int step(Operation operation);
  void set(long first, long last, Error error);

  std::atomic<long> count_ = 0, first_ = 0, last_ = 0;
  std::atomic<Error> error_ = Error::io;
  std::atomic<bool> failed_ = false;
};

}  // namespace gerbang::test
