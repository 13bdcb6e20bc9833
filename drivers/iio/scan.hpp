// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gerbang/driver.hpp>
#include <string>

namespace gerbang::iio {

// Every device that the kernel has below `root`, with what its channels show now.
gerbang_status scan_devices(driver::Host host, const std::string& root, driver::Scan scan);

}  // namespace gerbang::iio
