// SPDX-License-Identifier: Apache-2.0
#include "uplink/packet.hpp"

#include <string_view>

namespace gerbang::uplink {
namespace {

constexpr std::size_t kLengthField = 2, kPacketId = 2, kPropertyId = 1, kFirstByte = 1;

std::size_t variable_length(std::size_t value) {
  std::size_t bytes = 1;
  for (; value >= 128; value /= 128) ++bytes;
  return bytes;
}

std::size_t text(std::string_view value) {
  return kLengthField + value.size();
}

}  // namespace

std::size_t packet_bytes(const Publication& publication) {
  std::size_t properties = 0;
  if (!publication.content_type.empty()) properties += kPropertyId + text(publication.content_type);
  if (publication.historical) properties += kPropertyId + text("historical") + text("1");
  std::size_t rest = text(publication.topic) + kPacketId + variable_length(properties) +
                     properties + publication.payload.size();
  return kFirstByte + variable_length(rest) + rest;
}

}  // namespace gerbang::uplink
