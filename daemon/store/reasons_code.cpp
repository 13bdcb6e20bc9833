// SPDX-License-Identifier: Apache-2.0
#include "store/reasons_code.hpp"

#include <algorithm>

namespace gerbang::store {
namespace {

constexpr std::size_t kLongestName = 64;

}  // namespace

void write(ByteWriter& out, const Reasons& reasons) {
  out.varint(reasons.size());
  for (const auto& [name, counts] : reasons) {
    std::string_view text = std::string_view(name).substr(0, kLongestName);
    out.varint(text.size());
    out.bytes().append(text);
    out.varint(counts.size());
    std::int64_t before = 0;
    for (const auto& [series, count] : counts) {
      out.zigzag(series - before);
      out.varint(count);
      before = series;
    }
  }
}

// Each entry takes at least two bytes, so nothing is allocated that the input does not pay for.
bool read(ByteReader& in, Reasons& reasons) {
  for (std::uint64_t names = in.varint(); names > 0 && !in.failed(); --names) {
    std::uint64_t length = in.varint();
    if (length > kLongestName || length > in.rest().size()) return false;
    auto& counts = reasons[std::string(in.take(static_cast<std::size_t>(length)))];
    std::int64_t series = 0;
    for (std::uint64_t entries = in.varint(); entries > 0 && !in.failed(); --entries) {
      series = wrapping::plus(series, in.zigzag());
      std::uint64_t count = in.varint();
      if (series < INT32_MIN || series > INT32_MAX) return false;
      counts[static_cast<std::int32_t>(series)] += count;
    }
  }
  return !in.failed();
}

}  // namespace gerbang::store
