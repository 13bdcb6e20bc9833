// SPDX-License-Identifier: Apache-2.0
#include "store/journal.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "store/check.hpp"

namespace gerbang::store {
namespace {

tl::unexpected<Error> failure(const std::string& what) {
  std::error_code why(errno, std::generic_category());
  return fail(why, what + ": " + why.message());
}

}  // namespace

Journal::Journal(std::filesystem::path path, int fd) : path_(std::move(path)), fd_(fd) {}

Journal::Journal(Journal&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      begun_(other.begun_),
      seed_(other.seed_),
      next_(other.next_),
      ring_(std::move(other.ring_)) {}

Journal::~Journal() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Journal> Journal::open(const std::filesystem::path& path) {
  // The folder may be one that others write to.
  constexpr int kFlags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  int fd = ::open(path.c_str(), kFlags, 0600);
  if (fd < 0) return failure("open " + path.string());
  Journal out(path, fd);
  struct stat info {};
  if (::fstat(fd, &info) != 0) return failure("stat " + path.string());
  if (!S_ISREG(info.st_mode) || info.st_uid != ::geteuid() || info.st_nlink != 1)
    return fail(std::errc::permission_denied, path.string() + " is not a file of this user");
  return out;
}

Journal::Found Journal::look(const std::string& stream, std::uint64_t after) const {
  Found out;
  std::string bytes(kJournalHeader + kCapacity, '\0');
  std::size_t got = 0;
  while (got < bytes.size()) {
    ssize_t n = ::pread(fd_, bytes.data() + got, bytes.size() - got, static_cast<off_t>(got));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    got += static_cast<std::size_t>(n);
  }
  if (got == 0) return out;
  std::string_view all = std::string_view(bytes).substr(0, got);
  auto header = decode_journal_header(all);
  if (!header) {
    out.state = Found::State::unreadable;
    return out;
  }
  const bool ours = header->stream == stream;
  out.state = ours ? Found::State::ours : Found::State::foreign;
  out.header = *header;
  out.scan = scan_journal(all.substr(kJournalHeader), *header, ours ? after : 0);
  return out;
}

Result<void> Journal::begin(const JournalHeader& header, std::uint64_t first) {
  // Cut off first: a record of before must not stand behind a header of now.
  if (::ftruncate(fd_, 0) != 0) return failure("empty " + path_.string());
  if (!put(encode(header), 0)) return failure("write " + path_.string());
  seed_ = journal_seed(header);
  next_ = first;
  ring_ = JournalRing(kCapacity, kCapacity / 16);
  begun_ = true;
  return {};
}

Journal::Written Journal::write(const Epoch& epoch, std::span<const Reading> readings,
                                const Reasons& rejected) {
  Written out;
  bool more = begun_ && (!readings.empty() || !rejected.empty());
  for (const Reasons* with = &rejected; more;) {
    static const Reasons kNone;
    auto part = readings.first(std::min(readings.size(), kMostInRecord));
    std::string record = encode_record(seed_, next_, epoch, part, *with);
    auto at = ring_.place(next_, record.size());
    if (!at || !put(record, kJournalHeader + *at)) break;
    out.number = next_++;
    out.readings += part.size();
    with = &kNone;
    readings = readings.subspan(part.size());
    more = !readings.empty();
  }
  return out;
}

bool Journal::put(std::string_view bytes, std::size_t offset) const {
  while (!bytes.empty()) {
    ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::size_t>(n);
  }
  return true;
}

void Journal::remove() {
  begun_ = false;
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

}  // namespace gerbang::store
