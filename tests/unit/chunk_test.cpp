// SPDX-License-Identifier: Apache-2.0
#include "store/chunk.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <random>

namespace gerbang::store {
namespace {

using Random = std::mt19937_64;
constexpr std::int64_t kHourStart = 1'767'225'600'000;

std::int64_t any_of(Random& random, std::int64_t from, std::int64_t to) {
  return std::uniform_int_distribution<std::int64_t>(from, to)(random);
}

Raw random_raw(Random& random, std::int64_t kind) {
  switch (kind) {
    case 0:
      return Raw::of(any_of(random, INT64_MIN, INT64_MAX));
    case 1:
      return Raw::of(any_of(random, 0, 65'535));
    case 2:
      return Raw::of(static_cast<double>(static_cast<float>(any_of(random, -999, 999)) / 7.0f));
    case 3:
      return Raw::of(static_cast<double>(any_of(random, -99'999, 99'999)) / 100);
    case 4:
      return Raw::of(std::bit_cast<double>(random()));  // any bits, also NaN and infinity
    case 5:
      return Raw::of(static_cast<double>(static_cast<float>(any_of(random, -9'999, 9'999)) / 1e3f));
    case 6:
      return Raw::of(-0.0);
    default:
      return Raw::of(1.0 / static_cast<double>(any_of(random, 1, 1000)));
  }
}

// Mostly of one kind, as a sensor is; sometimes a mixture.
std::vector<ChunkReading> random_readings(Random& random, std::int64_t most = 300) {
  std::vector<ChunkReading> out(static_cast<std::size_t>(any_of(random, 1, most)));
  std::int64_t kind = any_of(random, 0, 7);
  std::int64_t mixture = any_of(random, 0, 20);
  std::int64_t time = any_of(random, 0, INT64_MAX / 2), batch = any_of(random, 1, 1'000'000'000);
  for (auto& r : out) {
    time += any_of(random, 0, 9) == 0 ? any_of(random, 0, 100'000) : 1000;
    batch += any_of(random, -2, 5);
    r.time_ms = time;
    r.batch = batch;
    constexpr Flag kFlags[] = {Flag::good, Flag::not_evaluated, Flag::suspect, Flag::bad,
                               Flag::missing};
    r.flag = any_of(random, 0, 5) == 0 ? kFlags[any_of(random, 0, 4)] : Flag::good;
    r.reason = static_cast<Reason>(r.flag == Flag::good ? 0 : any_of(random, 0, kReasonCount - 1));
    r.clock = static_cast<ClockTrust>(any_of(random, 0, 9) == 0 ? any_of(random, 1, 3) : 1);
    if (r.flag == Flag::missing) continue;
    r.raw = random_raw(random, any_of(random, 0, 20) < mixture ? any_of(random, 0, 7) : kind);
  }
  return out;
}

bool same(const ChunkReading& a, const ChunkReading& b) {
  return a.time_ms == b.time_ms && a.batch == b.batch && a.flag == b.flag && a.reason == b.reason &&
         a.clock == b.clock && a.raw.is_integer == b.raw.is_integer &&
         a.raw.integer == b.raw.integer &&
         std::bit_cast<std::uint64_t>(a.raw.number) == std::bit_cast<std::uint64_t>(b.raw.number);
}

void expect_same(const std::vector<ChunkReading>& readings, const std::string& blob) {
  auto back = decode_chunk(blob);
  ASSERT_TRUE(back) << back.error().what;
  ASSERT_EQ(back->size(), readings.size());
  for (std::size_t i = 0; i < readings.size(); ++i)
    ASSERT_TRUE(same(readings[i], (*back)[i])) << "reading " << i;
}

std::string with_checksum(std::string body) {
  auto crc =
      crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<unsigned>(body.size()));
  for (int i = 0; i < 4; ++i) body.push_back(static_cast<char>(crc >> (8 * i)));
  return body;
}

TEST(Chunk, GivesBackEveryBitOfEveryReading) {
  Random random(1);
  for (int round = 0; round < 1500; ++round) {
    auto readings = random_readings(random);
    expect_same(readings, encode_chunk(readings));
    if (HasFatalFailure()) FAIL() << "round " << round;
  }
}

TEST(Chunk, KeepsExtremes) {
  std::vector<ChunkReading> readings;
  for (double v : {std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::max(),
                   std::numeric_limits<double>::lowest(), std::numeric_limits<double>::infinity(),
                   std::numeric_limits<double>::quiet_NaN(), -0.0, 0.1, 3.4028235677973366e38}) {
    ChunkReading r;
    r.flag = Flag::bad;
    r.time_ms = readings.empty() ? INT64_MIN : INT64_MAX;
    r.batch = INT64_MAX;
    r.raw = Raw::of(v);
    readings.push_back(r);
    r.raw = Raw::of(readings.size() % 4 == 1 ? INT64_MIN : INT64_MAX);
    r.batch = INT64_MIN;
    readings.push_back(r);
  }
  expect_same(readings, encode_chunk(readings));
}

TEST(Chunk, HoldsAsManyReadingsAsItSays) {
  Random random(2);
  std::vector<ChunkReading> readings(kMaxChunk);
  for (std::size_t i = 0; i < readings.size(); ++i) {
    readings[i].time_ms = kHourStart + static_cast<std::int64_t>(i) * 50;
    readings[i].flag = Flag::good;
    readings[i].raw = Raw::of(std::bit_cast<double>(random() >> 2));
  }
  expect_same(readings, encode_chunk(readings));
}

TEST(Chunk, OneStrangeValueDoesNotCostTheOthers) {
  std::vector<ChunkReading> readings(3600);
  for (std::size_t i = 0; i < readings.size(); ++i) {
    readings[i].time_ms = kHourStart + static_cast<std::int64_t>(i) * 1000;
    readings[i].flag = Flag::good;
    readings[i].raw = Raw::of(static_cast<double>(700 + i % 3) / 100);
  }
  std::size_t plain = encode_chunk(readings).size();
  readings[1000].raw = Raw::of(std::numeric_limits<double>::quiet_NaN());
  readings[2000].raw = Raw::of(std::acos(-1.0));
  std::string blob = encode_chunk(readings);
  expect_same(readings, blob);
  EXPECT_LT(blob.size(), plain + 100);
}

// An hour at 1 Hz; stamps jitter by a millisecond. The figures are in
// decision 16.
double bytes_per_reading(const std::function<Raw(Random&)>& signal) {
  Random random(3);
  std::normal_distribution<double> jitter(0.5, 0.4);
  std::vector<ChunkReading> readings(3600);
  for (std::size_t i = 0; i < readings.size(); ++i) {
    ChunkReading& r = readings[i];
    r.time_ms = kHourStart + static_cast<std::int64_t>(i) * 1000 +
                static_cast<std::int64_t>(std::floor(jitter(random)));
    r.batch = static_cast<BatchId>(1'000'000 + i);
    r.flag = Flag::good;
    r.clock = ClockTrust::trusted;
    r.raw = signal(random);
  }
  std::string blob = encode_chunk(readings);
  expect_same(readings, blob);
  double cost = static_cast<double>(blob.size()) / static_cast<double>(readings.size());
  std::printf("%.3f bytes a reading\n", cost);
  return cost;
}

TEST(ChunkCost, ARegisterOfHundredthsWithFiveCountsOfNoiseIsBelowAByte) {
  std::normal_distribution<double> noise(712, 5);
  auto counts = [&](Random& random) { return Raw::of(std::int64_t{std::llround(noise(random))}); };
  EXPECT_LE(bytes_per_reading(counts), 0.9);
  // The same from a device that gives decimals, and from one that gives them as float32.
  auto decimals = [&](Random& random) { return Raw::of(std::round(noise(random)) / 100); };
  EXPECT_LE(bytes_per_reading(decimals), 0.9);
  auto floats = [&](Random& random) {
    return Raw::of(static_cast<double>(static_cast<float>(std::round(noise(random)) / 100)));
  };
  EXPECT_LE(bytes_per_reading(floats), 0.9);
}

TEST(ChunkCost, AFloatWithNoiseInAllItsDigitsIsBelowThreeBytes) {
  std::normal_distribution<float> noise(3.2f, 0.05f);
  auto turbidity = [&](Random& random) { return Raw::of(static_cast<double>(noise(random))); };
  EXPECT_LE(bytes_per_reading(turbidity), 2.9);
}

TEST(ChunkCost, ACounterAndASwitchAreNearlyFree) {
  std::int64_t count = 123'456'789;
  auto counter = [&](Random& random) { return Raw::of(count += any_of(random, 9, 12)); };
  EXPECT_LE(bytes_per_reading(counter), 0.6);
  auto pump = [&](Random& random) {
    return Raw::of(std::int64_t{any_of(random, 0, 999) == 0 ? 0 : 1});
  };
  EXPECT_LE(bytes_per_reading(pump), 0.35);
}

TEST(Chunk, RefusesEveryTruncation) {
  Random random(4);
  std::string blob = encode_chunk(random_readings(random));
  for (std::size_t size = 0; size < blob.size(); ++size) {
    auto back = decode_chunk(std::string_view(blob).substr(0, size));
    ASSERT_FALSE(back) << size;
    EXPECT_EQ(back.error().code, errc::damaged);
    auto cut = decode_chunk(with_checksum(blob.substr(0, std::min(size, blob.size() - 5))));
    EXPECT_FALSE(cut) << "with a checksum of its own, " << size;
  }
}

TEST(Chunk, RefusesEveryFlippedBit) {
  Random random(5);
  std::string blob = encode_chunk(random_readings(random, 60));
  for (std::size_t bit = 0; bit < blob.size() * 8; ++bit) {
    std::string broken = blob;
    broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(decode_chunk(broken)) << bit;
  }
}

// The checksum hides the parser from accidents, not from itself.
TEST(Chunk, ParsesAnyBytesWithoutHarm) {
  Random random(6);
  int accepted = 0;
  constexpr int kRounds = 20'000;
  for (int round = 0; round < kRounds; ++round) {
    std::string body = encode_chunk(random_readings(random, 40));
    body.resize(body.size() - 4);
    auto changes = any_of(random, 1, 8);
    for (int i = 0; i < changes && !body.empty(); ++i) {
      auto at = static_cast<std::size_t>(any_of(random, 0, static_cast<int>(body.size()) - 1));
      if (any_of(random, 0, 5) == 0)
        body.resize(at);
      else
        body[at] = static_cast<char>(any_of(random, 0, 255));
    }
    auto back = decode_chunk(with_checksum(std::move(body)));
    if (!back) continue;
    ++accepted;
    ASSERT_LE(back->size(), kMaxChunk);
    for (std::size_t i = 1; i < back->size(); ++i)
      ASSERT_LE((*back)[i - 1].time_ms, (*back)[i].time_ms) << "a merge relies on it";
  }
  EXPECT_LT(accepted, kRounds);
}

TEST(Chunk, ACountThatIsAlieAllocatesNothing) {
  std::string body("\x01\xff\xff\xff\xff\x0f", 6);
  EXPECT_FALSE(decode_chunk(with_checksum(body + std::string(40, '\0'))));
  EXPECT_FALSE(decode_chunk(with_checksum(std::string("\x01\x00\x00\x00\x00\x00", 6))));
}

}  // namespace
}  // namespace gerbang::store
