// SPDX-License-Identifier: Apache-2.0
//
// Which settings somebody wrote, and which are defaults or follow from others.
#pragma once

#include <set>
#include <string>

#include "config/files.hpp"

namespace gerbang::config {

// The keys of a document without mistakes by their full names, as settings_of() writes them:
// "sensor[raw-ph].range.low".
std::set<std::string> written_keys(const Document& document);

// Whether a key of settings_of() is in the file: itself, a table of it, or what it was made of
// ("scale" of a span).
bool is_written(const std::set<std::string>& written, const std::string& setting);

}  // namespace gerbang::config
