// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3_vfs;

namespace gerbang::test {

// A SQLite VFS over the system's, registered while it lives; derived classes see each operation
// before it is done and may fail it. It has no shared memory, so a store that opens proves that it
// needs none. Called on the thread that uses the database.
class LayerVfs {
 public:
  LayerVfs();
  virtual ~LayerVfs();
  LayerVfs(const LayerVfs&) = delete;
  LayerVfs& operator=(const LayerVfs&) = delete;

  const std::string& name() const { return name_; }

  // A file keeps its number when it is renamed.
  struct File {
    std::uint64_t inode = 0;
    bool log = false;  // a write-ahead log
  };

  // 0, or the SQLite code to fail with. A write that fails leaves its first half in the file.
  virtual int on_open(const char* path) = 0;
  virtual void opened(const char* path, const File& file) = 0;
  virtual int on_read() = 0;
  virtual int on_write(const File& file, std::string_view bytes, std::int64_t at) = 0;
  virtual int on_truncate(const File& file, std::int64_t size) = 0;
  virtual int on_sync(const File& file) = 0;
  virtual int on_delete(const char* path) = 0;
  // Syncs are passed on to the disk only if this says so: tests of logic need no disk.
  virtual bool passes_syncs() const { return false; }

 private:
  std::string name_;
  std::unique_ptr<sqlite3_vfs> vfs_;
};

}  // namespace gerbang::test
