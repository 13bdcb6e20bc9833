// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "core/result.hpp"
#include "store/journal_code.hpp"

namespace gerbang::store {

// The file that a killed daemon leaves behind: what was taken and is not yet in the database. It
// stands on tmpfs: the kernel keeps it over the death of the process, and no flash is written.
//
// Threads: the loop's. Nothing here is synced or waits for a device.
class Journal {
 public:
  static constexpr std::size_t kCapacity = 4u << 20;

  // Opens or creates the file; its owner alone may read it. Refuses what is not a plain file of
  // this user.
  static Result<Journal> open(const std::filesystem::path& path);
  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&&) = delete;
  ~Journal();

  // What an earlier run left.
  struct Found {
    enum class State { empty, ours, foreign, unreadable };
    State state = State::empty;
    JournalHeader header;  // unless empty or unreadable
    JournalScan scan;      // likewise
  };
  // `after`: the newest record that is in the database of this stream.
  Found look(const std::string& stream, std::uint64_t after) const;

  // What stood there is over; from now on records are of `header` and numbered from `first`.
  Result<void> begin(const JournalHeader& header, std::uint64_t first);

  struct Written {
    std::uint64_t number = 0;    // of the newest record that was made; 0: none
    std::uint64_t readings = 0;  // that survive the process from now on
  };
  // Fewer readings than were given: there is no room, or the file cannot be written.
  Written write(const Epoch& epoch, std::span<const Reading> readings, const Reasons& rejected);
  // Records up to this one are in the database.
  void release(std::uint64_t upto) { ring_.release(upto); }

  std::size_t used() const { return ring_.used(); }
  // More than half full: time to commit.
  bool crowded() const { return ring_.used() > ring_.capacity() / 2; }
  const std::filesystem::path& path() const { return path_; }
  // Nothing of it is needed any more.
  void remove();

 private:
  Journal(std::filesystem::path path, int fd);
  bool put(std::string_view bytes, std::size_t offset) const;

  std::filesystem::path path_;
  int fd_;
  bool begun_ = false;
  std::uint32_t seed_ = 0;
  std::uint64_t next_ = 1;
  JournalRing ring_{kCapacity, kCapacity / 16};
};

}  // namespace gerbang::store
