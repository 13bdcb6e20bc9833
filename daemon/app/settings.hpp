// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "config/load.hpp"
#include "source/catalogue.hpp"

namespace gerbang::app {

// Reads and checks a configuration with the drivers that are installed: what they say of
// themselves, then whether each takes its part. Blocks for as long as their host processes need; a
// catalogue remembers what they said of themselves. `by_hand`: a check outside of the service,
// which has none of the service's credentials.
// run: a driver that crashes is no mistake in the file; check_reload: as run, from outside
enum class Purpose { check, check_reload, run };
config::LoadResult load_settings(const std::string& file, Purpose purpose,
                                 source::Catalogue* catalogue = nullptr);

// "gerbangd 0.1.0 (commit 0123456789ab), driver ABI 1.0, store schema 1"
std::string version_text();

}  // namespace gerbang::app
