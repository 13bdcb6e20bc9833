// SPDX-License-Identifier: Apache-2.0
#include "ctl/port.hpp"

#include <grp.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace gerbang::ctl {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    names.push_back(it->path().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::string ports_here(const fs::path& dev) {
  const auto ports = serial_ports(dev);
  if (ports.empty()) return "no adapter is seen: is it plugged in? (sudo dmesg | tail says)";
  std::string text = "seen here:";
  for (const std::string& port : ports) text += " " + port;
  return text;
}

// A terminal, as far as the kernel says what a device is.
bool may_be_port(const struct stat& status) {
  if (!S_ISCHR(status.st_mode)) return false;
  const fs::path kind = "/sys/dev/char/" + std::to_string(major(status.st_rdev)) + ":" +
                        std::to_string(minor(status.st_rdev)) + "/subsystem";
  std::error_code error;
  const fs::path real = fs::canonical(kind, error);
  return error || real.filename() == "tty";
}

std::string group_of(const struct stat& status) {
  const group* known = ::getgrgid(status.st_gid);
  return known != nullptr ? known->gr_name : std::to_string(status.st_gid);
}

}  // namespace

std::vector<std::string> serial_ports(const fs::path& dev) {
  auto ports = names_in(dev / "serial" / "by-id");
  if (!ports.empty()) return ports;
  for (const std::string& name : names_in(dev)) {
    const std::string last = fs::path(name).filename().string();
    for (const char* family : {"ttyUSB", "ttyACM", "ttyAMA"})
      if (last.find(family) == 0) ports.push_back(name);
  }
  return ports;
}

PortFault port_fault(const std::string& device, const fs::path& dev) {
  struct stat status {};
  if (::stat(device.c_str(), &status) != 0) {
    if (errno == EACCES) return {device + ": " + std::strerror(EACCES), true};
    return {device + " is not there; " + ports_here(dev)};
  }
  if (!may_be_port(status)) return {device + " is no serial port; " + ports_here(dev)};
  if (::access(device.c_str(), R_OK | W_OK) == 0) return {};
  const std::string group = group_of(status);
  const bool open_to_group = (status.st_mode & 0060) == 0060 && status.st_gid != 0;
  return {device + " may not be opened by you: " +
              (open_to_group ? "join its group (sudo usermod -aG " + group +
                                   " $USER, then log in again) or use sudo"
                             : "use sudo"),
          true};
}

}  // namespace gerbang::ctl
