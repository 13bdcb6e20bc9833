// SPDX-License-Identifier: Apache-2.0
//
// The driver's keys become what its parts want; what the schema cannot say is refused here, with
// Failure(CONFIG).
#pragma once

#include <cstdint>
#include <gerbang/driver.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "client.hpp"
#include "reader.hpp"

namespace gerbang::mqtt {

std::vector<Want> wants_of(const driver::Config& config);
BrokerSettings broker_of(const driver::Config& config, std::vector<std::string> filters);

// A payload that somebody captured: every number in it, by the pointer that reads it; of a
// ChirpStack uplink those of the decoded object, by `field`. With pointer, field or bytes among the
// keys, what those read.
gerbang_status decode_payload(driver::Host host, const driver::Values& keys,
                              std::string_view payload);

// Listens to the whole broker for a minute; each device, or topic with numbers, is found once.
gerbang_status scan_broker(driver::Host host, const driver::Config& config,
                           const driver::Scan& scan);

void emit(driver::Emitter& out, std::uint32_t sensor, const Found& found);

std::int64_t utc_ns();  // of the wall clock

[[noreturn]] void refuse(const std::string& text);
// Of a JSON pointer, and of the name or pointer of a field; `where` begins what is wrong with it.
std::string checked_pointer(const std::string& where, const char* key, const std::string& text);
std::string field_of(const std::string& where, const std::string& field);

}  // namespace gerbang::mqtt
