// SPDX-License-Identifier: Apache-2.0
#include "quality/maintenance.hpp"

#include <gtest/gtest.h>

namespace gerbang::quality {
namespace {

Work work(std::int64_t from, std::int64_t until, std::string person = "", std::string note = "") {
  Work w;
  w.from_ms = from;
  w.until_ms = until;
  w.person = std::move(person);
  w.note = std::move(note);
  return w;
}

TEST(Maintenance, SaysItsLengthAsPeopleDo) {
  using namespace std::chrono_literals;
  EXPECT_EQ(work(0, 30'000).length(), 30s);
  EXPECT_EQ(work(0, 392).length(), 1s);
  EXPECT_EQ(work(0, 7'384'123).length(), 123min);
  EXPECT_EQ(work(0, 599'700).length(), 600s);
  EXPECT_EQ(work(100, 0).length(), 0s) << "ended before it began, by a clock that was set";
}

TEST(Maintenance, BeginsAndEndsByItself) {
  Maintenance maintenance;
  maintenance.begin("ph", work(100, 200));
  EXPECT_EQ(maintenance.at("ph", 99), nullptr);
  EXPECT_NE(maintenance.at("ph", 100), nullptr);
  EXPECT_NE(maintenance.at("ph", 199), nullptr);
  EXPECT_EQ(maintenance.at("ph", 200), nullptr);
  EXPECT_EQ(maintenance.at("other", 150), nullptr);
  EXPECT_TRUE(maintenance.take_over(199).empty());
  EXPECT_EQ(maintenance.take_over(200).count("ph"), 1u);
  EXPECT_TRUE(maintenance.empty());
}

TEST(Maintenance, TheNewestWordHoldsAndItCanBeEnded) {
  Maintenance maintenance;
  maintenance.begin("ph", work(100, 200));
  maintenance.begin("ph", work(150, 900));
  ASSERT_NE(maintenance.at("ph", 500), nullptr);
  EXPECT_EQ(maintenance.end("ph")->until_ms, 900);
  EXPECT_EQ(maintenance.at("ph", 500), nullptr);
  EXPECT_FALSE(maintenance.end("ph"));
}

TEST(Maintenance, KeepsItsLengthWhenTheClockIsSet) {
  Maintenance maintenance;
  maintenance.begin("ph", work(1'000, 1'300));
  maintenance.shift(50'000);
  EXPECT_EQ(maintenance.at("ph", 50'999), nullptr);
  EXPECT_NE(maintenance.at("ph", 51'299), nullptr);
  EXPECT_TRUE(maintenance.take_over(51'299).empty());
  maintenance.shift(-51'000);
  EXPECT_NE(maintenance.at("ph", 0), nullptr);
  EXPECT_EQ(maintenance.take_over(300).size(), 1u);
}

TEST(Maintenance, OfAClockThatFellBackBeginsNowAndEnds) {
  Maintenance maintenance;
  maintenance.begin("ph", work(9'000, 9'300));
  maintenance.begin("flow", work(100, 900));
  maintenance.begun_by(500);
  EXPECT_NE(maintenance.at("ph", 500), nullptr);
  EXPECT_EQ(maintenance.at("ph", 800), nullptr);
  EXPECT_NE(maintenance.at("flow", 899), nullptr) << "what has begun stays";
}

TEST(Maintenance, IsWrittenDownAndReadAgain) {
  Maintenance before, after;
  before.begin("ph", work(1, 2, "Sari", "kalibrasi\tpH 7\nselesai"));
  before.begin("turbidity", work(3, 4));
  ASSERT_TRUE(after.load(before.text()));
  EXPECT_EQ(after.all(), before.all());
  EXPECT_EQ(after.all().at("ph").note, "kalibrasi pH 7 selesai") << "one line";
  for (const char* broken : {"ph", "ph\t1\n", "ph\tx\t2\t\t\n", "\t1\t2\t\t\n", "ph\t1\t2\t\t"})
    EXPECT_FALSE(after.load(broken)) << broken;
  EXPECT_EQ(after.all(), before.all()) << "unchanged by what is broken";
}

TEST(Maintenance, LongTextsAreCutBetweenCharacters) {
  Maintenance maintenance;
  std::string long_note(Maintenance::kMostText - 1, 'x');
  maintenance.begin("ph", work(1, 2, "", long_note + "é and more"));
  EXPECT_EQ(maintenance.all().at("ph").note, long_note);
}

}  // namespace
}  // namespace gerbang::quality
