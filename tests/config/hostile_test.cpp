// SPDX-License-Identifier: Apache-2.0
//
// Files that no person would write: each ends with an error and never with a crash or a long wait.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "config/fixture.hpp"
#include "config/load.hpp"
#include "config/node.hpp"
#include "support/temp_dir.hpp"

namespace gerbang::config {
namespace {

using testing::HasSubstr;

std::string times(const std::string& text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

class Hostile : public testing::Test {
 protected:
  LoadResult load_text(const std::string& text) {
    return load(folder_.write("gerbang.toml", text), test::context());
  }
  test::TempDir folder_;
};

TEST_F(Hostile, FilesAreRefusedWithAnError) {
  const std::vector<std::string> files = {
      "",
      std::string(1, '\0'),
      std::string("[gateway]\nid = \"a\0b\"\n", 21),
      "\xff\xfe[gateway]",
      "id = \"\xc3\x28\"",
      "\xef\xbb\xbf[gateway]",
      times("[", 100'000),
      "a = " + times("[", 100'000),
      "a = " + times("[", 100'000) + times("]", 100'000),
      "a = " + times("{a = ", 50'000),
      "[" + times("a.", 100'000) + "a]",
      times("a.", 100'000) + "a = 1",
      "a = " + times("[{" + times("a.", 15) + "a = ", 15) + "1",
      "\"" + times("a", 500'000),
      "a = '''" + times("x\n", 100'000),
      "a = \"" + times("\\", 100'001),
      "# " + times("\xf0\x9f\x98\x80", 100'000),
      times("a", 1'000'000) + " = 1",
      "x = " + times("9", 100'000),
      "x = 1e" + times("9", 1'000),
      "gateway = " + times("[1, ", 10) + times("]", 10),
      times("[[sensor]]\n", 30'000),
      times("[[sensor]]\nid = \"a\"\n", 12'000),
      "driver = [1, \"a\", {}]\nsensor = {}\nuplink = 1979-05-27\n",
      "include = " + times("[", 10) + times("]", 10),
      "include = [\"/dev/zero\", \"/dev/stdin\", \"/proc/self/mem\", \"\\u0000\"]\n",
      "[store]\npath = \"a\\u0000b\"\n",
      times("\r", 10'000),
      "[gateway]\nid = 'a'\r\n\rregion = 1",
  };
  for (const std::string& file : files) {
    const auto begin = std::chrono::steady_clock::now();
    const auto result = load_text(file);
    EXPECT_FALSE(result.config.has_value()) << file.substr(0, 40);
    EXPECT_FALSE(result.errors.empty()) << file.substr(0, 40);
    std::size_t unplaced = 0, control = 0;
    for (const Diagnostic& error : result.errors) {
      unplaced += error.line < 1 || error.column < 1 ? 1 : 0;
      for (char c : text(error)) control += static_cast<unsigned char>(c) < 0x20 ? 1 : 0;
    }
    EXPECT_EQ(unplaced, 0u);
    EXPECT_EQ(control, 0u) << "would reach a terminal";
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  }
}

TEST_F(Hostile, ABracketTooManyHasItsLine) {
  const auto result = load_text("[gateway]\nid = \"a\"\n [[[sensor]]]\n");

  ASSERT_EQ(result.errors.size(), 1u);
  EXPECT_THAT(text(result.errors[0]),
              HasSubstr("gerbang.toml:3:1: toml: a bracket too many; write [table], or [[table]]"));
}

TEST_F(Hostile, AFileBeyondAMebibyteIsRefusedUnread) {
  const auto result = load_text("# " + times("x", kMaxFileBytes));

  ASSERT_EQ(result.errors.size(), 1u);
  EXPECT_THAT(text(result.errors[0]), HasSubstr("larger than"));
}

TEST_F(Hostile, DotsInTextsAndCommentsAreNoNesting) {
  const auto root = [](const std::string& content) {
    Diagnostics errors;
    const bool parsed = parse_toml(content, "x", 0, errors).has_value();
    for (const Diagnostic& error : errors) EXPECT_FALSE(parsed) << text(error);
    return parsed;
  };
  const std::string dots = times("a.", 100);

  EXPECT_TRUE(root("# " + dots + "\na = 1"));
  EXPECT_TRUE(root("a = \"" + dots + " \\\" " + dots + "\"\nb = '" + dots + "'"));
  EXPECT_TRUE(root("a = \"\"\"" + dots + "\n" + dots + "\"\"\"\nb = 1"));
  EXPECT_TRUE(root("a = [" + times("1.5, ", 200) + "]"));
  EXPECT_FALSE(root(dots + "a = 1"));
  EXPECT_FALSE(root("'a'." + times("\"b\".", 40) + "c = 1"));
}

// Good files with bytes flipped, removed and doubled: always an answer.
TEST_F(Hostile, DamagedFilesNeverCrash) {
  const std::string good =
      "include = [\"*.none\"]\n[gateway]\nid = \"a\"\nregion = \"b\"\nsite = \"c\"\n"
      "timezone = \"Asia/Makassar\"\n[store]\nkeep_aggregates = { \"1m\" = \"7d\" }\n"
      "[[uplink]]\nname = \"u\"\nurl = \"mqtt://[::1]:1883\"\ntopics = [\"aggregate/+/1h\"]\n"
      "[[driver]]\nname = \"plc\"\nplugin = \"modbus\"\n[driver.options]\ntransport = \"tcp\"\n"
      "[[sensor]]\nid = \"s\"\ndriver = \"plc\"\nquantity = \"ph\"\nunit = \"pH\"\n"
      "address = { unit = 1, register = 0 }\nrange = { low = \"1 pH\", high = 14 }\n";
  ASSERT_TRUE(load_text(good).config.has_value());
  std::mt19937 random(20'240'817);
  auto pick = [&](std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random);
  };
  auto damage = [&] {
    std::string damaged = good;
    for (std::size_t n = 1 + pick(4); n > 0; --n) {
      const std::size_t at = pick(damaged.size());
      switch (pick(4)) {
        case 0:
          damaged[at] = static_cast<char>(pick(256));
          break;
        case 1:
          damaged.erase(at, 1 + pick(20));
          break;
        case 2:
          damaged.insert(at, damaged.substr(pick(damaged.size()), pick(60)));
          break;
        default:
          damaged[at] = "[]{}\"'=.,#\n\\"[pick(12)];
      }
    }
    return damaged;
  };
  std::size_t parsed = 0, refused = 0;
  for (int round = 0; round < 5'000; ++round) {
    Diagnostics errors;
    parsed += parse_toml(damage(), "x", 0, errors) ? 1 : 0;
    refused += errors.size();
  }
  EXPECT_EQ(parsed + refused, 5'000u);
  for (int round = 0; round < 60; ++round) {
    const auto result = load_text(damage());
    EXPECT_NE(result.config.has_value(), !result.errors.empty());
  }
}

TEST_F(Hostile, PunctuationInAnyOrderNeverCrashes) {
  std::mt19937 random(7);
  const std::string characters = "[]{}\"'=.,#\n\\ a1-+:TZeEx_\r\t";
  std::uniform_int_distribution<std::size_t> pick(0, characters.size() - 1), length(1, 24);
  std::size_t answers = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string text;
    for (std::size_t n = length(random); n > 0; --n) text += characters[pick(random)];
    Diagnostics errors;
    answers += (parse_toml(text, "x", 0, errors) ? 1 : 0) + errors.size();
  }
  EXPECT_EQ(answers, 50'000u);
}

}  // namespace
}  // namespace gerbang::config
