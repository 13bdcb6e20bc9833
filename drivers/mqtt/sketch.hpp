// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace gerbang::mqtt {

// What somebody who never saw a device would write for it, from one of its messages. Pure.
struct Sketch {
  std::string device;   // a device of ChirpStack, or a topic
  std::string note;     // what was seen
  std::string sensors;  // configuration, ready to paste
};

// What was written before: no device twice, and no id, for two devices may have one name.
struct Written {
  std::set<std::string> devices, ids;
};

// Nothing when it was written before, or there is no number in it and it is no uplink with data
// either. What is new is added to `written`.
std::optional<Sketch> sketch_of(std::string_view topic, std::string_view payload, Written& written);

}  // namespace gerbang::mqtt
