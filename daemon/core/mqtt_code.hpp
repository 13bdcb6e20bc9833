// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace gerbang {

// Reason codes of MQTT 5; from 0x80 on they are refusals.
namespace mqtt_code {
inline constexpr unsigned kSuccess = 0x00;
inline constexpr unsigned kNoMatchingSubscribers = 0x10;
inline constexpr unsigned kUnspecified = 0x80;
inline constexpr unsigned kNotAuthorised = 0x87;
inline constexpr unsigned kTopicNameInvalid = 0x90;
inline constexpr unsigned kSessionTakenOver = 0x8E;
inline constexpr unsigned kQuotaExceeded = 0x97;
}  // namespace mqtt_code

// What a PUBACK's code means for the message.
enum class PublishOutcome {
  accepted,  // the broker has it
  later,     // its trouble is passing: quota, unspecified, packet identifier
  slower,    // the broker asks for less of everything
  never,     // it will not take this message: not authorised, topic, payload, size
};
PublishOutcome publish_outcome(unsigned code);

// "not authorised (MQTT code 0x87)".
std::string mqtt_code_text(unsigned code);

// The code of MQTT 5 that says what a CONNACK of 3.1.1 said (1 … 5).
unsigned mqtt5_code_of_connack3(unsigned code);

}  // namespace gerbang
