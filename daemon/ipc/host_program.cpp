// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "ipc/child.hpp"

namespace gerbang::ipc {

Result<std::string> host_program(std::string_view name) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  std::vector<fs::path> folders = {fs::read_symlink("/proc/self/exe", ignored).parent_path(),
                                   GERBANG_INSTALL_LIBEXEC};
  if (const char* folder = std::getenv("GERBANG_LIBEXEC")) folders.emplace_back(folder);
  std::string looked;
  for (const fs::path& folder : folders) {
    fs::path candidate = folder / name;
    if (fs::is_regular_file(candidate, ignored) && ::access(candidate.c_str(), X_OK) == 0)
      return candidate.string();
    looked += (looked.empty() ? "" : ", ") + folder.string();
  }
  return fail(std::errc::no_such_file_or_directory,
              "no program " + std::string(name) + " in " + looked +
                  "; reinstall gerbang or name its folder in GERBANG_LIBEXEC");
}

}  // namespace gerbang::ipc
