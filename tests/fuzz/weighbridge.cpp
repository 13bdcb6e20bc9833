// SPDX-License-Identifier: Apache-2.0
//
// What stands on an indicator's line. The first byte chooses the format, the second how the stream
// is cut: the weights must not depend on that.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "../../drivers/weighbridge/decoder.hpp"

using namespace gerbang::weighbridge;

namespace {

void check(const Item& item) {
  if (item.good() != item.why.empty()) std::abort();  // each refusal says why
  if (item.good() && !std::isfinite(item.weight.load())) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Format format = kFormats[data[0] % kFormats.size()];
  const std::size_t step = data[1] % 17 + 1u;
  const Bytes stream(data + 2, size - 2);

  Decoder whole(format), pieces(format);
  std::vector<Item> expected = whole.feed(stream);
  std::size_t got = 0;
  for (std::size_t at = 0; at < stream.size(); at += step)
    for (const Item& item : pieces.feed(stream.subspan(at, std::min(step, stream.size() - at)))) {
      check(item);
      if (got >= expected.size() || item.reason != expected[got].reason ||
          (item.good() && item.weight.kg() != expected[got].weight.kg()))
        std::abort();
      ++got;
    }
  if (got != expected.size()) std::abort();
  for (const Item& item : whole.silence()) check(item);
  for (const Item& item : decode_captured(format, {}, stream)) check(item);
  return 0;
}
