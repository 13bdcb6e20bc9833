// SPDX-License-Identifier: Apache-2.0
//
// What gerbangctl may receive from any broker, on any topic.
#include <cstdint>

#include "wire/envelope.hpp"

using namespace gerbang;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const char* const kTopics[] = {
      "aggregate/water/1m", "indicator/ispu", "alarm/x", "event/x", "state", "description", "gap",
      "reading/water"};
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  auto kind = wire::kind_of_topic(kTopics[data[0] % 8]);
  if (!kind) return 0;
  auto format = bytes.starts_with('{') ? wire::Format::json : wire::Format::protobuf;
  if (format == wire::Format::protobuf) (void)wire::to_json(*kind, bytes);
  (void)wire::read_source(*kind, bytes, format);
  return 0;
}
