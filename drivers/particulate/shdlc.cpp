// SPDX-License-Identifier: Apache-2.0
#include "codec.hpp"

namespace gerbang::particulate {

std::optional<std::vector<std::uint8_t>> unstuff(Bytes stuffed) {
  std::vector<std::uint8_t> out;
  for (std::size_t i = 0; i < stuffed.size(); ++i) {
    if (stuffed[i] != 0x7D) {
      out.push_back(stuffed[i]);
      continue;
    }
    // Stuffed bytes are those four, sent with bit 5 turned over.
    if (++i == stuffed.size()) return std::nullopt;
    const auto byte = static_cast<std::uint8_t>(stuffed[i] ^ 0x20);
    if (byte != 0x7E && byte != 0x7D && byte != 0x11 && byte != 0x13) return std::nullopt;
    out.push_back(byte);
  }
  return out;
}

std::uint8_t shdlc_checksum(Bytes bytes) {
  return static_cast<std::uint8_t>(~serial::sum(bytes));
}

}  // namespace gerbang::particulate
