// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gerbang::mqtt {

// What somebody who never saw a device would write for it, from one of its messages. Pure.
struct Sketch {
  std::string device;   // a device of ChirpStack, or a topic
  std::string note;     // what was seen
  std::string sensors;  // configuration, ready to paste
};

// Nothing when there is no number in it, and it is no uplink with data either.
std::optional<Sketch> sketch_of(std::string_view topic, std::string_view payload);

}  // namespace gerbang::mqtt
