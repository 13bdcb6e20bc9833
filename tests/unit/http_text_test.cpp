// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/time_text.hpp"
#include "http/access.hpp"
#include "http/json.hpp"
#include "http/message.hpp"

namespace gerbang::http {
namespace {

constexpr std::int64_t kNow = 1'767'247'380'000;  // 2026-01-01T06:03:00Z
constexpr std::int64_t kHour = 3'600'000;

Zone fixed_zone(std::int64_t offset_ms, const char* name) {
  ZoneChange change;
  change.offset_ms = offset_ms;
  change.abbreviation = name;
  return {change};
}

const Zone kWita = fixed_zone(8 * kHour, "WITA");

struct TimeCase {
  const char* text;
  std::int64_t expected;
};

TEST(ParseTime, EveryWayOfWritingATimeIsRead) {
  const TimeCase kCases[] = {
      {"2026-01-01T06:03:00Z", kNow},
      {"2026-01-01T14:03:00+08:00", kNow},
      {"2026-01-01t14:03:00.250+08:00", kNow + 250},
      {"2026-01-01 14:03:00.2509999+08:00", kNow + 250},
      {"2025-12-31T23:33:00-06:30", kNow},
      {"1767247380000", kNow},
      {"0", 0},
      {"now", kNow},
      {"-24h", kNow - 24 * kHour},
      {"-500ms", kNow - 500},
      {"2026-01-01", 1'767'196'800'000},  // 2025-12-31T16:00:00Z
  };
  for (const TimeCase& c : kCases)
    EXPECT_EQ(parse_time(c.text, Bound::from, kNow, kWita), c.expected) << c.text;
}

TEST(ParseTime, ALocalDayAsToMeansItsEnd) {
  EXPECT_EQ(parse_time("2026-01-01", Bound::to, kNow, kWita), 1'767'196'800'000 + 24 * kHour);
}

TEST(ParseTime, ADayOfClockChangeHasTheHoursThatItHas) {
  // Berlin 2026-03-29: 23 hours; the change is at 01:00 UTC.
  Zone berlin = fixed_zone(kHour, "CET");
  ZoneChange summer;
  summer.utc_from_ms = 1'774'746'000'000;
  summer.offset_ms = 2 * kHour;
  summer.abbreviation = "CEST";
  berlin.push_back(summer);
  auto from = parse_time("2026-03-29", Bound::from, kNow, berlin);
  auto to = parse_time("2026-03-29", Bound::to, kNow, berlin);
  ASSERT_TRUE(from && to);
  EXPECT_EQ(*to - *from, 23 * kHour);
  EXPECT_EQ(format_local(*from, berlin), "2026-03-29T00:00:00.000+01:00");
  EXPECT_EQ(format_local(*to, berlin), "2026-03-30T00:00:00.000+02:00");
}

TEST(ParseTime, WhatIsNotATimeIsRefused) {
  for (const char* text : {"",
                           "yesterday",
                           "-",
                           "-5",
                           "-1y",
                           "2026-02-30",
                           "2026-13-01",
                           "2026-1-1",
                           "1969-12-31",
                           "2026-01-01T06:03:00",
                           "2026-01-01T24:00:00Z",
                           "2026-01-01T06:60:00Z",
                           "2026-01-01T06:03Z",
                           "2026-01-01T06:03:00.Z",
                           "2026-01-01T06:03:00+8",
                           "2026-01-01T06:03:00+08:00x",
                           "99999999999999999999",
                           "253402300800000",
                           "1.5",
                           "2026-01-01x"})
    EXPECT_FALSE(parse_time(text, Bound::from, kNow, kWita)) << text;
}

TEST(FormatTime, UtcAndLocalCarryMillisecondsAndOffset) {
  EXPECT_EQ(format_utc(kNow + 7), "2026-01-01T06:03:00.007Z");
  EXPECT_EQ(format_local(kNow, kWita), "2026-01-01T14:03:00.000+08:00");
  EXPECT_EQ(format_local(kNow, fixed_zone(-(3 * kHour + kHour / 2), "NST")),
            "2026-01-01T02:33:00.000-03:30");
  EXPECT_EQ(format_local(kNow, Zone()), "2026-01-01T06:03:00.000+00:00");
  EXPECT_EQ(format_utc(-1), "");
}

TEST(JsonText, NumbersReadBackTheSameAndNothingIsNotANumber) {
  Json json;
  json.begin_array().value(7.01).value(-0.5).value(1e300).value(std::nan(""));
  json.value(std::numeric_limits<double>::infinity()).value(std::int64_t{-42}).value(true);
  EXPECT_EQ(json.end_array().take(), "[7.01,-0.5,1e+300,null,null,-42,true]");
}

TEST(JsonText, StringsAreEscapedAndBrokenUtf8IsReplaced) {
  Json json;
  json.value("a\"b\\c\nd\x01\x7F é \xC3( \xED\xA0\x80 \xF0\x9F\x98\x80");
  EXPECT_EQ(json.take(),
            "\"a\\\"b\\\\c\\nd\\u0001\\u007f é \xEF\xBF\xBD( \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD "
            "\xF0\x9F\x98\x80\"");
}

TEST(JsonText, CommasStandBetweenAndNowhereElse) {
  Json json;
  json.begin_object().key("a").begin_array().end_array().key("b").begin_object().end_object();
  json.member("c", std::optional<int>()).member_if("d", std::optional<int>()).end_object();
  EXPECT_EQ(json.take(), "{\"a\":[],\"b\":{},\"c\":null}");
}

TEST(ParseTarget, PathAndParametersAreDecoded) {
  auto target = parse_target("/api/v1/readings?sensor=a%2Db&from=2026-01-01T00:00:00+08:00&&x");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/api/v1/readings");
  ASSERT_EQ(target->parameters.size(), 3u);
  EXPECT_EQ(target->parameters[0].second, "a-b");
  EXPECT_EQ(target->parameters[1].second, "2026-01-01T00:00:00+08:00");
  EXPECT_EQ(target->parameters[2].first, "x");
}

TEST(ParseTarget, TheAbsoluteFormNamesItsHost) {
  auto target = parse_target("http://gateway.lan:8080/healthz");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->authority, "gateway.lan:8080");
  EXPECT_EQ(target->path, "/healthz");
  EXPECT_EQ(parse_target("http://gateway.lan")->path, "/");
}

TEST(ParseTarget, MalformedTargetsAreRefused) {
  for (const char* text : {"", "*", "healthz", "/%", "/%4", "/%zz", "/%00", "/a%0d%0ab", "/%ff",
                           "/?a=%c3%28", "/#x", "http://", "http://?a", "https://x/"})
    EXPECT_FALSE(parse_target(text)) << text;
  std::string many = "/?";
  for (std::size_t i = 0; i <= kMaxParameters; ++i) many += "a=1&";
  EXPECT_FALSE(parse_target(many));
}

TEST(HostHeader, AddressesLocalhostAndConfiguredNamesAreOurs) {
  const std::vector<std::string> names = {"Gerbang.local"};
  for (const char* host : {"localhost", "LOCALHOST:8080", "127.0.0.1:8080", "192.168.1.5", "[::1]",
                           "[fe80::1]:8080", "gerbang.LOCAL:80", "gerbang.local.", "x.localhost"})
    EXPECT_TRUE(host_allowed(host, names)) << host;
  for (const char* host :
       {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "[::1", "[x]",
        "[::1]x", "localhost:80:80", "localhost:port", "1.2.3", "gerbang.local.evil.example"})
    EXPECT_FALSE(host_allowed(host, names)) << host;
}

TEST(Token, OnlyTheWholeTokenMatches) {
  EXPECT_TRUE(token_matches("secret", "secret"));
  for (const char* given : {"", "secre", "secret1", "Secret", "secretsecret"})
    EXPECT_FALSE(token_matches(given, "secret")) << given;
  EXPECT_FALSE(token_matches("", ""));
  EXPECT_EQ(bearer("Bearer abc"), "abc");
  EXPECT_EQ(bearer("bearer   abc"), "abc");
  for (const char* header : {"", "Bearer", "Bearer ", "Basic abc", "Bearerabc"})
    EXPECT_EQ(bearer(header), "") << header;
}

TEST(Token, TenWrongOnesCloseTheAddressForAMinute) {
  using std::chrono::seconds;
  FailureLimit limit;
  seconds now(1'000);
  for (int i = 0; i < 9; ++i) limit.failed("10.0.0.1", now);
  EXPECT_EQ(limit.wait("10.0.0.1", now), 0u);
  limit.failed("10.0.0.1", now + seconds(10));
  EXPECT_EQ(limit.wait("10.0.0.1", now + seconds(10)), 50u);
  EXPECT_EQ(limit.wait("10.0.0.2", now + seconds(10)), 0u);
  EXPECT_EQ(limit.wait("10.0.0.1", now + seconds(60)), 0u);
  limit.failed("10.0.0.1", now + seconds(61));
  EXPECT_EQ(limit.wait("10.0.0.1", now + seconds(61)), 0u);
}

TEST(Token, ManyAddressesPushOutTheOldestAndNothingElse) {
  using std::chrono::seconds;
  FailureLimit limit;
  for (int i = 0; i < 10; ++i) limit.failed("first", seconds(1));
  for (int i = 0; i < 63; ++i) limit.failed("other" + std::to_string(i), seconds(2 + i));
  EXPECT_GT(limit.wait("first", seconds(30)), 0u);
  limit.failed("one more", seconds(70));
  limit.failed("first", seconds(31));
  EXPECT_EQ(limit.wait("first", seconds(31)), 0u);
}

}  // namespace
}  // namespace gerbang::http
