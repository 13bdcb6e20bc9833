// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include "port.hpp"

namespace gerbang::serial {

Settings settings_of(const driver::Values& options, Settings usual) {
  Settings s = std::move(usual);
  s.device = options.text("device");
  if (s.device.empty())
    throw driver::Failure(GERBANG_CONFIG,
                          "device is empty; name a serial port such as /dev/serial/by-id/usb-…");
  if (options.has("baud")) {
    const auto rate = options.integer("baud");
    if (!is_baud_rate(rate))
      throw driver::Failure(GERBANG_CONFIG,
                            "baud = " + std::to_string(rate) +
                                " is not a rate of serial ports; 9600 and 115200 are usual");
    s.baud = static_cast<int>(rate);
  }
  if (options.has("parity")) {
    const std::string parity = options.text("parity");
    s.parity = parity == "even" ? 'E' : parity == "odd" ? 'O' : 'N';
  }
  if (options.has("data_bits")) s.data_bits = static_cast<int>(options.integer("data_bits"));
  if (options.has("stop_bits")) s.stop_bits = static_cast<int>(options.integer("stop_bits"));
  return s;
}

bool is_baud_rate(std::int64_t rate) {
  return speed_of(rate) != B0;
}

std::string text_of(const Settings& s) {
  return std::to_string(s.baud) + " " + std::to_string(s.data_bits) + s.parity +
         std::to_string(s.stop_bits);
}

}  // namespace gerbang::serial
