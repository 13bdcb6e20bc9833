// SPDX-License-Identifier: Apache-2.0
//
// Streams of particle counters: what is decoded must not depend on how the stream was cut.
#include "particulate/codec.hpp"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "particulate/captured.hpp"

using namespace gerbang::particulate;

namespace {

std::vector<std::array<double, Event::kMostValues>> run(Bytes bytes, std::size_t piece,
                                                        std::optional<Model> model) {
  std::vector<std::array<double, Event::kMostValues>> out;
  auto keep = [&](std::span<const Event> events) {
    for (const Event& event : events)
      if (event.kind == Event::Kind::measurement) out.push_back(event.values);
  };
  Codec codec(model);
  for (; !bytes.empty(); bytes = bytes.subspan(std::min(piece, bytes.size())))
    keep(codec.feed(bytes.first(std::min(piece, bytes.size()))));
  keep(codec.silence());
  return out;
}

}  // namespace

// The first two bytes choose the model and the pieces.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  std::optional<Model> model;
  if (data[0] % 6 < 5) model = kModels[data[0] % 6];
  const Bytes bytes(data + 2, size - 2);
  const auto whole = run(bytes, bytes.size(), model);
  const auto pieces = run(bytes, data[1] % 40 + 1, model);
  if (whole.size() != pieces.size()) std::abort();
  // Bit for bit: a sensor may send NaN.
  if (!whole.empty() &&
      std::memcmp(whole.data(), pieces.data(), whole.size() * sizeof whole[0]) != 0)
    std::abort();
  const Captured captured = decode_captured(bytes, model);
  if (!captured.event && captured.why.empty()) std::abort();
  return 0;
}
