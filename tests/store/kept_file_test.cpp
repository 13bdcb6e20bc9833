// SPDX-License-Identifier: Apache-2.0
//
// The files of tests/data/db (make.py says what they are): what earlier gateways left, and what
// cards do to files.
#include <fstream>
#include <iterator>
#include <set>

#include "store/fixture.hpp"
#include "store/migrations.hpp"
#include "store/room.hpp"
#include "store/schema.hpp"
#include "store/sqlite.hpp"

namespace gerbang::store::test {
namespace {

namespace fs = std::filesystem;

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

class KeptFile : public StoreTest {
 protected:
  static fs::path folder() { return fs::path(GERBANG_SOURCE_DIR) / "tests/data/db"; }
  void put(const std::string& name) {
    for (const auto& entry : fs::directory_iterator(dir.path())) fs::remove(entry.path());
    fs::copy_file(folder() / name, options.path);
  }
  std::set<double> values() {
    std::set<double> out;
    for (const auto& r : readings(0, INT64_MAX, {1})) EXPECT_TRUE(out.insert(r.raw.value()).second);
    return out;
  }
  static std::set<double> counted(int to) {
    std::set<double> out;
    for (int i = 0; i < to; ++i) out.insert(i);
    return out;
  }
  void declare() {
    ASSERT_TRUE(store);
    auto bits = store->declare_uplinks({"a", "b"});
    ASSERT_TRUE(bits) << bits.error().what;
    auto numbers = store->declare({series("s"), series("t")});
    ASSERT_TRUE(numbers) << numbers.error().what;
    EXPECT_EQ(*numbers, (std::vector<std::int32_t>{1, 2}));
  }
  // Salvage goes on in the pauses.
  void wait_for_salvage() {
    EXPECT_TRUE(turn_until([&] {
      auto item = store->get("store/salvage");
      return item && (!*item || (*item)->empty());
    }));
  }
  void expect_alive() {
    EXPECT_FALSE(store->status().degraded) << store->status().trouble;
    BatchId before = store->identity().last_batch;
    EXPECT_GT(append(batch({reading(1, kSecond, 30)})), before);
    Sequence last = store->identity().last_sequence;
    EXPECT_GT(commit(fold({message("aggregate/water/1m", 0b11)})), last);
    Status s = store->status();
    std::uint64_t rejected = 0;
    for (const auto& [reason, n] : s.rejected) rejected += n;
    EXPECT_EQ(s.taken, s.stored + rejected);
    wait_for_salvage();  // it brings messages too
    for (int bit : {0, 1}) {
      UplinkCounts c = store->uplink_counts(bit);
      EXPECT_EQ(c.made, c.acknowledged + c.waiting + c.refused + c.dropped + c.filtered);
      EXPECT_EQ(c.waiting, pull(bit).size());
    }
  }
};

TEST_F(KeptFile, EveryEarlierSchemaGoesOnWhereItStood) {
  std::size_t seen = 0;
  for (std::size_t schema = 1; schema <= migrations().size(); ++schema) {
    SCOPED_TRACE("schema " + std::to_string(schema));
    put("schema-" + std::to_string(schema) + ".db");
    {
      auto db = sql::Database::open(options.path, sql::Database::Mode::existing, "");
      ASSERT_TRUE(db);
      ASSERT_EQ(*db->integer("PRAGMA user_version"), static_cast<std::int64_t>(schema));
    }
    open();
    declare();
    EXPECT_FALSE(store->status().damaged) << store->status().trouble;
    EXPECT_EQ(store->identity().stream, "0123456789abcdef");
    EXPECT_EQ(store->identity().last_sequence, 6);
    EXPECT_EQ(store->status().stored, 30u);
    EXPECT_EQ(values(), counted(30));
    EXPECT_EQ(pull(0).size(), 2u);
    auto all = pull(1);
    ASSERT_EQ(all.size(), 6u);
    for (std::size_t n = 1; n <= all.size(); ++n) {
      EXPECT_EQ(all[n - 1].sequence, static_cast<Sequence>(n));
      EXPECT_EQ(all[n - 1].body, "message " + std::to_string(n));
    }
    EXPECT_EQ(**store->get("note"), "kept");
    expect_alive();
    EXPECT_EQ(replay(2).size(), 20u + 1u) << "what was not folded yet";
    crash();
    open();
    EXPECT_EQ(values(), counted(31));
    stop();
    auto db = open_database(options);
    ASSERT_TRUE(db);
    EXPECT_EQ(*db->integer("PRAGMA user_version"), static_cast<std::int64_t>(migrations().size()));
    EXPECT_EQ(*db->text("PRAGMA integrity_check"), "ok");
    ++seen;
  }
  EXPECT_GE(seen, 4u);
}

TEST_F(KeptFile, AFileOfEachSchemaIsKept) {
  EXPECT_FALSE(
      fs::exists(folder() / ("schema-" + std::to_string(migrations().size() + 1) + ".db")));
  EXPECT_TRUE(fs::exists(folder() / ("schema-" + std::to_string(migrations().size()) + ".db")))
      << "a new migration: run tests/data/db/make.py and keep the new file";
}

TEST_F(KeptFile, WhatCannotBeUsedIsSetAsideAsItWasAndANewOneBegun) {
  struct Case {
    const char* name;
    bool readable;  // and then it is brought over
  };
  for (const Case& c :
       {Case{"newer.db", true}, Case{"truncated.db", false}, Case{"flipped.db", false},
        Case{"empty.db", false}, Case{"noise.db", false}}) {
    SCOPED_TRACE(c.name);
    put(c.name);
    auto begun = std::chrono::steady_clock::now();
    open();
    declare();
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    EXPECT_LT(took.count(), 5) << "sensing within seconds";
    Status s = store->status();
    EXPECT_TRUE(s.damaged);
    EXPECT_NE(s.trouble.find(".damaged-20260101T000000Z"), std::string::npos) << s.trouble;
    EXPECT_NE(store->identity().stream, "0123456789abcdef");
    expect_alive();
    auto aside = files_aside(options.path);
    ASSERT_EQ(aside.size(), 1u);
    EXPECT_EQ(slurp(aside[0]), slurp(folder() / c.name)) << "not a byte of it is changed";
    std::cout << c.name << ": going on after " << took.count() << " s";
    for (const auto& [what, n] : store->status().salvaged) std::cout << ", " << n << " " << what;
    std::cout << " salvaged\n";
    if (c.readable) {
      EXPECT_EQ(store->identity().previous_stream, "0123456789abcdef");
      EXPECT_EQ(store->status().salvaged["messages"], 6u);
      EXPECT_EQ(values(), counted(31));
      EXPECT_EQ(**store->get("note"), "kept");
    }
    stop();
  }
}

TEST_F(KeptFile, TheDatabaseOfAnotherProgramIsRefusedUntouched) {
  put("foreign.db");
  auto opened = Store::open(options, io.get_executor());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, errc::foreign);
  EXPECT_EQ(slurp(options.path), slurp(folder() / "foreign.db"));
  EXPECT_TRUE(files_aside(options.path).empty());
}

}  // namespace
}  // namespace gerbang::store::test
