// SPDX-License-Identifier: Apache-2.0
//
// The only door to SQLite: one connection and its prepared statements, every return code checked.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace gerbang::store::sql {

// Bytes, as against text.
struct Blob {
  std::string_view bytes;
};

// The row under a statement. Views are valid until the next row.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string_view text(int column) const;
  std::string_view blob(int column) const;
  bool is_null(int column) const;
  std::optional<std::int64_t> maybe(int column) const;

 private:
  sqlite3_stmt* statement_;
};

class Statement {
 public:
  Statement() = default;

  // For statements that give no rows.
  template <class... A>
  Result<void> run(const A&... arguments) {
    auto none = [](const Row&) { return true; };
    return rows(none, arguments...);
  }

  // Calls each(row) until it says false or there are no more rows. Arguments are bound in order and
  // must outlive the call.
  template <class F, class... A>
  Result<void> rows(F&& each, const A&... arguments) {
    Reset reset(*this);
    int index = 0;
    bool bound = (bind(++index, arguments) && ...);
    if (!bound) return failure();
    for (;;) {
      auto more = step();
      if (!more) return fail(std::move(more).error());
      if (!*more || !each(Row(statement_.get()))) return {};
    }
  }

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* s) const;
  };
  struct Reset {
    explicit Reset(Statement& s) : statement(s) {}
    ~Reset() { statement.reset(); }
    Reset(const Reset&) = delete;
    Reset& operator=(const Reset&) = delete;
    Statement& statement;
  };
  explicit Statement(sqlite3_stmt* s) : statement_(s) {}

  bool bind_integer(int index, std::int64_t value);
  bool bind(int index, double value);
  bool bind(int index, std::string_view value);
  bool bind(int index, const std::string& value) { return bind(index, std::string_view(value)); }
  bool bind(int index, const char* value) { return bind(index, std::string_view(value)); }
  bool bind(int index, Blob value);
  template <class I, class = std::enable_if_t<std::is_integral_v<I> || std::is_enum_v<I>>>
  bool bind(int index, I value) {
    return bind_integer(index, static_cast<std::int64_t>(value));
  }
  bool bind(int index, const std::optional<std::int64_t>& value);

  Result<bool> step();
  tl::unexpected<Error> failure() const;
  void reset();

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  enum class Mode { existing, create };

  // vfs: the name of a registered SQLite VFS; empty: the system's.
  static Result<Database> open(const std::filesystem::path& path, Mode mode,
                               const std::string& vfs);

  // Any number of statements without arguments; rows are thrown away.
  Result<void> run(const std::string& sql);
  // One statement that is kept for the life of the connection.
  Result<Statement> prepare(std::string_view sql);
  Result<void> prepare(Statement& to, std::string_view sql);
  // The first column of the first row of a pragma or query.
  Result<std::int64_t> integer(std::string_view sql);
  Result<std::string> text(std::string_view sql);

  std::int64_t changes() const;
  bool in_transaction() const;
  // Frames in the write-ahead log after the last commit.
  int wal_frames() const { return *wal_frames_; }
  // Copies the log into the database file. keep: the log keeps its size, for normal running;
  // empty: it becomes empty, which is the mark of a clean stop.
  enum class Log { keep, empty };
  Result<void> checkpoint(Log log);

  // Whether the structure of the file (or of one table) is sound: true; false: the time was over
  // before all was seen; errc::damaged: it is not.
  Result<bool> check(std::string_view table, std::chrono::steady_clock::time_point until);

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };
  explicit Database(sqlite3* db) : db_(db), wal_frames_(std::make_unique<int>(0)) {}

  std::unique_ptr<sqlite3, Close> db_;
  std::unique_ptr<int> wal_frames_;  // at a fixed address: SQLite's hook writes it
};

// BEGIN IMMEDIATE … COMMIT; rolls back unless commit() was called and succeeded.
class Transaction {
 public:
  static Result<Transaction> begin(Database& db);
  ~Transaction();
  Transaction(Transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  Result<void> commit();

 private:
  explicit Transaction(Database& db) : db_(&db) {}
  Database* db_;
};

}  // namespace gerbang::store::sql
