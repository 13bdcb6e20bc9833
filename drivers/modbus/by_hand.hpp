// SPDX-License-Identifier: Apache-2.0
//
// What a technician asks of this driver without a configuration.
#pragma once

#include <gerbang/driver.hpp>
#include <string>

#include "frame.hpp"

namespace gerbang::modbus {

// Emits every value of the answers among captured bytes: readings 0, 1, 2 … of the type and order
// that the options say, each named by a line of the log. Throws Failure(CONFIG) with the reason
// where there is nothing to decode.
gerbang_status decode_capture(driver::Host host, const driver::Values& options, Bytes bytes);

// Looks for units at `host` or on `device`; `instance` is the name of the [[driver]] in what is
// reported. Besides the driver's options it takes the texts `units` ("1-32,40"), `bauds`
// ("9600,19200"), `parities` ("none,even,odd") and `profile`. A found unit is not asked again at
// other rates.
gerbang_status scan_units(driver::Host host, const std::string& instance,
                          const driver::Values& options, driver::Scan scan);

}  // namespace gerbang::modbus
