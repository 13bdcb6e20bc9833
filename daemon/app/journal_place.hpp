// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace gerbang::app {

// Where the journal of readings stands: in memory, over the death of the process.
struct JournalPlace {
  std::filesystem::path path;  // empty: nowhere
  std::string warning;         // what is not as it should be, and what that means; or empty
};

// $RUNTIME_DIRECTORY, which the service unit keeps over restarts; without it shared memory. The
// name follows from the store's path, so that two gateways of one machine do not meet.
JournalPlace journal_place(const std::filesystem::path& store);

}  // namespace gerbang::app
