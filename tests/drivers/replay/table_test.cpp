// SPDX-License-Identifier: Apache-2.0
#include "replay/table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "replay/pace.hpp"

namespace gerbang::replay {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kTime = 1759248000'000'000'000;  // 2025-09-30T16:00:00Z

std::vector<std::string> lines_of(const std::string& text, std::size_t step) {
  Lines lines;
  std::vector<std::string> out;
  auto drain = [&] {
    while (auto line = lines.next())
      out.push_back(std::to_string(line->number) + (line->too_long ? "!" : ":") +
                    std::string(line->text.substr(0, 8)));
  };
  for (std::size_t at = 0; at < text.size(); at += step) {
    lines.feed(std::string_view(text).substr(at, step));
    drain();
  }
  lines.finish();
  drain();
  return out;
}

Table table(TableSettings settings, const std::string& header) {
  settings.integers.resize(settings.columns.size());
  Table out(settings);
  const auto found = out.header(header);
  EXPECT_TRUE(found) << found.error();
  return out;
}

TEST(ReplayLines, AreTheSameHoweverTheFileIsRead) {
  const std::string text = "a\r\nbb\n\nlast";
  for (std::size_t step : {1u, 2u, 3u, 100u})
    EXPECT_THAT(lines_of(text, step), ElementsAre("1:a", "2:bb", "3:", "4:last")) << step;
  EXPECT_THAT(lines_of("", 1), ElementsAre());
}

TEST(ReplayLines, ALineThatNeverEndsIsCutAndTheNextIsWhole) {
  const std::string text = "first\n" + std::string(3 * Lines::kMax, 'x') + "\nthird\n";
  for (std::size_t step : {1000u, 65536u, 1u << 20})
    EXPECT_THAT(lines_of(text, step), ElementsAre("1:first", "2!xxxxxxxx", "3:third")) << step;
}

TEST(ReplayTable, ReadsEachFormOfTime) {
  auto time = [](TimeFormat format, const std::string& cell,
                 std::optional<std::chrono::minutes> local = std::nullopt) {
    TableSettings settings;
    settings.separator = ',';
    settings.time_format = format;
    settings.local = local;
    const auto row = table(settings, "time").row(cell);
    return row ? row->unix_ns : -1;
  };
  EXPECT_EQ(time(TimeFormat::automatic, "2025-09-30T16:00:00Z"), kTime);
  EXPECT_EQ(time(TimeFormat::text, "2025-10-01 00:00:00", 8h), kTime);
  EXPECT_EQ(time(TimeFormat::text, "2025-10-01 00:00:00"), -1);
  EXPECT_EQ(time(TimeFormat::automatic, "1759248000"), kTime);
  EXPECT_EQ(time(TimeFormat::automatic, "1759248000250"), kTime + 250'000'000);
  EXPECT_EQ(time(TimeFormat::seconds, "1759248000.5"), kTime + 500'000'000);
  EXPECT_EQ(time(TimeFormat::milliseconds, "1759248000000"), kTime);
  EXPECT_EQ(time(TimeFormat::text, "1759248000"), -1);
  EXPECT_EQ(time(TimeFormat::automatic, ""), -1);
}

TEST(ReplayTable, ReadsSemicolonsDecimalCommasQuotesAndADateOfItsOwn) {
  TableSettings settings;
  settings.time_column = "jam";
  settings.date_column = "tanggal";
  settings.local = 8h;
  settings.decimal_comma = true;
  settings.columns = {"ph", "total"};
  settings.integers = {false, true};
  Table out(settings);
  ASSERT_TRUE(out.header("\xEF\xBB\xBFtanggal;jam;\"ph\";total;\"a \"\"b\"\"; c\""));
  const auto row = out.row("2025-10-01;00:00;\"7,25\";880012;x");
  ASSERT_TRUE(row) << row.error();
  EXPECT_EQ(row->unix_ns, kTime);
  EXPECT_EQ(row->fault, "");
  EXPECT_DOUBLE_EQ(row->cells.at(0).number, 7.25);
  EXPECT_EQ(row->cells.at(1).integer, 880012);
  EXPECT_EQ(row->cells[1].kind, Cell::Kind::integer);
}

TEST(ReplayTable, GapsStayGapsAndNonsenseIsNamed) {
  TableSettings settings;
  settings.columns = {"v"};
  const Table csv = table(settings, "time,v");
  for (const char* cell : {"", " ", "NaN", "nan", "NA", "#N/A", "null", "inf", "---"}) {
    const auto row = csv.row("1759248000," + std::string(cell));
    ASSERT_TRUE(row);
    EXPECT_EQ(row->cells.at(0).kind, Cell::Kind::empty) << cell;
    EXPECT_EQ(row->fault, "");
  }
  for (const char* cell : {"7.1x", "1e999", "0x10", "7,1", "abc"}) {
    const auto row = csv.row("1759248000," + std::string(cell));
    ASSERT_TRUE(row);
    EXPECT_EQ(row->cells.at(0).kind, Cell::Kind::bad) << cell;
    EXPECT_NE(row->fault, "") << cell;
  }
  EXPECT_THAT(csv.row("1759248000")->fault, HasSubstr("1 cells, the header has 2"));
  EXPECT_EQ(csv.row("1759248000")->cells.at(0).kind, Cell::Kind::bad);
  EXPECT_THAT(csv.row("1759248000,\"7").error(), HasSubstr("quote"));
}

TEST(ReplayTable, SaysWhichColumnIsNotThereAndWhichTimeNeedsAZone) {
  TableSettings settings;
  settings.columns = {"turbidity"};
  settings.integers = {false};
  Table csv(settings);
  EXPECT_THAT(csv.header("time,ph,kekeruhan").error(), HasSubstr("time, ph, kekeruhan"));
  EXPECT_THAT(csv.header("waktu,turbidity").error(), HasSubstr("\"time\""));
  EXPECT_THAT(csv.header("time,turbidity,turbidity").error(), HasSubstr("two columns"));
  ASSERT_TRUE(csv.header("time,turbidity"));
  EXPECT_THAT(csv.row("2025-10-01 00:00:00,1").error(), HasSubstr("timezone_offset"));
  EXPECT_THAT(csv.row("yesterday,1").error(), HasSubstr("\"yesterday\" is no time"));
}

TEST(ReplayPace, KeepsDistancesAtAnySpeedAndGoesOnInTheNextRound) {
  constexpr std::int64_t second = 1'000'000'000;
  Pace real(1), fast(60), at_once(0);
  EXPECT_EQ(real.due(kTime, 100s), 100s);
  EXPECT_EQ(real.due(kTime + 10 * second, 100s), 110s);
  EXPECT_EQ(real.due(kTime + 10 * second, 100s), 110s);
  EXPECT_EQ(fast.due(kTime, 100s), 100s);
  EXPECT_EQ(fast.due(kTime + 3600 * second, 100s), 160s);
  EXPECT_EQ(at_once.due(kTime, 100s), 100s);
  EXPECT_EQ(at_once.due(kTime + 3600 * second, 101s), 101s);
  real.again(kTime);  // a step of 10 s after the last row, which was due at 110 s
  EXPECT_EQ(real.due(kTime, 105s), 120s);
  EXPECT_EQ(real.due(kTime + 10 * second, 105s), 130s);
}

}  // namespace
}  // namespace gerbang::replay
