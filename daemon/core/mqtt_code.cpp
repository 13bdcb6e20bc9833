// SPDX-License-Identifier: Apache-2.0
#include "core/mqtt_code.hpp"

#include <array>
#include <cstdio>
#include <string_view>
#include <utility>

namespace gerbang {
namespace {

constexpr std::array<std::pair<unsigned, std::string_view>, 39> kTexts{{
    {0x00, "success"},
    {0x04, "disconnected with the will message"},
    {0x10, "no matching subscribers"},
    {0x11, "no subscription existed"},
    {0x80, "refused without a reason"},
    {0x81, "malformed packet"},
    {0x82, "protocol error"},
    {0x83, "the broker's implementation refuses it"},
    {0x84, "the broker does not speak this MQTT version; set mqtt_version"},
    {0x85, "client identifier not valid"},
    {0x86, "bad user name or password"},
    {0x87, "not authorised"},
    {0x88, "broker unavailable"},
    {0x89, "broker busy"},
    {0x8A, "banned"},
    {0x8B, "broker is shutting down"},
    {0x8C, "bad authentication method"},
    {0x8D, "keep-alive time-out"},
    {0x8E, "session taken over: another client uses the same client_id"},
    {0x8F, "topic filter invalid"},
    {0x90, "topic name invalid"},
    {0x91, "packet identifier in use"},
    {0x92, "packet identifier not found"},
    {0x93, "receive maximum exceeded"},
    {0x94, "topic alias invalid"},
    {0x95, "packet too large"},
    {0x96, "message rate too high"},
    {0x97, "quota exceeded"},
    {0x98, "administrative action"},
    {0x99, "payload format invalid"},
    {0x9A, "retain not supported"},
    {0x9B, "QoS not supported"},
    {0x9C, "use another server"},
    {0x9D, "server moved"},
    {0x9E, "shared subscriptions not supported"},
    {0x9F, "connection rate exceeded"},
    {0xA0, "maximum connect time"},
    {0xA1, "subscription identifiers not supported"},
    {0xA2, "wildcard subscriptions not supported"},
}};

}  // namespace

PublishOutcome publish_outcome(unsigned code) {
  if (code < 0x80) return PublishOutcome::accepted;
  switch (code) {
    case 0x87:  // not authorised
    case 0x90:  // topic name invalid
    case 0x95:  // packet too large
    case 0x99:  // payload format invalid
    case 0x9A:  // retain not supported
    case 0x9B:  // QoS not supported
      return PublishOutcome::never;
    case mqtt_code::kQuotaExceeded:
    case 0x96:
      return PublishOutcome::slower;
    default:
      return PublishOutcome::later;
  }
}

std::string mqtt_code_text(unsigned code) {
  char number[32];
  std::snprintf(number, sizeof number, " (MQTT code 0x%02X)", code);
  for (const auto& [known, text] : kTexts)
    if (known == code) return std::string(text) + number;
  return std::string("refused") + number;
}

unsigned mqtt5_code_of_connack3(unsigned code) {
  constexpr std::array<unsigned, 6> kCodes{0x00, 0x84, 0x85, 0x88, 0x86, 0x87};
  return code < kCodes.size() ? kCodes[code] : mqtt_code::kUnspecified;
}

}  // namespace gerbang
