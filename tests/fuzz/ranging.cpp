// SPDX-License-Identifier: Apache-2.0
//
// Streams of distance sensors: what is decoded must not depend on how the stream was cut.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "ranging/codec.hpp"

using namespace gerbang::ranging;

namespace {

std::vector<int> run(Bytes bytes, std::size_t piece, Model model) {
  std::vector<int> out;
  auto keep = [&](std::span<const Event> events) {
    for (const Event& event : events) {
      if (event.kind == Event::Kind::distance && event.count >= about(model).no_target)
        std::abort();  // what stands for "no echo" is no distance
      if (event.kind == Event::Kind::distance || event.kind == Event::Kind::no_target)
        out.push_back(event.count);
    }
  };
  Codec codec(model, std::nullopt);
  for (; !bytes.empty(); bytes = bytes.subspan(std::min(piece, bytes.size())))
    keep(codec.feed(bytes.first(std::min(piece, bytes.size()))));
  keep(codec.silence());
  return out;
}

}  // namespace

// The first two bytes choose the model and the pieces.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Model model = kModels[data[0] % kModels.size()];
  const Bytes bytes(data + 2, size - 2);
  if (run(bytes, bytes.size(), model) != run(bytes, data[1] % 20 + 1, model)) std::abort();
  const Captured captured = decode_captured(bytes, model, std::nullopt);
  if (!captured.event && captured.why.empty()) std::abort();
  return 0;
}
