// SPDX-License-Identifier: Apache-2.0
#include "ctl/exchanges.hpp"

#include <algorithm>

namespace gerbang::ctl {
namespace {

constexpr std::size_t kDevices = 256;    // more than a line has; others have no bytes to show
constexpr std::size_t kReceived = 1024;  // of a device that speaks by itself: then begun anew

// Something came of which this was made. What is missing because nothing came may be told after the
// next question has been answered: that answer is another one's.
bool answered(const Reading& reading) {
  return reading.reason != Reason::timeout && reading.reason != Reason::back_off &&
         reading.reason != Reason::no_connection;
}

}  // namespace

void Exchanges::take(const source::Trace& trace) {
  if (!devices_.contains(trace.device) && devices_.size() == kDevices) return;
  last_ = trace.device;
  Newest& newest = devices_[trace.device];
  Exchange& now = newest.exchange;
  // Devices that speak by themselves have no question that would begin a new exchange.
  const bool full = now.sent.empty() && (newest.taken || now.received.size() > kReceived);
  if (trace.sent || full) now = Exchange();
  now.device = trace.device;
  if (trace.sent) {
    now.sent = trace.data;
    now.sent_ns = trace.boot_ns;
  } else {
    newest.taken = false;
    now.received += trace.data;
    now.received_ns = trace.boot_ns;
  }
}

// Drivers of several devices on a line name them by the unit of the address; others have one.
Exchanges::Newest* Exchanges::device_of(const OptionValues& address) {
  if (last_.empty()) return nullptr;
  std::string device = last_;
  if (last_.starts_with("unit-"))
    for (const OptionValue& value : address)
      if (value.name == "unit") device = "unit-" + std::to_string(value.integer);
  const auto found = devices_.find(device);
  return found == devices_.end() ? nullptr : &found->second;
}

Exchange Exchanges::of(const Reading& reading, const OptionValues& address) {
  Newest* newest = device_of(address);
  if (newest == nullptr) return {};
  newest->taken = true;
  if (!newest->exchange.received.empty() && !answered(reading)) return {};
  return newest->exchange;
}

}  // namespace gerbang::ctl
