// SPDX-License-Identifier: Apache-2.0
#include "serial/frame_finder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace gerbang::serial {
namespace {

using testing::ElementsAre;
using Text = std::vector<std::uint8_t>;

// A toy: A0, length n, n bytes, low byte of their sum.
Look look(Bytes b) {
  if (b[0] != 0xA0) return Look::noise();
  if (b.size() < 2) return Look::incomplete();
  const std::size_t size = b[1] + std::size_t{3};
  if (size > 12) return Look::noise();
  if (b.size() < size) return Look::incomplete();
  return (sum(b.subspan(2, b[1])) & 0xFF) == b[size - 1] ? Look::frame(size) : Look::broken();
}

struct Found {
  explicit Found(std::size_t longest = 12) : finder(longest) {}
  void feed(Bytes bytes) { finder.feed(bytes, look, took, broke); }
  FrameFinder finder;
  std::vector<Text> frames;
  int broken = 0;
  std::function<void(Bytes)> took = [this](Bytes b) { frames.emplace_back(b.begin(), b.end()); };
  std::function<void(Bytes)> broke = [this](Bytes) { ++broken; };
};

const Text kFrame{0xA0, 2, 7, 8, 15};

TEST(FrameFinder, FindsAFrameThatBeginsInsideWhatLookedLikeOne) {
  Found found;
  found.feed(Text{0xA0, 5, 0xA0, 2, 7, 8, 15, 0x00, 0x11});  // the outer one's sum is wrong
  EXPECT_THAT(found.frames, ElementsAre(kFrame));
  EXPECT_EQ(found.broken, 1);
  EXPECT_EQ(found.finder.noise(), 4u);
}

TEST(FrameFinder, SilenceRevealsAFrameThatAFalseHeaderHid) {
  Found found;
  found.feed(Text{0xA0, 9, 0xA0, 2, 7, 8, 15});
  EXPECT_TRUE(found.frames.empty());
  found.finder.silence(look, found.took, found.broke);
  EXPECT_THAT(found.frames, ElementsAre(kFrame));
  EXPECT_EQ(found.finder.waiting(), 0u);
}

TEST(FrameFinder, ACodecThatNeverDecidesHoldsNoMoreThanTheLongestFrame) {
  FrameFinder finder(12);
  for (int i = 0; i < 1000; ++i)
    finder.feed(
        Text(100, 0x55), [](Bytes) { return Look::incomplete(); }, [](Bytes) { FAIL(); },
        [](Bytes) { FAIL(); });
  EXPECT_LT(finder.waiting(), 12u);
  EXPECT_EQ(finder.noise() + finder.waiting(), 100'000u);
}

TEST(FrameFinder, WhatIsFoundDoesNotDependOnHowTheStreamWasCut) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    Text stream;
    for (int part = 0; part < 12; ++part) {
      if (random() % 2 == 0) stream.insert(stream.end(), kFrame.begin(), kFrame.end());
      for (auto n = random() % 9; n > 0; --n)  // garbage, rich in headers
        stream.push_back(random() % 3 == 0 ? 0xA0 : static_cast<std::uint8_t>(random() % 12));
    }
    Found whole, pieces;
    whole.feed(stream);
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t n = std::min<std::size_t>(random() % 7 + 1, stream.size() - at);
      pieces.feed(Bytes(stream).subspan(at, n));
      at += n;
    }
    ASSERT_EQ(whole.frames, pieces.frames);
    ASSERT_EQ(whole.broken, pieces.broken);
    ASSERT_EQ(whole.finder.noise(), pieces.finder.noise());
  }
}

}  // namespace
}  // namespace gerbang::serial
