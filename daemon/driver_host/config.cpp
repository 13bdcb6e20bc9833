// SPDX-License-Identifier: Apache-2.0
#include "driver_host/config.hpp"

#include <utility>

namespace gerbang::driver_host {
namespace {

host::v1::Configure with_options(const DriverConfig::Values& options) {
  host::v1::Configure configure;
  *configure.mutable_options() = options;
  return configure;
}

}  // namespace

void DriverConfig::append(const Values& values) {
  for (const host::v1::Value& value : values) {
    bool has_text = value.type() == GERBANG_STRING || value.type() == GERBANG_CHOICE;
    values_.push_back({sizeof(gerbang_value), value.type(), kept(value.name()),
                       has_text ? kept(value.text()) : nullptr, value.integer(), value.number()});
  }
}

DriverConfig::DriverConfig(const Values& options) : DriverConfig(with_options(options)) {}

DriverConfig::DriverConfig(const host::v1::Configure& frame) {
  auto count = static_cast<std::size_t>(frame.options_size());
  for (const host::v1::Sensor& sensor : frame.sensors())
    count += static_cast<std::size_t>(sensor.address_size());
  values_.reserve(count);
  append(frame.options());
  for (const host::v1::Sensor& sensor : frame.sensors()) append(sensor.address());
  // values_ stands still from here on.
  const gerbang_value* next = values_.data() + frame.options_size();
  sensors_.reserve(static_cast<std::size_t>(frame.sensors_size()));
  for (const host::v1::Sensor& sensor : frame.sensors()) {
    auto size = static_cast<std::size_t>(sensor.address_size());
    sensors_.push_back({sizeof(gerbang_sensor), sensor.index(), kept(sensor.id()),
                        sensor.interval_ns(), next, size});
    next += size;
  }
  config_ = {sizeof(gerbang_config),
             0,
             kept(frame.instance()),
             values_.data(),
             static_cast<std::size_t>(frame.options_size()),
             sensors_.data(),
             sensors_.size()};
}

}  // namespace gerbang::driver_host
