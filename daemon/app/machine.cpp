// SPDX-License-Identifier: Apache-2.0
#include "app/machine.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace gerbang::app {

std::string machine_boot_id() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string id;
  if (std::getline(in, id)) return id;
  const char* given = std::getenv("GERBANG_BOOT_ID");
  return given ? given : "";
}

double machine_cpu_seconds(const rusage& usage) {
  auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::uint64_t machine_resident_bytes() {
  std::ifstream in("/proc/self/statm");
  std::uint64_t size = 0, resident = 0;
  if (!(in >> size >> resident)) return 0;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace gerbang::app
