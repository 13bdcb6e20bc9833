// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "codec.hpp"

namespace gerbang::ranging {
namespace {

// What the bytes look like; nothing if the unit cannot be told.
std::optional<Model> guess(Bytes bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == 0xFF) return Model::a02yyuw;
    if (bytes[i] != 'R') continue;
    const auto end = std::find_if(bytes.begin() + static_cast<std::ptrdiff_t>(i) + 1, bytes.end(),
                                  [](std::uint8_t b) { return b < '0' || b > '9'; });
    const auto digits = end - bytes.begin() - static_cast<std::ptrdiff_t>(i) - 1;
    if (digits == 4) return Model::maxbotix_hrxl;
    if (digits == 3) return std::nullopt;
  }
  return std::find(bytes.begin(), bytes.end(), 'R') == bytes.end() ? Model::a02yyuw
                                                                   : Model::maxbotix_hrxl;
}

std::string explain(Bytes bytes, Model model) {
  if (model == Model::a02yyuw) {
    const auto at = std::find(bytes.begin(), bytes.end(), 0xFF);
    if (at == bytes.end()) return "no frame begins in these bytes (FF: A02YYUW, R: MaxBotix)";
    const Bytes b = bytes.subspan(static_cast<std::size_t>(at - bytes.begin()));
    if (b.size() < 4) return "the frame is cut: " + std::to_string(b.size()) + " of 4 bytes";
    const std::uint8_t computed[] = {static_cast<std::uint8_t>(serial::sum(b.first(3)))};
    if (computed[0] != b[3])
      return "the checksum is wrong: the frame says " + serial::hex(b.subspan(3, 1)) +
             ", its bytes give " + serial::hex(computed);
    return "the distance is farther than any such sensor sees";
  }
  if (std::find(bytes.begin(), bytes.end(), 'R') == bytes.end())
    return "no frame begins in these bytes: MaxBotix sends R (52), digits and CR (0D)";
  return "after R (52) come digits (30 to 39) and CR (0D)";
}

}  // namespace

Captured decode_captured(Bytes bytes, std::optional<Model> model, std::optional<int> no_target) {
  Captured out;
  if (!model) model = guess(bytes);
  if (!model) {
    out.why =
        "three digits are inches of an LV or centimetres of an XL type: say which with "
        "model = \"maxbotix-lv\" or \"maxbotix-xl\"";
    return out;
  }
  out.model = *model;
  Codec codec(*model, no_target, Codec::Trust::all);
  auto look_through = [&](std::span<const Event> events) {
    for (const Event& event : events) {
      if (out.event) return;
      if (event.kind == Event::Kind::distance || event.kind == Event::Kind::no_target)
        out.event = event;
      else if (event.kind == Event::Kind::refused)
        out.why = event.text;
    }
  };
  look_through(codec.feed(bytes));
  look_through(codec.silence());
  if (!out.event && out.why.empty()) out.why = explain(bytes, *model);
  return out;
}

}  // namespace gerbang::ranging
