// SPDX-License-Identifier: Apache-2.0
#include "ctl/tables.hpp"

#include <algorithm>
#include <cstdio>

#include "config/load.hpp"
#include "config/standards.hpp"

namespace gerbang::ctl {

Tables read_tables() {
  Tables out;
  const auto folder = config::default_data_directory();
  out.catalogue = config::read_catalogue(folder, out.errors);
  out.standards = config::read_standards(folder, out.catalogue, out.errors);
  return out;
}

bool usable(const Tables& tables, const indicator::Standard* standard) {
  bool good = standard == nullptr || standard->sound;
  for (const config::Diagnostic& error : tables.errors) {
    const bool elsewhere =
        standard != nullptr && standard->sound &&
        std::any_of(tables.standards.begin(), tables.standards.end(),
                    [&](const indicator::Standard& one) { return one.file == error.file; });
    if (!elsewhere) good = false;
    std::fprintf(stderr, "%s%s\n", elsewhere ? "warning: " : "", config::text(error).c_str());
  }
  return good;
}

}  // namespace gerbang::ctl
