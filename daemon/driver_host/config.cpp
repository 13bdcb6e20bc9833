// SPDX-License-Identifier: Apache-2.0
#include "driver_host/config.hpp"

#include <utility>

namespace gerbang::driver_host {
namespace {

using Values = google::protobuf::RepeatedPtrField<host::v1::Value>;

host::v1::Configure options_of(const host::v1::Decode& frame) {
  host::v1::Configure configure;
  *configure.mutable_options() = frame.options();
  return configure;
}

void append(std::vector<gerbang_value>& out, const Values& values) {
  for (const host::v1::Value& value : values) {
    bool has_text = value.type() == GERBANG_STRING || value.type() == GERBANG_CHOICE;
    out.push_back({sizeof(gerbang_value), value.type(), value.name().c_str(),
                   has_text ? value.text().c_str() : nullptr, value.integer(), value.number()});
  }
}

}  // namespace

DriverConfig::DriverConfig(const host::v1::Decode& frame) : DriverConfig(options_of(frame)) {}

DriverConfig::DriverConfig(host::v1::Configure frame) : frame_(std::move(frame)) {
  append(values_, frame_.options());
  for (const host::v1::Sensor& sensor : frame_.sensors()) append(values_, sensor.address());
  // values_ stands still from here on.
  const gerbang_value* next = values_.data() + frame_.options_size();
  for (const host::v1::Sensor& sensor : frame_.sensors()) {
    auto count = static_cast<std::size_t>(sensor.address_size());
    sensors_.push_back({sizeof(gerbang_sensor), sensor.index(), sensor.id().c_str(),
                        sensor.interval_ns(), next, count});
    next += count;
  }
  config_ = {sizeof(gerbang_config),
             0,
             frame_.instance().c_str(),
             values_.data(),
             static_cast<std::size_t>(frame_.options_size()),
             sensors_.data(),
             sensors_.size()};
}

}  // namespace gerbang::driver_host
