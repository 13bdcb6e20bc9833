// SPDX-License-Identifier: Apache-2.0
#include "store/journal_code.hpp"

#include <gtest/gtest.h>

#include <random>

namespace gerbang::store {
namespace {

JournalHeader header(const std::string& stream = "0123456789abcdef",
                     const std::string& boot = "6e1c3f2a-0000-4000-8000-000000000001") {
  JournalHeader out;
  out.stream = stream;
  out.boot_id = boot;
  return out;
}
Epoch epoch(std::int64_t offset_ns = 1'767'225'600'000'000'000) {
  Epoch out;
  out.boot_id = header().boot_id;
  out.offset_ns = offset_ns;
  out.trust = ClockTrust::trusted;
  return out;
}
std::vector<Reading> readings(std::size_t count, double first = 1.25) {
  std::vector<Reading> out(count);
  for (std::size_t i = 0; i < count; ++i) {
    out[i].sensor = static_cast<std::uint32_t>(i + 1);
    out[i].flag = Flag::good;
    out[i].raw = Raw::of(first + static_cast<double>(i));
    out[i].boot_ns = 77'000'000'000;
  }
  return out;
}
std::string record(std::uint64_t number, std::size_t count = 2,
                   const JournalHeader& of = header()) {
  return encode_record(journal_seed(of), number, epoch(), readings(count), Reasons());
}
std::vector<std::uint64_t> numbers(const JournalScan& scan) {
  std::vector<std::uint64_t> out;
  for (const Batch& batch : scan.records) out.push_back(batch.journal);
  return out;
}
using Numbers = std::vector<std::uint64_t>;

TEST(JournalHeader, ComesBackAsItWas) {
  std::string bytes = encode(header());
  EXPECT_EQ(bytes.size(), kJournalHeader);
  EXPECT_EQ(decode_journal_header(bytes), header());
}

TEST(JournalHeader, AnyFlippedBitMakesItNoHeader) {
  const std::string good = encode(header());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(decode_journal_header(bad)) << bit;
  }
  EXPECT_FALSE(decode_journal_header(good.substr(0, kJournalHeader - 1)));
  EXPECT_FALSE(decode_journal_header(""));
}

TEST(JournalRecord, KeepsReadingsEpochAndWhatWasRefused) {
  Reasons rejected;
  rejected["repeated"][7] = 3;
  rejected["repeated"][200] = 1;
  rejected["unknown_sensor"][0] = 2;
  std::vector<Reading> some = readings(3);
  some[1].flag = Flag::missing;
  some[1].reason = Reason::timeout;
  some[2].unix_ns = 1'767'225'600'123'000'000;
  some[2].raw = Raw::of(std::int64_t{-5});
  std::string ring = encode_record(journal_seed(header()), 41, epoch(-9), some, rejected);

  JournalScan scan = scan_journal(ring, header(), 40);

  ASSERT_EQ(scan.records.size(), 1u);
  const Batch& got = scan.records[0];
  EXPECT_EQ(got.journal, 41u);
  EXPECT_EQ(got.epoch, epoch(-9));
  EXPECT_EQ(got.rejected, rejected);
  ASSERT_EQ(got.readings.size(), 3u);
  EXPECT_EQ(got.readings[0].raw, Raw::of(1.25));
  EXPECT_EQ(got.readings[0].boot_ns, 77'000'000'000);
  EXPECT_EQ(got.readings[1].reason, Reason::timeout);
  EXPECT_EQ(got.readings[2].unix_ns, 1'767'225'600'123'000'000);
  EXPECT_EQ(got.readings[2].raw, Raw::of(std::int64_t{-5}));
  EXPECT_EQ(scan.damaged, 0u);
}

TEST(JournalRecord, WithoutReadingsKeepsWhatWasRefused) {
  Reasons rejected;
  rejected["event"][0] = 1;
  JournalScan scan =
      scan_journal(encode_record(journal_seed(header()), 1, epoch(), {}, rejected), header(), 0);
  ASSERT_EQ(scan.records.size(), 1u);
  EXPECT_TRUE(scan.records[0].readings.empty());
  EXPECT_EQ(scan.records[0].rejected, rejected);
}

TEST(JournalScan, GivesOnlyWhatIsNewerInOrderOfNumber) {
  std::string ring = record(12) + record(13) + record(9) + record(10) + record(11);
  JournalScan scan = scan_journal(ring, header(), 10);
  EXPECT_EQ(numbers(scan), (Numbers{11, 12, 13}));
  EXPECT_EQ(scan.newest, 13u);
  EXPECT_EQ(scan.damaged, 0u);
}

TEST(JournalScan, WhatAnotherStoreOrBootLeftIsNoRecord) {
  std::string ring = record(1, 2, header("fedcba9876543210")) +
                     record(2, 2, header("0123456789abcdef", "another boot")) + record(3);
  EXPECT_EQ(numbers(scan_journal(ring, header(), 2)), (Numbers{3}));
}

TEST(JournalScan, ATornTailIsCountedAndTheRestIsThere) {
  const std::string ring = record(5) + record(6) + record(7, 50);
  for (std::size_t cut = record(5).size() * 2 + 16; cut < ring.size(); cut += 8) {
    std::string torn = ring.substr(0, cut) + std::string(4096, '\0');
    JournalScan scan = scan_journal(torn, header(), 4);
    EXPECT_EQ(numbers(scan), (Numbers{5, 6})) << cut;
    EXPECT_EQ(scan.damaged, 1u) << cut;
  }
}

TEST(JournalScan, ARecordThatRotInTheMiddleIsCountedOnce) {
  std::string ring = record(5) + record(6) + record(7);
  ring[record(5).size() + 30] = static_cast<char>(ring[record(5).size() + 30] ^ 0x10);
  JournalScan scan = scan_journal(ring, header(), 4);
  EXPECT_EQ(numbers(scan), (Numbers{5, 7}));
  EXPECT_EQ(scan.damaged, 1u);
}

TEST(JournalScan, WhatAnOverwriteLeftOfAnOldRecordIsNoDamage) {
  std::string old = record(3, 60);
  std::string ring = record(9) + old.substr(record(9).size());
  JournalScan scan = scan_journal(ring, header(), 8);
  EXPECT_EQ(numbers(scan), (Numbers{9}));
  EXPECT_EQ(scan.damaged, 0u);
}

TEST(JournalScan, FlippedBitsNeverMakeAReadingOfTheirOwn) {
  const std::string ring = record(1, 3) + record(2, 3);
  for (std::size_t bit = 0; bit < ring.size() * 8; ++bit) {
    std::string bad = ring;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    JournalScan scan = scan_journal(bad, header(), 0);
    EXPECT_LT(scan.records.size(), 2u) << bit;
    for (const Batch& batch : scan.records) {
      ASSERT_EQ(batch.readings.size(), 3u);
      EXPECT_EQ(batch.readings[2].raw, Raw::of(3.25));
    }
  }
}

TEST(JournalScan, NoiseWithRecordMagicInItIsBounded) {
  std::mt19937 random(7);
  const std::string magic = record(1).substr(0, 4);
  for (int round = 0; round < 200; ++round) {
    std::string ring(8192, '\0');
    for (char& c : ring) c = static_cast<char>(random());
    for (std::size_t at = 0; at + 40 < ring.size(); at += 8 * (1 + random() % 8))
      ring.replace(at, 4, magic);
    JournalScan scan = scan_journal(ring, header(), 0);
    EXPECT_TRUE(scan.records.empty());
  }
}

TEST(JournalScan, LengthsThatLieAreNoRecords) {
  for (std::uint32_t bytes : {0u, 8u, 39u, 41u, 0x7fffffffu, 0xffffffffu, 0xfffffff8u}) {
    std::string ring = record(1);
    for (std::size_t i = 0; i < 4; ++i) ring[4 + i] = static_cast<char>(bytes >> (8 * i));
    EXPECT_TRUE(scan_journal(ring, header(), 0).records.empty()) << bytes;
  }
}

// ---- ring ---------------------------------------------------------------------------------------

TEST(JournalRing, NeverOverwritesWhatWasNotReleased) {
  std::mt19937 random(3);
  JournalRing ring(4096, 1024);
  struct Held {
    std::uint64_t number;
    std::size_t from, to;
  };
  std::deque<Held> held;
  std::uint64_t next = 1, refused = 0;
  for (int step = 0; step < 20'000; ++step) {
    if (random() % 3 == 0 && !held.empty()) {
      auto count = 1 + random() % held.size();
      std::uint64_t upto = held[count - 1].number;
      ring.release(upto);
      held.erase(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(count));
      continue;
    }
    std::size_t bytes = 40 + random() % 60 * 8;
    auto at = ring.place(next, bytes);
    if (!at) {
      ++refused;
      EXPECT_FALSE(held.empty()) << "an empty ring has room";
      continue;
    }
    EXPECT_LE(*at + bytes, 4096u);
    for (const Held& other : held) EXPECT_TRUE(*at + bytes <= other.from || *at >= other.to);
    held.push_back(Held{next++, *at, *at + bytes});
  }
  EXPECT_GT(refused, 0u);
  EXPECT_GT(next, 10'000u);
}

TEST(JournalRing, ASteadyFlowTouchesFewPages) {
  JournalRing ring(4u << 20, 256u << 10);
  std::size_t highest = 0;
  for (std::uint64_t n = 1; n < 100'000; ++n) {
    auto at = ring.place(n, 200);
    ASSERT_TRUE(at);
    highest = std::max(highest, *at + 200);
    if (n > 100) ring.release(n - 100);
  }
  EXPECT_LE(highest, (256u << 10) + 200);
}

TEST(JournalRing, ARecordThatIsLargerThanTheRingFindsNoRoom) {
  JournalRing ring(1024, 512);
  EXPECT_FALSE(ring.place(1, 1025));
  EXPECT_TRUE(ring.place(1, 1024));
  EXPECT_FALSE(ring.place(2, 8));
  ring.release(1);
  EXPECT_TRUE(ring.place(2, 8));
}

}  // namespace
}  // namespace gerbang::store
