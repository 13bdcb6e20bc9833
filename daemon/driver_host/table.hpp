// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gerbang/driver.h>
#include <host/v1/driver.pb.h>

#include <string>

#include "core/result.hpp"

namespace gerbang::driver_host {

// The driver's table as this build knows it. Refuses another major version, a table that is too
// short, and one without a function that every driver has; fields that an older driver lacks are
// null. A newer minor version is welcome.
Result<gerbang_driver_table> read_table(const gerbang_driver_table* table);

// What the driver says of itself, copied and checked: a declaration that contradicts itself would
// mislead every check of a configuration, so it is refused with the key that is wrong.
Result<host::v1::Description> read_description(const gerbang_description* description);

// The description for a person at a terminal.
std::string describe(const gerbang_driver_table& table, const host::v1::Description& description);

}  // namespace gerbang::driver_host
