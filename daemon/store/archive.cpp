// SPDX-License-Identifier: Apache-2.0
#include "store/archive.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "store/aggregates.hpp"
#include "store/check.hpp"
#include "store/compactor.hpp"
#include "store/history.hpp"
#include "store/schema.hpp"
#include "store/series.hpp"
#include "store/state.hpp"

namespace gerbang::store {
namespace fs = std::filesystem;
namespace {

// A gateway holds PATH.lock. While this lives none can start on the file.
class SharedLock {
 public:
  explicit SharedLock(const fs::path& database)
      : fd_(::open((database.string() + ".lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) {}
  ~SharedLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  SharedLock(const SharedLock&) = delete;
  SharedLock& operator=(const SharedLock&) = delete;

  // False: a gateway has it. Without a lock file none was ever there.
  bool take() const {
    return fd_ < 0 || ::flock(fd_, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK;
  }

 private:
  int fd_;
};

Result<void> copy(const fs::path& from, const fs::path& to, std::uint64_t& copied,
                  const std::function<bool(std::uint64_t)>& progress) {
  std::ifstream in(from, std::ios::binary);
  if (!in) return fail(errc::io, from.string() + ": cannot be read");
  std::ofstream out(to, std::ios::binary | std::ios::trunc);
  std::vector<char> buffer(1u << 20);
  while (out && in) {
    in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    out.write(buffer.data(), in.gcount());
    copied += static_cast<std::uint64_t>(in.gcount());
    if (!progress(copied)) return fail(std::errc::operation_canceled, "interrupted");
  }
  if (!in.eof()) return fail(errc::io, from.string() + ": cannot be read to its end");
  if (!out.flush())
    return fail(errc::io, to.string() +
                              ": cannot be written; is there room? (TMPDIR names "
                              "another folder)");
  return {};
}

}  // namespace

struct Archive::Open {
  explicit Open(sql::Database database)
      : db(std::move(database)),
        history(series, chunks, std::chrono::hours(24)),
        aggregates({}),
        compactor(history, chunks) {}

  Result<void> load() {
    STORE_TRY(state.prepare(db));
    STORE_TRY(series.prepare(db));
    STORE_TRY(history.prepare(db));
    STORE_TRY(chunks.prepare(db));
    STORE_TRY(compactor.prepare(db));
    STORE_TRY(aggregates.prepare(db));
    STORE_TRY(state.load());
    STORE_TRY(series.load());
    STORE_TRY(history.load(state.last_batch));
    return compactor.load();
  }

  sql::Database db;  // first, so that it goes last
  State state;
  SeriesTable series;
  Chunks chunks;
  History history;
  Aggregates aggregates;
  Compactor compactor;  // knows what is at rest
};

Archive::Archive() = default;
Archive::~Archive() = default;

Result<std::unique_ptr<Archive>> Archive::open(const fs::path& database, const fs::path& folder,
                                               const std::function<bool(std::uint64_t)>& progress) {
  auto found = inspect(database);
  STORE_TRY(found);
  switch (*found) {
    case Found::nothing:
      return fail(std::errc::no_such_file_or_directory, database.string() + ": no such file");
    case Found::foreign:
      return fail(errc::foreign, database.string() + ": not a store of Gerbang");
    case Found::damaged:
      return fail(errc::damaged, database.string() + ": not a database");
    case Found::ours:
      break;
  }
  SharedLock lock(database);
  if (!lock.take()) return fail(errc::locked, database.string() + ": a running gateway has it");
  Options options;
  options.path = folder / "copy.db";
  options.max_size = UINT64_MAX / 2;
  std::uint64_t copied = 0;
  STORE_TRY(copy(database, options.path, copied, progress));
  fs::path log = database.string() + "-wal";
  std::error_code none;
  if (fs::exists(log, none)) STORE_TRY(copy(log, folder / "copy.db-wal", copied, progress));

  auto db = open_database(options);
  STORE_TRY(db);
  std::unique_ptr<Archive> out(new Archive);
  out->open_ = std::make_unique<Open>(std::move(*db));
  STORE_TRY(out->open_->load());
  for (const auto& s : out->open_->series.all()) {
    Series series;
    series.number = s->id;
    series.sensor = s->sensor;
    series.quantity = s->quantity;
    series.unit = s->unit;
    series.kind = s->kind;
    out->series_.push_back(std::move(series));
  }
  return out;
}

Result<ReadingPage> Archive::readings(const ReadingQuery& query) {
  return open_->history.page(query);
}
Result<AggregatePage> Archive::aggregates(const AggregateQuery& query) {
  return open_->aggregates.page(query);
}
Result<std::optional<std::string>> Archive::get(const std::string& key) {
  return open_->state.item(key);
}
std::uint64_t Archive::unreadable() const {
  return open_->history.unreadable();
}

}  // namespace gerbang::store
