// SPDX-License-Identifier: Apache-2.0
#include "uplink_host/puback_reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace gerbang::uplink_host {
namespace {

using Found = std::vector<std::pair<int, unsigned>>;

// Packets as a broker sends them: CONNACK, PUBACK short, PUBACK with a code, with a code and
// properties, a PUBLISH of 300 bytes that looks like PUBACKs inside, PINGRESP, PUBACK.
std::string conversation() {
  std::string out("\x20\x03\x00\x00\x00", 5);
  out += std::string("\x40\x02\x00\x01", 4);
  out += std::string("\x40\x03\x01\x02\x10", 5);
  out += std::string("\x40\x06\x00\x03\x87\x02\x40\x02", 8);
  std::string publish("\x00\x01t\x00", 4);
  while (publish.size() < 304) publish += std::string("\x40\x03\x09\x09\x99", 5);
  out += std::string("\x30\xB0\x02", 3) + publish;
  out += std::string("\xD0\x00", 2);
  out += std::string("\x40\x03\xFF\xFF\x00", 5);
  return out;
}

Found read(const std::string& bytes, std::size_t step) {
  PubackReader reader;
  Found found;
  for (std::size_t i = 0; i < bytes.size(); i += step)
    reader.feed(std::string_view(bytes).substr(i, step),
                [&](int id, unsigned code) { found.emplace_back(id, code); });
  return found;
}

TEST(PubackReader, FindsCodesInWhateverPiecesTheBytesCome) {
  Found expected{{1, 0}, {0x102, 0x10}, {3, 0x87}, {0xFFFF, 0}};
  std::string bytes = conversation();
  for (std::size_t step = 1; step <= bytes.size(); ++step)
    ASSERT_EQ(read(bytes, step), expected) << step;
}

TEST(PubackReader, AnEmptyOrShortPubackIsNone) {
  EXPECT_TRUE(read(std::string("\x40\x00\x40\x01\x05", 5), 1).empty());
}

TEST(PubackReader, AnEndlessLengthIsEndedAfterFourBytes) {
  std::string bytes("\x30\xFF\xFF\xFF\xFF\xFF\xFF", 7);
  EXPECT_TRUE(read(bytes, 7).empty());
}

}  // namespace
}  // namespace gerbang::uplink_host
