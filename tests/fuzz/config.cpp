// SPDX-License-Identifier: Apache-2.0
//
// Any file as configuration: mistakes with a place, or a configuration; never a crash, never both.
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "config/fixture.hpp"

namespace {

// In a folder of its own, so that an include finds nothing else.
std::filesystem::path place() {
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("gerbang-fuzz-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  std::atexit([] {
    std::filesystem::remove_all(std::filesystem::temp_directory_path() /
                                ("gerbang-fuzz-" + std::to_string(getpid())));
  });
  return folder / "gerbang.toml";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::filesystem::path kFile = place();
  static const gerbang::config::Context kContext = gerbang::test::context();
  std::ofstream(kFile, std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  auto loaded = gerbang::config::load(kFile, kContext);
  if (loaded.config.has_value() == !loaded.errors.empty()) std::abort();
  for (const auto& error : loaded.errors)
    if (error.what.empty()) std::abort();
  return 0;
}
