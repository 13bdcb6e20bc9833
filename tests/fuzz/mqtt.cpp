// SPDX-License-Identifier: Apache-2.0
//
// Payloads and layouts of the MQTT driver: the first line chooses a layout and a pointer, the rest
// is the message.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "../../drivers/mqtt/reader.hpp"
#include "../../drivers/mqtt/topic.hpp"

using namespace gerbang::mqtt;

namespace {

void check(const Value& value) {
  if (value && !value->is_integer && !std::isfinite(value->number)) std::abort();
  if (!value && (value.error().reason == GERBANG_REASON_NONE || value.error().why.empty()))
    std::abort();
}

Want want(std::string_view layout, std::string_view pointer, bool chirpstack) {
  Want out;
  out.filter = "a/#";
  if (chirpstack) out.dev_eui = "0101010101010101";
  if (auto parsed = layout_of(layout)) out.layout = *parsed;
  if (!out.layout || !chirpstack) out.pointer = std::string(pointer);
  out.time_pointer = "/time";
  out.text_numbers = true;
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::string_view layout = all.substr(0, all.find('\n'));
  all.remove_prefix(std::min(all.size(), layout.size() + 1));
  const std::string_view pointer = all.substr(0, all.find('\n'));
  all.remove_prefix(std::min(all.size(), pointer.size() + 1));
  if (auto parsed = layout_of(layout)) check(decode(*parsed, {data, size}));
  (void)base64(all);
  (void)filter_fault(layout);
  (void)matches(layout, pointer);
  if (!pointer_fault(pointer).empty()) return 0;
  Reader reader({want(layout, pointer, false), want(layout, pointer, true)}, Time(0));
  for (int twice = 0; twice < 2; ++twice) {
    const Taken taken = reader.take({"a/up", all, {}, Time(1)}, 1'769'911'200'000'000'000);
    for (const Outcome& outcome : taken.outcomes) {
      check(outcome.value);
      if (outcome.unix_ns < 0) std::abort();
    }
  }
  if (const auto json = parse(all))
    for (const auto& [place, found] : numbers_in(*json, 64)) {
      check(found);
      if (find(*json, place) == nullptr) std::abort();
    }
  return 0;
}
