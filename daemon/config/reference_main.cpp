// SPDX-License-Identifier: Apache-2.0
//
// gerbang_config_reference page|file: prints config/README.md or config/gerbang.toml.
#include <cstdio>
#include <string_view>

#include "config/load.hpp"
#include "config/reference.hpp"

int main(int argc, char** argv) {
  using namespace gerbang::config;
  const std::string_view what = argc == 2 ? argv[1] : "";
  if (what == "file") {
    std::fputs(default_file().c_str(), stdout);
    return 0;
  }
  if (what != "page") {
    std::fputs("usage: gerbang_config_reference page|file\n", stderr);
    return 64;
  }
  Diagnostics errors;
  const Catalogue catalogue = read_catalogue(default_data_directory(), errors);
  for (const Diagnostic& error : errors) std::fprintf(stderr, "%s\n", text(error).c_str());
  if (!errors.empty()) return 70;
  std::fputs(reference_page(catalogue).c_str(), stdout);
  return 0;
}
