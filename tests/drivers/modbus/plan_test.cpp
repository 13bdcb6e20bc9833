// SPDX-License-Identifier: Apache-2.0
#include "modbus/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

namespace gerbang::modbus {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

Want want(int address, Type type = Type::uint16, std::chrono::nanoseconds interval = 1s,
          int unit = 1, Table table = Table::holding) {
  return {{static_cast<std::uint8_t>(unit), table, static_cast<std::uint16_t>(address), type,
           Order::abcd, -1},
          interval};
}
std::vector<std::pair<int, int>> ranges(const std::vector<Request>& requests) {
  std::vector<std::pair<int, int>> out;
  for (const Request& r : requests) out.emplace_back(r.first, r.count);
  return out;
}

TEST(Plan, ReadsNeighboursAndSmallGapsTogether) {
  const std::vector wants{want(4), want(0), want(1, Type::float32), want(12), want(30)};
  PlanLimits limits;
  limits.max_gap = 7;
  EXPECT_THAT(ranges(plan(wants, limits)), ElementsAre(std::pair(0, 13), std::pair(30, 1)));
  limits.max_gap = 0;
  EXPECT_THAT(ranges(plan(wants, limits)),
              ElementsAre(std::pair(0, 3), std::pair(4, 1), std::pair(12, 1), std::pair(30, 1)));
}

TEST(Plan, KeepsUnitsTablesAndIntervalsApart) {
  const std::vector wants{want(0), want(1, Type::uint16, 2s), want(1, Type::uint16, 1s, 2),
                          want(1, Type::uint16, 1s, 1, Table::input)};
  EXPECT_EQ(plan(wants, {}).size(), 4u);
}

TEST(Plan, AHundredRegistersAreOneRequest) {
  std::vector<Want> wants;
  for (int i = 0; i < 100; ++i) wants.push_back(want(i));
  EXPECT_THAT(ranges(plan(wants, {})), ElementsAre(std::pair(0, 100)));
}

TEST(Plan, NeverExceedsTheLargestRequest) {
  std::vector<Want> wants;
  for (int i = 0; i < 130; i += 2) wants.push_back(want(i, Type::float32));
  PlanLimits limits;
  limits.max_registers = 125;
  EXPECT_THAT(ranges(plan(wants, limits)), ElementsAre(std::pair(0, 124), std::pair(124, 6)));
}

TEST(Plan, TheQuirkReadsEachSensorAlone) {
  const std::vector wants{want(0), want(1), want(1, Type::float32)};
  PlanLimits limits;
  limits.one_request_per_sensor = true;
  EXPECT_THAT(ranges(plan(wants, limits)),
              ElementsAre(std::pair(0, 1), std::pair(1, 1), std::pair(1, 2)));
}

TEST(Plan, ARefusedRequestLosesItsGapsFirstAndThenHalves) {
  const std::vector wants{want(0), want(1), want(5), want(6), want(7), want(8)};
  const auto all = plan(wants, {});
  ASSERT_EQ(all.size(), 1u);
  const auto without_gaps = split(all[0], wants);
  ASSERT_THAT(ranges(without_gaps), ElementsAre(std::pair(0, 2), std::pair(5, 4)));
  const auto halves = split(without_gaps[1], wants);
  ASSERT_THAT(ranges(halves), ElementsAre(std::pair(5, 2), std::pair(7, 2)));
  const auto single = split(halves[0], wants);
  ASSERT_THAT(ranges(single), ElementsAre(std::pair(5, 1), std::pair(6, 1)));
  EXPECT_TRUE(split(single[0], wants).empty());
}

TEST(Plan, BitsOfOneRegisterStayTogether) {
  std::vector wants{want(3), want(3), want(3)};
  EXPECT_TRUE(split(plan(wants, {})[0], wants).empty());
}

// For any points and limits: each is covered wholly by exactly one request of its unit, table and
// interval, no request is longer than allowed, none reads a longer gap than allowed, and the same
// holds of what a request is split into.
TEST(Plan, EveryPointIsReadOnceAndEveryLimitIsKept) {
  std::mt19937 random(4);
  auto up_to = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (int round = 0; round < 400; ++round) {
    std::vector<Want> wants;
    const int span = round % 3 == 0 ? 60 : 3000;
    for (int i = 0, n = 1 + up_to(200); i < n; ++i) {
      const auto table = static_cast<Table>(1 + up_to(4));
      const auto type = holds_bits(table) ? Type::boolean : static_cast<Type>(up_to(11));
      const int last = 65'536 - width(type);
      wants.push_back(want(round % 5 == 0 ? last - up_to(40) : up_to(span), type,
                           std::chrono::seconds(1 + up_to(2)), up_to(3), table));
    }
    PlanLimits limits;
    limits.max_gap = static_cast<std::uint16_t>(up_to(20));
    limits.max_registers = static_cast<std::uint16_t>(4 + up_to(122));
    limits.max_bits = static_cast<std::uint16_t>(1 + up_to(2000));
    limits.one_request_per_sensor = round % 7 == 0;

    auto requests = plan(wants, limits);
    for (int pass = 0; pass < 3; ++pass) {
      std::multiset<std::size_t> read;
      for (const Request& r : requests) {
        const bool bits = holds_bits(r.table);
        ASSERT_LE(r.count, bits ? limits.max_bits : limits.max_registers);
        ASSERT_LE(r.first + r.count, 65'536);
        std::uint32_t end = r.first;
        for (std::size_t p : r.points) {
          const Want& w = wants[p];
          ASSERT_EQ(w.point.unit, r.unit);
          ASSERT_EQ(w.point.table, r.table);
          ASSERT_EQ(w.interval, r.interval);
          ASSERT_GE(w.point.address, r.first);
          ASSERT_LE(w.point.end(), std::uint32_t{r.first} + r.count);
          ASSERT_LE(w.point.address, end + (bits ? 16u : 1u) * limits.max_gap);
          end = std::max(end, w.point.end());
          read.insert(p);
        }
        ASSERT_EQ(end, std::uint32_t{r.first} + r.count);
        ASSERT_TRUE(!limits.one_request_per_sensor || r.points.size() == 1);
      }
      ASSERT_EQ(read.size(), wants.size());
      ASSERT_EQ(std::set<std::size_t>(read.begin(), read.end()).size(), wants.size());

      std::vector<Request> finer;
      for (Request& r : requests) {
        auto parts = split(r, wants);
        if (parts.empty()) parts.push_back(r);
        finer.insert(finer.end(), parts.begin(), parts.end());
      }
      requests = std::move(finer);
    }
  }
}

}  // namespace
}  // namespace gerbang::modbus
