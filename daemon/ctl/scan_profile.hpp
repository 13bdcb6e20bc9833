// SPDX-License-Identifier: Apache-2.0
//
// What a scan takes from the profile of the devices that it looks for, and what they say to it.
// Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/profiles.hpp"

namespace gerbang::ctl {

// A list such as "9600,19200" or "1-32" with what the device leaves its factory with in front.
std::string first_of(const config::Node* made, const std::string& list);

// Below a [[device]] of this profile: what only the site knows, a [device.override.CHANNEL] each,
// its keys as comments. Empty: nothing is left to write.
std::string left_to_write(const config::Profile& profile, const std::string& language);

// The same keys with values that let the device be read as it counts, before anybody has written
// them. unit_of: the unit in which a quantity is kept.
std::string stand_in(const config::Profile& profile,
                     const std::function<std::string(const std::string& quantity)>& unit_of);

// A channel of a found device, read once.
struct Seen {
  enum class State : std::uint8_t {
    value,    // as good as anybody knows; of a channel that the site has yet to describe, too
    outside,  // of the range that the profile gives
    refused,
    no_number,
    silent,
  };
  std::string sensor;  // its id
  State state = State::value;
  std::string text;  // "7.02 pH", or why there is none
};

// "out_of_range": for programs.
std::string_view name_of(Seen::State state);

// "exception 2, ILLEGAL DATA ADDRESS": what the driver said of this sensor, or else of any. Empty:
// it said nothing of an exception.
std::string refusal_of(const std::string& sensor, const std::vector<std::string>& said);

// A comment line of each, the texts below each other.
std::string comments_of(const std::vector<Seen>& channels, std::string_view language);

// Of the channels of one device: that its profile is probably the wrong one, because half or more
// of those that answer are refused, out of range or no number. Empty: it may well be right.
std::string doubt(const std::string& device, const std::string& profile,
                  const std::vector<Seen>& channels, std::string_view language);

}  // namespace gerbang::ctl
