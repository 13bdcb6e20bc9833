// SPDX-License-Identifier: Apache-2.0
#include <time.h>

#include <cstdio>
#include <optional>

#include "keys.hpp"

namespace gerbang::mqtt {
namespace {

using driver::Emitter;
using driver::Host;
using driver::Values;

constexpr std::size_t kDecodedValues = 64;

std::string hex_of(Bytes bytes) {
  std::string out;
  char text[4];
  for (const std::uint8_t byte : bytes) {
    std::snprintf(text, sizeof text, out.empty() ? "%02X" : " %02X", byte);
    out += text;
  }
  return out;
}

// A sensor of one device hears no other.
void check_device(const Values& keys, const std::optional<Uplink>& uplink) {
  if (!keys.has("dev_eui")) return;
  const std::string wanted = eui_of(keys.text("dev_eui"));
  if (wanted.empty())
    refuse("dev_eui = \"" + keys.text("dev_eui") + "\" is no EUI: write its 16 hex digits");
  if (!uplink) refuse("dev_eui is given, and this is no uplink of ChirpStack");
  if (uplink->dev_eui != wanted)
    refuse("it is an uplink of " + uplink->dev_eui + ", not of " + wanted);
}

// What a sensor with these keys would read.
void decode_one(Host host, const Values& keys, std::string_view payload,
                const std::optional<Uplink>& uplink) {
  Want want;
  want.id = "captured";
  want.filter = "captured";
  if (keys.has("bytes")) {
    auto layout = layout_of(keys.text("bytes"));
    if (!layout) refuse(layout.error());
    want.layout = *layout;
  }
  if (uplink && !keys.has("pointer")) want.dev_eui = uplink->dev_eui;
  if (keys.has("field")) want.pointer = field_of("", keys.text("field"));
  if (keys.has("pointer")) want.pointer = checked_pointer("", "pointer", keys.text("pointer"));
  if (keys.has("f_port")) want.f_port = keys.integer("f_port");
  want.text_numbers = keys.has("text_numbers") && keys.boolean("text_numbers");
  Reader reader({want}, Time(0));
  const Taken taken = reader.take({"captured", payload, {}, Time(0)}, utc_ns());
  if (taken.outcomes.empty()) refuse("the message is not for a sensor with these keys");
  const Value& value = taken.outcomes.front().value;
  if (!value) refuse(value.error().why);
  host.info(keys.has("bytes")       ? keys.text("bytes")
            : want.pointer->empty() ? "payload"
                                    : *want.pointer);
  Emitter out(host);
  emit(out, 0, *value);
}

}  // namespace

std::int64_t utc_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

void emit(Emitter& out, std::uint32_t sensor, const Found& found) {
  if (found.is_integer)
    out.integer(sensor, found.integer);
  else
    out.number(sensor, found.number);
}

gerbang_status decode_payload(Host host, const Values& keys, std::string_view payload) {
  const bool wanted = keys.has("pointer") || keys.has("field") || keys.has("bytes");
  const auto json = parse(payload.substr(0, Reader::kMaxPayload));
  const auto uplink = json ? uplink_of(*json) : std::nullopt;
  if (uplink) {
    const auto bytes = base64(uplink->data.value_or(""));
    host.debug("uplink of device " + uplink->dev_eui + ", port " +
               std::to_string(uplink->f_port.value_or(0)) + ", data " +
               (bytes ? hex_of(*bytes) : "that is no base64"));
  }
  check_device(keys, uplink);
  if (wanted) {
    decode_one(host, keys, payload, uplink);
    return GERBANG_OK;
  }
  if (!json) refuse(json.error());
  if (uplink && uplink->object == nullptr)
    refuse("an uplink of " + uplink->dev_eui + " without a decoded object" +
           (uplink->data ? "; its data is " + std::string(*uplink->data) +
                               " (base64): say what to read with bytes = \"u16be@0\""
                         : " and without data"));
  const auto numbers = numbers_in(uplink ? *uplink->object : *json, kDecodedValues);
  if (numbers.empty()) refuse("it is JSON, but there is no number in it");
  Emitter out(host);
  for (std::uint32_t i = 0; i < numbers.size(); ++i) {
    emit(out, i, numbers[i].second);
    host.info(numbers[i].first.empty() ? "payload" : numbers[i].first);
  }
  return GERBANG_OK;
}

}  // namespace gerbang::mqtt
