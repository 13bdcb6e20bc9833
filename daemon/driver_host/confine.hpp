// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

namespace gerbang::driver_host {

// What a driver may take of the machine. Call before any of its code runs: no new privileges, no
// core files, 256 descriptors, 256 MiB of address space beyond what is used now (not under
// sanitizers, which reserve terabytes). With `dies_with_parent` the kernel kills this process when
// its parent ends; the error is then also that the parent has already ended.
Result<void> confine(bool dies_with_parent);

}  // namespace gerbang::driver_host
