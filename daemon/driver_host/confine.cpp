// SPDX-License-Identifier: Apache-2.0
#include "driver_host/confine.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace gerbang::driver_host {
namespace {

constexpr rlim_t kDescriptors = 256;

Result<void> failed(const char* what) {
  return fail(std::error_code(errno, std::generic_category()),
              std::string(what) + ": " + std::strerror(errno));
}

// Lowers a limit, never raises it above what was given to us.
bool lower(__rlimit_resource resource, rlim_t value) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0) return false;
  limit.rlim_cur = limit.rlim_max = value < limit.rlim_max ? value : limit.rlim_max;
  return setrlimit(resource, &limit) == 0;
}

#ifndef GERBANG_SANITIZED
constexpr rlim_t kMemory = rlim_t{256} << 20;

rlim_t address_space_in_use() {
  unsigned long pages = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%lu", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE));
}
#endif

}  // namespace

Result<void> confine(bool dies_with_parent) {
  if (dies_with_parent) {
    const pid_t parent = getppid();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return failed("PR_SET_PDEATHSIG");
    // Whoever died before the call above will not be reported by it.
    if (getppid() != parent) return fail(std::errc::no_such_process, "the parent has ended");
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("PR_SET_NO_NEW_PRIVS");
  if (!lower(RLIMIT_CORE, 0)) return failed("RLIMIT_CORE");
  if (!lower(RLIMIT_NOFILE, kDescriptors)) return failed("RLIMIT_NOFILE");
#ifndef GERBANG_SANITIZED
  if (!lower(RLIMIT_AS, address_space_in_use() + kMemory)) return failed("RLIMIT_AS");
#endif
  return {};
}

}  // namespace gerbang::driver_host
