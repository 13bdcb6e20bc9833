// SPDX-License-Identifier: Apache-2.0
#include "app/journal_place.hpp"

#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace gerbang::app {
namespace {

namespace fs = std::filesystem;

bool in_memory(const fs::path& folder) {
  constexpr auto kTmpfs = 0x01021994u, kRamfs = 0x858458f6u;  // linux/magic.h
  struct statfs info {};
  if (::statfs(folder.c_str(), &info) != 0) return false;
  auto type = static_cast<unsigned>(info.f_type);
  return type == kTmpfs || type == kRamfs;
}

// FNV-1a of the path: short, and the same for every build.
std::string mark_of(const fs::path& path) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (char c : path.string())
    hash = (hash ^ static_cast<unsigned char>(c)) * std::uint64_t{0x100000001b3};
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(hash));
  return std::string(text.data());
}

}  // namespace

JournalPlace journal_place(const fs::path& store) {
  std::error_code ignored;
  fs::path absolute = fs::absolute(store, ignored).lexically_normal();
  const std::string mark = mark_of(absolute);
  JournalPlace out;
  const char* runtime = std::getenv("RUNTIME_DIRECTORY");
  if (runtime != nullptr && *runtime != '\0') {
    std::string first = runtime;  // systemd separates several by colons
    first = first.substr(0, first.find(':'));
    out.path = fs::path(first) / ("readings-" + mark + ".journal");
    if (!in_memory(first))
      out.warning = first +
                    " is not on tmpfs: what waits for a commit is kept there for a killed process, "
                    "and its writes wear that disk; let RUNTIME_DIRECTORY be on tmpfs";
    return out;
  }
  const fs::path shared = "/dev/shm";
  if (in_memory(shared) && ::access(shared.c_str(), W_OK | X_OK) == 0) {
    out.path = shared / ("gerbang-" + std::to_string(::geteuid()) + "-" + mark + ".journal");
    return out;
  }
  out.warning =
      "there is no RUNTIME_DIRECTORY and no /dev/shm on tmpfs: a killed process loses what waits "
      "for "
      "a commit (store.commit_interval); set RUNTIME_DIRECTORY to a folder on tmpfs";
  return out;
}

}  // namespace gerbang::app
