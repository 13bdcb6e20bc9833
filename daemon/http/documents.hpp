// SPDX-License-Identifier: Apache-2.0
//
// The JSON documents of "now". Names are those of proto/gerbang/v1 in lowerCamelCase.
#pragma once

#include <string>
#include <string_view>

#include "http/json.hpp"
#include "http/snapshot.hpp"

namespace gerbang::http {

std::string health_document();
std::string readiness_document(const Snapshot& now);
std::string status_document(const Snapshot& now);
std::string ledger_document(const Snapshot& now);
std::string sensors_document(const Snapshot& now);
// The newest message of each indicator, as MQTT has it but for the Source.
std::string indicators_document(const Snapshot& now);
std::string sensor_document(const Snapshot& now, const SensorNow& sensor);

// Active ones first, the worst and newest of them first.
std::string alarms_document(const Snapshot& now);
// The data of an `alarm` event; what tells one state of it from another.
std::string alarm_event(const AlarmNow& alarm);
std::string alarm_digest(const AlarmNow& alarm);

// The data of a `reading` event.
std::string reading_event(const Snapshot& now, const SensorNow& sensor);

// Differs when something changed that a person should see at once: a state, a cause, a connection;
// not when a counter moved on.
std::string state_digest(const Snapshot& now);

const SensorNow* find_sensor(const Snapshot& now, std::string_view id);

std::string_view name(QuantityKind kind);
// "raw" as the device gave it: an integer stays one.
void write_raw(Json& json, std::string_view key, const Raw& raw);

}  // namespace gerbang::http
