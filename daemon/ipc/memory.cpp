// SPDX-License-Identifier: Apache-2.0
#include "ipc/memory.hpp"

#include <malloc.h>
#include <sys/mman.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace gerbang::ipc {
namespace {

// Bytes. A block of this size or more is a mapping of its own, which goes when it is freed.
constexpr int kLarge = 32 << 10;

// One mapping of /proc/self/smaps: the line that names it, then one line for each property.
struct Mapping {
  std::uintptr_t begin = 0, end = 0;
  bool from_file = false, read_only = false;
  // Changed pages: copied from the file and written, as relocations are. Those must stay.
  bool changed = true;
};

bool parse_head(const std::string& line, Mapping& out) {
  std::istringstream in(line);
  char dash = 0;
  std::string rights, offset, device, inode, path;
  if (!(in >> std::hex >> out.begin >> dash >> out.end >> rights >> offset >> device >> inode) ||
      dash != '-')
    return false;
  in >> path;
  out.from_file = path.starts_with('/');
  out.read_only = rights == "r-xp" || rights == "r--p";
  out.changed = true;
  return true;
}

void forget(const Mapping& mapping) {
  if (!mapping.from_file || !mapping.read_only || mapping.changed) return;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): addresses come as text from the kernel.
  (void)madvise(reinterpret_cast<void*>(mapping.begin), mapping.end - mapping.begin, MADV_DONTNEED);
}

}  // namespace

void use_one_heap(std::size_t trim_threshold) {
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TRIM_THRESHOLD, static_cast<int>(trim_threshold));
  mallopt(M_MMAP_THRESHOLD, kLarge);
}

void forget_startup() {
  malloc_trim(0);
  std::ifstream in("/proc/self/smaps");
  Mapping mapping;
  bool known = false, anonymous_told = false;
  std::string line;
  while (std::getline(in, line)) {
    if (Mapping next; parse_head(line, next)) {
      if (known && anonymous_told) forget(mapping);
      mapping = next;
      known = true;
      anonymous_told = false;
      continue;
    }
    std::istringstream property(line);
    std::string name;
    std::uint64_t kilobytes = 0;
    property >> name >> kilobytes;
    if (name == "Anonymous:") {
      anonymous_told = true;
      mapping.changed = kilobytes != 0;
    } else if (name == "Swap:" && kilobytes != 0) {
      mapping.changed = true;
    }
  }
  if (known && anonymous_told) forget(mapping);
}

}  // namespace gerbang::ipc
