// SPDX-License-Identifier: Apache-2.0
#include "ctl/holder.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "config/lines.hpp"

namespace gerbang::ctl {
namespace {

std::string content_of(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

const OptionValue* find(const OptionValues& values, std::string_view name) {
  for (const OptionValue& value : values)
    if (value.name == name) return &value;
  return nullptr;
}

}  // namespace

std::optional<pid_t> lock_holder(std::string_view locks, unsigned major, unsigned minor,
                                 unsigned long inode) {
  char place[64];
  std::snprintf(place, sizeof place, "%02x:%02x:%lu", major, minor, inode);
  std::istringstream lines{std::string(locks)};
  // "1: FLOCK  ADVISORY  WRITE 1234 00:05:678 0 EOF"; waiting ones have "->" as second word.
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string number, kind, mode, access, where;
    pid_t pid = 0;
    if (words >> number >> kind >> mode >> access >> pid >> where && kind == "FLOCK" &&
        where == place)
      return pid;
  }
  return std::nullopt;
}

std::string port_holder(const std::string& device) {
  struct stat status {};
  if (::stat(device.c_str(), &status) != 0) return {};
  const auto pid = lock_holder(content_of("/proc/locks"), major(status.st_dev),
                               minor(status.st_dev), status.st_ino);
  if (!pid) return {};
  std::string name = content_of("/proc/" + std::to_string(*pid) + "/comm");
  while (name.ends_with('\n')) name.pop_back();
  return "process " + std::to_string(*pid) + (name.empty() ? "" : " (" + name + ")");
}

const config::Driver* driver_on(const config::Config& config, const std::string& device,
                                const std::string& host, std::int64_t port) {
  for (const config::Driver& driver : config.drivers) {
    const OptionValue* its_device = find(driver.options, "device");
    const OptionValue* its_host = find(driver.options, "host");
    const OptionValue* its_port = find(driver.options, "port");
    if (!device.empty() && its_device != nullptr &&
        config::port_path(its_device->text) == config::port_path(device))
      return &driver;
    if (!host.empty() && its_host != nullptr && its_host->text == host && its_port != nullptr &&
        its_port->integer == port)
      return &driver;
  }
  return nullptr;
}

}  // namespace gerbang::ctl
