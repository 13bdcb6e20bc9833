// SPDX-License-Identifier: Apache-2.0
//
// What stands in a text file of the kernel.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "../../drivers/iio/text.hpp"

using namespace gerbang::iio;

namespace {

void check(const Value& value) {
  if (value && !std::isfinite(value->value())) std::abort();
  if (!value && (value.error().reason == GERBANG_REASON_NONE || value.error().why.empty()))
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(number_of(text));
  check(w1_of(text));
  const std::string channel = channel_of(text);
  for (const std::string& owner : owners_of(channel))
    if (owner.empty()) std::abort();
  (void)unit_of(Bus::iio, channel);
  (void)unit_of(Bus::hwmon, channel);
  return 0;
}
