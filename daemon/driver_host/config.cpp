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

void append(std::vector<gerbang_value>& out, const DriverConfig::Values& values) {
  for (const host::v1::Value& value : values) {
    bool has_text = value.type() == GERBANG_STRING || value.type() == GERBANG_CHOICE;
    out.push_back({sizeof(gerbang_value), value.type(), value.name().c_str(),
                   has_text ? value.text().c_str() : nullptr, value.integer(), value.number()});
  }
}

}  // namespace

DriverConfig::DriverConfig(const Values& options) : DriverConfig(with_options(options)) {}

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
