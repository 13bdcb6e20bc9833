// SPDX-License-Identifier: Apache-2.0
#include "ipc/frame.hpp"

#include <cstdint>

namespace gerbang::ipc {
namespace {

constexpr std::size_t kHeader = 4;
constexpr std::size_t kKept = 64 << 10;  // of a buffer that is empty; a long frame is seldom

std::uint32_t length_at(std::string_view bytes) {
  auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i]));
  };
  return byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
}

}  // namespace

void append_frame(std::string& out, std::string_view payload) {
  auto n = static_cast<std::uint32_t>(payload.size());
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(n >> shift & 0xff));
  out.append(payload);
}

void FrameReader::feed(std::string_view bytes) {
  if (begin_ > 0) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  buffer_.append(bytes);
}

Result<std::optional<std::string_view>> FrameReader::next() {
  std::string_view rest = std::string_view(buffer_).substr(begin_);
  if (rest.empty() && buffer_.capacity() > kKept) {
    std::string().swap(buffer_);  // an assignment would keep it
    begin_ = 0;
  }
  if (rest.size() < kHeader) return std::optional<std::string_view>();
  std::size_t length = length_at(rest);
  if (length > kMaxFrame)
    return fail(std::errc::message_size, "frame of " + std::to_string(length) + " bytes, at most " +
                                             std::to_string(kMaxFrame));
  if (rest.size() < kHeader + length) return std::optional<std::string_view>();
  begin_ += kHeader + length;
  return std::optional(rest.substr(kHeader, length));
}

}  // namespace gerbang::ipc
