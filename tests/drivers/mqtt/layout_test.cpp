// SPDX-License-Identifier: Apache-2.0
#include "mqtt/layout.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mqtt/duplicates.hpp"
#include "mqtt/topic.hpp"

namespace gerbang::mqtt {
namespace {

using testing::HasSubstr;
using Octets = std::vector<std::uint8_t>;

Value read(const std::string& layout, const Octets& bytes) {
  const auto parsed = layout_of(layout);
  EXPECT_TRUE(parsed) << parsed.error();
  return decode(*parsed, bytes);
}

TEST(Layout, DecodesTheUplinkOfTheChirpStackExample) {
  const auto bytes = base64("C7gH0A==");  // domain note 6.13: 3000 mm, 2000 mV
  ASSERT_TRUE(bytes);
  EXPECT_EQ(*bytes, (Octets{0x0B, 0xB8, 0x07, 0xD0}));
  EXPECT_EQ(read("u16be@0", *bytes), Found::of(std::int64_t{3000}));
  EXPECT_EQ(read("u16be@2", *bytes), Found::of(std::int64_t{2000}));
  EXPECT_EQ(read("u16be@-2", *bytes), Found::of(std::int64_t{2000}));
}

TEST(Layout, KnowsEveryTypeInBothOrders) {
  const Octets b{0xFF, 0xFE, 0x80, 0x01, 0x42, 0xF6, 0xCC, 0xCD, 0x00, 0x00};
  EXPECT_EQ(read("u8@0", b), Found::of(std::int64_t{255}));
  EXPECT_EQ(read("i8@1", b), Found::of(std::int64_t{-2}));
  EXPECT_EQ(read("i16be@0", b), Found::of(std::int64_t{-2}));
  EXPECT_EQ(read("u16le@0", b), Found::of(std::int64_t{0xFEFF}));
  EXPECT_EQ(read("u24be@1", b), Found::of(std::int64_t{0xFE8001}));
  EXPECT_EQ(read("i24be@0", b), Found::of(std::int64_t{-0x180}));
  EXPECT_EQ(read("u24le@1", b), Found::of(std::int64_t{0x0180FE}));
  EXPECT_EQ(read("u32be@0", b), Found::of(std::int64_t{0xFFFE8001}));
  EXPECT_EQ(read("i32be@0", b), Found::of(std::int64_t{-0x17FFF}));
  EXPECT_EQ(read("i32le@0", b), Found::of(std::int64_t{0x0180FEFF}));
  EXPECT_FLOAT_EQ(static_cast<float>(read("f32be@4", b)->number), 123.4f);
  EXPECT_EQ(read("bit@2.7", b), Found::of(std::int64_t{1}));
  EXPECT_EQ(read("bit@3.1", b), Found::of(std::int64_t{0}));
  EXPECT_EQ(read("u64be@0", Octets(8, 0xFF))->number, 18446744073709551615.0);
  EXPECT_EQ(read("f64le@0", {0, 0, 0, 0, 0, 0, 0xF0, 0x3F}), Found::of(1.0));
}

TEST(Layout, RefusesBytesThatEndTooEarlyAndFloatsThatAreNone) {
  const auto shorter = read("u16be@3", {1, 2, 3, 4});
  ASSERT_FALSE(shorter);
  EXPECT_EQ(shorter.error().reason, GERBANG_REASON_PROTOCOL);
  EXPECT_THAT(shorter.error().why, HasSubstr("sent 4 bytes, but the value ends at 5"));
  EXPECT_FALSE(read("u16be@-5", {1, 2, 3, 4}));
  EXPECT_FALSE(read("u8@0", {}));
  EXPECT_EQ(read("f32be@0", {0x7F, 0xC0, 0, 0}).error().reason, GERBANG_REASON_NOT_A_NUMBER);
}

TEST(Layout, SaysWhatIsWrongWithATextAndShowsARightOne) {
  for (const char* text : {"", "u16@0", "u12be@0", "x16be@0", "u16be", "u16be@", "u16be@0x",
                           "bit@3", "bit@3.8", "f16be@0", "u16be@5000", "u16be@-1", "u8be@0.1"}) {
    const auto parsed = layout_of(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error(), HasSubstr("u16be@0")) << text;
  }
}

TEST(Base64, TakesBothAlphabetsAndRefusesTheRest) {
  EXPECT_EQ(base64("")->size(), 0u);
  EXPECT_EQ(*base64("/+8="), *base64("_-8"));
  EXPECT_EQ(*base64("AQI"), (Octets{1, 2}));
  for (const char* text : {"A", "AAAAA", "AA=A", "AA=", "A A=", "AB==", "AQIé"})
    EXPECT_FALSE(base64(text)) << text;
}

TEST(Topic, FiltersMatchAsTheStandardSays) {
  EXPECT_TRUE(matches("a/b", "a/b"));
  EXPECT_TRUE(matches("a/+/c", "a/b/c"));
  EXPECT_TRUE(matches("a/#", "a/b/c"));
  EXPECT_TRUE(matches("a/#", "a"));
  EXPECT_TRUE(matches("+/+", "/b"));
  EXPECT_TRUE(matches("#", "a/b"));
  EXPECT_FALSE(matches("a/+", "a/b/c"));
  EXPECT_FALSE(matches("a/b", "a"));
  EXPECT_FALSE(matches("a", "a/"));
  EXPECT_FALSE(matches("#", "$SYS/broker"));
  EXPECT_TRUE(matches("$SYS/#", "$SYS/broker"));
  EXPECT_TRUE(matches("$share/gateways/a/+", "a/b"));
  EXPECT_FALSE(matches("$share/gateways/a/+", "b/b"));
  EXPECT_EQ(filter_fault("a/+/#"), "");
  for (const char* filter : {"", "a/#/b", "a#", "a+/b", "a/b+"})
    EXPECT_NE(filter_fault(filter), "") << filter;
}

TEST(Duplicates, TheSameUplinkIsSeenOnceHoweverItComes) {
  Duplicates seen;
  EXPECT_FALSE(seen.seen("id-1", "dev", "addr", 42, "AA=="));
  EXPECT_TRUE(seen.seen("id-1", "dev", "addr", 42, "AA=="));
  EXPECT_TRUE(seen.seen("id-2", "dev", "addr", 42, "AA=="));  // by its counter
  EXPECT_FALSE(seen.seen("id-3", "dev", "addr", 43, "AA=="));
  EXPECT_FALSE(seen.seen("id-4", "other", "addr", 43, "AA=="));
  EXPECT_FALSE(seen.seen("", "dev", "addr", std::nullopt, "AA=="));  // nothing to compare
  EXPECT_FALSE(seen.seen("", "dev", "addr", std::nullopt, "AA=="));
}

TEST(Duplicates, ACounterThatBeginsAgainIsANewSession) {
  Duplicates seen;
  for (std::uint64_t count : {100, 101, 102}) EXPECT_FALSE(seen.seen("", "d", "a1", count, "x"));
  EXPECT_FALSE(seen.seen("", "d", "a2", 102, "x"));  // joined again: another address
  EXPECT_FALSE(seen.seen("", "d", "a2", 0, "x"));    // batteries changed: far back
  EXPECT_FALSE(seen.seen("", "d", "a2", 1, "x"));
  EXPECT_TRUE(seen.seen("", "d", "a2", 0, "x"));
  EXPECT_FALSE(seen.seen("", "d", "a2", 0, "y"));  // the same counter with other data
  EXPECT_FALSE(seen.seen("", "d", "a2", 1, "z"));
}

TEST(Duplicates, RemembersNoMoreThanItSays) {
  Duplicates seen;
  EXPECT_FALSE(seen.seen("first", "", "", std::nullopt, ""));
  for (std::size_t i = 0; i < Duplicates::kIds; ++i)
    EXPECT_FALSE(seen.seen("id-" + std::to_string(i), "dev-" + std::to_string(i), "a", 1, ""));
  EXPECT_FALSE(seen.seen("first", "", "", std::nullopt, ""));  // forgotten
  EXPECT_FALSE(seen.seen("x", "dev-0", "a", 1, ""));           // forgotten
  EXPECT_TRUE(seen.seen("y", "dev-" + std::to_string(Duplicates::kIds - 1), "a", 1, ""));
}

}  // namespace
}  // namespace gerbang::mqtt
