// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <string>

namespace gerbang::app {

// The kernel's random name of this boot; systemd's GERBANG_BOOT_ID where /proc/sys is hidden.
// Empty: unknown.
std::string machine_boot_id();

double machine_cpu_seconds(const rusage& usage);
std::uint64_t machine_resident_bytes();  // of this process, 0: unknown

}  // namespace gerbang::app
