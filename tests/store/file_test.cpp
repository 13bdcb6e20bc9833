// SPDX-License-Identifier: Apache-2.0
//
// The database as a file: whose it is, what is done with one that cannot be used, migrations.
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "store/fixture.hpp"
#include "store/migrations.hpp"
#include "store/schema.hpp"
#include "store/sqlite.hpp"

namespace gerbang::store::test {
namespace {

namespace fs = std::filesystem;

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}
void spill(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

class StoreFile : public StoreTest {
 protected:
  // A stopped store with a reading and a message in it; returns its stream.
  std::string make_store() {
    open();
    EXPECT_TRUE(store->declare_uplinks({"a"}));
    append(batch({reading(1, kSecond, 1)}));
    commit(fold({message("x", 1)}));
    std::string stream = store->identity().stream;
    stop();
    return stream;
  }
  Error open_error() {
    auto opened = Store::open(options, io.get_executor());
    EXPECT_FALSE(opened);
    return opened ? Error({}, "") : opened.error();
  }
  std::vector<fs::path> set_aside() {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator(dir.path())) {
      std::string name = entry.path().filename();
      bool log = name.size() > 4 && name.substr(name.size() - 4) == "-wal";
      if (name.find(".damaged-") != std::string::npos && !log) out.push_back(entry.path());
    }
    return out;
  }
  void expect_begun_anew(const std::string& previous_stream) {
    open();
    ASSERT_TRUE(store);
    Status s = store->status();
    EXPECT_TRUE(s.damaged);
    EXPECT_FALSE(s.degraded);
    EXPECT_NE(s.trouble.find(".damaged-20260101T000000Z"), std::string::npos) << s.trouble;
    EXPECT_EQ(store->identity().previous_stream, previous_stream);
    EXPECT_EQ(store->identity().last_sequence, 0);
    EXPECT_GE(append(batch({reading(1, kSecond, 1)})), 1);
    EXPECT_TRUE(store->status().damaged) << "until the next start";
    stop();
    open();
    EXPECT_FALSE(store->status().damaged);
  }
  Result<void> change(const std::string& sql) {
    auto db = sql::Database::open(options.path, sql::Database::Mode::existing, "");
    if (!db) return fail(db.error());
    return db->run("PRAGMA locking_mode = EXCLUSIVE; " + sql);
  }
};

TEST_F(StoreFile, ASecondStoreIsRefusedAndToldWhoHasIt) {
  open();
  Error error = open_error();
  EXPECT_EQ(error.code, errc::locked);
  EXPECT_NE(error.what.find("in use by process " + std::to_string(::getpid())), std::string::npos)
      << error.what;
  crash();
  open();  // the lock went with its owner
  EXPECT_TRUE(store);
}

TEST_F(StoreFile, AnotherProgramCannotOpenItWhileItRuns) {
  open();
  append(batch({reading(1, kSecond, 1)}));
  // Another process: the locks of SQLite do not hold within one.
  pid_t child = ::fork();
  if (child == 0) {
    std::string command =
        "sqlite3 '" + options.path.string() + "' 'SELECT * FROM state' 2>/dev/null";
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_NE(WEXITSTATUS(status), 0);
}

TEST_F(StoreFile, AMissingFolderIsNamed) {
  options.path = dir / "none/gerbang.db";
  Error error = open_error();
  EXPECT_EQ(error.code, errc::io);
  EXPECT_NE(error.what.find((dir / "none").string()), std::string::npos) << error.what;
}

TEST_F(StoreFile, AFolderInItsPlaceIsNamedAndStaysAsItIs) {
  options.path = dir / "data";
  std::filesystem::create_directory(options.path);
  Error error = open_error();
  EXPECT_EQ(error.code, errc::foreign);
  EXPECT_NE(error.what.find("data is a folder"), std::string::npos) << error.what;
  EXPECT_NE(error.what.find("data/gerbang.db"), std::string::npos) << error.what;
  EXPECT_FALSE(std::filesystem::exists(dir / "data.lock"));
}

TEST_F(StoreFile, AForeignDatabaseIsLeftUntouched) {
  make_store();
  ASSERT_TRUE(change("PRAGMA journal_mode = DELETE; PRAGMA application_id = 42"));
  std::string before = slurp(options.path);

  Error error = open_error();

  EXPECT_EQ(error.code, errc::foreign);
  EXPECT_NE(error.what.find("another program"), std::string::npos) << error.what;
  EXPECT_EQ(slurp(options.path), before);
  EXPECT_TRUE(set_aside().empty());
}

TEST_F(StoreFile, ADatabaseWithoutAnApplicationIsForeignToo) {
  auto db = sql::Database::open(options.path, sql::Database::Mode::create, "");
  ASSERT_TRUE(db->run("CREATE TABLE notes(text)"));
  EXPECT_EQ(open_error().code, errc::foreign);
}

TEST_F(StoreFile, ANewerSchemaIsSetAsideWithItsStreamNamed) {
  std::string stream = make_store();
  ASSERT_TRUE(change("PRAGMA user_version = 999"));
  expect_begun_anew(stream);
  auto aside = set_aside();
  ASSERT_FALSE(aside.empty());
  auto found = inspect(aside[0]);
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, Found::ours) << "nothing was deleted";
}

TEST_F(StoreFile, FilesThatAreNoDatabaseAreSetAside) {
  for (const std::string& content :
       {std::string(), std::string(10, 'x'), std::string(8192, '\0'), std::string(70'000, 'y')}) {
    SCOPED_TRACE(content.size());
    for (const auto& entry : fs::directory_iterator(dir.path())) fs::remove(entry.path());
    spill(options.path, content);
    expect_begun_anew("");
    store.reset();
    auto aside = set_aside();
    ASSERT_EQ(aside.size(), 1u);
    EXPECT_EQ(slurp(aside[0]), content);
  }
}

TEST_F(StoreFile, ADamagedFileIsSetAsideAsItWas) {
  std::string stream = make_store();
  std::string bytes = slurp(options.path);
  struct Case {
    const char* what;
    std::string bytes;
    std::string stream;
  };
  std::string truncated = bytes.substr(0, 3 * kPageSize);
  std::string no_schema = bytes;
  no_schema.replace(100, 600, 600, '\xff');
  for (const auto& c : {Case{"truncated", truncated, ""}, Case{"no schema", no_schema, ""}}) {
    SCOPED_TRACE(c.what);
    for (const auto& entry : fs::directory_iterator(dir.path())) fs::remove(entry.path());
    spill(options.path, c.bytes);
    open();
    ASSERT_TRUE(store);
    EXPECT_TRUE(store->status().damaged);
    EXPECT_NE(store->identity().stream, stream);
    EXPECT_EQ(append(batch({reading(1, kSecond, 1)})), 1);
    store.reset();
    auto aside = set_aside();
    ASSERT_EQ(aside.size(), 1u);
    EXPECT_EQ(slurp(aside[0]), c.bytes);
  }
}

TEST_F(StoreFile, ADamagedBatchIsLeftOutAndCounted) {
  open();
  append(batch({reading(1, 1 * kSecond, 1)}));
  append(batch({reading(1, 2 * kSecond, 2)}));
  append(batch({reading(1, 3 * kSecond, 3)}));
  stop();
  ASSERT_TRUE(change("UPDATE reading SET body = x'00112233445566' WHERE id = 2"));
  open();

  EXPECT_EQ(replay().size(), 2u);
  EXPECT_EQ(readings(0, INT64_MAX).size(), 2u);
  EXPECT_EQ(store->status().unreadable_batches, 1u);
}

TEST_F(StoreFile, AHalfMadeFileOfACrashedFirstStartIsNoObstacle) {
  spill(options.path.string() + ".new", "half");
  spill(options.path.string() + ".new-journal", "half");
  open();
  EXPECT_TRUE(store);
  EXPECT_FALSE(store->status().damaged);
}

TEST_F(StoreFile, ACleanStopLeavesAnEmptyLog) {
  make_store();
  EXPECT_EQ(slurp(options.path.string() + "-wal").size(), 0u);
}

TEST_F(StoreFile, TheLogKeepsItsSizeInNormalRunning) {
  open();
  ASSERT_TRUE(store->declare_uplinks({"a"}));
  std::vector<std::uint64_t> sizes;
  for (int i = 0; i < 30; ++i) {
    commit(fold(std::vector<NewMessage>(10, message("x", 1, std::string(50'000, 'm')))));
    sizes.push_back(fs::file_size(options.path.string() + "-wal"));
  }
  flush();
  EXPECT_LT(sizes.back(), 8u << 20);
  EXPECT_GE(sizes.back(), sizes[15]) << "it does not shrink";
  EXPECT_GT(store->status().bytes, sizes.back());
}

TEST_F(StoreFile, PragmasAreWhatTheDesignSays) {
  make_store();
  auto db = open_database(options);
  ASSERT_TRUE(db);
  EXPECT_EQ(*db->text("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(*db->text("PRAGMA locking_mode"), "exclusive");
  EXPECT_EQ(*db->integer("PRAGMA synchronous"), 2);
  EXPECT_EQ(*db->integer("PRAGMA secure_delete"), 0);
  EXPECT_EQ(*db->integer("PRAGMA temp_store"), 2);
  EXPECT_EQ(*db->integer("PRAGMA page_size"), std::int64_t{kPageSize});
  EXPECT_EQ(*db->integer("PRAGMA application_id"), kApplicationId);
}

// ---- migrations ---------------------------------------------------------------------------------

// FNV-1a, 64 bits.
std::uint64_t hash(std::string_view text) {
  std::uint64_t h = 14695981039346656037u;
  for (char c : text) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return h;
}

// A released migration is history: a change of one needs a new file, not a new hash here.
TEST(Migrations, NeverChange) {
  struct Known {
    std::string_view file;
    std::uint64_t hash;
  };
  const std::vector<Known> known = {{"0001_initial.sql", 10918079611353029251u},
                                    {"0002_journal.sql", 14774719781328463958u},
                                    {"0003_chunks.sql", 11925079775996194552u},
                                    {"0004_room.sql", 12766937320505609737u},
                                    {"0005_event.sql", 3373799475298327512u}};
  auto all = migrations();
  ASSERT_EQ(all.size(), known.size()) << "a new migration: add it here";
  for (std::size_t i = 0; i < known.size(); ++i) {
    EXPECT_EQ(all[i].file, known[i].file);
    EXPECT_EQ(hash(all[i].sql), known[i].hash) << all[i].file;
    std::string on_disk =
        slurp(fs::path(GERBANG_SOURCE_DIR) / "daemon/store/migrations" / all[i].file);
    EXPECT_EQ(all[i].sql, on_disk) << "what is compiled in is what is in the file";
  }
}

TEST_F(StoreFile, AFreshFileHasTheNewestSchemaAndOnlyStrictTables) {
  make_store();
  auto db = open_database(options);
  ASSERT_TRUE(db);
  EXPECT_EQ(*db->integer("PRAGMA user_version"), static_cast<std::int64_t>(migrations().size()));
  EXPECT_GT(*db->integer("SELECT count(*) FROM sqlite_schema WHERE type = 'table'"), 5);
  EXPECT_EQ(*db->integer("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND"
                         " sql NOT LIKE '%) STRICT%'"),
            0);
  EXPECT_EQ(*db->text("PRAGMA integrity_check"), "ok");
}

}  // namespace
}  // namespace gerbang::store::test
