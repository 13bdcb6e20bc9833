// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "line.hpp"

namespace gerbang::modbus {
namespace {

constexpr std::array kBaudRates{
    300,    600,    1200,   2400,   4800,    9600,    19200,   38400,   57600,   115200,  230400,
    460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2500000, 3000000, 3500000, 4000000};

}  // namespace

bool is_baud_rate(std::int64_t rate) {
  return std::find(kBaudRates.begin(), kBaudRates.end(), rate) != kBaudRates.end();
}

}  // namespace gerbang::modbus
