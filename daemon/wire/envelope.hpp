// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/message.hpp"
#include "core/result.hpp"

namespace gerbang::wire {

enum class Format { protobuf, json };

// gerbang.v1.Source: who sends, and where the message stands in the proof.
struct Source {
  std::string region, site, gateway, stream;
  std::int64_t sequence = 0, previous = 0;
  std::int64_t published_at_ms = 0;
  bool historical = false, volatile_ = false;
};

// The message as it goes out: body (protobuf without Source) plus Source, in the wanted encoding.
// JSON: protobuf's lowerCamelCase names, zeros and false printed, 64-bit integers as numbers, no
// NaN. Fails only if body is not a message of that kind.
Result<std::string> finish(MessageKind kind, std::string_view body, const Source& source,
                           Format format);

// MQTT 5 content type: application/x-protobuf; messageType="gerbang.v1.AggregateBatch".
std::string content_type(MessageKind kind, Format format);

// A complete protobuf message as JSON text.
Result<std::string> to_json(MessageKind kind, std::string_view message);

// What a receiver needs first: the Source of a complete message in either encoding.
Result<Source> read_source(MessageKind kind, std::string_view payload, Format format);

// The kind of message a topic below the gateway carries ("aggregate/water/1m"); nullopt: not ours.
std::optional<MessageKind> kind_of_topic(std::string_view topic);

}  // namespace gerbang::wire
