// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "core/result.hpp"

// Returns the error of a Result from the enclosing function, else goes on. Inside this module only:
// almost each line of it calls SQLite, and each of those calls can fail.
#define STORE_TRY(expression)                            \
  do {                                                   \
    if (auto&& store_tried = (expression); !store_tried) \
      return fail(std::move(store_tried).error());       \
  } while (false)
