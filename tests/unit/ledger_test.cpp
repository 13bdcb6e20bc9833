// SPDX-License-Identifier: Apache-2.0
#include "store/ledger.hpp"

#include <gtest/gtest.h>

#include <random>

namespace gerbang::store {
namespace {

std::vector<Reading> readings(std::initializer_list<std::uint32_t> series) {
  std::vector<Reading> out;
  for (std::uint32_t s : series) out.emplace_back().sensor = s;
  return out;
}

Ledger example() {
  Ledger out;
  out.store(readings({1, 1, 2, 1, 7}));
  out.reject({{"repeated", {{2, 5}}}, {"unknown_sensor", {{0, 3}}}});
  out.fold({{1, 2}, {2, 1}});
  out.give_up({{"removed", {{7, 1}}}});
  return out;
}

TEST(Ledger, CountsBySeriesAndInTotal) {
  Ledger ledger = example();
  EXPECT_EQ(ledger.of(1).stored, 3u);
  EXPECT_EQ(ledger.of(1).open(), 1);
  EXPECT_EQ(ledger.of(2).rejected.at("repeated"), 5u);
  EXPECT_EQ(ledger.of(2).open(), 0);
  EXPECT_EQ(ledger.of(7).open(), 0);
  EXPECT_EQ(ledger.of(0).sum_rejected(), 3u);
  Account total = ledger.total();
  EXPECT_EQ(total.stored, 5u);
  EXPECT_EQ(total.folded, 3u);
  EXPECT_EQ(total.sum_rejected(), 8u);
  EXPECT_EQ(total.sum_not_folded(), 1u);
}

TEST(Ledger, ComesBackAsItWasWritten) {
  std::int64_t upto = 0;
  EXPECT_EQ(Ledger::decode(example().encode(812), upto), example());
  EXPECT_EQ(upto, 812);
}

TEST(Ledger, IsSmall) {
  Ledger ledger;
  for (std::uint32_t s = 1; s <= 200; ++s)
    for (int i = 0; i < 10; ++i) ledger.store(readings({s}));
  for (std::int32_t s = 1; s <= 200; ++s) {
    ledger.of(s).stored += 2'592'000;  // a month of seconds
    ledger.fold({{s, 2'592'000}});
  }
  EXPECT_LE(ledger.encode(1).size(), 200u * 10);
}

TEST(Ledger, AnyFlippedBitMakesItNone) {
  const std::string good = example().encode(5);
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    std::int64_t upto = -1;
    EXPECT_FALSE(Ledger::decode(bad, upto)) << bit;
    EXPECT_EQ(upto, -1);
  }
  std::int64_t upto = 0;
  for (std::size_t n = 0; n < good.size(); ++n)
    EXPECT_FALSE(Ledger::decode(good.substr(0, n), upto)) << n;
}

TEST(Ledger, TooManyReasonsCountTogether) {
  Ledger ledger;
  for (int i = 0; i < 1000; ++i) ledger.reject({{"reason " + std::to_string(i), {{1, 1}}}});
  EXPECT_EQ(ledger.of(1).rejected.size(), Ledger::kMostReasons + 1);
  EXPECT_EQ(ledger.of(1).rejected.at("other"), 1000 - Ledger::kMostReasons);
  EXPECT_EQ(ledger.of(1).sum_rejected(), 1000u);
}

TEST(Ledger, ANewStreamBeginsWithWhatIsOpen) {
  Ledger ledger = example();
  ledger.renew();
  EXPECT_EQ(ledger.accounts().size(), 1u);
  EXPECT_EQ(ledger.of(1).stored, 1u);
  EXPECT_EQ(ledger.of(1).open(), 1);
  EXPECT_EQ(ledger.total().sum_rejected(), 0u);
}

TEST(Ledger, WhatBelongedToNobodyCanBeGivenAnOwner) {
  Ledger ledger;
  ledger.of(0).stored = 100;
  ledger.of(0).folded = 90;
  ledger.attribute({{1, 4}, {3, 6}});
  EXPECT_EQ(ledger.of(0).open(), 0);
  EXPECT_EQ(ledger.of(1).open(), 4);
  EXPECT_EQ(ledger.of(3).open(), 6);
  EXPECT_EQ(ledger.total().stored, 100u);
}

}  // namespace
}  // namespace gerbang::store
