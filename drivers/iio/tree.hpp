// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "text.hpp"

namespace gerbang::iio {

// What a sensor's address names.
struct Target {
  Bus bus = Bus::iio;
  std::string name;     // of the chip, its label, or the number of a 1-Wire device
  std::string path;     // a part of where it hangs, to tell two apart; may be empty
  std::string channel;  // of channel_of(); for w1 empty
};

struct Device {
  std::string name;    // by which it is found
  std::string folder;  // its link, with a number that changes
  std::string place;   // what it hangs on
};

// The kernel's devices as folders and text files. Numbers of devices change from boot to boot, so
// they are found by name and remembered only until a read fails.
class Tree {
 public:
  explicit Tree(std::string root) : root_(std::move(root)) {}

  // The folder of the device; or why there is none, or more than one.
  tl::expected<std::string, Refusal> find(const Target& target) const;

  // What the kernel says of the channel now, in its own unit. `text`: what was read, for the trace.
  Value read(const std::string& folder, const Target& target, std::string& text) const;

  // All of a bus that have a name, in the order of their places; of 1-Wire those that measure
  // temperature.
  std::vector<Device> devices(Bus bus) const;

  // The channels that a folder has, for texts.
  static std::vector<std::string> channels(const std::string& folder, Bus bus);

 private:
  std::string root_;
};

}  // namespace gerbang::iio
