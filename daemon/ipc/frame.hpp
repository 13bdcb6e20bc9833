// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace gerbang::ipc {

// A frame is a 4-byte little-endian length and that many bytes. Longer ones are refused before
// anything is allocated: the peer is broken and its connection ends.
inline constexpr std::size_t kMaxFrame = 4u << 20;

void append_frame(std::string& out, std::string_view payload);

// Cuts a byte stream into frames, whatever way it was split.
class FrameReader {
 public:
  void feed(std::string_view bytes);
  // The next whole payload, nullopt if more bytes are needed, or an error that is final. The view
  // is valid until the next call of feed() or next().
  Result<std::optional<std::string_view>> next();
  // Bytes of a frame that has begun and is not complete.
  std::size_t waiting() const { return buffer_.size() - begin_; }
  // Bytes of memory; what a long frame needed is given back with the next() behind it.
  std::size_t held() const { return buffer_.capacity(); }

 private:
  std::string buffer_;
  std::size_t begin_ = 0;
};

}  // namespace gerbang::ipc
