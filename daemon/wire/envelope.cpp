// SPDX-License-Identifier: Apache-2.0
#include "wire/envelope.hpp"

#include <google/protobuf/io/coded_stream.h>

#include <array>
#include <boost/json/parse.hpp>
#include <climits>
#include <memory>

#include "gerbang/v1/telemetry.pb.h"
#include "wire/json.hpp"

namespace gerbang::wire {
namespace {

struct Known {
  MessageKind kind;
  const google::protobuf::Message& (*prototype)();
};

template <class Message>
const google::protobuf::Message& prototype() {
  return Message::default_instance();
}

constexpr std::array<Known, 8> kKinds = {
    {{MessageKind::aggregate_batch, prototype<v1::AggregateBatch>},
     {MessageKind::indicator, prototype<v1::Indicator>},
     {MessageKind::alarm, prototype<v1::Alarm>},
     {MessageKind::event, prototype<v1::Event>},
     {MessageKind::gateway_state, prototype<v1::GatewayState>},
     {MessageKind::gateway_description, prototype<v1::GatewayDescription>},
     {MessageKind::gap, prototype<v1::Gap>},
     {MessageKind::reading_batch, prototype<v1::ReadingBatch>}}};

const google::protobuf::Message* prototype_of(MessageKind kind) {
  for (const Known& known : kKinds)
    if (known.kind == kind) return &known.prototype();
  return nullptr;
}

// Every message of ours has its Source here.
constexpr int kSourceField = 1;

Result<std::unique_ptr<google::protobuf::Message>> parse(MessageKind kind, std::string_view bytes) {
  const auto* prototype = prototype_of(kind);
  if (prototype == nullptr)
    return fail(std::errc::invalid_argument,
                "message kind " + std::to_string(static_cast<int>(kind)) + " is not known");
  std::unique_ptr<google::protobuf::Message> message(prototype->New());
  if (bytes.size() > INT_MAX ||
      !message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(std::errc::bad_message, std::to_string(bytes.size()) + " bytes are not a " +
                                            prototype->GetDescriptor()->full_name());
  return message;
}

v1::Source proto_of(const Source& source) {
  v1::Source out;
  // A name that is empty is not known; numbers and flags of a source always are.
  if (!source.region.empty()) out.set_region(source.region);
  if (!source.site.empty()) out.set_site(source.site);
  if (!source.gateway.empty()) out.set_gateway(source.gateway);
  if (!source.stream.empty()) out.set_stream(source.stream);
  out.set_sequence(source.sequence);
  out.set_previous(source.previous);
  out.set_published_at_ms(source.published_at_ms);
  out.set_historical(source.historical);
  out.set_volatile_(source.volatile_);
  return out;
}

Source source_of(const v1::Source& in) {
  Source out;
  out.region = in.region();
  out.site = in.site();
  out.gateway = in.gateway();
  out.stream = in.stream();
  out.sequence = in.sequence();
  out.previous = in.previous();
  out.published_at_ms = in.published_at_ms();
  out.historical = in.historical();
  out.volatile_ = in.volatile_();
  return out;
}

Result<Source> source_of_json(std::string_view payload) {
  auto wrong = [](const std::string& what) { return fail(std::errc::bad_message, what); };
  boost::json::error_code error;
  auto document = boost::json::parse({payload.data(), payload.size()}, error);
  if (error) return wrong("not JSON: " + error.message());
  const auto* message = document.if_object();
  if (message == nullptr) return wrong("not a JSON object");
  const auto* found = message->if_contains("source");
  const auto* object = found == nullptr ? nullptr : found->if_object();
  if (object == nullptr) return wrong("no source in the message");

  std::string bad;
  auto text = [&](const char* key, std::string& to) {
    const auto* value = object->if_contains(key);
    if (value == nullptr) return;
    if (const auto* string = value->if_string())
      to.assign(string->data(), string->size());
    else
      bad = key;
  };
  auto number = [&](const char* key, std::int64_t& to) {
    const auto* value = object->if_contains(key);
    if (value == nullptr) return;
    if (const auto* integer = value->if_int64())
      to = *integer;
    else
      bad = key;
  };
  auto truth = [&](const char* key, bool& to) {
    const auto* value = object->if_contains(key);
    if (value == nullptr) return;
    if (const auto* boolean = value->if_bool())
      to = *boolean;
    else
      bad = key;
  };
  Source out;
  text("region", out.region);
  text("site", out.site);
  text("gateway", out.gateway);
  text("stream", out.stream);
  number("sequence", out.sequence);
  number("previous", out.previous);
  number("publishedAtMs", out.published_at_ms);
  truth("historical", out.historical);
  truth("volatile", out.volatile_);
  if (!bad.empty()) return wrong("source." + bad + " has the wrong type");
  return out;
}

}  // namespace

// Protobuf reads a concatenation as a merge, so the body is neither parsed nor copied twice.
Result<std::string> finish(MessageKind kind, std::string_view body, const Source& source,
                           Format format) {
  v1::Source head = proto_of(source);
  if (format == Format::json) {
    auto message = parse(kind, body);
    if (!message) return fail(std::move(message.error()));
    const auto* field = (*message)->GetDescriptor()->FindFieldByNumber(kSourceField);
    (*message)->GetReflection()->MutableMessage(message->get(), field)->CopyFrom(head);
    return json_of(**message);
  }
  using google::protobuf::io::CodedOutputStream;
  auto size = static_cast<std::uint32_t>(head.ByteSizeLong());
  std::array<std::uint8_t, 12> prefix;
  std::uint8_t* end = CodedOutputStream::WriteTagToArray(kSourceField << 3 | 2, prefix.data());
  end = CodedOutputStream::WriteVarint32ToArray(size, end);
  std::string out;
  out.reserve(prefix.size() + size + body.size());
  out.append(prefix.data(), end);
  head.AppendToString(&out);
  out.append(body);
  return out;
}

std::string content_type(MessageKind kind, Format format) {
  if (format == Format::json) return "application/json";
  const auto* prototype = prototype_of(kind);
  if (prototype == nullptr) return "application/x-protobuf";
  return "application/x-protobuf; messageType=\"" + prototype->GetDescriptor()->full_name() + "\"";
}

Result<std::string> to_json(MessageKind kind, std::string_view message) {
  auto parsed = parse(kind, message);
  if (!parsed) return fail(std::move(parsed.error()));
  return json_of(**parsed);
}

Result<Source> read_source(MessageKind kind, std::string_view payload, Format format) {
  if (format == Format::json) return source_of_json(payload);
  auto message = parse(kind, payload);
  if (!message) return fail(std::move(message.error()));
  const auto& reflection = *(*message)->GetReflection();
  const auto* field = (*message)->GetDescriptor()->FindFieldByNumber(kSourceField);
  if (!reflection.HasField(**message, field))
    return fail(std::errc::bad_message, "no source in the message");
  return source_of(static_cast<const v1::Source&>(reflection.GetMessage(**message, field)));
}

std::optional<MessageKind> kind_of_topic(std::string_view topic) {
  if (topic == "state") return MessageKind::gateway_state;
  if (topic == "description") return MessageKind::gateway_description;
  if (topic == "gap") return MessageKind::gap;

  struct Family {
    std::string_view first;
    int levels_below;
    MessageKind kind;
  };
  static constexpr std::array<Family, 5> kFamilies = {
      {{"aggregate", 2, MessageKind::aggregate_batch},
       {"indicator", 1, MessageKind::indicator},
       {"alarm", 1, MessageKind::alarm},
       {"event", 1, MessageKind::event},
       {"reading", 1, MessageKind::reading_batch}}};
  auto slash = topic.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  for (const Family& family : kFamilies) {
    if (topic.substr(0, slash) != family.first) continue;
    int levels = 0;
    for (auto rest = topic.substr(slash + 1);;) {
      auto next = rest.find('/');
      if (next == 0 || rest.empty()) return std::nullopt;
      ++levels;
      if (next == std::string_view::npos) break;
      rest.remove_prefix(next + 1);
    }
    if (levels == family.levels_below) return family.kind;
  }
  return std::nullopt;
}

}  // namespace gerbang::wire
