// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace gerbang::app {

// The service manager's notification protocol: one datagram to $NOTIFY_SOCKET. Without that
// variable every call does nothing.
class ServiceManager {
 public:
  ServiceManager();
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  void ready() const { send("READY=1"); }
  void stopping() const { send("STOPPING=1"); }
  void status(const std::string& line) const { send("STATUS=" + line); }
  void watchdog() const { send("WATCHDOG=1"); }
  void reloading(std::chrono::microseconds monotonic) const;

  // How often watchdog() must be called at least; nullopt: nobody watches this process.
  std::optional<std::chrono::microseconds> watchdog_period() const { return period_; }

 private:
  void send(const std::string& text) const;

  int socket_ = -1;
  std::string address_;
  std::optional<std::chrono::microseconds> period_;
};

}  // namespace gerbang::app
