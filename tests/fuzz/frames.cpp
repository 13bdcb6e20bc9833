// SPDX-License-Identifier: Apache-2.0
//
// What a broken or hostile driver host may send: a byte stream cut into frames in any way, and the
// frames themselves.
#include <cstdint>
#include <cstdlib>

#include "ipc/frame.hpp"
#include "source/frames.hpp"

using namespace gerbang;

// The first byte says how the rest is split.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  (void)source::decode_frame(bytes);

  const std::size_t piece = data[0] % 64 + 1;
  ipc::FrameReader reader;
  std::size_t fed = 0, taken = 0;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    std::string_view part = bytes.substr(at, piece);
    reader.feed(part);
    fed += part.size();
    for (;;) {
      auto next = reader.next();
      if (!next) return 0;
      if (!*next) break;
      taken += 4 + (*next)->size();
      (void)source::decode_frame(**next);
    }
    if (taken + reader.waiting() != fed) std::abort();  // a byte was lost or invented
  }
  return 0;
}
