// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "bytes.hpp"

namespace gerbang::serial {

// What a codec says of the bytes at the beginning of its buffer.
struct Look {
  enum class Kind : std::uint8_t {
    frame,       // a good frame of `size` bytes
    incomplete,  // may become one
    broken,      // looks like one, but its checksum or its inside is wrong
    noise        // no frame begins here; it may at `size`
  };
  Kind kind = Kind::noise;
  std::size_t size = 1;

  static Look frame(std::size_t size) { return {Kind::frame, size}; }
  static Look incomplete() { return {Kind::incomplete, 0}; }
  static Look broken() { return {Kind::broken, 1}; }
  static Look noise(std::size_t size = 1) { return {Kind::noise, size}; }
};

// Finds frames in a stream that may come in any pieces and begin in the middle. Pure: the frames
// that are found depend on the bytes only, not on how they were cut. Holds at most the longest
// frame.
//
// After a broken frame the search goes on with its second byte: what looked like a header may have
// been noise, and a good frame may begin inside.
class FrameFinder {
 public:
  explicit FrameFinder(std::size_t longest) : longest_(longest) {}

  // look(Bytes) → Look; took(Bytes frame) for each good frame; broke(Bytes) for each broken one,
  // with all bytes that are there.
  template <class LookFn, class Took, class Broke>
  void feed(Bytes bytes, LookFn&& look, Took&& took, Broke&& broke) {
    while (!bytes.empty()) {
      const std::size_t n = std::min(bytes.size(), longest_ - held_.size());
      held_.insert(held_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
      bytes = bytes.subspan(n);
      search(0, look, took, broke);
    }
  }
  // The line fell silent: what is incomplete stays so. A good frame that was hidden behind it is
  // found.
  template <class LookFn, class Took, class Broke>
  void silence(LookFn&& look, Took&& took, Broke&& broke) {
    while (!held_.empty()) {
      ++noise_;
      search(1, look, took, broke);
    }
  }
  void reset() { held_.clear(); }

  std::size_t waiting() const { return held_.size(); }
  // Bytes that belonged to no good frame, since the beginning.
  std::uint64_t noise() const { return noise_; }

 private:
  template <class LookFn, class Took, class Broke>
  void search(std::size_t at, LookFn&& look, Took&& took, Broke&& broke) {
    while (at < held_.size()) {
      const Bytes rest = Bytes(held_).subspan(at);
      const Look seen = look(rest);
      if (seen.kind == Look::Kind::incomplete && rest.size() < longest_) break;
      if (seen.kind == Look::Kind::frame) {
        took(rest.first(seen.size));
        at += seen.size;
        continue;
      }
      if (seen.kind == Look::Kind::broken) broke(rest);
      const std::size_t skip = std::clamp<std::size_t>(seen.size, 1, rest.size());
      noise_ += skip;
      at += skip;
    }
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(at));
  }

  std::size_t longest_;
  std::vector<std::uint8_t> held_;
  std::uint64_t noise_ = 0;
};

}  // namespace gerbang::serial
