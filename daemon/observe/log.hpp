// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <spdlog/spdlog.h>

namespace gerbang::observe {

// One line per state change; a repeated fault is logged on change and then as a count. Fields come
// last as key=value. Call once, first thing in main. Logs go to stderr: with journal priorities
// ("<4>") when JOURNAL_STREAM is set, with a UTC time otherwise. level: debug, info, warning,
// error.
void start_log(const char* program, spdlog::level::level_enum level);

}  // namespace gerbang::observe
