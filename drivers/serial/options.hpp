// SPDX-License-Identifier: Apache-2.0
//
// The keys of [driver.options] that all drivers of serial lines share, with the same names and
// texts.
#pragma once

#include <gerbang/driver.hpp>
#include <string>

namespace gerbang::serial {

struct Settings {
  std::string device;
  int baud = 9600;
  char parity = 'N';  // N, E, O
  int data_bits = 8;
  int stop_bits = 1;
  // After the first byte the line waits so long for more: a stream wakes the driver less often, and
  // a device that floods the line costs little.
  std::chrono::milliseconds gather{0};
};

constexpr driver::Spec device_key() {
  return driver::text("device", "Serial port, best by its name in /dev/serial/by-id").required();
}
// A driver whose devices differ gives no default and passes that of the device to settings_of.
constexpr driver::Spec baud_key(const char* usual = nullptr) {
  return driver::integer("baud", "Bits a second").range(300, 4'000'000).otherwise(usual);
}
constexpr driver::Spec parity_key(const char* usual = nullptr) {
  return driver::choice("parity", "none|even|odd", "Parity").otherwise(usual);
}
constexpr driver::Spec data_bits_key(const char* usual = nullptr) {
  return driver::integer("data_bits", "Data bits of a character").range(7, 8).otherwise(usual);
}
constexpr driver::Spec stop_bits_key(const char* usual = nullptr) {
  return driver::integer("stop_bits", "Stop bits of a character").range(1, 2).otherwise(usual);
}

// What the options say, and `usual` where they say nothing. Throws Failure(CONFIG) for a baud rate
// that serial ports do not have and for an empty device.
Settings settings_of(const driver::Values& options, Settings usual = {});

bool is_baud_rate(std::int64_t rate);

// "9600 8N1".
std::string text_of(const Settings& settings);

}  // namespace gerbang::serial
