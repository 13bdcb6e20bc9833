// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

namespace gerbang::store {

// The files of daemon/store/migrations in order; the n-th makes schema n.
struct Migration {
  std::string_view file, sql;
};
std::vector<Migration> migrations();

}  // namespace gerbang::store
