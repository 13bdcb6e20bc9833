// SPDX-License-Identifier: Apache-2.0
#include "uplink_host/ack_tap.hpp"

#include <dlfcn.h>
#include <sys/types.h>

#include <cstddef>
#include <map>
#include <mutex>

#include "uplink_host/puback_reader.hpp"

namespace gerbang::uplink_host::ack_tap {
namespace {

// The library reads on one thread; connections are begun on another.
struct Tap {
  std::mutex mutex;
  PubackReader reader;
  std::map<int, unsigned> codes;  // those that are not 0 and not taken; at most one a message
};

Tap& tap() {
  static Tap the_tap;
  return the_tap;
}

void saw(const void* bytes, ssize_t count) {
  if (count <= 0) return;
  Tap& it = tap();
  std::lock_guard lock(it.mutex);
  it.reader.feed({static_cast<const char*>(bytes), static_cast<std::size_t>(count)},
                 [&](int id, unsigned code) {
                   if (code != 0) it.codes[id] = code;
                 });
}

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

void reset() {
  Tap& it = tap();
  std::lock_guard lock(it.mutex);
  it.reader = PubackReader();
  it.codes.clear();
}

unsigned take(int packet_id) {
  Tap& it = tap();
  std::lock_guard lock(it.mutex);
  auto known = it.codes.extract(packet_id);
  return known ? known.mapped() : 0;
}

}  // namespace gerbang::uplink_host::ack_tap

extern "C" {

__attribute__((visibility("default"))) ssize_t recv(int fd, void* buffer, size_t size, int flags);
__attribute__((visibility("default"))) int SSL_read(void* ssl, void* buffer, int size);

ssize_t recv(int fd, void* buffer, size_t size, int flags) {
  static auto* const real =
      gerbang::uplink_host::ack_tap::real<ssize_t(int, void*, size_t, int)>("recv");
  ssize_t got = real(fd, buffer, size, flags);
  gerbang::uplink_host::ack_tap::saw(buffer, got);
  return got;
}

int SSL_read(void* ssl, void* buffer, int size) {
  static auto* const real = gerbang::uplink_host::ack_tap::real<int(void*, void*, int)>("SSL_read");
  int got = real(ssl, buffer, size);
  gerbang::uplink_host::ack_tap::saw(buffer, got);
  return got;
}

}  // extern "C"
