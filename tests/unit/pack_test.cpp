// SPDX-License-Identifier: Apache-2.0
#include "store/pack.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "store/types.hpp"

namespace gerbang::store {
namespace {

using Random = std::mt19937_64;

std::int64_t any_of(Random& random, std::int64_t from, std::int64_t to) {
  return std::uniform_int_distribution<std::int64_t>(from, to)(random);
}

Raw random_raw(Random& random) {
  switch (any_of(random, 0, 6)) {
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
      return Raw::of(-0.0);
    default:
      return Raw::of(1.0 / static_cast<double>(any_of(random, 1, 1000)));
  }
}

std::vector<Reading> random_readings(Random& random) {
  std::vector<Reading> out(static_cast<std::size_t>(any_of(random, 0, 300)));
  std::int64_t boot = any_of(random, 0, INT64_MAX / 2);
  std::uint32_t series = 0;
  for (auto& r : out) {
    bool run = any_of(random, 0, 3) != 0;
    series = run ? series + 1 : static_cast<std::uint32_t>(any_of(random, 1, INT32_MAX - 400));
    r.sensor = series;
    if (any_of(random, 0, 9) == 0) boot += any_of(random, -1'000'000, 1'000'000'000);
    if (any_of(random, 0, 9) == 0)
      r.unix_ns = any_of(random, INT64_MIN, INT64_MAX);
    else
      r.boot_ns = boot;
    constexpr Flag kFlags[] = {Flag::good, Flag::not_evaluated, Flag::suspect, Flag::bad,
                               Flag::missing};
    r.flag = any_of(random, 0, 4) == 0 ? kFlags[any_of(random, 0, 4)] : Flag::good;
    r.reason = static_cast<Reason>(r.flag == Flag::good ? 0 : any_of(random, 0, kReasonCount - 1));
    if (r.flag != Flag::missing) r.raw = random_raw(random);
  }
  return out;
}

bool same(const Reading& a, const Reading& b) {
  return a.sensor == b.sensor && a.flag == b.flag && a.reason == b.reason &&
         a.boot_ns == b.boot_ns && a.unix_ns == b.unix_ns && a.raw.is_integer == b.raw.is_integer &&
         a.raw.integer == b.raw.integer &&
         std::bit_cast<std::uint64_t>(a.raw.number) == std::bit_cast<std::uint64_t>(b.raw.number);
}

std::vector<Reading> unpacked(const std::string& blob) {
  std::vector<Reading> out;
  auto done = unpack(blob, out);
  EXPECT_TRUE(done) << done.error().what;
  return out;
}

TEST(Pack, GivesBackEveryBitOfEveryReading) {
  Random random(1);
  for (int round = 0; round < 1000; ++round) {
    auto readings = random_readings(random);
    auto back = unpacked(pack(readings));
    ASSERT_EQ(back.size(), readings.size());
    for (std::size_t i = 0; i < readings.size(); ++i)
      ASSERT_TRUE(same(readings[i], back[i])) << "round " << round << ", reading " << i;
  }
}

TEST(Pack, KeepsExtremes) {
  std::vector<Reading> readings;
  for (double v : {std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::max(),
                   std::numeric_limits<double>::lowest(), std::numeric_limits<double>::infinity(),
                   std::numeric_limits<double>::quiet_NaN(), -0.0, 0.1, 3.4028235677973366e38}) {
    Reading r;
    r.sensor = INT32_MAX;
    r.boot_ns = INT64_MAX;
    r.raw = Raw::of(v);
    readings.push_back(r);
    r.boot_ns = INT64_MIN;
    r.raw = Raw::of(INT64_MIN);
    readings.push_back(r);
  }
  auto back = unpacked(pack(readings));
  ASSERT_EQ(back.size(), readings.size());
  for (std::size_t i = 0; i < readings.size(); ++i) EXPECT_TRUE(same(readings[i], back[i])) << i;
}

TEST(Pack, AReadingAtOneHertzCostsAtMostSixBytes) {
  // A thousand float32 sensors on ten units, polled once; and as many 16-bit registers.
  Random random(2);
  std::normal_distribution<float> noise(7.2f, 0.05f);
  std::vector<Reading> floats, registers;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    Reading r;
    r.sensor = i + 1;
    r.flag = Flag::good;
    r.boot_ns = 86'400'123'456'789 + (i / 100) * 7'654'321;
    r.raw = Raw::of(static_cast<double>(noise(random)));
    floats.push_back(r);
    r.raw = Raw::of(any_of(random, 700, 740));
    registers.push_back(r);
  }
  auto per_reading = [](const std::vector<Reading>& all) {
    return static_cast<double>(pack(all).size()) / static_cast<double>(all.size());
  };
  RecordProperty("float32_bytes_per_reading", std::to_string(per_reading(floats)));
  RecordProperty("uint16_bytes_per_reading", std::to_string(per_reading(registers)));
  EXPECT_LE(per_reading(floats), 4.3);
  EXPECT_LE(per_reading(registers), 2.3);
}

TEST(Pack, RefusesEveryTruncation) {
  Random random(3);
  std::string blob = pack(random_readings(random));
  std::vector<Reading> out;
  for (std::size_t size = 0; size < blob.size(); ++size) {
    auto done = unpack(std::string_view(blob).substr(0, size), out);
    ASSERT_FALSE(done) << size;
    EXPECT_EQ(done.error().code, errc::damaged);
    EXPECT_TRUE(out.empty());
  }
}

TEST(Pack, RefusesEveryFlippedBit) {
  Random random(4);
  std::string blob = pack(random_readings(random));
  std::vector<Reading> out;
  for (std::size_t bit = 0; bit < blob.size() * 8; ++bit) {
    std::string broken = blob;
    broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(unpack(broken, out)) << bit;
  }
}

// The checksum hides the parser from accidents, not from itself: with a right checksum over wrong
// bytes it must still neither read outside nor allocate without bound.
TEST(Pack, ParsesAnyBytesWithoutHarm) {
  Random random(5);
  std::vector<Reading> out;
  std::size_t accepted = 0;
  for (int round = 0; round < 4'000; ++round) {
    std::string body = pack(random_readings(random)).substr(0, 400);
    body.resize(body.size() - std::min<std::size_t>(body.size(), 4));
    auto changes = any_of(random, 1, 8);
    for (int i = 0; i < changes && !body.empty(); ++i) {
      auto at = static_cast<std::size_t>(any_of(random, 0, static_cast<int>(body.size()) - 1));
      if (any_of(random, 0, 3) == 0)
        body.resize(at);
      else
        body[at] = static_cast<char>(any_of(random, 0, 255));
    }
    auto crc =
        crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<unsigned>(body.size()));
    for (int i = 0; i < 4; ++i) body.push_back(static_cast<char>(crc >> (8 * i)));
    if (unpack(body, out)) ++accepted;
    EXPECT_LE(out.size(), kMaxPacked);
  }
  EXPECT_LT(accepted, 4'000u);
}

TEST(Pack, RefusesAnotherFormat) {
  std::string blob = pack({});
  blob[0] = 2;
  blob.resize(blob.size() - 4);
  auto crc =
      crc32(0, reinterpret_cast<const Bytef*>(blob.data()), static_cast<unsigned>(blob.size()));
  for (int i = 0; i < 4; ++i) blob.push_back(static_cast<char>(crc >> (8 * i)));
  std::vector<Reading> out;
  auto done = unpack(blob, out);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().what.find("unknown format 2"), std::string::npos) << done.error().what;
}

}  // namespace
}  // namespace gerbang::store
