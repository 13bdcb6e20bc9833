// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gerbang::uplink_host {

// Finds the PUBACKs in what a broker sends, whatever way the bytes were split.
class PubackReader {
 public:
  // on_puback(packet identifier, reason code); code 0 where the packet has none.
  template <class OnPuback>
  void feed(std::string_view bytes, OnPuback&& on_puback) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      auto byte = static_cast<std::uint8_t>(bytes[i]);
      if (part_ == Part::type) {
        *this = PubackReader();
        puback_ = byte >> 4 == 4;
        part_ = Part::length;
        continue;
      }
      if (part_ == Part::length) {
        length_ |= std::size_t{byte & 0x7Fu} << shift_;
        shift_ += 7;
        if ((byte & 0x80) != 0 && shift_ < 28) continue;
        part_ = length_ == 0 ? Part::type : Part::body;
        continue;
      }
      if (!puback_ || at_ >= sizeof body_) {
        // The rest of the packet, as far as it is here, in one step.
        std::size_t skipped = std::min(length_ - at_, bytes.size() - i);
        at_ += skipped;
        i += skipped - 1;
      } else {
        body_[at_++] = byte;
      }
      if (at_ < length_) continue;
      part_ = Part::type;
      if (puback_ && length_ >= 2)
        on_puback(body_[0] << 8 | body_[1], length_ >= 3 ? unsigned{body_[2]} : 0u);
    }
  }

 private:
  enum class Part { type, length, body } part_ = Part::type;
  bool puback_ = false;
  std::size_t length_ = 0, at_ = 0;
  unsigned shift_ = 0;
  std::uint8_t body_[3] = {};
};

}  // namespace gerbang::uplink_host
