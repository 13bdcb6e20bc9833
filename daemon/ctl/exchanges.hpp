// SPDX-License-Identifier: Apache-2.0
//
// The bytes that passed on a line, kept for each of its devices: what is missing may be told after
// the next device was asked. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/driver_schema.hpp"
#include "core/reading.hpp"
#include "source/frames.hpp"

namespace gerbang::ctl {

// One question and what came to it; without a question, what a device said by itself.
struct Exchange {
  std::string device, sent, received;
  std::int64_t sent_ns = 0, received_ns = 0;
};

class Exchanges {
 public:
  void take(const source::Trace& trace);
  // What this reading of a sensor with this address was made of; empty: not known.
  Exchange of(const Reading& reading, const OptionValues& address);

 private:
  struct Newest {
    Exchange exchange;
    bool taken = false;  // it has become a reading
  };
  Newest* device_of(const OptionValues& address);

  std::map<std::string, Newest> devices_;  // by the name that the driver gives them
  std::string last_;
};

}  // namespace gerbang::ctl
