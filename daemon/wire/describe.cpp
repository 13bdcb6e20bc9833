// SPDX-License-Identifier: Apache-2.0
//
// The gateway speaks of itself: GatewayState and GatewayDescription.
#include <cmath>

#include "gerbang/v1/telemetry.pb.h"
#include "wire/encode.hpp"
#include "wire/utf8.hpp"

namespace gerbang::wire {
namespace {

const char* name_of(QuantityKind kind) {
  switch (kind) {
    case QuantityKind::gauge:
      return "gauge";
    case QuantityKind::totaliser:
      return "totaliser";
    case QuantityKind::state:
      return "state";
    case QuantityKind::direction:
      return "direction";
    case QuantityKind::event:
      return "event";
  }
  return "gauge";
}

bool known(const std::string& text) {
  return !text.empty();
}
bool known(std::optional<double> value) {
  return value && std::isfinite(*value);
}

void fill(v1::DriverState& out, const DriverState& in) {
  out.set_name(utf8(in.name));
  if (known(in.plugin)) out.set_plugin(utf8(in.plugin));
  if (known(in.state)) out.set_state(utf8(in.state));
  out.set_restarts(in.restarts);
  if (known(in.last_error)) out.set_last_error(utf8(in.last_error));
}

void fill(v1::UplinkState& out, const UplinkState& in) {
  out.set_name(utf8(in.name));
  out.set_connected(in.connected);
  if (in.since_ms) out.set_since_ms(*in.since_ms);
  if (known(in.reason)) out.set_reason(utf8(in.reason));
  out.set_waiting(in.waiting);
  if (in.oldest_waiting_ms) out.set_oldest_waiting_ms(*in.oldest_waiting_ms);
  out.set_acknowledged_sequence(in.acknowledged_sequence);
  out.set_unheard(in.unheard);
}

void fill(v1::StoreState& out, const StoreState& in) {
  out.set_bytes(in.bytes);
  out.set_cap(in.cap);
  out.set_degraded(in.degraded);
  if (in.oldest_reading_ms) out.set_oldest_reading_ms(*in.oldest_reading_ms);
  out.set_damaged(in.damaged);
}

void fill(v1::SensorDescription& out, const SensorDescription& in) {
  out.set_id(utf8(in.id));
  if (known(in.device)) out.set_device(utf8(in.device));
  out.set_quantity(utf8(in.quantity));
  out.set_domain(utf8(in.domain));
  out.set_unit(utf8(in.unit));
  out.set_decimals(in.decimals);
  out.set_kind(name_of(in.kind));
  if (known(in.label.ind)) out.set_label_ind(utf8(in.label.ind));
  if (known(in.label.eng)) out.set_label_eng(utf8(in.label.eng));
  if (in.interval_ms) out.set_interval_ms(*in.interval_ms);
  if (known(in.range_low)) out.set_range_low(*in.range_low);
  if (known(in.range_high)) out.set_range_high(*in.range_high);
  for (const std::string& window : in.windows) out.add_windows(utf8(window));
  if (known(in.profile)) out.set_profile(utf8(in.profile));
  if (known(in.calibration_due)) out.set_calibration_due(utf8(in.calibration_due));
}

void fill(v1::AlarmDescription& out, const AlarmDescription& in) {
  out.set_id(utf8(in.id));
  if (in.severity != 0) out.set_severity(static_cast<v1::Severity>(in.severity));
  if (known(in.sensor)) out.set_sensor(utf8(in.sensor));
  if (known(in.text.ind)) out.set_text_ind(utf8(in.text.ind));
  if (known(in.text.eng)) out.set_text_eng(utf8(in.text.eng));
}

void fill(v1::IndicatorDescription& out, const IndicatorDescription& in) {
  out.set_id(utf8(in.id));
  if (known(in.standard)) out.set_standard(utf8(in.standard));
  if (known(in.label.ind)) out.set_label_ind(utf8(in.label.ind));
  if (known(in.label.eng)) out.set_label_eng(utf8(in.label.eng));
}

}  // namespace

std::string encode(const GatewayState& state) {
  v1::GatewayState out;
  out.set_online(state.online);
  if (known(state.reason)) out.set_reason(utf8(state.reason));
  if (known(state.version)) out.set_version(utf8(state.version));
  if (state.started_at_ms) out.set_started_at_ms(*state.started_at_ms);
  if (known(state.boot_id)) out.set_boot_id(utf8(state.boot_id));
  if (known(state.previous_stream)) out.set_previous_stream(utf8(state.previous_stream));
  if (state.last_sequence) out.set_last_sequence(*state.last_sequence);
  if (known(state.config_hash)) out.set_config_hash(utf8(state.config_hash));
  if (state.config_revision) out.set_config_revision(*state.config_revision);
  if (known(state.timezone)) out.set_timezone(utf8(state.timezone));
  if (state.clock) out.set_clock(static_cast<v1::Clock>(*state.clock));
  for (const DriverState& driver : state.drivers) fill(*out.add_drivers(), driver);
  for (const UplinkState& uplink : state.uplinks) fill(*out.add_uplinks(), uplink);
  if (state.store) fill(*out.mutable_store(), *state.store);
  return out.SerializeAsString();
}

std::string encode(const Indicator& indicator) {
  v1::Indicator out;
  out.set_id(utf8(indicator.id));
  out.set_standard(utf8(indicator.standard));
  if (known(indicator.standard_version)) out.set_standard_version(utf8(indicator.standard_version));
  if (known(indicator.value)) out.set_value(*indicator.value);
  if (known(indicator.category)) out.set_category(utf8(indicator.category));
  if (known(indicator.label.ind)) out.set_label_ind(utf8(indicator.label.ind));
  if (known(indicator.label.eng)) out.set_label_eng(utf8(indicator.label.eng));
  for (const std::string& one : indicator.critical) out.add_critical(utf8(one));
  out.set_provisional(indicator.provisional);
  if (known(indicator.capture)) out.set_capture(*indicator.capture);
  out.set_window_start_ms(indicator.start_ms);
  out.set_window_end_ms(indicator.end_ms);
  if (known(indicator.timezone)) out.set_timezone(utf8(indicator.timezone));
  if (known(indicator.local_date)) out.set_local_date(utf8(indicator.local_date));
  for (const IndicatorInput& one : indicator.inputs) {
    v1::IndicatorInput& input = *out.add_inputs();
    input.set_quantity(utf8(one.quantity));
    input.set_sensor(utf8(one.sensor));
    if (known(one.value)) input.set_value(*one.value);
    if (known(one.unit)) input.set_unit(utf8(one.unit));
    if (known(one.capture)) input.set_capture(*one.capture);
  }
  if (known(indicator.smart_dimension)) out.set_smart_dimension(utf8(indicator.smart_dimension));
  if (known(indicator.iso)) out.set_iso(utf8(indicator.iso));
  if (known(indicator.confidence)) out.set_confidence(utf8(indicator.confidence));
  out.set_revision(indicator.revision);
  out.set_clock(static_cast<v1::Clock>(indicator.clock));
  return out.SerializeAsString();
}

std::string encode(const GatewayDescription& description) {
  v1::GatewayDescription out;
  if (known(description.site_kind)) out.set_site_kind(utf8(description.site_kind));
  if (known(description.latitude)) out.set_latitude(*description.latitude);
  if (known(description.longitude)) out.set_longitude(*description.longitude);
  if (known(description.timezone)) out.set_timezone(utf8(description.timezone));
  for (const SensorDescription& sensor : description.sensors) fill(*out.add_sensors(), sensor);
  for (const AlarmDescription& alarm : description.alarms) fill(*out.add_alarms(), alarm);
  for (const IndicatorDescription& indicator : description.indicators)
    fill(*out.add_indicators(), indicator);
  return out.SerializeAsString();
}

}  // namespace gerbang::wire
