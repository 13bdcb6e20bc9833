// SPDX-License-Identifier: Apache-2.0
#include "ipc/frame.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace gerbang::ipc {
namespace {

std::vector<std::string> read_all(FrameReader& reader) {
  std::vector<std::string> out;
  for (;;) {
    auto frame = reader.next();
    if (!frame) {
      out.push_back("error: " + frame.error().what);
      return out;
    }
    if (!*frame) return out;
    out.emplace_back(**frame);
  }
}

TEST(Frame, SurvivesEverySplitOfTheStream) {
  std::string stream;
  append_frame(stream, "hello");
  append_frame(stream, "");
  append_frame(stream, std::string(300, 'x'));
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    FrameReader reader;
    reader.feed(std::string_view(stream).substr(0, cut));
    auto frames = read_all(reader);
    reader.feed(std::string_view(stream).substr(cut));
    for (auto& frame : read_all(reader)) frames.push_back(frame);
    EXPECT_EQ(frames, (std::vector<std::string>{"hello", "", std::string(300, 'x')})) << cut;
    EXPECT_EQ(reader.waiting(), 0u);
  }
}

TEST(Frame, ALongOneIsNotKeptInMemory) {
  FrameReader reader;
  std::string stream;
  append_frame(stream, std::string(1 << 20, 'x'));
  append_frame(stream, "short");
  for (std::size_t at = 0; at < stream.size(); at += 4096)
    reader.feed(std::string_view(stream).substr(at, 4096));
  EXPECT_EQ(read_all(reader), (std::vector<std::string>{std::string(1 << 20, 'x'), "short"}));
  EXPECT_LE(reader.held(), 64u << 10);
}

TEST(Frame, RefusesALengthBeyondTheBoundBeforeReadingIt) {
  FrameReader reader;
  reader.feed(std::string_view("\x01\x00\x40\x00", 4));  // 4 MiB + 1
  auto frame = reader.next();
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().what, "frame of 4194305 bytes, at most 4194304");
}

}  // namespace
}  // namespace gerbang::ipc
