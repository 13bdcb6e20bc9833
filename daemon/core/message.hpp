// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gerbang {

// The messages of proto/gerbang/v1/telemetry.proto that have a topic. Numbers are stored: append
// only.
enum class MessageKind : std::uint8_t {
  aggregate_batch = 1,
  indicator = 2,
  alarm = 3,
  event = 4,
  gateway_state = 5,
  gateway_description = 6,
  gap = 7,
  reading_batch = 8,
};

enum class Lane : std::uint8_t { urgent = 0, live = 1 };

// A message on its way into the outbox. `body` is the protobuf message without its Source.
struct NewMessage {
  MessageKind kind = MessageKind::aggregate_batch;
  Lane lane = Lane::live;
  std::string topic;          // below the gateway: "aggregate/water/1m"
  std::int64_t made_ms = 0;   // UTC
  bool retainable = false;    // newest of its topic at the time it was made, and in one part
  std::uint64_t uplinks = 0;  // one bit for each uplink that wants it
  std::string body;
};

// A message of the outbox. `previous` is the sequence of the message before it on the same topic, 0
// for the first.
struct Message {
  std::int64_t sequence = 0;
  std::int64_t previous = 0;
  MessageKind kind = MessageKind::aggregate_batch;
  Lane lane = Lane::live;
  std::string topic;
  std::int64_t made_ms = 0;
  bool retain = false;  // still the newest retainable message of its topic
  std::string body;
};

}  // namespace gerbang
