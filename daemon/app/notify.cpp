// SPDX-License-Identifier: Apache-2.0
#include "app/notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace gerbang::app {
namespace {

std::optional<long long> number(const char* text) {
  if (text == nullptr) return std::nullopt;
  std::string_view view(text);
  long long value = 0;
  auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), value);
  if (error != std::errc{} || end != view.data() + view.size()) return std::nullopt;
  return value;
}

}  // namespace

ServiceManager::ServiceManager() {
  const char* address = std::getenv("NOTIFY_SOCKET");
  if (address == nullptr || (address[0] != '/' && address[0] != '@')) return;
  if (std::strlen(address) >= sizeof(sockaddr_un::sun_path)) return;
  address_ = address;
  socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  auto pid = number(std::getenv("WATCHDOG_PID"));
  auto period = number(std::getenv("WATCHDOG_USEC"));
  if (period && *period > 0 && (!pid || *pid == getpid()))
    period_ = std::chrono::microseconds(*period);
}

ServiceManager::~ServiceManager() {
  if (socket_ >= 0) close(socket_);
}

void ServiceManager::reloading(std::chrono::microseconds monotonic) const {
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic.count()));
}

void ServiceManager::send(const std::string& text) const {
  if (socket_ < 0) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  if (to.sun_path[0] == '@') to.sun_path[0] = '\0';  // an abstract name
  auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  // A lost notification is repaired by the next one; there is nothing to do about a failure here.
  (void)sendto(socket_, text.data(), text.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&to),
               length);
}

}  // namespace gerbang::app
