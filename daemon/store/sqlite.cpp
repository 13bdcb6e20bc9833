// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite.hpp"

#include <sqlite3.h>

#include "store/check.hpp"
#include "store/sqlite_pages.hpp"
#include "store/types.hpp"

namespace gerbang::store::sql {
namespace {

errc code_of(int rc) {
  if (rc == SQLITE_IOERR_DATA) return errc::damaged;  // a checksum
  switch (rc & 0xff) {
    case SQLITE_FULL:
      return errc::full;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    // What we ask is right, and so is what we write: then the schema or a row is not what it was.
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
      return errc::damaged;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return errc::locked;
    default:
      return errc::io;
  }
}

tl::unexpected<Error> failed(sqlite3* db, int rc, std::string_view doing) {
  int extended = db != nullptr ? sqlite3_extended_errcode(db) : rc;
  if ((extended & 0xff) != (rc & 0xff)) extended = rc;
  std::string what = "SQLite error " + std::to_string(extended) + " (" +
                     (extended == SQLITE_IOERR_DATA ? "the checksum of a page is wrong"
                                                    : sqlite3_errstr(extended));
  if (db != nullptr && sqlite3_errcode(db) != SQLITE_OK) {
    std::string_view detail = sqlite3_errmsg(db);
    if (detail != sqlite3_errstr(extended)) what.append("; ").append(detail);
  }
  what.append(") in: ").append(doing.substr(0, 80));
  return fail(code_of(extended), std::move(what));
}

int on_wal(void* frames, sqlite3*, const char*, int count) {
  *static_cast<int*>(frames) = count;
  return SQLITE_OK;
}

}  // namespace

std::int64_t Row::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}
double Row::real(int column) const {
  return sqlite3_column_double(statement_, column);
}
std::string_view Row::text(int column) const {
  const auto* text = sqlite3_column_text(statement_, column);
  auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return text == nullptr ? std::string_view()
                         : std::string_view(reinterpret_cast<const char*>(text), size);
}
std::string_view Row::blob(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return bytes == nullptr ? std::string_view()
                          : std::string_view(static_cast<const char*>(bytes), size);
}
bool Row::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}
std::optional<std::int64_t> Row::maybe(int column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}

void Statement::Finalize::operator()(sqlite3_stmt* s) const {
  // The error of the last step, which was returned then.
  (void)sqlite3_finalize(s);
}

bool Statement::bind_integer(int index, std::int64_t value) {
  return sqlite3_bind_int64(statement_.get(), index, value) == SQLITE_OK;
}
bool Statement::bind(int index, double value) {
  return sqlite3_bind_double(statement_.get(), index, value) == SQLITE_OK;
}
bool Statement::bind(int index, std::string_view value) {
  // A null pointer would be SQL's NULL.
  const char* text = value.data() != nullptr ? value.data() : "";
  return sqlite3_bind_text64(statement_.get(), index, text, value.size(), SQLITE_STATIC,
                             SQLITE_UTF8) == SQLITE_OK;
}
bool Statement::bind(int index, Blob value) {
  const char* bytes = value.bytes.data() != nullptr ? value.bytes.data() : "";
  return sqlite3_bind_blob64(statement_.get(), index, bytes, value.bytes.size(), SQLITE_STATIC) ==
         SQLITE_OK;
}
bool Statement::bind(int index, const std::optional<std::int64_t>& value) {
  if (value) return bind_integer(index, *value);
  return sqlite3_bind_null(statement_.get(), index) == SQLITE_OK;
}

Result<bool> Statement::step() {
  int rc = sqlite3_step(statement_.get());
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  return failure();
}

tl::unexpected<Error> Statement::failure() const {
  // Of a damaged file: its table is not there.
  if (!statement_) return fail(errc::damaged, "the statement could not be prepared");
  sqlite3* db = sqlite3_db_handle(statement_.get());
  return failed(db, sqlite3_errcode(db), sqlite3_sql(statement_.get()));
}

void Statement::reset() {
  if (!statement_) return;                         // SQLite does not check
  (void)sqlite3_reset(statement_.get());           // repeats the error of the last step
  (void)sqlite3_clear_bindings(statement_.get());  // cannot fail; frees nothing that is ours
}

void Database::Close::operator()(sqlite3* db) const {
  // v2 waits for statements that are still alive, so the order of destructors does not matter.
  (void)sqlite3_close_v2(db);
}

Result<Database> Database::open(const std::filesystem::path& path, Mode mode,
                                const std::string& vfs) {
  sqlite3* raw = nullptr;
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (mode == Mode::create) flags |= SQLITE_OPEN_CREATE;
  int rc = sqlite3_open_v2(path.c_str(), &raw, flags, checked_vfs(vfs).c_str());
  Database db(raw);
  if (rc != SQLITE_OK) return failed(raw, rc, "open " + path.string());
  if (mode == Mode::create) {
    int reserve = kPageReserve;
    rc = sqlite3_file_control(raw, nullptr, SQLITE_FCNTL_RESERVE_BYTES, &reserve);
    if (rc != SQLITE_OK) return failed(raw, rc, "reserve room for checksums");
  }
  // Before the file is touched: then its log needs no shared memory, and a second connection is
  // kept out (SQLite before 3.51.3 may damage a file when two of them write).
  if (auto exclusive = db.run("PRAGMA locking_mode = EXCLUSIVE"); !exclusive)
    return fail(std::move(exclusive).error());
  // Also ends SQLite's own checkpoints: File::tidy makes them, and looks at the result.
  sqlite3_wal_hook(raw, on_wal, db.wal_frames_.get());
  // Closing must not write: a damaged file is to be set aside as it was found.
  (void)sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  return db;
}

Result<void> Database::run(const std::string& sql) {
  int rc = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return failed(db_.get(), rc, sql);
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  int rc = sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()),
                              SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (rc != SQLITE_OK) return failed(db_.get(), rc, sql);
  return Statement(statement);
}

Result<void> Database::prepare(Statement& to, std::string_view sql) {
  auto statement = prepare(sql);
  STORE_TRY(statement);
  to = std::move(*statement);
  return {};
}

Result<std::int64_t> Database::integer(std::string_view sql) {
  auto statement = prepare(sql);
  STORE_TRY(statement);
  std::int64_t value = 0;
  auto take = [&](const Row& row) {
    value = row.integer(0);
    return false;
  };
  STORE_TRY(statement->rows(take));
  return value;
}

Result<std::string> Database::text(std::string_view sql) {
  auto statement = prepare(sql);
  STORE_TRY(statement);
  std::string value;
  auto take = [&](const Row& row) {
    value = row.text(0);
    return false;
  };
  STORE_TRY(statement->rows(take));
  return value;
}

std::int64_t Database::changes() const {
  return sqlite3_changes64(db_.get());
}
bool Database::in_transaction() const {
  return db_ && sqlite3_get_autocommit(db_.get()) == 0;
}

Result<void> Database::checkpoint(Log log) {
  int mode = log == Log::empty ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
  int rc = sqlite3_wal_checkpoint_v2(db_.get(), nullptr, mode, nullptr, nullptr);
  if (rc != SQLITE_OK) return failed(db_.get(), rc, "checkpoint");
  return {};
}

Result<bool> Database::check(std::string_view table, std::chrono::steady_clock::time_point until) {
  constexpr int kStepsBetween = 10'000;  // of SQLite's machine: about a millisecond
  auto over = [](void* end) {
    return std::chrono::steady_clock::now() >
                   *static_cast<std::chrono::steady_clock::time_point*>(end)
               ? 1
               : 0;
  };
  std::string name(table);
  auto verdict =
      prepare(name.empty() ? "PRAGMA quick_check(1)" : "PRAGMA quick_check('" + name + "')");
  STORE_TRY(verdict);
  std::string said;
  auto take = [&](const Row& row) {
    said = row.text(0);
    return false;
  };
  sqlite3_progress_handler(db_.get(), kStepsBetween, over, &until);
  auto done = verdict->rows(take);
  bool interrupted = sqlite3_errcode(db_.get()) == SQLITE_INTERRUPT;
  sqlite3_progress_handler(db_.get(), 0, nullptr, nullptr);
  if (!done && interrupted) return false;
  STORE_TRY(done);
  if (said != "ok") return fail(errc::damaged, said);
  return true;
}

Result<Transaction> Transaction::begin(Database& db) {
  if (db.in_transaction()) STORE_TRY(db.run("ROLLBACK"));  // one that failed before
  STORE_TRY(db.run("BEGIN IMMEDIATE"));
  return Transaction(db);
}

Transaction::~Transaction() {
  // Some errors have rolled back already. The cause was reported by the statement that failed, and
  // begin() tries again.
  if (db_ != nullptr && db_->in_transaction()) (void)db_->run("ROLLBACK");
}

Result<void> Transaction::commit() {
  STORE_TRY(db_->run("COMMIT"));
  db_ = nullptr;
  return {};
}

}  // namespace gerbang::store::sql
