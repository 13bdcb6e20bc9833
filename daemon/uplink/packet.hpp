// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "uplink/mqtt_port.hpp"

namespace gerbang::uplink {

// Bytes of the PUBLISH packet of MQTT 5, which is never less than that of 3.1.1: what a broker's
// Maximum Packet Size is compared with.
std::size_t packet_bytes(const Publication& publication);

}  // namespace gerbang::uplink
