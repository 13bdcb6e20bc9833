// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "http/snapshot.hpp"

namespace gerbang::http {

// Everything as Prometheus text 0.0.4. No sample where there is no number: a missing or bad value
// is absent, not the last one.
std::string metrics_text(const Snapshot& now);

}  // namespace gerbang::http
