// SPDX-License-Identifier: Apache-2.0
//
// What drivers have against their part of a configuration: what their schema allows and only their
// open() refuses.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/spec.hpp"

namespace gerbang::source {

struct Complaint {
  std::string driver;
  std::optional<std::uint32_t> sensor;  // SensorSpec::index of the one that it names
  std::string text;                     // without what only names the sensor
};

// Lets each driver open once, one after the other, and again without the sensor that it complained
// of: so every wrong sensor is named, not only the first. Of one driver 20 are told, then that
// there are more. Blocks: milliseconds a complaint. A driver that crashes or hangs has no
// complaint, and one that hangs costs its 5 s once.
std::vector<Complaint> complaints(const std::string& host, const std::vector<DriverSpec>& specs);

// What a driver said: "sensor ID: address: …", or "ID: …", or it names nobody.
Complaint complaint_of(const DriverSpec& spec, std::string_view said);

}  // namespace gerbang::source
