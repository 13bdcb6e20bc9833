// SPDX-License-Identifier: Apache-2.0
//
// Who has a serial port or a device on the network open already. Nothing is opened to find out:
// opening a port moves its lines.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "config/config.hpp"

namespace gerbang::ctl {

// The process with a flock on this file, by the text of /proc/locks. Drivers lock their ports.
// Pure.
std::optional<pid_t> lock_holder(std::string_view locks, unsigned major, unsigned minor,
                                 unsigned long inode);

// "process 1234 (gerbang-driver-host)" that holds the port; empty: nobody who says so.
std::string port_holder(const std::string& device);

// The [[driver]] of a configuration that talks to the same port, or to the same host and port.
const config::Driver* driver_on(const config::Config& config, const std::string& device,
                                const std::string& host, std::int64_t port);

}  // namespace gerbang::ctl
